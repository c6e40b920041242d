//! One connection: reads packets, sends what waits for it, and watches the clock. A future that is
//! ready when the connection has ended.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, Sleep};

use super::events::Disconnect;
use super::options::StreamOptions;
use super::outbox::{Entry, Outbox};
use super::throttle::Throttle;
use crate::codec::{Codec, Framing, ReadPacket};
use crate::packet::{SendErrorKind, Work};

/// Bytes that are asked of the transport at a time.
const READ: usize = 8 * 1_024;
/// Bytes that are framed before they are handed to the transport.
const WRITE: usize = 64 * 1_024;
/// Packets and writes before other connections get their turn.
const BURST: usize = 32;
/// How long a connection that is being closed may take to send what waits.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// How long a peer that sends nothing more, and may still read, can wait for answers.
const ANSWERS: Duration = Duration::from_secs(10);

/// Where the packets of a connection go.
pub(super) trait Sink {
    fn put(&mut self, packet: ReadPacket);

    /// Whether nothing is to be read for now. Who makes space wakes the task.
    fn is_full(&self) -> bool;

    /// Whether packets may be answered: then none is read while too much waits to be sent.
    fn causes_answers(&self) -> bool;

    /// Whether nothing is to be read any more.
    fn is_deaf(&self) -> bool {
        false
    }
}

/// A connection and all that it needs.
pub(super) struct Connection<I, F, S> {
    io: I,
    codec: Codec<F>,
    sink: S,
    outbox: Arc<Outbox>,
    input: BytesMut,
    output: BytesMut,
    /// The packets in `output`, each with the bytes of its frame that are still there.
    unsent: VecDeque<(Entry, usize)>,
    unflushed: bool,
    /// Whether what is to be sent waits for the peer to show its framing.
    undetected: bool,
    limits: Limits,
    clock: Deadlines,
    /// Handed out with each packet; gone when nothing more is read.
    work: Option<Arc<Working>>,
    /// Whether somebody still works on a packet, and may answer.
    answering: Weak<Working>,
    faults: Throttle,
    /// Set when nothing more is read: what is left to send goes out first.
    ending: Option<Disconnect>,
}

/// Lives as long as somebody works on a packet of the connection; then tells the connection.
struct Working(Arc<Outbox>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.wake();
    }
}

struct Limits {
    in_frame: Duration,
    idle: Option<Duration>,
    write: Duration,
}

/// Since when something is waited for; until when, at the end.
struct Deadlines {
    frame: Option<Instant>,
    idle: Option<Instant>,
    write: Option<Instant>,
    linger: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<I, F, S> Connection<I, F, S>
where
    I: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
    S: Sink,
{
    pub(super) fn new(io: I, codec: Codec<F>, sink: S, outbox: Arc<Outbox>, options: &StreamOptions) -> Self {
        let limits = Limits {
            in_frame: options.in_frame_timeout,
            idle: options.idle_timeout,
            write: options.write_timeout,
        };
        let idle = limits.idle.map(|_| Instant::now());
        Self {
            io,
            codec,
            sink,
            work: Some(Arc::new(Working(Arc::clone(&outbox)))),
            answering: Weak::new(),
            outbox,
            input: BytesMut::new(),
            output: BytesMut::new(),
            unsent: VecDeque::new(),
            unflushed: false,
            undetected: false,
            limits,
            clock: Deadlines { frame: None, idle, write: None, linger: None, timer: None },
            faults: Throttle::default(),
            ending: None,
        }
    }

    /// Whether it is to be closed; if not yet, the task is woken when it is.
    pub(super) fn is_closing(&self, cx: &Context<'_>) -> bool {
        self.outbox.register(cx.waker());
        self.outbox.is_closed()
    }

    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<Disconnect> {
        self.outbox.register(cx.waker());
        if let Err(error) = self.poll_send(cx) {
            // Who has closed the connection reads no answers: that is no failure.
            let left = matches!(self.ending, Some(Disconnect::ByPeer));
            return Poll::Ready(if left { Disconnect::ByPeer } else { error.into() });
        }
        if self.ending.is_none() && self.outbox.is_closed() {
            self.end(Disconnect::ByUs);
        }
        if self.ending.is_none() {
            if self.reads() && self.sink.is_full() {
                // What has come meanwhile is not read yet: nobody is late.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Poll::Ready(reason) = self.poll_receive(cx) {
                self.end(reason);
            }
        }
        if let Some(reason) = &self.ending {
            let reason = reason.clone();
            let drained = self.output.is_empty() && !self.unflushed && self.outbox.is_empty();
            if matches!(reason, Disconnect::Failed(_)) || (drained && !self.awaits_answers()) {
                // The last word: if it does not go out at once, the drop of the transport says it.
                let _ = Pin::new(&mut self.io).poll_shutdown(cx);
                return Poll::Ready(reason);
            }
        }
        self.poll_deadlines(cx)
    }

    fn end(&mut self, reason: Disconnect) {
        self.answering = self.work.take().map_or_else(Weak::new, |work| Arc::downgrade(&work));
        self.ending = Some(reason);
        let patience = if self.awaits_answers() { ANSWERS } else { LINGER };
        let linger = Some(Instant::now() + patience);
        self.clock = Deadlines { linger, ..Deadlines::none(self.clock.timer.take()) };
    }

    /// Whether a peer that sends nothing more may still be answered.
    fn awaits_answers(&self) -> bool {
        matches!(self.ending, Some(Disconnect::ByPeer))
            && !self.outbox.is_closed()
            && self.answering.strong_count() > 0
    }

    /// Frames what waits and hands it to the transport, as much as that takes.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        for _ in 0..BURST {
            self.frame();
            let written = if self.output.is_empty() {
                if !self.unflushed {
                    self.clock.write = None;
                    return Ok(());
                }
                Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| 0)
            } else {
                Pin::new(&mut self.io).poll_write(cx, &self.output)
            };
            match written? {
                Poll::Ready(0) if !self.output.is_empty() => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(bytes) => self.note_written(bytes),
                Poll::Pending => {
                    self.clock.write.get_or_insert_with(Instant::now);
                    return Ok(());
                }
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Moves packets from the queue into the output, in their frames.
    fn frame(&mut self) {
        while self.output.len() < WRITE && !self.undetected {
            let Some(entry) = self.outbox.pop() else { return };
            let before = self.output.len();
            match self.codec.write_frame(entry.frame.clone(), &mut self.output) {
                Ok(()) => self.unsent.push_back((entry, self.output.len() - before)),
                Err(error) if error.kind() == SendErrorKind::Undetected => {
                    self.outbox.put_first(entry);
                    self.undetected = true;
                    return;
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

    fn note_written(&mut self, bytes: usize) {
        self.output.advance(bytes);
        self.unflushed = bytes > 0;
        self.clock.write = None;
        let mut left = bytes;
        while let Some((entry, frame)) = self.unsent.front_mut() {
            if *frame > left {
                *frame -= left;
                return;
            }
            left -= *frame;
            self.outbox.note_sent(entry);
            self.unsent.pop_front();
        }
    }

    /// Reads packets until there are none, and tells if there will be no more.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Disconnect> {
        for _ in 0..BURST {
            if !self.reads() {
                self.clock.frame = None;
                return Poll::Pending;
            }
            if self.sink.is_full() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.codec.read_frame(&mut self.input) {
                Ok(Some(frame)) => self.accept(frame),
                Ok(None) => match ready!(self.poll_read(cx)) {
                    Ok(0) => return Poll::Ready(self.at_end()),
                    Ok(_) => {}
                    Err(error) => return Poll::Ready(error.into()),
                },
                Err(error) => return Poll::Ready(error.into()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn reads(&self) -> bool {
        let backlog = self.sink.causes_answers() && self.outbox.is_half_full();
        !backlog && !self.sink.is_deaf()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.input.is_empty() {
            self.clock.frame = None;
        } else {
            self.clock.frame.get_or_insert_with(Instant::now);
        }
        if self.input.capacity() - self.input.len() < READ / 4 {
            self.input.reserve(READ);
        }
        let read = pin!(self.io.read_buf(&mut self.input)).poll(cx);
        if read.is_pending() && self.input.is_empty() {
            // An idle connection keeps no buffer.
            self.input = BytesMut::new();
        }
        read
    }

    fn accept(&mut self, frame: F::Item) {
        self.clock.frame = None;
        if let Some(idle) = &mut self.clock.idle {
            *idle = Instant::now();
        }
        if std::mem::take(&mut self.undetected) {
            self.outbox.wake();
        }
        if let Some(packet) = self.codec.open(frame) {
            self.put(packet);
        }
    }

    fn put(&mut self, (packet, mut meta): ReadPacket) {
        meta.work = Work(self.work.clone().map(|work| work as _));
        self.sink.put((packet, meta));
    }

    /// The last frames, and how the stream ended.
    fn at_end(&mut self) -> Disconnect {
        loop {
            match self.codec.read_eof(&mut self.input) {
                Ok(Some(packet)) => self.put(packet),
                Ok(None) => return Disconnect::ByPeer,
                Err(error) => return error.into(),
            }
        }
    }

    fn poll_deadlines(&mut self, cx: &mut Context<'_>) -> Poll<Disconnect> {
        loop {
            let (clock, limits) = (&self.clock, &self.limits);
            // A limit that no clock reaches is none.
            let after = |since: Option<Instant>, limit, reason| Some((since?.checked_add(limit)?, reason));
            let due = [
                after(clock.frame, limits.in_frame, Disconnect::InFrameTimeout),
                after(clock.write, limits.write, Disconnect::WriteTimeout),
                limits.idle.and_then(|limit| after(clock.idle, limit, Disconnect::IdleTimeout)),
                clock.linger.zip(self.ending.clone()),
            ];
            let Some((due, reason)) = due.into_iter().flatten().min_by_key(|(due, _)| *due) else {
                return Poll::Pending;
            };
            if due <= Instant::now() {
                return Poll::Ready(reason);
            }
            let timer = self.clock.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(cx));
        }
    }
}

impl Deadlines {
    fn none(timer: Option<Pin<Box<Sleep>>>) -> Self {
        Self { frame: None, idle: None, write: None, linger: None, timer }
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
