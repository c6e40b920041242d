//! The byte stream of a client: a pump without a queue and without a task. Each sender writes its own frame,
//! so a packet counts as sent when the kernel has it. The inbox reads from the same pump.
//!
//! The io knows only the waker of the [`WakerSet`], which wakes all senders that wait, and the inbox.
//!
//! Locks are taken in this order: the source of the inbox, the pump, the waker set. The codec runs with the
//! pump locked; wakers and conditions do not. The middleware runs before the lock is taken, because it may
//! use the client.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::unconstrained;

use super::inbox::Source;
use super::waker_set::WakerSet;
use crate::channel::Disconnect;
use crate::channel::stream::pump::{BATCH, Pump};
use crate::channel::transport::{Taken, Transport};
use crate::codec::{Framing, ReadPacket};
use crate::lock::lock;
use crate::middleware::Chain;
use crate::packet::{Peer, SendError, SendErrorKind};

/// The inbox's entry in the waker set.
const READER: u64 = 0;

pub(super) struct ClientStream<I, F> {
    pump: Mutex<Pump<I, F>>,
    wakers: Arc<WakerSet>,
    /// The waker of `wakers`, given to the io.
    waker: Waker,
    next_id: AtomicU64,
    chain: Chain,
    local: Option<SocketAddr>,
}

impl<I, F> ClientStream<I, F>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Framing,
{
    pub(super) fn new(pump: Pump<I, F>, chain: Chain, local: Option<SocketAddr>) -> Arc<Self> {
        let wakers = Arc::<WakerSet>::default();
        let waker = Waker::from(Arc::clone(&wakers));
        Arc::new(Self {
            pump: Mutex::new(pump),
            wakers,
            waker,
            next_id: AtomicU64::new(READER + 1),
            chain,
            local,
        })
    }

    /// Runs with the pump locked. Wakes that happen meanwhile are delayed until it is unlocked, because a
    /// waker may poll the pump, and send, at once.
    fn with_pump<T>(&self, poll: impl FnOnce(&mut Pump<I, F>, &mut Context<'_>) -> T) -> T {
        let mut source_poll = self.wakers.begin_poll();
        let mut pump = lock(&self.pump);
        let was_open = pump.is_open();
        let done = poll(&mut pump, &mut Context::from_waker(&self.waker));
        // The io does not wake the waiters for a close or a failure.
        source_poll.wake = was_open && !pump.is_open();
        done
    }

    /// Accepts a frame if at most `room` bytes are queued before it.
    fn take(&self, frame: &Bytes, room: usize, sent: Taken) -> Result<Taken, SendError> {
        self.with_pump(|pump, cx| {
            if !pump.is_open() {
                return Err(SendErrorKind::Closed.into());
            }
            if pump.waiting() > room && write_now(pump, cx)? == Taken::Rest {
                return Err(SendErrorKind::Full.into());
            }
            pump.push(frame.clone())?;
            if sent == Taken::Done { write_now(pump, cx) } else { Ok(Taken::Done) }
        })
    }

    /// Polls the pump until it is done.
    async fn drive<T>(&self, mut poll: impl FnMut(&mut Pump<I, F>, &mut Context<'_>) -> Poll<T>) -> T {
        let ticket = SenderTicket { wakers: &self.wakers, id: self.next_id.fetch_add(1, Ordering::Relaxed) };
        poll_fn(|cx| {
            drop(self.wakers.register(ticket.id, cx.waker()));
            self.with_pump(&mut poll)
        })
        .await
    }
}

/// Writes as much as the transport accepts now, without the budget of the task.
fn write_now<I, F>(pump: &mut Pump<I, F>, cx: &mut Context<'_>) -> Result<Taken, SendError>
where
    I: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
{
    match unconstrained(poll_fn(|_| pump.poll_write(cx))).now_or_never() {
        Some(written) => Ok(written.map(|()| Taken::Done)?),
        None => Ok(Taken::Rest),
    }
}

/// An entry in the waker set, removed on drop.
struct SenderTicket<'a> {
    wakers: &'a WakerSet,
    id: u64,
}

impl Drop for SenderTicket<'_> {
    fn drop(&mut self) {
        drop(self.wakers.take(self.id));
    }
}

impl<I, F> Transport for ClientStream<I, F>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Framing,
{
    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn try_send(&self, frame: &Bytes, _to: Peer) -> Result<Taken, SendError> {
        self.take(frame, 0, Taken::Done)
    }

    fn ready<'a>(&'a self, _frame: &'a Bytes, _to: Peer) -> BoxFuture<'a, Result<(), SendError>> {
        self.flush()
    }

    fn try_feed(&self, frame: &Bytes, _to: Peer) -> Result<Taken, SendError> {
        self.take(frame, BATCH, Taken::Rest)
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), SendError>> {
        self.drive(Pump::poll_flush).boxed()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), SendError>> {
        self.drive(Pump::poll_close).boxed()
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }
}

/// The reading side of the pump. It writes too, so that any poll sends the rest of a dropped send.
pub(super) struct StreamSource<I, F>(pub(super) Arc<ClientStream<I, F>>);

impl<I, F> Source for StreamSource<I, F>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Framing,
{
    fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<Result<ReadPacket, Disconnect>> {
        drop(self.0.wakers.register(READER, cx.waker()));
        loop {
            let read = self.0.with_pump(|pump, cx| {
                if pump.is_open() && pump.is_writing() {
                    // The rest of a dropped send. Its error is reported to the next sender; the input is
                    // still read to its end.
                    let _ = pump.poll_write(cx);
                }
                let read = ready!(pump.poll_frame(cx));
                if read.is_err() {
                    // The peer may wait until this side ends, as a peer that closes does.
                    let _ = pump.poll_close(cx);
                }
                Poll::Ready(read.map(|frame| pump.open(frame)))
            });
            // An empty frame, or one that the middleware has dropped, is passed over.
            if let Some(read) = ready!(read).transpose() {
                return Poll::Ready(read);
            }
        }
    }
}
