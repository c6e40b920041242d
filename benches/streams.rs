//! Part D of the performance goals: framings beside each other, and sending one by one beside
//! sending in batches, in one run: `cargo bench --bench streams`.
//!
//! "Escaped" streams: every second frame holds one END or ESC in each hundred bytes (at least one).
//! The byte-by-byte decoder is RFC 1055's behind the same `Decoder` interface.
//!
//! At 32 bytes most of the time is the handle of the frame, taken and dropped.
#![allow(missing_docs, dead_code, clippy::panic, clippy::unwrap_used, reason = "a benchmark")]

mod support {
    pub(crate) mod goals;
    pub(crate) mod harness;
}

use std::time::Instant;

use support::goals;
use support::harness::{Contender, race};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_osc::bytes::{Buf, BufMut, BytesMut};
use tokio_osc::{Bytes, Client, LengthPrefix, Slip};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

/// Frames in a stream, and the bytes that arrive at a time.
const FRAMES: u32 = 200;
const READ: usize = 8 * 1_024;

fn main() {
    // `cargo test --benches` only shows that it runs.
    let measured = std::env::args().any(|arg| arg == "--bench");
    let rounds = if measured { 41 } else { 1 };
    println!("ns per frame              slip   byte by byte   length prefix   LengthDelimitedCodec");
    for (size, escaped, most, name) in [
        (32, false, 1.1, "32 B"),
        (32, true, 1.1, "32 B, half escaped"),
        (1_000, false, 1.3, "1,000 B"),
        (1_000, true, 1.3, "1,000 B, half escaped"),
    ] {
        let frames = frames(size, escaped);
        let slip = stream(Slip::new(), &frames);
        let delimited = stream(LengthDelimitedCodec::new(), &frames);
        let prefixed = stream(LengthPrefix::new(), &frames);
        let [ours, bytewise, prefix, reference] = race(
            rounds,
            [
                decodes(Slip::new(), &slip),
                decodes(ByteByByte::default(), &slip),
                decodes(LengthPrefix::new(), &prefixed),
                decodes(LengthDelimitedCodec::new(), &delimited),
            ],
        );
        println!("{name:>21} {ours:>8.0} {bytewise:>14.0} {prefix:>15.0} {reference:>22.0}");
        println!("{name:>21} {:>8.1} times as fast as byte by byte", bytewise / ours);
        if !escaped {
            goals::at_most(&format!("SLIP / LengthDelimitedCodec, {name}"), ours / reference, most);
        }
    }
    sending(rounds.min(11));
}

fn frames(size: usize, escaped: bool) -> Vec<Bytes> {
    let frame = |index: u32| {
        let special = escaped && index % 2 == 1;
        let byte = |at: usize| if special && at % 100 == 17 { 0xc0 } else { b"abcdefghijklmnop"[at % 16] };
        (0..size).map(byte).collect()
    };
    (0..FRAMES).map(frame).collect()
}

fn stream<C: Encoder<Bytes>>(mut codec: C, frames: &[Bytes]) -> Vec<u8> {
    let mut wire = BytesMut::new();
    for frame in frames {
        codec.encode(frame.clone(), &mut wire).unwrap_or_else(|_| panic!("the frame fits"));
    }
    wire.to_vec()
}

/// Reads the stream as a socket gives it, frame by frame.
fn decodes<'a, C: Decoder + 'a>(mut codec: C, wire: &'a [u8]) -> Contender<'a> {
    let mut src = BytesMut::new();
    Box::new(move |times| {
        let start = Instant::now();
        for _ in 0..times {
            let mut frames = 0;
            for read in wire.chunks(READ) {
                src.reserve(READ);
                src.extend_from_slice(read);
                while let Ok(Some(frame)) = codec.decode(&mut src) {
                    std::hint::black_box(frame);
                    frames += 1;
                }
            }
            assert_eq!(frames, FRAMES);
        }
        per_frame(start, times)
    })
}

/// RFC 1055's decoder behind the same interface: it looks at one byte after the other.
#[derive(Default)]
struct ByteByByte {
    frame: BytesMut,
    escape: bool,
}

impl Decoder for ByteByByte {
    type Item = Bytes;
    type Error = std::io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> std::io::Result<Option<Bytes>> {
        while src.has_remaining() {
            let byte = src.get_u8();
            let plain = match byte {
                0xc0 if self.frame.is_empty() => continue,
                0xc0 => return Ok(Some(self.frame.split().freeze())),
                0xdb => {
                    self.escape = true;
                    continue;
                }
                0xdc if self.escape => 0xc0,
                0xdd if self.escape => 0xdb,
                byte => byte,
            };
            self.escape = false;
            self.frame.put_u8(plain);
        }
        Ok(None)
    }
}

fn per_frame(start: Instant, times: u32) -> f64 {
    start.elapsed().as_secs_f64() * 1e9 / f64::from(times) / f64::from(FRAMES)
}

/// 10,000 messages over loopback TCP, handed over one by one and in batches.
fn sending(rounds: usize) {
    const MESSAGES: i32 = 10_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let client = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::tcp(listener.local_addr().unwrap(), Slip::new()).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut sink = vec![0; 256 * 1_024];
            while peer.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        });
        client
    });
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let times = runtime.block_on(async {
            let start = Instant::now();
            for n in 0..MESSAGES {
                client.send(("/synth/1/freq", n)).await.unwrap();
            }
            let single = start.elapsed().as_secs_f64();
            let start = Instant::now();
            client.send_all((0..MESSAGES).map(|n| ("/synth/1/freq", n))).await.unwrap();
            (single, start.elapsed().as_secs_f64())
        });
        ratios.push((times.0 / times.1, times));
    }
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, (single, batched)) = ratios[ratios.len() / 2];
    let nanos = 1e9 / f64::from(MESSAGES);
    println!("TCP, ns per message: {:.0} one by one, {:.0} in batches", single * nanos, batched * nanos);
    goals::at_least("TCP, one by one / in batches", ratio, 4.0);
}
