//! `f32` is an argument, not an extractor: a handler takes `Args<f32>`.

use tokio_osc::{Message, Router};

fn main() {
    let _ = Router::new().route("/gain", |_message: Message, _db: f32| {});
}
