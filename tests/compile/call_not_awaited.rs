//! Nothing runs until the call is awaited.

use tokio_osc::Router;

fn main() {
    let replies: Vec<tokio_osc::Packet> = Router::new().call(("/ping", 7));
}
