//! So is a mistake of its result.

use tokio_osc::{Args, Router, on};

fn main() {
    let _ = Router::new().route("/gain", on(|Args(n): Args<i32>| 2 * n).tags("i"));
}
