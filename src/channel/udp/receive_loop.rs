//! Limits how many datagrams are read from a socket in one poll.

use std::io;
use std::task::{Context, Poll, ready};

/// Maximum number of datagrams read before other tasks run, so that one busy socket does not starve others.
const BURST: usize = 64;

/// The number of datagrams that may still be read in this poll.
pub(crate) struct ReceiveLoop {
    left: usize,
}

impl ReceiveLoop {
    pub(crate) const fn new() -> Self {
        Self { left: BURST }
    }

    /// Polls for the next datagram, or an error of the socket, which goes on. `receive` reads a datagram
    /// without waiting; `poll_ready` waits until there may be one. If it fails, the runtime of the socket has
    /// ended, and there is no further datagram.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut receive: impl FnMut() -> io::Result<T>,
        mut poll_ready: impl FnMut(&mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<T>> {
        if self.left == 0 {
            self.left = BURST;
            // Readiness was not consumed, so the socket wakes no task: this task asks for its next turn itself.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            // The datagram first, readiness only when there is none: a busy socket costs one call each.
            match receive() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Err(error) = ready!(poll_ready(cx)) {
                        tracing::debug!(target: "tokio_osc::channel", %error, "socket not ready");
                        return Poll::Pending;
                    }
                    // The task has waited, and others had their turn.
                    self.left = BURST;
                }
                received => {
                    self.left -= 1;
                    if let Err(error) = &received {
                        tracing::trace!(target: "tokio_osc::channel", %error, "receive failed");
                    }
                    return Poll::Ready(received);
                }
            }
        }
    }
}
