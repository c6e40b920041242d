//! `f32` is an argument, not an extractor: it is asked for as `Args<f32>`.

use tokio_osc::{Message, Router};

fn main() {
    let _ = Router::new().route("/gain", |_message: Message, _db: f32| {});
}
