//! Datagrams, in and out. In: one socket, drained while there is something, with a bound on each wake-up.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use futures::Stream;
use tokio::net::UdpSocket;

use crate::codec::{Datagram, FrameError, FrameErrorKind, MAX_DATAGRAM};
use crate::packet::{IntoPacket, Meta, Packet, Peer};
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

/// The most bytes that UDP carries over IPv4 and IPv6.
const MAX_UDP4: usize = 65_507;
const MAX_UDP6: usize = 65_527;

/// Sends datagrams to one peer.
pub(super) struct UdpSender {
    socket: Arc<UdpSocket>,
    peer: SocketAddr,
    /// The buffer of the last send, for the next.
    buffer: Mutex<BytesMut>,
}

impl UdpSender {
    pub(super) fn new(socket: Arc<UdpSocket>, peer: SocketAddr) -> Self {
        Self { socket, peer, buffer: Mutex::default() }
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(super) async fn send(&self, packet: impl IntoPacket) -> Result<(), FrameError> {
        let mut datagram = std::mem::take(&mut *self.buffer());
        let sent = match self.encode(&packet, &mut datagram) {
            Ok(()) => self.socket.send_to(&datagram, self.peer).await.map(drop).map_err(Into::into),
            Err(error) => Err(error),
        };
        *self.buffer() = datagram;
        sent
    }

    pub(super) fn try_send(&self, packet: impl IntoPacket) -> Result<(), FrameError> {
        let mut datagram = std::mem::take(&mut *self.buffer());
        let sent = self.encode(&packet, &mut datagram).and_then(|()| {
            self.socket.try_send_to(&datagram, self.peer).map(drop).map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock => FrameErrorKind::Full.into(),
                _ => error.into(),
            })
        });
        *self.buffer() = datagram;
        sent
    }

    fn encode(&self, packet: &impl IntoPacket, datagram: &mut BytesMut) -> Result<(), FrameError> {
        datagram.clear();
        packet.encode(datagram)?;
        let limit = if self.peer.is_ipv4() { MAX_UDP4 } else { MAX_UDP6 };
        if datagram.len() > limit { Err(FrameError::too_large(datagram.len(), limit)) } else { Ok(()) }
    }

    fn buffer(&self) -> MutexGuard<'_, BytesMut> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
