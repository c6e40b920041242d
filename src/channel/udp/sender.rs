//! Packets to one peer, encoded into a buffer that is used again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;

use super::link::Link;
use crate::codec::FrameError;
use crate::packet::IntoPacket;

pub(in crate::channel) struct UdpSender {
    link: Arc<Link>,
    peer: SocketAddr,
    /// The buffer of the last send, for the next.
    buffer: Mutex<BytesMut>,
}

impl UdpSender {
    pub(in crate::channel) fn new(link: Arc<Link>, peer: SocketAddr) -> Self {
        Self { link, peer, buffer: Mutex::default() }
    }

    pub(in crate::channel) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    pub(in crate::channel) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(in crate::channel) async fn send(&self, packet: impl IntoPacket) -> Result<(), FrameError> {
        if !self.link.chain().is_empty() {
            return self.link.send_packet(packet.into_packet()?, self.peer).await.map(drop);
        }
        let mut datagram = self.take_buffer();
        let sent = match packet.encode(&mut datagram) {
            Ok(()) => self.link.send(&datagram, self.peer).await,
            Err(error) => Err(error.into()),
        };
        *self.buffer() = datagram;
        sent
    }

    pub(in crate::channel) fn try_send(&self, packet: impl IntoPacket) -> Result<(), FrameError> {
        if !self.link.chain().is_empty() {
            let frame = self.link.chain().write(packet.into_packet()?, self.peer.into())?;
            return frame.map_or(Ok(()), |frame| self.link.try_send(&frame, self.peer));
        }
        let mut datagram = self.take_buffer();
        let encoded = packet.encode(&mut datagram).map_err(FrameError::from);
        let sent = encoded.and_then(|()| self.link.try_send(&datagram, self.peer));
        *self.buffer() = datagram;
        sent
    }

    fn take_buffer(&self) -> BytesMut {
        let mut buffer = std::mem::take(&mut *self.buffer());
        buffer.clear();
        buffer
    }

    fn buffer(&self) -> MutexGuard<'_, BytesMut> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
