//! The address comes first.

use tokio_osc::{Router, on};

fn main() {
    let _ = Router::new().route(on(|| {}).tags("f"), "/hit");
}
