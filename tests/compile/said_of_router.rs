//! They are not methods of the router.

use tokio_osc::Router;

fn main() {
    let _ = Router::new().route("/hit", || {}).tags("f");
}
