//! Batches of outgoing datagrams to one peer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::{Buf, Bytes, BytesMut};
use futures::future::{BoxFuture, FutureExt};

use super::offload;
use super::socket::{MAX_V4, UdpSocketState};
use crate::channel::transport::{Taken, Transport};
use crate::lock::lock;
use crate::middleware::Chain;
use crate::packet::{Peer, SendError, SendErrorKind};

/// The transport of a client that sends batches.
pub(crate) struct BatchedUdp {
    state: Arc<UdpSocketState>,
    peer: SocketAddr,
    batch: Mutex<Batch>,
}

impl BatchedUdp {
    pub(crate) fn new(state: Arc<UdpSocketState>, peer: SocketAddr) -> Self {
        Self { state, peer, batch: Mutex::default() }
    }
}

impl Transport for BatchedUdp {
    fn chain(&self) -> &Chain {
        self.state.chain()
    }

    /// Sends the queued datagrams first, so that packets leave in order.
    fn try_send(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        lock(&self.batch).try_drain(&self.state, self.peer)?;
        self.state.try_send(frame, to)
    }

    fn ready<'a>(&'a self, _frame: &'a Bytes, _to: Peer) -> BoxFuture<'a, Result<(), SendError>> {
        self.state.writable()
    }

    fn try_feed(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        let datagram = self.state.frame(frame, self.peer)?;
        if datagram.is_empty() {
            return self.try_send(frame, to);
        }
        let mut batch = lock(&self.batch);
        if !batch.takes(datagram.len()) {
            batch.try_drain(&self.state, self.peer)?;
        }
        batch.push(&datagram);
        Ok(Taken::Done)
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), SendError>> {
        async {
            loop {
                let drained = lock(&self.batch).try_drain(&self.state, self.peer);
                match drained {
                    Err(error) if error.kind() == SendErrorKind::Full => self.state.writable().await?,
                    done => return done,
                }
            }
        }
        .boxed()
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.state.local_addr()
    }
}

/// The current batch. Each datagram except the last has `size` bytes.
#[derive(Default)]
struct Batch {
    bytes: BytesMut,
    size: usize,
    /// Whether the kernel refused the batch. Then its datagrams are sent one by one.
    refused: bool,
}

impl Batch {
    /// Returns `true` if a datagram of this size can be added.
    fn takes(&self, len: usize) -> bool {
        let waiting = self.bytes.len();
        let full = waiting + len > MAX_V4 || waiting >= self.size * offload::MOST;
        waiting == 0 || (!full && (1..=self.size).contains(&len) && waiting % self.size == 0)
    }

    fn push(&mut self, datagram: &[u8]) {
        if self.bytes.is_empty() {
            self.size = datagram.len();
        }
        self.bytes.extend_from_slice(datagram);
    }

    /// Sends the batch. Returns `Full` if the socket has no space for it. Another error loses the unsent
    /// datagrams.
    fn try_drain(&mut self, state: &UdpSocketState, to: SocketAddr) -> Result<(), SendError> {
        while let Some(part) = self.next_part() {
            let (len, sent) = (part.len(), state.try_send_run(part, self.size, to));
            self.settle(len, sent)?;
        }
        Ok(())
    }

    /// The datagrams of the next system call.
    fn next_part(&self) -> Option<&[u8]> {
        let len = if self.refused { self.size.min(self.bytes.len()) } else { self.bytes.len() };
        self.bytes.get(..len).filter(|part| !part.is_empty())
    }

    /// Records that a part was sent, or refused as a whole.
    fn settle(&mut self, len: usize, sent: Result<bool, SendError>) -> Result<(), SendError> {
        match sent {
            Ok(true) => self.bytes.advance(len),
            Ok(false) => self.refused = true,
            Err(error) if error.kind() == SendErrorKind::Full => return Err(error),
            Err(error) => {
                self.bytes.clear();
                self.refused = false;
                return Err(error);
            }
        }
        self.refused &= !self.bytes.is_empty();
        Ok(())
    }
}
