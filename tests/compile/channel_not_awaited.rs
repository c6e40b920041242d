//! What opens a socket is awaited.

use tokio_osc::{Channel, Router, Server};

fn main() {
    let _ = Server::new(Router::new()).listen("udp", Channel::udp("127.0.0.1:9000"));
}
