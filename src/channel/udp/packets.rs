//! Datagrams in: one socket, drained while there is something, with a bound on each wake-up.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::diverts::Diverts;
use super::framed::Sources;
use super::intake::Intake;
use super::link::Link;
use crate::channel::PeerNames;
use crate::channel::drain::Drain;
use crate::codec::{Datagram, ReadPacket};
use crate::packet::{Meta, Packet, Peer};
use crate::wire::{DecodeError, DecodeErrorKind, DecodeOptions};

/// The packets of a UDP socket.
pub(in crate::channel) struct UdpPackets {
    link: Arc<Link>,
    intake: Intake,
    codec: Datagram,
    drain: Drain,
    names: Option<PeerNames>,
    /// Where packets are joined and parted; `None` where each datagram is one.
    sources: Option<Box<dyn Sources>>,
    /// The clients that send by this socket, too.
    diverts: Diverts,
}

impl UdpPackets {
    pub(super) fn new(
        link: Arc<Link>,
        options: DecodeOptions,
        max_datagram: usize,
        names: Option<PeerNames>,
    ) -> Self {
        let sources = link.framed.sources(&options, link.chain());
        let codec = Datagram::with_options(options).chain(link.chain().clone());
        let intake = Intake::new(&link, max_datagram);
        Self { link, intake, codec, drain: Drain::new(), names, sources, diverts: Diverts::default() }
    }

    pub(in crate::channel) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    pub(in crate::channel) fn diverts(&self) -> &Diverts {
        &self.diverts
    }

    /// The packet of a datagram; `None` if the middleware has dropped it.
    fn decode(&mut self, place: Range<usize>, peer: Peer) -> Option<ReadPacket> {
        let mut meta = Meta::from_peer(peer);
        meta.set_peer_name(self.name_of(peer));
        let Some(datagram) = self.intake.datagram(place) else {
            self.link.counters.oversized();
            return Some((Err(DecodeError::new(DecodeErrorKind::Truncated, self.intake.max())), meta));
        };
        if let (Some(sources), Some(from)) = (&mut self.sources, peer.address()) {
            if !sources.push(datagram, from) {
                self.link.counters.evicted();
            }
            return self.next_joined();
        }
        let packet = self.codec.read(datagram, &mut meta).transpose()?;
        Some((packet, meta))
    }

    /// The next packet of what was received already.
    fn next_joined(&mut self) -> Option<ReadPacket> {
        let (packet, mut meta) = self.sources.as_mut()?.next()?;
        meta.set_peer_name(self.name_of(meta.peer));
        Some((packet, meta))
    }

    fn name_of(&self, peer: Peer) -> Option<Arc<str>> {
        self.names.as_ref().zip(peer.address()).and_then(|(names, address)| names.get(address))
    }

    /// Whether it is an answer to a request that another reads for.
    fn is_answer(&self, packet: &Result<Packet, DecodeError>, peer: Peer) -> bool {
        matches!(packet, Ok(Packet::Message(message)) if self.diverts.take(message, peer))
    }
}

impl Stream for UdpPackets {
    type Item = ReadPacket;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some((packet, meta)) = this.next_joined() {
                if !this.is_answer(&packet, meta.peer) {
                    return Poll::Ready(Some((packet, meta)));
                }
                continue;
            }
            let socket = &this.link.socket;
            let receive = || this.intake.try_next(&this.link);
            match ready!(this.drain.poll(cx, receive, |cx| socket.poll_recv_ready(cx))) {
                Ok((place, from)) => {
                    let Some((packet, meta)) = this.decode(place, Peer::from(from)) else { continue };
                    if !this.is_answer(&packet, meta.peer) {
                        return Poll::Ready(Some((packet, meta)));
                    }
                }
                // Errors of a datagram sent earlier (ICMP) and passing shortages are reported here.
                Err(_) => this.link.counters.receive_failed(),
            }
        }
    }
}
