//! A connection of a channel or of a reconnecting client: a pump with a queue. A future that completes when
//! the connection has ended.
//!
//! ```text
//!            peer's end, broken frame, outbox closed
//!  reading ──────────────────────────────────────────▶ ending(reason)
//!     │                                                   │ 1. queued packets are framed and written
//!     │ deadline, write error                             │ 2. after the peer's end: replies that are due, 10 s
//!     ▼                                                   │ 3. the pump closes: shuts down, reads on, `linger`
//!  ended(reason) ◀────────────────────────────────────────┘
//! ```
//!
//! Each poll registers the outbox's waker, then sends, then reads. In this order a packet that is queued, a
//! close, and the drop of the last [`Meta`](crate::Meta) wake the connection even if they happen during the poll.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::frame_memory::FrameMemory;
use super::options::StreamOptions;
use super::outbox::{Outbox, OutboxEntry};
use super::pump::{BATCH, Deadline, Pump, PumpLimits};
use crate::channel::events::Disconnect;
use crate::codec::{Codec, Framing, ReadPacket};
use crate::packet::{SendErrorKind, Work};
use crate::throttle::Throttle;

/// Maximum number of packets read in one poll, before other connections are polled.
const BURST: usize = 32;
/// How long a connection stays open for replies after the peer has shut down its side.
const REPLIES: Duration = Duration::from_secs(10);

/// The minimum time that a closing connection has to send its queue.
const SEND: Duration = Duration::from_secs(1);

/// The receiver of a connection's packets.
pub(crate) trait Sink {
    fn put(&mut self, packet: ReadPacket);

    /// Whether reading must wait. The task is woken when there is room.
    fn is_full(&self) -> bool;

    /// Whether packets may cause replies. If so, none is read while the send queue is half full: a peer that asks
    /// and does not read would fill it.
    fn causes_replies(&self) -> bool;

    /// Whether reading has stopped: for good, or while the channel is paused.
    fn has_stopped(&self) -> bool {
        false
    }
}

/// The state of a connection.
pub(crate) struct Connection<I, F, S> {
    pump: Pump<I, F>,
    sink: S,
    outbox: Arc<Outbox>,
    /// The framed packets, each with the number of written bytes at which it was sent.
    unsent: VecDeque<(OutboxEntry, u64)>,
    /// Bytes of all frames so far.
    framed: u64,
    /// Whether the queue waits until the framing of the peer is detected.
    undetected: bool,
    /// Given to each packet; dropped when no more packets are read.
    work: Option<Arc<Working>>,
    /// Alive while a handler works on a packet and may reply.
    replying: Weak<Working>,
    faults: Throttle,
    /// Set when reading has stopped.
    ending: Option<Disconnect>,
}

/// Lives while a handler of a packet of this connection runs. Its drop wakes the connection.
struct Working(Arc<Outbox>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.wake();
    }
}

impl<I, F, S> Connection<I, F, S>
where
    I: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
    S: Sink,
{
    pub(crate) fn new(io: I, codec: Codec<F>, sink: S, outbox: Arc<Outbox>, options: &StreamOptions) -> Self {
        Self {
            pump: Pump::new(io, codec, PumpLimits::new(options)),
            sink,
            work: Some(Arc::new(Working(Arc::clone(&outbox)))),
            replying: Weak::new(),
            outbox,
            unsent: VecDeque::new(),
            framed: 0,
            undetected: false,
            faults: Throttle::default(),
            ending: None,
        }
    }

    /// See [`Pump::sharing`].
    pub(crate) fn sharing(self, memory: &Arc<FrameMemory>) -> Self {
        Self { pump: self.pump.sharing(memory), ..self }
    }

    /// Whether the connection is closing. If not, the task is woken when it does.
    pub(crate) fn is_closing(&self, cx: &Context<'_>) -> bool {
        self.outbox.register(cx.waker());
        self.outbox.is_closed()
    }

    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<Disconnect> {
        self.outbox.register(cx.waker());
        let sent = self.poll_send(cx);
        if let Poll::Ready(Err(error)) = sent {
            self.note_failed_end();
            // A peer that has closed the connection reads no replies. That is not a failure.
            let left = matches!(self.ending, Some(Disconnect::ByPeer));
            return Poll::Ready(if left { Disconnect::ByPeer } else { error.into() });
        }
        if self.ending.is_none() && self.outbox.is_closed() {
            self.end(Disconnect::ByUs);
        }
        if self.ending.is_none() {
            if self.reads() && self.sink.is_full() {
                // Poll again before any deadline is checked: the input is not read yet, so the peer is
                // not late.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Poll::Ready(reason) = self.poll_receive(cx) {
                self.end(reason);
            }
        }
        if let Some(reason) = self.ending.clone() {
            if matches!(reason, Disconnect::Failed(_)) {
                self.pump.shut_down_now(cx);
                return Poll::Ready(reason);
            }
            // A closing pump accepts no frames, so the queue is emptied first.
            let all_sent = sent.is_ready() && self.outbox.is_empty();
            if !self.pump.is_open() || (all_sent && !self.awaits_replies()) {
                if ready!(self.pump.poll_close(cx)).is_err() {
                    self.note_failed_end();
                }
                return Poll::Ready(reason);
            }
            // Read on while the queue is sent: a peer that pushes may not read before it is read.
            if matches!(reason, Disconnect::ByUs) && matches!(self.pump.poll_discard(cx), Poll::Ready(Err(_)))
            {
                self.note_failed_end();
                return Poll::Ready(reason);
            }
        }
        self.poll_deadline(cx)
    }

    fn end(&mut self, reason: Disconnect) {
        self.replying = self.work.take().map_or_else(Weak::new, |work| Arc::downgrade(&work));
        self.ending = Some(reason);
        self.pump.stop_reading();
        let patience = if self.awaits_replies() { REPLIES } else { self.pump.linger().max(SEND) };
        self.pump.end_within(patience);
    }

    /// Whether a peer that has shut down its side may still get replies.
    fn awaits_replies(&self) -> bool {
        matches!(self.ending, Some(Disconnect::ByPeer))
            && !self.outbox.is_closed()
            && self.replying.strong_count() > 0
    }

    /// If this side closed the connection, its last packets may be lost.
    fn note_failed_end(&self) {
        if matches!(self.ending, Some(Disconnect::ByUs)) {
            self.outbox.note_unconfirmed_end();
        }
    }

    /// Frames queued packets and writes them, as far as the transport accepts. Ready when all is written.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if !self.pump.is_open() {
            return Poll::Ready(Ok(()));
        }
        loop {
            self.frame();
            let sent = self.pump.poll_write(cx);
            self.note_written();
            // After a full batch there may be more in the queue.
            if !matches!(sent, Poll::Ready(Ok(()))) || self.undetected || self.outbox.is_empty() {
                return sent;
            }
        }
    }

    /// Moves packets from the queue into the output, framed.
    fn frame(&mut self) {
        while self.pump.waiting() < BATCH && !self.undetected {
            let Some(entry) = self.outbox.pop() else { return };
            match self.pump.push(entry.frame.clone()) {
                Ok(bytes) => {
                    self.framed += bytes as u64;
                    self.unsent.push_back((entry, self.framed));
                }
                Err(error) if error.kind() == SendErrorKind::Undetected => {
                    self.outbox.put_first(entry);
                    self.undetected = true;
                }
                Err(error) => {
                    self.outbox.note_dropped(&entry);
                    if let Some(suppressed) = self.faults.pass() {
                        tracing::debug!(target: "tokio_osc::channel", %error, suppressed, "packet not framed");
                    }
                }
            }
        }
    }

    fn note_written(&mut self) {
        let written = self.pump.written();
        if self.unsent.front().is_some_and(|(_, end)| *end <= written) {
            self.outbox.note_active();
        }
        while let Some((entry, _)) = self.unsent.front().filter(|(_, end)| *end <= written) {
            self.outbox.note_sent(entry);
            self.unsent.pop_front();
        }
    }

    /// Reads packets while there are any. Ready with the reason when the stream has ended.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Disconnect> {
        let mut active = false;
        for _ in 0..BURST {
            if !self.reads() {
                self.pump.pause_reading();
                return Poll::Pending;
            }
            if self.sink.is_full() {
                break;
            }
            match ready!(self.pump.poll_frame(cx)) {
                Ok(frame) => {
                    // Once a burst: the clock costs more than most of what is done with a packet here.
                    if !std::mem::replace(&mut active, true) {
                        self.outbox.note_active();
                    }
                    self.accept(frame);
                }
                Err(reason) => return Poll::Ready(reason),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn reads(&self) -> bool {
        let backlog = self.sink.causes_replies() && self.outbox.is_half_full();
        !backlog && !self.sink.has_stopped()
    }

    fn accept(&mut self, frame: F::Item) {
        if std::mem::take(&mut self.undetected) {
            // The framing is known: packets that wait for it can be sent.
            self.outbox.wake();
        }
        if let Some((packet, mut meta)) = self.pump.open(frame) {
            meta.work = Work(self.work.clone().map(|work| work as _));
            self.sink.put((packet, meta));
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Disconnect> {
        let due = ready!(self.pump.poll_deadline(cx));
        Poll::Ready(match due {
            Deadline::InFrame => Disconnect::InFrameTimeout,
            Deadline::Idle => Disconnect::IdleTimeout,
            Deadline::Write => Disconnect::WriteTimeout,
            Deadline::End => {
                self.note_failed_end();
                self.ending.clone().unwrap_or(Disconnect::ByUs)
            }
        })
    }
}

impl<I, F, S> Future for Connection<I, F, S>
where
    I: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
    S: Sink + Unpin,
{
    type Output = Disconnect;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Disconnect> {
        let this = self.get_mut();
        let reason = ready!(this.poll_run(cx));
        this.outbox.put_back(this.unsent.drain(..).map(|(entry, _)| entry));
        Poll::Ready(reason)
    }
}
