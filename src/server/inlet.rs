//! A channel as the server has it: what is read, the way back, and what is known of it.
//!
//! Who holds what decides when a channel is closed. Every packet on its way holds the [`Inlet`], and
//! so does its [`Source`] while it is read: when the last of them goes, the way back is closed.
//! [`Presence`] is held by both, and goes last: then the sockets are free.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::stream::{BoxStream, Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::events::{ChannelEventKind, Events};
use super::roster::Roster;
use super::stats::{ChannelStats, Counters};
use super::times::{SharedOffset, Times, ToPeersClock};
use crate::channel::{Channel, ConnectionEvent, Outlet};
#[cfg(feature = "net")]
use crate::channel::{UdpMonitor, UdpStats};
use crate::dispatch::SendBack;
use crate::lock::lock;
use crate::middleware::{Chain, Filtered};
use crate::packet::{Meta, Packet};
use crate::schedule::TimeOptions;
use crate::wire::{DecodeError, Repairs};

/// What a channel gives.
pub(super) type Item = (Result<Packet, DecodeError>, Meta);

/// A channel, or any other stream of packets, before a server reads it.
pub(super) struct Plan {
    pub(super) name: Arc<str>,
    pub(super) time: Option<TimeOptions>,
    pub(super) local: Option<SocketAddr>,
    packets: BoxStream<'static, Item>,
    outlet: Option<Outlet>,
    #[cfg(feature = "net")]
    monitor: Option<UdpMonitor>,
}

impl Plan {
    pub(super) fn channel(name: Arc<str>, channel: Channel) -> Self {
        Self {
            name,
            time: None,
            local: channel.local_addr().ok(),
            outlet: Some(channel.outlet()),
            #[cfg(feature = "net")]
            monitor: channel.monitor(),
            packets: channel.boxed(),
        }
    }

    pub(super) fn stream(name: Arc<str>, packets: impl Stream<Item = Item> + Send + 'static) -> Self {
        Self {
            name,
            time: None,
            local: None,
            packets: packets.boxed(),
            outlet: None,
            #[cfg(feature = "net")]
            monitor: None,
        }
    }

    /// Makes it one of the server's; `None` if there is one of that name.
    pub(super) fn open(self, roster: &Arc<Roster>, default: &TimeOptions) -> Option<Source> {
        let time = self.time.unwrap_or_else(|| default.clone());
        let offset = Arc::new(SharedOffset::new(time.clock_offset));
        let record = Arc::new(Record {
            span: tracing::debug_span!(target: "tokio_osc::server", "channel", name = %self.name),
            name: self.name,
            local: self.local,
            time,
            offset: Arc::clone(&offset),
            counters: Counters::default(),
            mended: Mutex::default(),
            chain: self.outlet.as_ref().map(Outlet::chain).cloned().unwrap_or_default(),
            #[cfg(feature = "net")]
            monitor: self.monitor,
            #[cfg(feature = "net")]
            last: Mutex::default(),
            closing: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            gone: CancellationToken::new(),
        });
        if !roster.add(&record) {
            return None;
        }
        if let Some(outlet) = &self.outlet {
            let (record, roster) = (Arc::clone(&record), Arc::clone(roster));
            outlet.on_event(move |event| {
                record.note(event);
                roster.events.tell(&record.name, ChannelEventKind::Connection(event.clone()));
            });
        }
        // A byte stream is connected from the beginning.
        let connected = self.outlet.as_ref().map(Outlet::connections).unwrap_or_default();
        let presence = Arc::new(Presence { record: Arc::clone(&record), roster: Arc::clone(roster) });
        let socket = |back| Arc::new(ToPeersClock { back, offset }) as Arc<dyn SendBack>;
        let inlet = Inlet {
            record: Arc::clone(&record),
            socket: self.outlet.clone().map(socket),
            outlet: self.outlet,
            _presence: Arc::clone(&presence),
        };
        roster.events.tell(&record.name, ChannelEventKind::Opening);
        for event in connected.into_iter().map(ConnectionEvent::Connected) {
            record.note(&event);
            roster.events.tell(&record.name, ChannelEventKind::Connection(event));
        }
        Some(Source { packets: self.packets, inlet: Some(Arc::new(inlet)), record, _presence: presence })
    }
}

/// A channel that is read, or that still has something to send.
pub(super) struct Source {
    pub(super) packets: BoxStream<'static, Item>,
    /// `None` when it gives nothing more.
    pub(super) inlet: Option<Arc<Inlet>>,
    pub(super) record: Arc<Record>,
    _presence: Arc<Presence>,
}

impl Source {
    /// Whether it is the server's own, of its events.
    pub(super) fn is_of_events(&self) -> bool {
        Events::is_source(&self.record.name)
    }

    /// Reads nothing more; whether it must still be polled, so that answers can leave.
    pub(super) fn stop_reading(&self) -> bool {
        self.record.remember();
        let outlet = self.inlet.as_ref().and_then(|inlet| inlet.outlet.as_ref());
        let polled = outlet.filter(|outlet| outlet.needs_polling());
        polled.inspect(|outlet| outlet.stop_reading()).is_some()
    }
}

/// What a packet needs of the channel that it came by, to the end of its last handler.
pub(super) struct Inlet {
    pub(super) record: Arc<Record>,
    socket: Option<Arc<dyn SendBack>>,
    outlet: Option<Outlet>,
    _presence: Arc<Presence>,
}

impl Inlet {
    /// The way back, with the tags of bundles on the clocks of the peers.
    pub(super) fn socket(&self) -> Option<&Arc<dyn SendBack>> {
        self.socket.as_ref()
    }
}

/// Nobody answers any more.
impl Drop for Inlet {
    fn drop(&mut self) {
        if let Some(outlet) = &self.outlet {
            outlet.close();
        }
    }
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.name.fmt(f)
    }
}

/// As long as there is one, the channel is not closed.
struct Presence {
    record: Arc<Record>,
    roster: Arc<Roster>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.roster.strike(&self.record);
        self.record.gone.cancel();
    }
}

/// What is known of a channel. It keeps no socket open.
pub(super) struct Record {
    pub(super) name: Arc<str>,
    pub(super) local: Option<SocketAddr>,
    pub(super) time: TimeOptions,
    pub(super) offset: Arc<SharedOffset>,
    pub(super) counters: Counters,
    mended: Mutex<Repairs>,
    /// Its middleware, which counts by itself.
    chain: Chain,
    pub(super) span: tracing::Span,
    #[cfg(feature = "net")]
    monitor: Option<UdpMonitor>,
    /// The numbers of its socket when that was given up.
    #[cfg(feature = "net")]
    last: Mutex<Option<UdpStats>>,
    closing: AtomicBool,
    leaving: AtomicBool,
    /// Cancelled when it is closed.
    pub(super) gone: CancellationToken,
}

impl Record {
    pub(super) fn times(&self, meta: &Meta) -> Times {
        Times::of(&self.time, &self.offset, &meta.time())
    }

    /// It is read no more; whether that is new.
    pub(super) fn begin_closing(&self) -> bool {
        !self.closing.swap(true, Ordering::AcqRel)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// From now on nothing of it is kept for later.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    pub(super) fn repaired(&self, repairs: Repairs) {
        self.counters.repaired.up();
        *self.mended() += repairs;
    }

    pub(super) fn repairs(&self) -> Repairs {
        *self.mended()
    }

    pub(super) fn filtered(&self) -> Filtered {
        self.chain.filtered()
    }

    fn mended(&self) -> MutexGuard<'_, Repairs> {
        lock(&self.mended)
    }

    /// The numbers now. Those of a datagram socket take some 0.2 ms.
    pub(super) fn stats(&self) -> ChannelStats {
        #[cfg_attr(not(feature = "net"), expect(unused_mut, reason = "there are no datagram sockets"))]
        let mut stats = self.counted();
        #[cfg(feature = "net")]
        {
            let last = *lock(&self.last);
            stats.udp = last.or_else(|| self.monitor.as_ref()?.stats());
        }
        stats
    }

    #[cfg(feature = "net")]
    fn remember(&self) {
        let last = self.monitor.as_ref().and_then(UdpMonitor::stats);
        *lock(&self.last) = last;
    }

    #[cfg(not(feature = "net"))]
    #[expect(clippy::unused_self, reason = "there are no datagram sockets")]
    fn remember(&self) {}

    fn note(&self, event: &ConnectionEvent) {
        let counters = &self.counters;
        match event {
            ConnectionEvent::Connected(_) => counters.connected.up(),
            ConnectionEvent::Refused { .. } => counters.refused.up(),
            ConnectionEvent::Disconnected { .. } => counters.disconnected.up(),
            ConnectionEvent::AcceptFailed { .. } => counters.accept_failures.up(),
            _ => {}
        }
    }
}
