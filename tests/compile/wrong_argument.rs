//! OSC has no unsigned argument of 64 bits.

use tokio_osc::{Args, Router};

fn main() {
    let _ = Router::new().route("/note", |Args((_channel, _key)): Args<(i32, u64)>| {});
}
