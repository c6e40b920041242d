//! A mistake of the handler is reported inside of `on`.

use tokio_osc::{Router, on};

fn main() {
    let _ = Router::new().route("/gain", on(|_db: f32| {}).tags("f"));
}
