//! Signed and encrypted packets between a desk and a stage, and an attacker between them that reads, forges, changes
//! and repeats packets.
//!
//! ```text
//! cargo run --example guarded --features crypto
//! ```

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use tokio::net::UdpSocket;
use tokio_osc::middleware::{
    ChaCha20Poly1305, Envelope, EnvelopeError, Flow, HmacSha256, Middleware, ReplayWindow,
};
use tokio_osc::packet::IntoPacket;
use tokio_osc::{Args, Captures, Meta, Node, Packet, Peer, Router, State, Udp};

/// The envelope of both ends: two keys with an id, and a replay window. Real keys are 32 random bytes each, from a file
/// that only the two can read.
fn envelope() -> Result<Envelope, EnvelopeError> {
    Envelope::builder()
        .signature(HmacSha256::new(b"a key of 32 random bytes, secret").key_id("tour-2026"))
        .cipher(ChaCha20Poly1305::new(b"another one of 32 random bytes..").key_id("tour-2026"))
        .replay_window(ReplayWindow::new())
        .build()
}

/// The stage prints its packets and replies. Packets that the envelope refuses never reach it.
fn fader(
    State(heard): State<AtomicI32>,
    Captures(fader): Captures<u32>,
    Args(level): Args<f32>,
) -> (&'static str, i32) {
    println!("  stage hears    fader {fader} at {level}");
    ("/done", heard.fetch_add(1, Relaxed) + 1)
}

/// The attacker between the two: everything passes through this socket.
struct Wire {
    socket: UdpSocket,
    stage: SocketAddr,
}

impl Wire {
    /// Receives the next datagram, and its sender.
    async fn catch(&self) -> std::io::Result<(Vec<u8>, SocketAddr)> {
        let mut datagram = vec![0; 65_535];
        let (len, from) = self.socket.recv_from(&mut datagram).await?;
        datagram.truncate(len);
        Ok((datagram, from))
    }

    async fn to_stage(&self, datagram: &[u8]) -> std::io::Result<()> {
        self.socket.send_to(datagram, self.stage).await.map(drop)
    }

    /// Forwards one packet of the desk and the reply of the stage. Returns the packet.
    async fn pass(&self) -> std::io::Result<Vec<u8>> {
        let (packet, desk) = self.catch().await?;
        self.to_stage(&packet).await?;
        let (answer, _) = self.catch().await?;
        self.socket.send_to(&answer, desk).await?;
        Ok(packet)
    }
}

/// A packet from an attacker who knows the format but not the key.
fn forged() -> Result<Packet, Box<dyn std::error::Error>> {
    let guess = Envelope::builder()
        .signature(HmacSha256::new("guess").key_id("tour-2026"))
        .cipher(ChaCha20Poly1305::new(&[0; 32]).key_id("tour-2026"))
        .build()?;
    let packet = ("/fader/1", 1.0_f32).into_packet()?;
    match guess.packet_out(packet, &mut Meta::from_peer(Peer::LOCAL))? {
        Flow::Pass(packet) => Ok(packet),
        Flow::Drop => Err("dropped".into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let channel = Udp::new("127.0.0.1:0").middleware(envelope()?).bind().await?;
    let wire = Wire { socket: UdpSocket::bind("127.0.0.1:0").await?, stage: channel.local_addr()? };
    let router = Router::with_state(AtomicI32::new(0)).route("/fader/*", fader);
    let stage = Node::builder().router(router).listen("desk", channel).spawn()?;

    let client = Udp::new(wire.socket.local_addr()?).middleware(envelope()?).client().await?;
    let desk = Node::new();
    desk.add("stage", client.clone())?;

    println!("the desk asks, the stage answers, both by way of the wire:");
    let (answer, recorded) = tokio::join!(client.request(("/fader/1", 0.5_f32), "/done"), wire.pass());
    let (answer, recorded) = (answer?, recorded?);
    println!("  desk hears     {answer}");

    println!("the wire reads:");
    let Packet::Message(seen) = Packet::decode(recorded.clone().into())? else { return Ok(()) };
    let (.., key, data): (&str, &[u8], &str, &[u8], &str, &[u8]) = seen.parse()?;
    println!("  {} with {} bytes by {key}", seen.address(), data.len());

    println!("the wire sends a plain packet, a forged one, a changed one, the same again; the desk goes on:");
    wire.to_stage(("/fader/1", 1.0_f32).into_packet()?.as_bytes()).await?;
    wire.to_stage(forged()?.as_bytes()).await?;
    let mut changed = recorded.clone();
    changed.iter_mut().rev().take(1).for_each(|byte| *byte ^= 1);
    wire.to_stage(&changed).await?;
    wire.to_stage(&recorded).await?;

    let (sent, passed) = tokio::join!(desk.send("stage", ("/fader/1", 0.25_f32)), wire.pass());
    passed?;
    println!("  desk sends     {}", sent?);

    let stats = stage.shutdown().await;
    println!("the stage heard {} packets and refused {}", stats.handled, stats.malformed);
    if (stats.handled, stats.malformed) == (2, 4) { Ok(()) } else { Err("the guard failed".into()) }
}
