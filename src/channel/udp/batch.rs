//! Datagrams to one peer that wait to leave in one call.

use std::net::SocketAddr;

use bytes::{Buf, BytesMut};

use super::link::{Link, MAX_V4};
use super::offload;
use crate::packet::{SendError, SendErrorKind};

/// A run that grows. Each datagram but the last has `size` bytes.
#[derive(Default)]
pub(super) struct Batch {
    bytes: BytesMut,
    size: usize,
    /// Whether the kernel has refused the run: its datagrams leave one by one.
    refused: bool,
}

impl Batch {
    /// Whether a datagram of this size can be added.
    pub(super) fn takes(&self, len: usize) -> bool {
        let waiting = self.bytes.len();
        let full = waiting + len > MAX_V4 || waiting >= self.size * offload::MOST;
        waiting == 0 || (!full && (1..=self.size).contains(&len) && waiting % self.size == 0)
    }

    pub(super) fn push(&mut self, datagram: &[u8]) {
        if self.bytes.is_empty() {
            self.size = datagram.len();
        }
        self.bytes.extend_from_slice(datagram);
    }

    /// Sends all that waits. An error ends it, and loses what was not sent.
    ///
    /// Cancel safety: what was not sent waits on.
    pub(super) async fn drain(&mut self, link: &Link, to: SocketAddr) -> Result<(), SendError> {
        while let Some(part) = self.next_part() {
            let (len, sent) = (part.len(), link.send_run(part, self.size, to).await);
            self.settle(len, sent)?;
        }
        Ok(())
    }

    /// As `drain`, with `Full` if it would wait.
    pub(super) fn try_drain(&mut self, link: &Link, to: SocketAddr) -> Result<(), SendError> {
        while let Some(part) = self.next_part() {
            let (len, sent) = (part.len(), link.try_send_run(part, self.size, to));
            self.settle(len, sent)?;
        }
        Ok(())
    }

    /// What is to be sent in one call.
    fn next_part(&self) -> Option<&[u8]> {
        let len = if self.refused { self.size.min(self.bytes.len()) } else { self.bytes.len() };
        self.bytes.get(..len).filter(|part| !part.is_empty())
    }

    /// Takes note of what became of a part: sent, or refused as a whole.
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
