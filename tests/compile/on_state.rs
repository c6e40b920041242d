//! The handler asks for the state of another router.

use std::sync::atomic::AtomicU32;
use tokio_osc::{Router, State, on};

fn hit(_: State<AtomicU32>) {}

fn main() {
    let _ = Router::with_state(1_u8).route("/hit", on(hit).tags("f"));
}
