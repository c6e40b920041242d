//! The local router: a bounded queue that a server reads as a channel.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{Stream, poll_fn};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use crate::lock::lock;
use crate::node::{Destination, SendOutcome};
use crate::packet::{DecodeError, DecodeOptions, SendErrorKind};
use crate::{Meta, Packet, Peer};

type Item = (Result<Packet, DecodeError>, Meta);

/// The bytes of queued packets at which the queue is full.
const BYTES: usize = 16 * 1_024 * 1_024;

/// The two ends of a queue with this capacity.
pub(super) fn local(packets: usize) -> (Local, impl Stream<Item = Item> + Send + 'static) {
    let (sender, mut receiver) = mpsc::channel(packets);
    let ended = CancellationToken::new();
    let end = ended.clone().drop_guard();
    let bytes = Arc::<AtomicUsize>::default();
    let held = Arc::clone(&bytes);
    let packets = poll_fn(move |cx| {
        let _ = &end;
        let item: Poll<Option<Item>> = receiver.poll_recv(cx);
        if let Poll::Ready(Some((Ok(packet), _))) = &item {
            held.fetch_sub(packet.as_bytes().len(), Ordering::Relaxed);
        }
        item
    });
    (Local { sender: Arc::new(Mutex::new(Some(sender))), bytes, ended }, packets)
}

#[derive(Clone, Debug)]
pub(super) struct Local {
    /// `None` when it is closed.
    sender: Arc<Mutex<Option<mpsc::Sender<Item>>>>,
    /// The bytes of the queued packets. It grows with `sender` locked.
    bytes: Arc<AtomicUsize>,
    /// Whether the other end is gone.
    ended: CancellationToken,
}

impl Local {
    /// Accepts no more packets, and waits until the server has read the queue or has ended.
    pub(super) async fn close(&self) {
        drop(self.sender().take());
        self.ended.cancelled().await;
    }

    fn sender(&self) -> MutexGuard<'_, Option<mpsc::Sender<Item>>> {
        lock(&self.sender)
    }
}

/// It never waits: a handler that waited for its own server would wait forever.
impl Destination for Local {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async { self.try_send(packet) }.boxed()
    }

    /// Packets that channels refuse are refused here as well. A queued packet is copied, so that it does not
    /// keep a larger buffer alive.
    fn try_send(&self, packet: &Packet) -> SendOutcome {
        if let Err(error) = packet.check(&DecodeOptions::default()) {
            return SendOutcome::Failed(error.into());
        }
        let sender = self.sender();
        let Some(sender) = &*sender else { return SendOutcome::Failed(SendErrorKind::Closed.into()) };
        if self.bytes.load(Ordering::Relaxed) >= BYTES {
            return SendOutcome::full();
        }
        let place = match sender.try_reserve() {
            Ok(place) => place,
            Err(TrySendError::Full(())) => return SendOutcome::full(),
            Err(TrySendError::Closed(())) => return SendOutcome::Failed(SendErrorKind::Closed.into()),
        };
        // Before it can be read, which takes them off again.
        self.bytes.fetch_add(packet.as_bytes().len(), Ordering::Relaxed);
        place.send((Ok(packet.as_ref().to_owned()), Meta::from_peer(Peer::LOCAL)));
        SendOutcome::Sent { peers: 1 }
    }
}
