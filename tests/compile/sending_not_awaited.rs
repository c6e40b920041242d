//! Nothing is sent before it is awaited.
#![deny(unused_must_use)]

use tokio_osc::Client;

fn sending(client: &Client) {
    client.send(("/gain", 0.5_f32));
    client.request(("/ping", 7), "/pong");
}

fn main() {}
