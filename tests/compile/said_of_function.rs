//! What is said of a route is said of `on(handler)`.

use tokio_osc::Router;

fn hit() {}

fn main() {
    let _ = Router::new().route("/hit", hit.tags("f"));
}
