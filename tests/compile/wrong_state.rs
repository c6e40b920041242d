//! The state of a router is one type: no part of it, and none that it could become.

use tokio_osc::{Router, State};

fn main() {
    let _ = Router::with_state(7_u64).route("/hits", |State(_hits): State<u32>| {});
}
