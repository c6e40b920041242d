//! What comes in: the channels, one after the other, and the inbox that they fill.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures::Stream;

use super::Shutdown;
use super::events::ChannelEventKind;
use super::inlet::{Inlet, Item, Record, Source};
use super::unit::{Arrival, Shared};

pub(super) struct Intake<'a> {
    shared: &'a Shared,
    sources: Vec<Source>,
    /// The source whose turn it is, so that a busy one does not keep out the others.
    turn: usize,
    inbox: VecDeque<Arrival>,
    limit: usize,
    /// Whether the inbox was full, and is not yet half empty.
    overflowing: bool,
    /// Whether channels may be added.
    growing: bool,
    /// Whether the next channel is waited for when there is none.
    lasting: bool,
}

impl<'a> Intake<'a> {
    pub(super) fn new(shared: &'a Shared, sources: Vec<Source>, limit: usize, growing: bool) -> Self {
        let mut intake = Self {
            shared,
            sources: Vec::with_capacity(sources.len()),
            turn: 0,
            inbox: VecDeque::new(),
            limit: limit.max(1),
            overflowing: false,
            growing,
            lasting: growing && sources.iter().all(Source::is_of_events),
        };
        for source in sources {
            intake.open(source);
        }
        intake
    }

    /// Reads a channel from now on.
    pub(super) fn open(&mut self, source: Source) {
        if let Some(local) = source.record.local {
            self.tell(&source.record, ChannelEventKind::Bound(local));
        }
        self.tell(&source.record, ChannelEventKind::Open);
        let record = Arc::clone(&source.record);
        self.sources.push(source);
        // Whoever saw it in the list may have removed it before it came here.
        if record.is_leaving() {
            self.close(&record);
        }
    }

    /// Reads a channel no more, and keeps nothing of it for later.
    pub(super) fn close(&mut self, record: &Arc<Record>) {
        record.leave();
        self.shared.discard_of(record);
        let Some(at) = self.sources.iter().position(|source| Arc::ptr_eq(&source.record, record)) else {
            return;
        };
        self.close_at(at);
        self.lasting = self.growing;
    }

    /// Reads nothing any more. Sockets are given up; connections stay until the answers have left.
    pub(super) fn close_all(&mut self, how: Shutdown) {
        self.growing = false;
        if !how.drain {
            self.shared.roster.all().iter().for_each(|record| record.leave());
            self.shared.discard_all();
        }
        (0..self.sources.len()).rev().for_each(|at| self.close_at(at));
    }

    fn close_at(&mut self, at: usize) {
        let Some(source) = self.sources.get(at) else { return };
        self.tell_closing(&source.record);
        if !source.stop_reading() {
            self.sources.swap_remove(at);
            self.turn = 0;
        }
    }

    /// Whether there is no channel any more that could give something.
    pub(super) fn is_exhausted(&self) -> bool {
        !self.lasting && self.sources.iter().all(Source::is_of_events)
    }

    /// Whether every channel is closed.
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Gives up whatever there is.
    pub(super) fn cut_off(&mut self) {
        for arrival in self.inbox.drain(..) {
            arrival.inlet.record.counters.cut_off.up();
        }
        self.note_waiting();
        self.sources.clear();
    }

    /// What is to run next: a bundle that is due, or the oldest packet of the inbox.
    pub(super) fn next(&mut self) -> Option<Arrival> {
        self.shared.next_due().or_else(|| {
            let arrival = self.inbox.pop_front()?;
            self.overflowing &= self.inbox.len() > self.limit / 2;
            self.note_waiting();
            Some(arrival)
        })
    }

    /// Takes in what the sources have, at most `most` and as much as the inbox holds.
    pub(super) fn take_in(&mut self, cx: &mut Context<'_>, most: usize) -> usize {
        let mut taken = 0;
        while taken < most && self.inbox.len() < self.limit {
            let Poll::Ready(Some((inlet, item))) = self.poll_sources(cx) else { break };
            self.accept(inlet, item);
            taken += 1;
        }
        taken
    }

    /// An item of the source whose turn it is, or of the next that has one. A source that ended is
    /// removed.
    fn poll_sources(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Arc<Inlet>, Item)>> {
        let mut asked = 0;
        while asked < self.sources.len() {
            self.turn = (self.turn + 1) % self.sources.len();
            let source = &mut self.sources[self.turn];
            let polled = source.record.span.in_scope(|| Pin::new(&mut source.packets).poll_next(cx));
            match (polled, &source.inlet) {
                (Poll::Ready(Some((packet, mut meta))), Some(inlet)) => {
                    meta.channel = Some(Arc::clone(&source.record.name));
                    return Poll::Ready(Some((Arc::clone(inlet), (packet, meta))));
                }
                (Poll::Ready(Some(_)), None) => {}
                (Poll::Ready(None), _) => {
                    let source = self.sources.swap_remove(self.turn);
                    self.lasting = self.growing && source.record.is_leaving();
                    self.tell_closing(&source.record);
                    self.turn = 0;
                    asked = 0;
                }
                (Poll::Pending, _) => {
                    // What was read before has been taken: the channel closes after the last handler.
                    if source.record.is_closing() {
                        source.inlet = None;
                    }
                    asked += 1;
                }
            }
        }
        Poll::Pending
    }

    fn accept(&mut self, inlet: Arc<Inlet>, (packet, meta): Item) {
        let record = &inlet.record;
        record.counters.received.up();
        let packet = match packet {
            Ok(packet) => packet,
            Err(error) => {
                record.counters.malformed.up();
                if let Some(suppressed) = self.shared.ground.faults.malformed.pass() {
                    tracing::debug!(
                        target: "tokio_osc::server",
                        channel = %meta.channel(), peer = %meta.peer, %error, suppressed, "malformed packet"
                    );
                }
                return;
            }
        };
        tracing::trace!(
            target: "tokio_osc::server",
            channel = %meta.channel(), peer = %meta.peer, bytes = packet.as_bytes().len(), "packet"
        );
        if !meta.repairs().is_none() {
            record.repaired(*meta.repairs());
        }
        let Some(arrival) = self.shared.receive(packet, meta, inlet) else { return };
        self.inbox.push_back(arrival);
        self.note_waiting();
        if self.inbox.len() >= self.limit && !self.overflowing {
            self.overflowing = true;
            let Some(Arrival { inlet, .. }) = self.inbox.back() else { return };
            inlet.record.counters.overflows.up();
            self.tell(&inlet.record, ChannelEventKind::Overflow);
        }
    }

    fn note_waiting(&self) {
        self.shared.ground.waiting.store(self.inbox.len(), Ordering::Relaxed);
    }

    fn tell_closing(&self, record: &Record) {
        if record.begin_closing() {
            self.tell(record, ChannelEventKind::Closing);
        }
    }

    fn tell(&self, record: &Record, kind: ChannelEventKind) {
        self.shared.roster.events.tell(&record.name, kind);
    }
}
