//! A number is not a set of names.

use tokio_osc::{Router, on};

fn main() {
    let _ = Router::new().route("/voice/*", on(|| {}).instances(8));
}
