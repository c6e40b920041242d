//! Options of a route are methods of `on(handler)`.

use tokio_osc::Router;

fn hit() {}

fn main() {
    let _ = Router::new().route("/hit", hit.tags("f"));
}
