//! Bundles that wait for their time: listed, and cancelled.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::ServerHandle;
use crate::packet::{Bundle, Packet, PacketStep, Peer, ScheduleId};
use crate::pattern::{Pattern, PatternError};
use crate::schedule::{EntryId, Pending};
use crate::server::schedule::{Arrival, schedule_id};
use crate::types::ClockOffset;

/// A bundle that waits for its time. Listed by [`ServerHandle::pending`].
///
/// ```
/// use std::time::Duration;
/// use futures::StreamExt;
/// use tokio_osc::{Bundle, Channel, Client, Router, Server, TimeTag};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()?).await?;
/// let router = Router::new().route("/ping", || ("/pong", ()));
/// let server = Server::new(router).listen("udp", channel).spawn();
/// let later = TimeTag::after(Duration::from_secs(60));
/// client.send(Bundle::at(later).with(("/cue", 7))).await?;
/// client.request(("/ping", ()), "/pong").await?;             // the bundle has arrived too
///
/// for pending in server.pending() {
///     println!("{} from {}: {}", pending.bundle, pending.peer, server.cancel(pending.id));
/// }
/// assert!(server.pending().is_empty());
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PendingBundle {
    /// Its id, for [`ServerHandle::cancel`].
    pub id: ScheduleId,
    /// The wall time at which it runs, by the clock of the server.
    pub due: SystemTime,
    /// The sender.
    pub peer: Peer,
    /// The name of its channel.
    pub channel: Arc<str>,
    /// The bundle.
    pub bundle: Bundle,
}

/// Bundles that wait for their time. An inner bundle that waits is listed separately.
///
/// Each method except [`cancel`](ServerHandle::cancel) looks at all waiting bundles, and holds up the server
/// meanwhile: microseconds for a few bundles, milliseconds for tens of thousands. The patterns of
/// [`cancel_matching`](ServerHandle::cancel_matching) are compared without holding it up.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Bundle, Client, Channel, Router, Server, TimeTag};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let client = Client::udp(channel.local_addr()?).await?;
/// let server = Server::new(Router::new()).listen("udp", channel).spawn();
///
/// let in_a_minute = TimeTag::after(Duration::from_secs(60));
/// client.send(Bundle::at(in_a_minute).with(("/cue/7/go", ()))).await?;
/// while server.pending().is_empty() {
///     tokio::task::yield_now().await;
/// }
/// assert_eq!(server.cancel_matching("/cue/*/go")?, 1);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
impl ServerHandle {
    /// Returns the waiting bundles, in the order in which they will run.
    pub fn pending(&self) -> Vec<PendingBundle> {
        self.core().schedule.with(|queue| queue.pending().filter_map(show).collect())
    }

    /// Cancels one bundle. Returns `false` if it no longer waited.
    pub fn cancel(&self, id: ScheduleId) -> bool {
        let gone = self.core().schedule.with(|queue| queue.cancel(EntryId::from(id.to_bits()))).is_some();
        self.core().task.wake();
        gone
    }

    /// Cancels all bundles from an IP address, and returns their number. IPv4-mapped addresses count as IPv4
    /// addresses.
    pub fn cancel_peer(&self, peer: impl Into<IpAddr>) -> usize {
        let peer = peer.into().to_canonical();
        self.cancel_where(|pending| pending.peer == Some(peer))
    }

    /// Cancels all bundles with a message, at any depth, whose address overlaps `pattern`, and returns their
    /// number. Each is cancelled as a whole.
    ///
    /// # Errors
    /// Returns an error if `pattern` is not a valid OSC address pattern.
    pub fn cancel_matching<P>(&self, pattern: P) -> Result<usize, PatternError>
    where
        P: TryInto<Pattern>,
        P::Error: Into<PatternError>,
    {
        let pattern = pattern.try_into().map_err(Into::into)?;
        let matches = |step: PacketStep<'_>| match step {
            PacketStep::Message(message) => pattern.matches_bytes(message.name()),
            PacketStep::Begin(_) | PacketStep::End => false,
        };
        let schedule = &self.core().schedule;
        // Matched on the caller's thread, without the lock: the server runs on meanwhile. A packet is shared.
        let waiting: Vec<_> = schedule
            .with(|queue| queue.pending().map(|pending| (pending.id, pending.item.packet.clone())).collect());
        let matching = waiting.into_iter().filter(|(_, packet)| packet.as_ref().walk().any(matches));
        // Those that have run meanwhile are not cancelled.
        let cancelled = matching.filter(|(id, _)| schedule.with(|queue| queue.cancel(*id)).is_some()).count();
        self.core().task.wake();
        Ok(cancelled)
    }

    /// Cancels all waiting bundles, and returns their number.
    pub fn cancel_all(&self) -> usize {
        self.cancel_where(|_| true)
    }

    /// Changes the clock offset of a channel while the server runs. Returns `false` if there is no such
    /// channel. It applies from the next bundle on: bundles that wait keep their time.
    ///
    /// [`ClockSync`](crate::tools::ClockSync) measures the offset: see
    /// [`TimeOptions::clock_offset`](crate::schedule::TimeOptions::clock_offset).
    pub fn set_clock_offset(&self, channel: &str, offset: ClockOffset) -> bool {
        let found = self.core().channels.find(channel);
        found.is_ok_and(|record| {
            record.offset.set(offset);
            true
        })
    }

    fn cancel_where(&self, gone: impl FnMut(Pending<'_, Arrival>) -> bool) -> usize {
        let count = self.core().schedule.with(|queue| queue.cancel_where(gone));
        self.core().task.wake();
        count
    }
}

fn show(pending: Pending<'_, Arrival>) -> Option<PendingBundle> {
    let Packet::Bundle(bundle) = &pending.item.packet else { return None };
    let meta = &pending.item.meta;
    Some(PendingBundle {
        id: schedule_id(pending.id),
        due: pending.due,
        peer: meta.peer,
        channel: meta.channel_name(),
        bundle: bundle.clone(),
    })
}
