//! A server runs as long as its handle is kept.
#![deny(unused_must_use)]

use tokio_osc::{Router, Server};

fn main() {
    Server::new(Router::new()).spawn();
}
