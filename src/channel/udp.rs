//! Datagrams in: one socket, drained while there is something, with a bound on each wake-up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::net::UdpSocket;

use crate::codec::{Datagram, MAX_DATAGRAM};
use crate::packet::{Meta, Packet, Peer};
use crate::wire::{DecodeError, DecodeOptions};

/// Datagrams taken before other tasks get their turn, so that one hot socket starves nobody.
const BURST: usize = 64;

/// The packets of a UDP socket.
pub(super) struct UdpPackets {
    socket: Arc<UdpSocket>,
    buffer: Box<[u8]>,
    codec: Datagram,
    left: usize,
}

impl UdpPackets {
    pub(super) fn new(socket: Arc<UdpSocket>, options: DecodeOptions) -> Self {
        Self {
            socket,
            // One byte more than any datagram: a truncated one would show.
            buffer: vec![0; MAX_DATAGRAM + 1].into_boxed_slice(),
            codec: Datagram::with_options(options),
            left: BURST,
        }
    }

    /// Throws away what has arrived so far.
    pub(super) fn drain(&mut self) {
        for _ in 0..BURST {
            if self.socket.try_recv_from(&mut self.buffer).is_err() {
                return;
            }
        }
    }
}

impl Stream for UdpPackets {
    type Item = (Result<Packet, DecodeError>, Meta);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.left == 0 {
                this.left = BURST;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match this.socket.try_recv_from(&mut this.buffer) {
                Ok((len, from)) => {
                    this.left -= 1;
                    let mut meta = Meta::from_peer(Peer::from(from));
                    let packet = this.codec.read(&this.buffer[..len]).map(|(packet, repairs)| {
                        meta.repairs = repairs;
                        packet
                    });
                    return Poll::Ready(Some((packet, meta)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Err(error) = ready!(this.socket.poll_recv_ready(cx)) {
                        tracing::debug!(target: "tokio_osc::channel", %error, "socket not ready");
                    }
                    this.left = BURST;
                }
                // Errors of a datagram sent earlier (ICMP) and passing shortages are reported here.
                Err(error) => {
                    this.left -= 1;
                    tracing::trace!(target: "tokio_osc::channel", %error, "receive failed");
                }
            }
        }
    }
}
