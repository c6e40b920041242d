//! The sending half of a client's byte stream, shared by its clones. A frame is put into the output
//! whole and leaves it in order, so that no send that is dropped can tear one.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures::FutureExt;
use tokio::io::AsyncWrite;
use tokio::task::unconstrained;

use crate::codec::{Codec, FrameError, Framing, ReadPacket};
use crate::lock::lock;
use crate::packet::{Packet, SendError, SendErrorKind};

/// Bytes that wait in the output before a batch is handed on.
const BATCH: usize = 64 * 1_024;

/// The codec of a connection, for both of its halves.
pub(super) trait SharedCodec: Send + Sync {
    fn read(&self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError>;
    fn read_eof(&self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError>;
    fn write(&self, packet: Packet, dst: &mut BytesMut) -> Result<(), SendError>;
}

impl<F: Framing> SharedCodec for Mutex<Codec<F>> {
    fn read(&self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError> {
        lock(self).read(src)
    }

    fn read_eof(&self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError> {
        lock(self).read_eof(src)
    }

    fn write(&self, packet: Packet, dst: &mut BytesMut) -> Result<(), SendError> {
        lock(self).write(packet, dst)
    }
}

pub(super) struct Link {
    output: tokio::sync::Mutex<Output>,
    timeout: Duration,
}

struct Output {
    io: Box<dyn AsyncWrite + Send + Unpin>,
    codec: Arc<dyn SharedCodec>,
    buffer: BytesMut,
    phase: Phase,
}

#[derive(PartialEq)]
enum Phase {
    Open,
    /// It takes nothing more, and is perhaps closed.
    Closing,
    Broken,
}

impl Link {
    pub(super) fn new(
        io: Box<dyn AsyncWrite + Send + Unpin>,
        codec: Arc<dyn SharedCodec>,
        timeout: Duration,
    ) -> Self {
        let output = Output { io, codec, buffer: BytesMut::new(), phase: Phase::Open };
        Self { output: tokio::sync::Mutex::new(output), timeout }
    }

    /// Hands a packet to the transport, after what earlier sends have left.
    pub(super) async fn send(&self, packet: Packet) -> Result<(), SendError> {
        let mut output = self.output.lock().await;
        output.drain(self.timeout).await?;
        output.push(packet)?;
        output.drain(self.timeout).await
    }

    /// Puts a packet into the output, which is handed on when it is large.
    pub(super) async fn feed(&self, packet: Packet) -> Result<(), SendError> {
        let mut output = self.output.lock().await;
        if output.buffer.len() >= BATCH {
            output.drain(self.timeout).await?;
        }
        output.push(packet)
    }

    pub(super) async fn flush(&self) -> Result<(), SendError> {
        self.output.lock().await.drain(self.timeout).await
    }

    /// Hands a packet to the transport if nothing waits before it.
    pub(super) fn try_send(&self, packet: Packet) -> Result<(), SendError> {
        let mut output = self.output.try_lock().map_err(|_| SendErrorKind::Full)?;
        if !output.drain_now()? {
            return Err(SendErrorKind::Full.into());
        }
        output.push(packet)?;
        output.drain_now().map(drop)
    }

    /// Sends what waits and closes this direction.
    pub(super) async fn close(&self) -> Result<(), SendError> {
        let mut output = self.output.lock().await;
        if output.phase != Phase::Closing {
            output.drain(self.timeout).await?;
            output.phase = Phase::Closing;
        }
        let closing = poll_fn(|cx| Pin::new(&mut output.io).poll_shutdown(cx));
        let closed = tokio::time::timeout(self.timeout, closing).await;
        closed.unwrap_or_else(|_| Err(timed_out())).map_err(Into::into)
    }
}

impl Output {
    fn push(&mut self, packet: Packet) -> Result<(), SendError> {
        self.codec.write(packet, &mut self.buffer)
    }

    /// Waits until the transport has taken everything; fails if it takes nothing for `timeout`.
    async fn drain(&mut self, timeout: Duration) -> Result<(), SendError> {
        loop {
            let Ok(step) = tokio::time::timeout(timeout, poll_fn(|cx| self.poll_step(cx))).await else {
                self.phase = Phase::Broken;
                return Err(timed_out().into());
            };
            if step? {
                return Ok(());
            }
        }
    }

    /// Hands on as much as the transport takes at once, and tells whether nothing is left. Only the
    /// transport counts, not how much the task has done in its turn.
    fn drain_now(&mut self) -> Result<bool, SendError> {
        loop {
            match unconstrained(poll_fn(|cx| self.poll_step(cx))).now_or_never().transpose()? {
                Some(false) => {}
                done => return Ok(done.is_some()),
            }
        }
    }

    /// One write, or the flush at the end; tells whether nothing is left.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, SendError>> {
        if self.phase != Phase::Open {
            return Poll::Ready(Err(SendErrorKind::Closed.into()));
        }
        let step = ready!(self.poll_io(cx));
        if step.is_err() {
            self.phase = Phase::Broken;
        }
        Poll::Ready(step.map_err(Into::into))
    }

    fn poll_io(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.buffer.is_empty() {
            return Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| true);
        }
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.buffer))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.buffer.advance(written);
        Poll::Ready(Ok(false))
    }
}

fn timed_out() -> io::Error {
    io::ErrorKind::TimedOut.into()
}
