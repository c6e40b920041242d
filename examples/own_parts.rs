//! Your own middleware and framing, in a channel, in a client, and in the bare codecs under `Framed` and `UdpFramed`. A
//! program would use a serial port or a WebSocket instead of the pipe.
//!
//! ```text
//! cargo run --example own_parts
//! ```

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures::{SinkExt, StreamExt};
use tokio::io::duplex;
use tokio::net::UdpSocket;
use tokio_osc::bytes::{Buf, BytesMut};
use tokio_osc::channel::StreamOptions;
use tokio_osc::codec::{Codec, Datagram, FrameError};
use tokio_osc::middleware::{Flow, Middleware};
use tokio_osc::packet::DecodeError;
use tokio_osc::{Args, Bytes, Channel, Client, Meta, Packet, Router, Server};
use tokio_util::codec::{Decoder, Encoder, Framed};
use tokio_util::udp::UdpFramed;

/// Middleware: refuses packets with more than one message, and counts the others.
#[derive(Default)]
struct OneByOne(AtomicU64);

impl Middleware for OneByOne {
    fn packet_in(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        if packet.messages().count() > 1 {
            return Err(DecodeError::refused("one message at a time"));
        }
        self.0.fetch_add(1, Relaxed);
        Ok(Flow::Pass(packet))
    }
}

/// Framing: a length of one byte and a checksum of one byte, as for microcontrollers.
#[derive(Clone)]
struct Short;

impl Decoder for Short {
    type Item = Bytes;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        let Some(length) = src.first().map(|&length| usize::from(length)) else { return Ok(None) };
        if src.len() < length + 2 {
            return Ok(None);
        }
        src.advance(1);
        let frame = src.split_to(length).freeze();
        if src.get_u8() != sum(&frame) {
            return Err(FrameError::other("the checksum is wrong"));
        }
        Ok(Some(frame))
    }
}

impl Encoder<Bytes> for Short {
    type Error = FrameError;

    fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> Result<(), FrameError> {
        let length = u8::try_from(frame.len()).map_err(|_| FrameError::other("more than 255 bytes"))?;
        dst.extend_from_slice(&[length]);
        dst.extend_from_slice(&frame);
        dst.extend_from_slice(&[sum(&frame)]);
        Ok(())
    }
}

fn sum(frame: &[u8]) -> u8 {
    frame.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let passed = Arc::new(OneByOne::default());

    let (here, there) = duplex(1_024);
    let options = StreamOptions::default().middleware(Arc::clone(&passed));
    let router = Router::new().route("/add", |Args((a, b)): Args<(i32, i32)>| ("/sum", a + b));
    let server = Server::new(router).listen("pipe", Channel::io_with(here, Short, options)).spawn();
    let client = Client::io(there, Short);
    println!("a server:    {}", client.request(("/add", (1, 2)), "/sum").await?);
    if let Err(error) = client.send(("/text", "long".repeat(100))).await {
        println!("a client:    {error}");
    }
    drop(client);
    server.shutdown().await;

    let (here, there) = duplex(1_024);
    let mut here = Framed::new(here, Codec::new(Short));
    let mut there = Framed::new(there, Codec::new(Short).middleware(Arc::clone(&passed)));
    here.send(("/gain", 0.5_f32)).await?;
    let packet = there.next().await.ok_or("the pipe is closed")?;
    println!("`Framed`:    {}", packet??);

    let mut here = UdpFramed::new(UdpSocket::bind("127.0.0.1:0").await?, Datagram::new());
    let datagrams = Datagram::new().middleware(Arc::clone(&passed));
    let mut there = UdpFramed::new(UdpSocket::bind("127.0.0.1:0").await?, datagrams);
    let address = there.get_ref().local_addr()?;
    let both = tokio_osc::Bundle::immediately().with(("/a", 1)).with(("/b", 2)).build()?;
    here.send((Packet::from(both), address)).await?;
    here.send((("/gain", 0.5_f32), address)).await?;
    for _ in 0..2 {
        match there.next().await.ok_or("the socket is closed")??.0 {
            Ok(packet) => println!("`UdpFramed`: {packet}"),
            Err(error) => println!("`UdpFramed`: {error}"),
        }
    }

    println!("{} packets passed", passed.0.load(Relaxed));
    Ok(())
}
