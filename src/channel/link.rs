//! The sending half of a client's byte stream, shared by its clones. A frame is put into the output
//! whole and leaves it in order, so that no send that is dropped can tear one.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::AsyncWrite;

use crate::codec::{Codec, FrameError, FrameErrorKind, Framing, ReadPacket};
use crate::packet::Packet;

/// Bytes that wait in the output before a batch is handed on.
const BATCH: usize = 64 * 1_024;

/// The codec of a connection, for both of its halves.
pub(super) trait SharedCodec: Send + Sync {
    fn read(&self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError>;
    fn read_eof(&self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError>;
    fn write(&self, packet: Packet, dst: &mut BytesMut) -> Result<(), FrameError>;
}

impl<F: Framing> SharedCodec for Mutex<Codec<F>> {
    fn read(&self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError> {
        lock(self).read(src)
    }

    fn read_eof(&self, src: &mut BytesMut) -> Result<Option<ReadPacket>, FrameError> {
        lock(self).read_eof(src)
    }

    fn write(&self, packet: Packet, dst: &mut BytesMut) -> Result<(), FrameError> {
        lock(self).write(packet, dst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Link {
    output: tokio::sync::Mutex<Output>,
    timeout: Duration,
}

struct Output {
    io: Box<dyn AsyncWrite + Send + Unpin>,
    codec: Arc<dyn SharedCodec>,
    buffer: BytesMut,
    broken: bool,
}

impl Link {
    pub(super) fn new(
        io: Box<dyn AsyncWrite + Send + Unpin>,
        codec: Arc<dyn SharedCodec>,
        timeout: Duration,
    ) -> Self {
        let output = Output { io, codec, buffer: BytesMut::new(), broken: false };
        Self { output: tokio::sync::Mutex::new(output), timeout }
    }

    /// Hands a packet to the transport, after what earlier sends have left.
    pub(super) async fn send(&self, packet: Packet) -> Result<(), FrameError> {
        let mut output = self.output.lock().await;
        output.drain(self.timeout).await?;
        output.push(packet)?;
        output.drain(self.timeout).await
    }

    /// Puts a packet into the output, which is handed on when it is large.
    pub(super) async fn feed(&self, packet: Packet) -> Result<(), FrameError> {
        let mut output = self.output.lock().await;
        if output.buffer.len() >= BATCH {
            output.drain(self.timeout).await?;
        }
        output.push(packet)
    }

    pub(super) async fn flush(&self) -> Result<(), FrameError> {
        self.output.lock().await.drain(self.timeout).await
    }

    /// Hands a packet to the transport if nothing waits before it.
    pub(super) fn try_send(&self, packet: Packet) -> Result<(), FrameError> {
        let mut output = self.output.try_lock().map_err(|_| FrameErrorKind::Full)?;
        if output.poll_drain_once()?.is_pending() {
            return Err(FrameErrorKind::Full.into());
        }
        output.push(packet)?;
        output.poll_drain_once().map(drop)
    }

    /// Sends what waits and closes this direction.
    pub(super) async fn close(&self) -> Result<(), FrameError> {
        let mut output = self.output.lock().await;
        output.drain(self.timeout).await?;
        output.broken = true;
        poll_fn(|cx| Pin::new(&mut output.io).poll_shutdown(cx)).await?;
        Ok(())
    }
}

impl Output {
    fn push(&mut self, packet: Packet) -> Result<(), FrameError> {
        self.codec.write(packet, &mut self.buffer)
    }

    /// Waits until the transport has taken everything; fails if it takes nothing for `timeout`.
    async fn drain(&mut self, timeout: Duration) -> Result<(), FrameError> {
        loop {
            if self.broken {
                return Err(FrameErrorKind::Closed.into());
            }
            let step = tokio::time::timeout(timeout, poll_fn(|cx| self.poll_step(cx))).await;
            match step.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    self.broken = true;
                    return Err(error.into());
                }
            }
        }
    }

    /// As much as the transport takes at once.
    fn poll_drain_once(&mut self) -> Result<Poll<()>, FrameError> {
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            if self.broken {
                return Err(FrameErrorKind::Closed.into());
            }
            match self.poll_step(&mut cx) {
                Poll::Ready(Ok(true)) => return Ok(Poll::Ready(())),
                Poll::Ready(Ok(false)) => {}
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Err(error)) => {
                    self.broken = true;
                    return Err(error.into());
                }
            }
        }
    }

    /// One write, or the flush at the end; tells whether nothing is left.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<bool>> {
        if self.buffer.is_empty() {
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            return Poll::Ready(Ok(true));
        }
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.buffer))?;
        if written == 0 {
            return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
        }
        self.buffer.advance(written);
        Poll::Ready(Ok(false))
    }
}
