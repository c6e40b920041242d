//! Replies that wait because the send buffer of a datagram socket is full. The task that reads the channel sends
//! them. All peers share the buffer, so a peer behind a slow link could otherwise make handlers wait.
//!
//! They are sent in rounds, one reply for each network in a round. Each network has a share of the places, so that
//! its own replies are dropped first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;

use crate::lock::lock;
use crate::packet::Peer;
use crate::types::Network;

/// Maximum number of waiting replies, in all and for one network.
const REPLIES: usize = 64;
const OF_A_NETWORK: usize = 8;

#[derive(Debug, Default)]
pub(super) struct LateReplies {
    waiting: Mutex<VecDeque<(Bytes, Peer)>>,
    /// Whether replies wait. Read for each packet, without the lock.
    any: AtomicBool,
    /// Whether no task reads the channel any more, so that none would send them.
    ended: AtomicBool,
}

impl LateReplies {
    pub(super) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    /// Queues a reply. Returns `false` if there is no place for it.
    pub(super) fn push(&self, frame: &Bytes, to: Peer) -> bool {
        let mut waiting = self.waiting();
        // The round of a reply: how many of its network are before it.
        let round = |at: usize, of: Peer| {
            waiting.range(..at).filter(|(_, other)| network(*other) == network(of)).count()
        };
        let own = round(waiting.len(), to);
        // Looked at with the lock: what is pushed before the end is dropped by it.
        if self.ended.load(Ordering::Relaxed) || waiting.len() >= REPLIES || own >= OF_A_NETWORK {
            return false;
        }
        let later = waiting.iter().enumerate().find(|(at, (_, other))| round(*at, *other) > own);
        let at = later.map_or(waiting.len(), |(at, _)| at);
        waiting.insert(at, (frame.clone(), to));
        self.any.store(true, Ordering::Release);
        true
    }

    /// Sends replies, the oldest first, until the socket is full.
    pub(super) fn send(&self, mut has_room: impl FnMut(&Bytes, Peer) -> bool) {
        let mut waiting = self.waiting();
        while let Some((frame, to)) = waiting.front() {
            if !has_room(frame, *to) {
                return;
            }
            waiting.pop_front();
        }
        self.any.store(false, Ordering::Release);
    }

    /// Drops all replies, and returns how many there were. From now on none is kept.
    pub(super) fn end(&self) -> usize {
        let mut waiting = self.waiting();
        self.ended.store(true, Ordering::Relaxed);
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *waiting).len()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(Bytes, Peer)>> {
        lock(&self.waiting)
    }
}

fn network(peer: Peer) -> Option<Network> {
    peer.ip().map(|address| Network::of(address, Network::IPV6_PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_its_share_and_its_turn() {
        let replies = LateReplies::default();
        let peer = |host| Peer::from(([192, 0, 2, host], 9_000));
        let frame = Bytes::from_static(b"/pong\0\0\0,\0\0\0");
        let kept = |host| (0..20).filter(|_| replies.push(&frame, peer(host))).count();
        assert_eq!((0..10).map(kept).collect::<Vec<_>>(), [8, 8, 8, 8, 8, 8, 8, 8, 0, 0]);
        let mut sent = Vec::new();
        replies.send(|_, to| {
            sent.push(to.to_string().chars().nth(8).unwrap_or_default());
            sent.len() < 10
        });
        assert_eq!(sent.iter().collect::<String>(), "0123456701", "the last one found no room");
        assert!(!replies.is_empty());
        assert_eq!((replies.end(), replies.is_empty()), (55, true));
        assert!(!replies.push(&frame, peer(1)), "nothing would send it");
    }
}
