//! What `on` returns belongs to a route.

use tokio_osc::on;

fn main() {
    let _handler = on(|| {}).tags("f");
}
