//! A channel that is polled when its waker was woken, and never else, does all that it has to do.
#![cfg(feature = "net")]

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::task::AtomicWaker;
use futures::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_osc::channel::{ConnectionEvent, Disconnect, Events, Outlet, StreamOptions};
use tokio_osc::{Channel, Meta, Slip};

const PING: &[u8] = b"\xc0/ping\0\0\0,\0\0\0\xc0";

/// Counts the wakes of a channel, and passes them on to the task that polls it.
#[derive(Default)]
struct Counting {
    wakes: AtomicUsize,
    task: AtomicWaker,
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.task.wake();
    }
}

/// Polls the channel once, and from then on only when it was woken. The items are kept in order.
async fn poll_when_woken(mut channel: Channel, items: tokio::sync::mpsc::UnboundedSender<Meta>) {
    let counting = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&counting));
    let mut polled = None;
    poll_fn(|cx| {
        counting.task.register(cx.waker());
        loop {
            let woken = counting.wakes.load(Ordering::SeqCst);
            if polled == Some(woken) {
                return Poll::Pending;
            }
            polled = Some(woken);
            loop {
                match Pin::new(&mut channel).poll_next(&mut Context::from_waker(&waker)) {
                    Poll::Ready(Some((packet, meta))) => {
                        packet.unwrap();
                        drop(items.send(meta));
                    }
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => break,
                }
            }
        }
    })
    .await;
}

struct Stage {
    peer: DuplexStream,
    outlet: Outlet,
    events: Events<ConnectionEvent>,
    items: tokio::sync::mpsc::UnboundedReceiver<Meta>,
    ended: tokio::task::JoinHandle<()>,
}

/// A channel over a pipe, idle before anything happens.
async fn stage(options: StreamOptions) -> Stage {
    let (here, peer) = duplex(1_024);
    let channel = Channel::io_with(here, Slip::new(), options);
    let (outlet, events) = (channel.outlet(), channel.events());
    let (sender, items) = tokio::sync::mpsc::unbounded_channel();
    let ended = tokio::spawn(poll_when_woken(channel, sender));
    tokio::time::sleep(Duration::from_millis(10)).await;
    Stage { peer, outlet, events, items, ended }
}

impl Stage {
    async fn disconnected(&mut self) -> Disconnect {
        loop {
            if let ConnectionEvent::Disconnected { reason, .. } = self.events.next().await.unwrap() {
                return reason;
            }
        }
    }

    /// What the peer reads until the end of the stream; then it closes as well.
    async fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        self.peer.read_to_end(&mut all).await.unwrap();
        self.peer.shutdown().await.unwrap();
        all
    }
}

#[tokio::test(start_paused = true)]
async fn a_queued_packet_leaves() {
    let mut stage = stage(StreamOptions::default()).await;
    assert_eq!(stage.outlet.broadcast(("/ping", ())).unwrap().sent, 1);
    let mut read = vec![0; PING.len()];
    stage.peer.read_exact(&mut read).await.unwrap();
    assert_eq!(read, PING);
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_sends_the_queue_and_ends() {
    let mut stage = stage(StreamOptions::default()).await;
    let peer = stage.outlet.connections()[0];
    stage.outlet.broadcast(("/ping", ())).unwrap();
    assert!(stage.outlet.disconnect(peer));
    assert_eq!(stage.read_to_end().await, PING);
    assert!(matches!(stage.disconnected().await, Disconnect::ByUs));
    stage.ended.await.unwrap();
    assert_eq!(stage.outlet.unconfirmed(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_close_ends_the_channel() {
    let mut stage = stage(StreamOptions::default()).await;
    stage.outlet.broadcast(("/ping", ())).unwrap();
    stage.outlet.close();
    assert_eq!(stage.read_to_end().await, PING);
    stage.ended.await.unwrap();
}

/// It sent something and does not close: the linger limit is the only thing that comes.
#[tokio::test(start_paused = true)]
async fn a_close_to_a_silent_peer_ends_after_the_linger_limit() {
    let stage = stage(StreamOptions::default()).await;
    stage.outlet.broadcast(("/ping", ())).unwrap();
    let start = tokio::time::Instant::now();
    stage.outlet.close();
    stage.ended.await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    assert_eq!(stage.outlet.unconfirmed(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_close_of_a_listener_without_connections_ends() {
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await.unwrap();
    let outlet = channel.outlet();
    let ended = tokio::spawn(poll_when_woken(channel, tokio::sync::mpsc::unbounded_channel().0));
    tokio::time::sleep(Duration::from_millis(10)).await;
    outlet.close();
    ended.await.unwrap();
}

/// The peer has ended its side: the connection ends when the last packet is worked on.
#[tokio::test(start_paused = true)]
async fn the_drop_of_the_last_meta_ends_a_half_closed_connection() {
    let mut stage = stage(StreamOptions::default()).await;
    stage.peer.write_all(PING).await.unwrap();
    stage.peer.shutdown().await.unwrap();
    let meta = stage.items.recv().await.unwrap();
    let start = tokio::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    drop(meta);
    assert!(matches!(stage.disconnected().await, Disconnect::ByPeer));
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    stage.ended.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_connection() {
    let idle = Duration::from_secs(5);
    let mut stage = stage(StreamOptions::default().idle_timeout(Some(idle))).await;
    assert!(matches!(stage.disconnected().await, Disconnect::IdleTimeout));
    stage.ended.await.unwrap();
}
