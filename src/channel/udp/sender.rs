//! Packets to one peer, encoded into a buffer that is used again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::BytesMut;

use super::batch::Batch;
use super::link::Link;
use crate::lock::lock;
use crate::middleware::Flow;
use crate::packet::{IntoPacket, SendError, SendErrorKind, append};

pub(in crate::channel) struct UdpSender {
    link: Arc<Link>,
    peer: SocketAddr,
    /// The buffer of the last send, for the next.
    buffer: Mutex<BytesMut>,
    /// What waits to be sent together; `None` where each datagram leaves alone.
    batch: Option<tokio::sync::Mutex<Batch>>,
}

impl UdpSender {
    pub(in crate::channel) fn new(link: Arc<Link>, peer: SocketAddr) -> Self {
        let batch = link.runs.then(tokio::sync::Mutex::default);
        Self { link, peer, buffer: Mutex::default(), batch }
    }

    pub(in crate::channel) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    pub(in crate::channel) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Sends a packet, after those that wait.
    pub(in crate::channel) async fn send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        self.flush().await?;
        let mut bytes = self.take_buffer();
        let Flow::Pass(()) = self.encode(packet, &mut bytes)? else { return Ok(()) };
        let sent = self.link.send(&bytes, self.peer).await;
        *self.buffer() = bytes;
        sent
    }

    /// Takes a packet for the next run, or sends it.
    pub(in crate::channel) async fn feed(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        let Some(batch) = &self.batch else { return self.send(packet).await };
        let mut bytes = self.take_buffer();
        let Flow::Pass(()) = self.encode(packet, &mut bytes)? else { return Ok(()) };
        let fed = self.add(&mut *batch.lock().await, &bytes).await;
        *self.buffer() = bytes;
        fed
    }

    async fn add(&self, batch: &mut Batch, bytes: &[u8]) -> Result<(), SendError> {
        let datagram = self.link.frame(bytes, self.peer)?;
        if !batch.takes(datagram.len()) {
            batch.drain(&self.link, self.peer).await?;
        }
        if datagram.is_empty() {
            return self.link.send(bytes, self.peer).await;
        }
        batch.push(&datagram);
        Ok(())
    }

    /// Sends what waits.
    pub(in crate::channel) async fn flush(&self) -> Result<(), SendError> {
        match &self.batch {
            Some(batch) => batch.lock().await.drain(&self.link, self.peer).await,
            None => Ok(()),
        }
    }

    /// Sends a packet, after those that wait, if all can be sent at once.
    pub(in crate::channel) fn try_send(&self, packet: impl IntoPacket) -> Result<(), SendError> {
        if let Some(batch) = &self.batch {
            let mut batch = batch.try_lock().map_err(|_| SendErrorKind::Full)?;
            batch.try_drain(&self.link, self.peer)?;
        }
        let mut bytes = self.take_buffer();
        let Flow::Pass(()) = self.encode(packet, &mut bytes)? else { return Ok(()) };
        let sent = self.link.try_send(&bytes, self.peer);
        *self.buffer() = bytes;
        sent
    }

    /// The bytes of a packet, through the middleware if there is any.
    fn encode(&self, packet: impl IntoPacket, bytes: &mut BytesMut) -> Result<Flow<()>, SendError> {
        if self.link.chain().is_empty() {
            append(bytes, &packet)?;
            return Ok(Flow::Pass(()));
        }
        let Some(frame) = self.link.chain().write(packet.into_packet()?, self.peer.into())? else {
            return Ok(Flow::Drop);
        };
        bytes.extend_from_slice(&frame);
        Ok(Flow::Pass(()))
    }

    fn take_buffer(&self) -> BytesMut {
        let mut buffer = std::mem::take(&mut *self.buffer());
        buffer.clear();
        buffer
    }

    fn buffer(&self) -> MutexGuard<'_, BytesMut> {
        lock(&self.buffer)
    }
}
