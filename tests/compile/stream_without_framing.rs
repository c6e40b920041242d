//! A stream of bytes has a framing.

use tokio_osc::Channel;

fn main() {
    let _ = Channel::tcp("127.0.0.1:9000");
}
