//! A channel in a server: its stream of packets, its reply path, and its record.
//!
//! Ownership determines when a channel is closed.
//!
//! ```text
//!  the loop: ReadHalf ──┬─► packets: sockets, connections
//!                       ├─► ChannelGuard, until nothing more is read ──┐
//!                       └─► MapEntry                                   │
//!  packets on their way: ──► ChannelGuard ◄────────────────────────────┘
//!                              ├─► outlet: closed when the last guard goes
//!                              └─► MapEntry
//!  the handle: ChannelMap ──► ChannelRecord (names and numbers, no socket)
//! ```
//!
//! | what happens                          | what it does                                              |
//! |---------------------------------------|-----------------------------------------------------------|
//! | the channel is to close               | the read half stops reading, and is polled once more      |
//! | it has nothing more that was read     | the read half gives up its guard                          |
//! | the last packet's last handler ends   | the last guard goes: the outlet closes, the half is woken |
//! | the answers have left, the stream ends| the read half is dropped, and its sockets with it         |
//! | guard and read half are gone          | the entry goes: the name is free, `Closed` is sent        |

mod map;
mod record;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Context;

use futures::stream::{BoxStream, Stream, StreamExt};

pub(super) use self::map::ChannelMap;
pub(super) use self::record::ChannelRecord;
use super::events::{ChannelEventKind, Events};
#[cfg(feature = "net")]
use crate::channel::UdpMonitor;
use crate::channel::{Channel, ConnectionEvent, Outlet};
use crate::dispatch::ReplyChannel;
use crate::packet::{Meta, Packet};
use crate::schedule::TimeOptions;
use crate::user_function::UserFunction;
use crate::wire::DecodeError;

/// The items of a channel.
pub(super) type Item = (Result<Packet, DecodeError>, Meta);

/// A channel or another stream of packets, before the server reads it.
pub(super) struct ChannelSpec {
    pub(super) name: Arc<str>,
    pub(super) time: Option<TimeOptions>,
    pub(super) local: Option<SocketAddr>,
    packets: BoxStream<'static, Item>,
    outlet: Option<Outlet>,
    #[cfg(feature = "net")]
    monitor: Option<UdpMonitor>,
}

impl ChannelSpec {
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

    /// Adds it to the server. `None` if the name is taken.
    pub(super) fn open(self, channels: &Arc<ChannelMap>, default: &TimeOptions) -> Option<ReadHalf> {
        let record = Arc::new(ChannelRecord::new(
            self.name,
            self.local,
            self.time.unwrap_or_else(|| default.clone()),
            self.outlet.as_ref().map(Outlet::chain).cloned().unwrap_or_default(),
            #[cfg(feature = "net")]
            self.monitor,
        ));
        if !channels.add(&record) {
            return None;
        }
        let tell = {
            let (record, channels) = (Arc::clone(&record), Arc::clone(channels));
            move |event: &ConnectionEvent| {
                record.note(event);
                channels.events.tell(&record.name, ChannelEventKind::Connection(event.clone()));
            }
        };
        // Before the connections are listed below: none that comes in between is missed.
        if let Some(outlet) = &self.outlet {
            outlet.on_event(tell.clone());
        }
        channels.events.tell(&record.name, ChannelEventKind::Opening);
        // A byte stream is connected from the start.
        let connected = self.outlet.as_ref().map(Outlet::connections).unwrap_or_default();
        connected.into_iter().map(ConnectionEvent::Connected).for_each(|event| tell(&event));
        let entry = Arc::new(MapEntry { record: Arc::clone(&record), channels: Arc::clone(channels) });
        let replies = self.outlet.clone().map(|outlet| {
            Arc::new(ReplyChannel { outlet: Box::new(outlet), clock_offset: record.offset.clone() })
        });
        let guard = ChannelGuard {
            record: Arc::clone(&record),
            replies,
            outlet: self.outlet,
            _entry: Arc::clone(&entry),
        };
        // A channel catches what the program may have written of it; any other stream is the program's.
        let user = guard.outlet.is_none().then(|| UserFunction::new("stream of Server::feed"));
        let (packets, guard) = (self.packets, Some(Arc::new(guard)));
        Some(ReadHalf { packets, user, guard, record, _entry: entry })
    }
}

/// A channel that is read, or still has packets to send.
pub(super) struct ReadHalf {
    pub(super) packets: BoxStream<'static, Item>,
    /// The name of the stream for reports of its panics, if the program provides it.
    pub(super) user: Option<UserFunction>,
    /// `None` after its last packet.
    pub(super) guard: Option<Arc<ChannelGuard>>,
    pub(super) record: Arc<ChannelRecord>,
    /// The last field: the sockets are released before the entry is removed.
    _entry: Arc<MapEntry>,
}

impl ReadHalf {
    /// Returns `true` for the server's own channel of events.
    pub(super) fn is_of_events(&self) -> bool {
        Events::is_source(&self.record.name)
    }

    /// Stops reading. Returns `true` if it must still be polled so that replies are sent.
    pub(super) fn stop_reading(&self) -> bool {
        self.record.keep_socket_stats();
        let outlet = self.guard.as_ref().and_then(|guard| guard.outlet.as_ref());
        let polled = outlet.filter(|outlet| outlet.needs_polling());
        polled.inspect(|outlet| outlet.stop_reading()).is_some()
    }
}

/// Held by each packet until the end of its last handler.
pub(super) struct ChannelGuard {
    pub(super) record: Arc<ChannelRecord>,
    /// The reply path. `None` for a stream that cannot reply.
    pub(super) replies: Option<Arc<ReplyChannel>>,
    outlet: Option<Outlet>,
    _entry: Arc<MapEntry>,
}

impl ChannelGuard {
    /// Returns whether the channel must be read although there is no room for its packets: a client that sends by
    /// its socket waits for a reply.
    pub(super) fn poll_unread(&self, cx: &mut Context<'_>) -> bool {
        self.outlet.as_ref().is_some_and(|outlet| outlet.poll_unread(cx))
    }
}

impl Drop for ChannelGuard {
    fn drop(&mut self) {
        // No handler is left that could reply.
        if let Some(outlet) = &self.outlet {
            outlet.close();
            self.record.counters.note_unsent(outlet.end_replies() as u64);
        }
        // This ends the read half, which is polled even if its connections have no packets.
        if let Some(waker) = self.record.waker.get() {
            waker.wake_by_ref();
        }
    }
}

impl fmt::Debug for ChannelGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.name.fmt(f)
    }
}

/// The entry of a channel in the map. The channel is closed when the entry is dropped.
struct MapEntry {
    record: Arc<ChannelRecord>,
    channels: Arc<ChannelMap>,
}

impl Drop for MapEntry {
    fn drop(&mut self) {
        self.channels.strike(&self.record);
        self.record.gone.cancel();
    }
}
