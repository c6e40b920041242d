//! A channel over a byte stream whose reads have fuzz-chosen sizes, with pauses between: the same
//! packets as in one read, for every framing and for detection.
#![no_main]

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_osc::codec::{Detect, Framing};
use tokio_osc::{Channel, LengthPrefix, Slip};

/// Gives the bytes in pieces; before each piece it is not ready once.
struct Pieces {
    wire: Vec<u8>,
    at: usize,
    sizes: Vec<u8>,
    turn: usize,
    ready: bool,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.ready = !self.ready;
        if self.ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let size = self
            .sizes
            .get(self.turn % self.sizes.len().max(1))
            .map_or(usize::MAX, |size| 1 + usize::from(*size));
        self.turn += 1;
        let end = self.wire.len().min(self.at.saturating_add(size.min(buf.remaining())));
        buf.put_slice(&self.wire[self.at..end]);
        self.at = end;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn read(framing: impl Framing, wire: &[u8], sizes: &[u8]) -> Vec<String> {
    let pieces = Pieces { wire: wire.to_vec(), at: 0, sizes: sizes.to_vec(), turn: 0, ready: false };
    let mut channel = pin!(Channel::io(pieces, framing));
    let mut cx = Context::from_waker(Waker::noop());
    let mut items = Vec::new();
    let mut polls = 0;
    loop {
        match futures_core::Stream::poll_next(channel.as_mut(), &mut cx) {
            Poll::Ready(Some((packet, _))) => {
                items.push(packet.map_or_else(|error| error.to_string(), |packet| packet.to_string()));
            }
            Poll::Ready(None) => return items,
            Poll::Pending => polls += 1,
        }
        assert!(polls <= 4 * wire.len() + 16, "it comes to an end");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&count, rest)) = data.split_first() else { return };
    let (sizes, wire) = rest.split_at(usize::from(count % 16).min(rest.len()));
    // Timeouts need a runtime; its clock does not move.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let _runtime = runtime.enter();
    assert_eq!(read(Slip::new(), wire, sizes), read(Slip::new(), wire, &[]));
    assert_eq!(read(LengthPrefix::new(), wire, sizes), read(LengthPrefix::new(), wire, &[]));
    assert_eq!(read(Detect::new(), wire, sizes), read(Detect::new(), wire, &[]));
});
