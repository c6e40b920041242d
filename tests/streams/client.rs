//! A client over a byte stream whose peer, transport or framing does not make it easy.
#![cfg(feature = "net")]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};
use tokio_osc::channel::{Disconnect, StreamOptions};
use tokio_osc::codec::Codec;
use tokio_osc::packet::{SendError, SendErrorKind};
use tokio_osc::{Bytes, Channel, Client, Slip};
use tokio_util::bytes::{BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder, Framed};

use crate::support::ms;

/// A peer that reads only after its own packets were read.
#[tokio::test(start_paused = true)]
async fn a_request_receives_packets_while_it_is_being_sent() {
    let (here, there) = duplex(64);
    let client = Client::io(here, Slip::new());
    let mut peer = Framed::new(there, Codec::new(Slip::new()));
    let answering = async {
        for n in 0..1_000 {
            peer.send(("/push", n)).await.unwrap();
        }
        peer.next().await.unwrap().unwrap().unwrap();
        peer.send(("/answer", 7)).await.unwrap();
    };
    let asking = client.request(("/ask", vec![0_u8; 1_000]), "/answer");
    let both = async { tokio::join!(answering, asking.into_future()).1 };
    let answer = tokio::time::timeout(ms(60_000), both).await.expect("the peer goes on").unwrap();
    assert_eq!(answer.parse::<i32>().unwrap(), 7);
}

/// One frame a line; the last one may have no end.
#[derive(Clone)]
struct Lines;

impl Decoder for Lines {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let Some(end) = src.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        Ok(Some(src.split_to(end + 1).freeze().slice(..end)))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let rest = self.decode(src)?;
        Ok(rest.or_else(|| (!src.is_empty()).then(|| src.split().freeze())))
    }
}

impl Encoder<Bytes> for Lines {
    type Error = io::Error;

    fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> io::Result<()> {
        dst.extend_from_slice(&frame);
        dst.put_u8(b'\n');
        Ok(())
    }
}

#[tokio::test]
async fn the_frame_that_ends_with_its_stream_is_received() {
    const WIRE: &[u8] = b"/one\0\0\0\0,\0\0\0\n/two\0\0\0\0,\0\0\0";
    let (here, mut there) = duplex(64);
    there.write_all(WIRE).await.unwrap();
    drop(there);
    assert_eq!(Channel::io(here, Lines).count().await, 2);

    let (here, mut there) = duplex(64);
    let all = Client::io(here, Lines).subscribe("//*");
    there.write_all(WIRE).await.unwrap();
    drop(there);
    assert_eq!(all.count().await, 2);
}

/// Tokio limits the work of a task in a turn. That limit does not mean that the transport is full.
#[tokio::test]
async fn try_send_fails_for_a_full_transport_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::tcp(listener.local_addr().unwrap(), Slip::new()).await.unwrap();
    let _peer = listener.accept().await.unwrap();
    for n in 0..1_000 {
        client.try_send(("/n", n)).unwrap();
    }
}

/// A transport that takes its time to close, as TLS does.
struct Slow {
    io: DuplexStream,
    closing: Option<Pin<Box<Sleep>>>,
    takes: Duration,
}

impl Slow {
    fn new(io: DuplexStream, takes: Duration) -> Self {
        Self { io, closing: None, takes }
    }
}

impl AsyncRead for Slow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Slow {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let takes = self.takes;
        let closing = self.closing.get_or_insert_with(|| Box::pin(sleep(takes)));
        std::task::ready!(closing.as_mut().poll(cx));
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_was_dropped_is_finished_by_the_next() {
    let (here, there) = duplex(64);
    let client = Client::io(Slow::new(here, ms(100)), Slip::new());
    assert!(client.close().now_or_never().is_none());
    assert!(matches!(client.send(("/late", ())).await.unwrap_err().kind(), SendErrorKind::Closed));
    client.close().await.unwrap();
    assert!(matches!(client.closed().await, Disconnect::ByUs));
    assert_eq!(Framed::new(there, Codec::new(Slip::new())).count().await, 0);
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_does_not_close_is_waited_for_as_long_as_for_a_write() {
    let (here, _there) = duplex(64);
    let options = StreamOptions::default().write_timeout(ms(3_000));
    let client = Client::io_with(Slow::new(here, Duration::MAX), Slip::new(), options);
    let start = Instant::now();
    let error = client.close().await.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::Io(io::ErrorKind::TimedOut));
    assert_eq!(start.elapsed(), ms(3_000));
}

#[tokio::test]
async fn what_is_fed_leaves_with_the_flush() {
    let (here, mut there) = duplex(1_024);
    let client = Client::io(here, Slip::new());
    let mut heard = client.subscribe("/answer");
    for n in 0..3 {
        client.feed(("/a", n)).await.unwrap();
        // A reader of the same stream does not write it out either.
        assert!(heard.recv().now_or_never().is_none());
    }
    let mut buffer = [0; 256];
    assert!(there.read(&mut buffer).now_or_never().is_none(), "nothing was written");
    client.flush().await.unwrap();
    let bytes = there.read(&mut buffer).now_or_never().unwrap().unwrap();
    assert_eq!(bytes, 3 * (12 + 2), "all three, each with its two ENDs");
}

/// More than the buffers of both sides of a connection on loopback.
const LARGE: usize = 16 * 1_024 * 1_024;

/// A client whose peer reads nothing at first, and a send that was polled once and then left. It sends
/// for at most 300 ms without progress.
async fn held_send() -> (TcpStream, Client, Pin<Box<dyn Future<Output = Result<(), SendError>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = StreamOptions::default().write_timeout(ms(300));
    let slip = Slip::new().max_frame(2 * LARGE);
    let client = Client::tcp_with(listener.local_addr().unwrap(), slip, options).await.unwrap();
    let (peer, _) = listener.accept().await.unwrap();
    let held = client.clone();
    let mut held = Box::pin(async move { held.send(("/held", vec![0_u8; LARGE])).await });
    tokio::select! {
        biased;
        sent = &mut held => panic!("the peer reads nothing: {sent:?}"),
        () = sleep(ms(50)) => {}
    }
    (peer, client, held)
}

/// A send that lost a `select!` and is kept: the next sender waits no longer than its own write may take.
#[tokio::test]
async fn a_send_that_is_held_delays_others_for_the_write_timeout_at_most() {
    let (_peer, client, held) = held_send().await;
    let begin = Instant::now();
    let (one, other) = tokio::join!(client.send(("/a", 1)), client.flush());
    let waited = begin.elapsed();
    assert!(waited < ms(3_000), "{waited:?}");
    let errors = [one.unwrap_err().kind(), other.unwrap_err().kind()];
    assert!(errors.contains(&SendErrorKind::Io(io::ErrorKind::TimedOut)), "{errors:?}");
    drop(held);
}

/// The peer reads again: the next sender finishes what the one that is held has begun.
#[tokio::test]
async fn the_next_sender_finishes_what_a_held_one_began() {
    let (peer, client, held) = held_send().await;
    let reading = tokio::spawn(async move {
        let mut packets = Framed::new(peer, Codec::new(Slip::new().max_frame(2 * LARGE)));
        let mut addresses = Vec::new();
        while addresses.len() < 2 {
            let packet = packets.next().await.unwrap().unwrap().unwrap();
            addresses.extend(packet.messages().map(|message| message.address().to_string()));
        }
        addresses
    });
    tokio::time::timeout(ms(10_000), client.send(("/next", 1))).await.expect("it goes on").unwrap();
    assert_eq!(reading.await.unwrap(), ["/held", "/next"]);
    held.await.unwrap();
}
