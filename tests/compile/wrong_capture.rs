//! A capture is one part of the address, as text.

use tokio_osc::{Captures, Router};

fn main() {
    let _ = Router::new().route("/voice/*", |Captures(_voice): Captures<Vec<u32>>| {});
}
