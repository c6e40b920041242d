//! The receive loop of a UDP socket, with a limit per poll.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::io::Interest;

use super::framed::Sources;
use super::offload::DatagramRun;
use super::receive_loop::ReceiveLoop;
use super::socket::{UdpSocketState, count};
use crate::channel::address::PeerNames;
use crate::codec::{Datagram, MAX_DATAGRAM, ReadPacket};
use crate::packet::{Meta, Packet, Peer};
use crate::wire::{DecodeError, DecodeErrorKind, DecodeOptions};

/// The packets of a UDP socket.
pub(crate) struct UdpPackets {
    state: Arc<UdpSocketState>,
    buffer: ReceiveBuffer,
    codec: Datagram,
    receive_loop: ReceiveLoop,
    names: Option<PeerNames>,
    /// Joins and splits packets. `None` if each datagram is one packet.
    sources: Option<Box<dyn Sources>>,
}

impl UdpPackets {
    pub(crate) fn new(
        state: Arc<UdpSocketState>,
        options: DecodeOptions,
        max_datagram: usize,
        names: Option<PeerNames>,
    ) -> Self {
        let sources = state.framed.sources(&options, &state.chain);
        let codec = Datagram::with_options(options).chain(state.chain.clone());
        let buffer = ReceiveBuffer::new(max_datagram);
        Self { state, buffer, codec, receive_loop: ReceiveLoop::new(), names, sources }
    }

    /// Decodes the packet of a datagram. `None` if the middleware dropped it.
    fn decode(&mut self, place: Range<usize>, peer: Peer) -> Option<ReadPacket> {
        let mut meta = Meta::from_peer(peer);
        meta.set_peer_name(self.name_of(peer));
        let Some(datagram) = self.buffer.datagram(place) else {
            count(&self.state.counters.oversized);
            return Some((Err(DecodeError::new(DecodeErrorKind::Truncated, self.buffer.max)), meta));
        };
        if let (Some(sources), Some(from)) = (&mut self.sources, peer.address()) {
            if !sources.push(datagram, from) {
                count(&self.state.counters.unfinished);
            }
            return self.next_joined();
        }
        let packet = self.codec.read(datagram, &mut meta).transpose()?;
        Some((packet, meta))
    }

    /// Returns the next packet of the received data.
    fn next_joined(&mut self) -> Option<ReadPacket> {
        let (packet, mut meta) = self.sources.as_mut()?.next()?;
        meta.set_peer_name(self.name_of(meta.peer));
        Some((packet, meta))
    }

    fn name_of(&self, peer: Peer) -> Option<Arc<str>> {
        self.names.as_ref().zip(peer.address()).and_then(|(names, address)| names.get(address))
    }

    /// Returns `true` if it is the reply to a request of a client that uses this socket: then it does not go
    /// to the channel. Checked before the packet is passed on, so that a full inbox does not delay clients.
    fn is_answer(&self, packet: &Result<Packet, DecodeError>, peer: Peer) -> bool {
        matches!(packet, Ok(Packet::Message(message)) if self.state.clients.take_message(message, peer))
    }
}

impl Stream for UdpPackets {
    type Item = ReadPacket;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.state.send_late(cx);
        loop {
            if let Some((packet, meta)) = this.next_joined() {
                if !this.is_answer(&packet, meta.peer) {
                    return Poll::Ready(Some((packet, meta)));
                }
                continue;
            }
            let socket = &this.state.socket;
            let receive = || this.buffer.try_next(&this.state);
            let poll_ready = |cx: &mut Context<'_>| {
                // It waits: a reply that finds no room wakes it.
                this.state.register_reader(cx);
                socket.poll_recv_ready(cx)
            };
            match ready!(this.receive_loop.poll(cx, receive, poll_ready)) {
                Ok((place, peer)) => {
                    let Some((packet, meta)) = this.decode(place, peer) else { continue };
                    if !this.is_answer(&packet, meta.peer) {
                        return Poll::Ready(Some((packet, meta)));
                    }
                }
                // Errors of earlier datagrams (ICMP) and temporary shortages are reported here.
                Err(error) => {
                    let counters = &this.state.counters;
                    counters.note_earlier(&error, &counters.receive_errors);
                }
            }
        }
    }
}

/// The datagrams of a socket one by one, even if the system returns batches.
struct ReceiveBuffer {
    /// Allocated for the first datagram, so that a socket that only sends, or that nothing is sent to, needs none.
    buffer: Box<[u8]>,
    /// Maximum size of a datagram. A larger one is read with one byte more.
    max: usize,
    run: Option<DatagramRun>,
    /// The first byte of the batch that was not returned.
    at: usize,
}

impl ReceiveBuffer {
    fn new(max: usize) -> Self {
        Self { buffer: Box::default(), max, run: None, at: 0 }
    }

    /// Returns the place of the next datagram in the buffer, and its sender.
    fn try_next(&mut self, state: &UdpSocketState) -> io::Result<(Range<usize>, Peer)> {
        let run = if let Some(run) = self.run {
            run
        } else {
            self.at = 0;
            if self.buffer.is_empty() {
                // Fails until the runtime says that there may be one.
                state.socket.try_io(Interest::READABLE, || Ok(()))?;
                let room = if state.takes_runs() { MAX_DATAGRAM } else { self.max };
                self.buffer = vec![0; room + 1].into_boxed_slice();
            }
            state.receive(&mut self.buffer)?
        };
        let end = run.len.min(self.at.saturating_add(run.size));
        let datagram = self.at..end;
        self.run = (end < run.len).then_some(run);
        self.at = end;
        Ok((datagram, run.from))
    }

    /// The bytes of a datagram. `None` if it is too large.
    fn datagram(&self, place: Range<usize>) -> Option<&[u8]> {
        self.buffer.get(place).filter(|datagram| datagram.len() <= self.max)
    }
}
