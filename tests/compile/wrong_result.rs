//! A number alone is not a reply: it has no address.

use tokio_osc::{Args, Router};

fn main() {
    let _ = Router::new().route("/double", |Args(n): Args<i32>| 2 * n);
}
