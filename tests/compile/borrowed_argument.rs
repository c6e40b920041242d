//! A handler may outlive the packet, so that it cannot borrow from it.

use tokio_osc::{Args, Router};

fn main() {
    let _ = Router::new().route("/name", |Args((_n, _name)): Args<(i32, &str)>| {});
}
