//! What several tests share: the vectors, and values to make packets of.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test uses a part of it"
)]

pub mod capture;
pub mod counting;
pub mod fed;
#[cfg(feature = "crypto")]
pub mod guards;
#[cfg(feature = "net")]
pub mod network;
pub mod panicking;
pub mod ports;
pub mod rig;
pub mod rosc;
pub mod strategies;
pub mod tape;

use std::time::Duration;

pub use ports::{unused_address, unused_port};
use serde_json::Value;
use tokio_osc::packet::{DecodeOptions, PacketRef};
use tokio_osc::{Arg, Bundle, Bytes, Message, Packet};

/// Any free port of this host.
pub const LOOPBACK: &str = "127.0.0.1:0";

pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits until something holds, for at most 20 seconds.
pub async fn until(holds: impl Fn() -> bool) {
    let holding = async {
        for round in 1_u32.. {
            if holds() {
                break;
            }
            tokio::task::yield_now().await;
            // The tasks of this thread had their turn. Others need the core that this loop would burn. Not a sleep of
            // Tokio's: paused time must not advance.
            if round % 32 == 0 {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), holding).await.expect("it comes to that");
}

/// A group of vectors.
pub fn group(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

/// Packets that OSC 1.0 or 1.1 allows.
pub fn valid() -> Vec<Value> {
    group(include_str!("../vectors/valid.json"))
}

/// Bytes that are packets or not.
pub fn raw_decode() -> Vec<Value> {
    group(include_str!("../vectors/raw_decode.json"))
}

pub fn name(vector: &Value) -> &str {
    vector["name"].as_str().unwrap()
}

pub fn bytes(vector: &Value) -> Bytes {
    unhex(vector["hex"].as_str().unwrap()).into()
}

pub fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Some vectors nest deeper than the default limits.
pub fn deep() -> DecodeOptions {
    DecodeOptions::default().max_bundle_depth(1_000).max_array_depth(255)
}

/// The same packet, encoded from its values.
pub fn rebuild(packet: PacketRef<'_>) -> Packet {
    match packet {
        PacketRef::Message(message) => {
            let args: Vec<Arg> = message.parse().unwrap();
            Message::with_raw_address(message.address().as_bytes(), args).unwrap().into()
        }
        PacketRef::Bundle(bundle) => {
            let builder = Bundle::at(bundle.time_tag());
            let elements = bundle.elements();
            elements.fold(builder, |builder, element| builder.with(rebuild(element))).build().unwrap().into()
        }
    }
}

/// Bundles in each other, `depth` of them, the innermost empty.
pub fn nested_bundles(depth: usize) -> Vec<u8> {
    let mut packet = Vec::new();
    for level in 0..depth {
        packet.extend_from_slice(b"#bundle\0\0\0\0\0\0\0\0\x01");
        let rest = (depth - 1 - level) * 20;
        if rest > 0 {
            packet.extend_from_slice(&u32::try_from(rest - 4).unwrap().to_be_bytes());
        }
    }
    packet
}

/// A message of these type tags, each of a kind that needs no data.
pub fn message_of_tags(tags: &[u8]) -> Vec<u8> {
    let mut packet = b"/a\0\0,".to_vec();
    packet.extend_from_slice(tags);
    packet.resize((packet.len() / 4 + 1) * 4, 0);
    packet
}

/// A message with `depth` arrays in each other.
pub fn nested_arrays(depth: usize) -> Vec<u8> {
    message_of_tags(&[vec![b'['; depth], vec![b']'; depth]].concat())
}

/// Runs on a thread with 128 KiB of stack.
pub fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(128 * 1024).spawn(run).unwrap().join().unwrap()
}
