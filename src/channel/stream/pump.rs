//! One byte stream in both directions: reads frames, writes frames, keeps the deadlines, and closes without
//! losing data. It has no queue, no lock and no task. A driver polls it.
//!
//! It has two drivers. A channel's connection and a reconnecting client ([`connection`](super::connection))
//! write packets from a queue: a packet counts as sent when it is queued. A client's own stream lets each
//! sender write: a packet is sent when the kernel has it.
//!
//! | phase | `poll_write` | `poll_frame` | `poll_close` |
//! | --- | --- | --- | --- |
//! | `Open` | writes, flushes | reads, decodes | goes on to `Closing` |
//! | `Closing` | writes, flushes | ended | writes and discards; shuts down when all is written: `Shut` |
//! | `Shut` | closed | ended | discards until the peer has closed, or `linger` has passed |
//! | `Broken` | closed | reads on, unless closing | closed |
//!
//! A pump is always polled with the same waker in both directions. A stream that writes while reading (TLS)
//! keeps only the waker of the last poll, so a second waker for the other direction would be lost.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::frame_memory::{FrameMemory, FrameShare};
use super::options::StreamOptions;
use crate::channel::events::Disconnect;
use crate::codec::{Codec, Framing, ReadPacket};
use crate::packet::{SendError, SendErrorKind};

/// Maximum bytes per read.
const READ: usize = 8 * 1_024;
/// Maximum bytes framed before a write.
pub(crate) const BATCH: usize = 64 * 1_024;
/// Maximum bytes of the output buffer of an idle connection: that of a batch may have doubled.
const LARGEST_KEPT: usize = 2 * BATCH;
/// Maximum number of reads or writes in one poll, before other tasks run.
const BURST: usize = 32;

pub(crate) struct Pump<I, F> {
    io: I,
    codec: Codec<F>,
    input: BytesMut,
    /// What `input` may take.
    share: FrameShare,
    output: BytesMut,
    /// Bytes of `output` written so far, in all.
    written: u64,
    unflushed: bool,
    phase: Phase,
    /// Whether the peer has closed its side of the stream.
    at_end: bool,
    /// Whether this side has ended the stream. If so, no more frames are read.
    ended: bool,
    limits: PumpLimits,
    clock: PumpClock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Closing,
    Shut,
    Broken,
}

/// The timeouts of a pump.
#[derive(Clone, Copy)]
pub(crate) struct PumpLimits {
    in_frame: Option<Duration>,
    idle: Option<Duration>,
    write: Duration,
    linger: Duration,
}

impl PumpLimits {
    pub(crate) const fn new(options: &StreamOptions) -> Self {
        Self {
            in_frame: Some(options.in_frame_timeout),
            idle: options.idle_timeout,
            write: options.write_timeout,
            linger: options.linger,
        }
    }

    /// Limits without timeouts for the input.
    pub(crate) const fn for_client(options: &StreamOptions) -> Self {
        Self { in_frame: None, idle: None, ..Self::new(options) }
    }
}

/// When each wait began; `end` is a deadline.
#[derive(Default)]
struct PumpClock {
    frame: Option<Instant>,
    idle: Option<Instant>,
    write: Option<Instant>,
    end: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// An expired deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    InFrame,
    Idle,
    Write,
    End,
}

impl<I, F> Pump<I, F>
where
    I: AsyncRead + AsyncWrite + Unpin,
    F: Framing,
{
    pub(crate) fn new(io: I, codec: Codec<F>, limits: PumpLimits) -> Self {
        let clock = PumpClock { idle: limits.idle.map(|_| Instant::now()), ..PumpClock::default() };
        Self {
            io,
            codec,
            input: BytesMut::new(),
            share: FrameShare::default(),
            output: BytesMut::new(),
            written: 0,
            unflushed: false,
            phase: Phase::Open,
            at_end: false,
            ended: false,
            limits,
            clock,
        }
    }

    /// Takes the memory of unfinished frames out of what the connections of a channel share.
    pub(crate) fn sharing(self, memory: &Arc<FrameMemory>) -> Self {
        Self { share: FrameShare::of(memory), ..self }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Bytes not yet written.
    pub(crate) fn waiting(&self) -> usize {
        self.output.len()
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Whether a write has begun that the transport has not accepted in full. Frames that were only fed do not
    /// count: they leave with the next flush, in one write.
    pub(crate) fn is_writing(&self) -> bool {
        self.clock.write.is_some() || self.unflushed
    }

    /// Appends a whole frame to the output. Frames leave in order, whichever sender polls.
    pub(crate) fn push(&mut self, frame: Bytes) -> Result<usize, SendError> {
        let before = self.output.len();
        self.codec.write_frame(frame, &mut self.output)?;
        Ok(self.output.len() - before)
    }

    /// Decodes a frame. `None` if it is empty or the middleware dropped it.
    pub(crate) fn open(&self, frame: F::Item) -> Option<ReadPacket> {
        self.codec.open(frame)
    }

    /// Writes the output. Ready when everything is written.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.phase, Phase::Shut | Phase::Broken) {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        for _ in 0..BURST {
            let written = if !self.output.is_empty() {
                Pin::new(&mut self.io).poll_write(cx, &self.output)
            } else if self.unflushed {
                Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| 0)
            } else {
                // The write clock is left running: it may be that of a pending shutdown.
                return Poll::Ready(Ok(()));
            };
            match written {
                Poll::Ready(Ok(0)) if !self.output.is_empty() => {
                    return self.fail(io::ErrorKind::WriteZero.into());
                }
                Poll::Ready(Ok(bytes)) => {
                    self.output.advance(bytes);
                    // A large frame leaves a large buffer, which an idle connection would keep.
                    if self.output.is_empty() && self.output.try_reclaim(LARGEST_KEPT + 1) {
                        self.output = BytesMut::new();
                    }
                    self.written += bytes as u64;
                    self.unflushed = bytes > 0;
                    self.clock.write = None;
                }
                Poll::Ready(Err(error)) => return self.fail(error),
                Poll::Pending => {
                    self.clock.write.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
        // A transport that is always ready must not keep the task: yield, and go on in the next poll.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Same as `poll_write`, with the write timeout.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        if matches!(self.phase, Phase::Shut | Phase::Broken) {
            return Poll::Ready(Err(SendErrorKind::Closed.into()));
        }
        let written = match self.poll_write(cx) {
            Poll::Pending if self.poll_deadline(cx).is_ready() => self.fail(io::ErrorKind::TimedOut.into()),
            written => written,
        };
        written.map_err(Into::into)
    }

    /// Polls for the next frame, or the reason why the stream ended.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<F::Item, Disconnect>> {
        loop {
            if self.ended {
                return Poll::Ready(Err(Disconnect::ByUs));
            }
            let read = if self.at_end { Codec::read_frame_eof } else { Codec::read_frame };
            match read(&mut self.codec, &mut self.input) {
                Ok(Some(frame)) => {
                    self.clock.frame = None;
                    self.clock.idle = self.limits.idle.map(|_| Instant::now());
                    return Poll::Ready(Ok(frame));
                }
                Ok(None) if self.at_end => return Poll::Ready(Err(Disconnect::ByPeer)),
                Ok(None) => match ready!(self.poll_read(cx)) {
                    Ok(read) => self.at_end = read == 0,
                    Err(error) => return Poll::Ready(Err(error.into())),
                },
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// Pauses the timeouts for reading: input that is not read makes the peer neither late nor idle.
    pub(crate) fn pause_reading(&mut self) {
        self.clock.frame = None;
        self.clock.idle = self.limits.idle.map(|_| Instant::now());
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.input.is_empty() {
            self.clock.frame = None;
        } else {
            self.clock.frame.get_or_insert_with(Instant::now);
        }
        // The buffer grows with the input, never by the size that a header claims.
        if self.input.capacity() - self.input.len() < READ / 4 {
            let grown = self.input.capacity().saturating_mul(2).max(self.input.len().saturating_add(READ));
            ready!(self.share.poll_hold(grown, cx));
            self.input.reserve(READ);
        }
        let read = pin!(self.io.read_buf(&mut self.input)).poll(cx);
        if read.is_pending() && self.input.is_empty() {
            // An idle connection keeps no buffer: thousands of them would keep as many.
            self.input = BytesMut::new();
            self.share.release();
        }
        read
    }

    /// Reads and discards below the decoder, so that a broken frame does not end it early. Ready when the peer
    /// has closed its side.
    pub(crate) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waste = [0; READ];
        for _ in 0..BURST {
            if self.at_end {
                return Poll::Ready(Ok(()));
            }
            let mut into = ReadBuf::new(&mut waste);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut into)) {
                Ok(()) => self.at_end = into.filled().is_empty(),
                // A TLS peer that sends no `close_notify` has closed its side, too.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.at_end = true,
                Err(error) => return self.fail(error),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Accepts and reads no more frames.
    fn start_close(&mut self) {
        self.ended = true;
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
            self.stop_reading();
        }
    }

    /// No more frames are read, so the timeouts for them stop.
    pub(crate) fn stop_reading(&mut self) {
        (self.clock.frame, self.clock.idle) = (None, None);
    }

    /// Writes the output, shuts down the write side, and reads until the peer has closed as well. The state is in
    /// the pump: after a drop, call it again.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.start_close();
        if self.phase == Phase::Broken {
            return Poll::Ready(Err(SendErrorKind::Closed.into()));
        }
        self.poll_end(cx).map_err(Into::into)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.phase == Phase::Closing {
            if let Poll::Ready(written) = self.poll_write(cx) {
                written?;
                if let Poll::Ready(Err(error)) = self.poll_shutdown(cx) {
                    return Poll::Ready(Err(error));
                }
            }
        }
        // Also while writing: the peer may not read before its own output is read.
        match self.poll_discard(cx) {
            Poll::Ready(Ok(())) if self.phase == Phase::Shut => return Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            // Nothing was sent, so a reset destroys nothing.
            _ if self.phase == Phase::Shut && (self.written == 0 || self.limits.linger.is_zero()) => {
                return Poll::Ready(Ok(()));
            }
            _ => {}
        }
        // On every poll: a peer that sends without end would otherwise be read forever.
        match self.poll_deadline(cx) {
            Poll::Ready(_) => self.fail(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.io).poll_shutdown(cx) {
            // `NotConnected`: the peer has closed before, or has reset the connection. Reading tells which.
            Poll::Ready(Err(error)) if error.kind() != io::ErrorKind::NotConnected => self.fail(error),
            Poll::Ready(_) => {
                self.phase = Phase::Shut;
                self.clock.write = None;
                self.end_within(self.limits.linger);
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                self.clock.write.get_or_insert_with(Instant::now);
                Poll::Pending
            }
        }
    }

    /// Sets the deadline for the end, unless an earlier one is set.
    pub(crate) fn end_within(&mut self, patience: Duration) {
        let end = Instant::now().checked_add(patience);
        self.clock.end = self.clock.end.into_iter().chain(end).min();
    }

    pub(crate) fn linger(&self) -> Duration {
        self.limits.linger
    }

    /// Ends without waiting. If the shutdown cannot be sent at once, dropping the transport ends the stream.
    pub(crate) fn shut_down_now(&mut self, cx: &mut Context<'_>) {
        let _ = Pin::new(&mut self.io).poll_shutdown(cx);
    }

    pub(crate) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Deadline> {
        loop {
            let (clock, limits) = (&self.clock, &self.limits);
            // A deadline beyond the range of the clock never passes.
            let after = |since: Option<Instant>, limit: Option<Duration>, due| {
                Some((since?.checked_add(limit?)?, due))
            };
            let due = [
                after(clock.frame, limits.in_frame, Deadline::InFrame),
                after(clock.write, Some(limits.write), Deadline::Write),
                after(clock.idle, limits.idle, Deadline::Idle),
                clock.end.map(|end| (end, Deadline::End)),
            ];
            let Some((at, due)) = due.into_iter().flatten().min_by_key(|(at, _)| *at) else {
                return Poll::Pending;
            };
            if at <= Instant::now() {
                return Poll::Ready(due);
            }
            let timer = self.clock.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
            if timer.deadline() != at {
                timer.as_mut().reset(at);
            }
            ready!(timer.as_mut().poll(cx));
        }
    }

    /// Ends the stream for all senders: later sends fail as closed.
    fn fail<T>(&mut self, error: io::Error) -> Poll<io::Result<T>> {
        self.phase = Phase::Broken;
        Poll::Ready(Err(error))
    }
}
