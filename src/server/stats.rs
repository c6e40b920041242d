//! Statistics of a server, in all and for each channel.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "net")]
use crate::channel::UdpStats;
use crate::middleware::FilterStats;
use crate::schedule::ScheduleStats;
use crate::wire::Repairs;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Statistics of a server: the sums over all its channels, including closed ones.
        ///
        /// The accounts add up when nothing is in progress.
        ///
        /// - *Packets*: `received + split_off = ran + dropped() + inbox + schedule.pending`. Every received
        ///   packet ran, was dropped for one of the reasons summed up by [`dropped`](Stats::dropped), or
        ///   waits.
        /// - *Messages* of packets that ran: each is `matched`, `unmatched`, `illegal` or
        ///   `over_budget`. A bundle that routes take as a unit is one `matched`.
        /// - *Handlers*: for each route that a message matched there is one that was `handled`,
        ///   `rejected`, `panicked`, `overflowed` or `abandoned`, that waits in a lane or runs now,
        ///   unless the message is part of `cut_short`.
        /// - *Replies*: each packet that a handler returned is one of `replies`, `replies_filtered`,
        ///   `replies_dropped` and `replies_over_rate`. Packets sent with a [`Reply`](crate::Reply) are not
        ///   counted: the call that sends returns the result.
        ///
        /// Packets that were never received were dropped by the kernel
        /// ([`UdpStats`](crate::channel::UdpStats), in [`ServerHandle::report`](crate::ServerHandle::report))
        /// or lost in the network.
        ///
        /// ```
        /// use tokio_osc::{Router, Server};
        ///
        /// # #[tokio::main(flavor = "current_thread")] async fn main() {
        /// let server = Server::new(Router::new()).spawn();
        /// assert_eq!(server.stats().received, 0);
        /// # server.shutdown().await;
        /// # }
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
            /// Packets that wait for a handler now.
            pub inbox: usize,
            /// Messages about events that the router missed, because 256 were queued
            /// ([`Server::events_to_routes`](crate::Server::events_to_routes)).
            pub events_missed: u64,
            /// The repairs of the `repaired` packets, by kind.
            pub repairs: Repairs,
            /// The statistics of the schedule.
            pub schedule: ScheduleStats,
        }

        /// Statistics of one channel of a server: a part of its [`Stats`].
        ///
        /// ```
        /// use tokio_osc::{Channel, Router, Server};
        ///
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// let channel = Channel::udp("127.0.0.1:0").await?;
        /// let server = Server::new(Router::new()).listen("udp", channel).spawn();
        /// for channel in server.report().channels {
        ///     println!("{}: {} received, {} malformed", channel.name, channel.received, channel.malformed);
        /// }
        /// # server.shutdown().await;
        /// # Ok(()) }
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct ChannelStats {
            /// The name of the channel.
            pub name: Arc<str>,
            /// The address that it is bound to, if it has an IP address.
            pub local_addr: Option<SocketAddr>,
            $($(#[$doc])* pub $name: u64,)*
            /// The repairs of the `repaired` packets, by kind.
            pub repairs: Repairs,
            /// Empty frames, and packets stopped by its middleware. Incoming packets that the middleware
            /// refused are among the `malformed` ones; those that it dropped do not count as received.
            pub filtered: FilterStats,
            /// The statistics of its datagram socket, including those of the kernel. For a closing or closed
            /// channel, those of the last read.
            #[cfg(feature = "net")]
            pub udp: Option<UdpStats>,
        }

        /// The counters of the statistics.
        #[derive(Debug, Default)]
        pub(super) struct ChannelCounters {
            $(pub(super) $name: Counter,)*
        }

        impl ChannelCounters {
            pub(super) fn add_to(&self, sum: &mut Stats) {
                $(sum.$name += self.$name.get();)*
            }

            /// Returns the present values, without those that are counted elsewhere.
            pub(super) fn counted(&self, name: Arc<str>, local_addr: Option<SocketAddr>) -> ChannelStats {
                ChannelStats {
                    name,
                    local_addr,
                    $($name: self.$name.get(),)*
                    repairs: Repairs::NONE,
                    filtered: FilterStats::default(),
                    #[cfg(feature = "net")]
                    udp: None,
                }
            }
        }

        impl Stats {
            fn rows(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }

        impl ChannelStats {
            fn rows(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

counters! {
    /// Packets received from the channels, including malformed ones.
    received,
    /// Packets that could not be decoded.
    malformed,
    /// Packets accepted although they violate the specification.
    repaired,
    /// Packets that were dispatched.
    ran,
    /// Inner bundles that were scheduled on their own when the outer bundle ran. From then on they count as
    /// packets.
    split_off,
    /// Messages that matched at least one route.
    matched,
    /// Messages without a matching route.
    unmatched,
    /// Messages whose address is not a valid pattern and matched no route.
    illegal,
    /// Messages dropped because their packet reached the limit of calls or matching steps.
    over_budget,
    /// Messages for which not all handlers were called, for the same reason. They are among the matched
    /// messages.
    cut_short,
    /// Handlers that ran to completion.
    handled,
    /// Handlers not called because a parameter could not be extracted.
    rejected,
    /// Handlers that returned an error, or a reply that cannot be encoded. They are among the handled ones.
    failed,
    /// Handlers that panicked.
    panicked,
    /// Functions of the program other than handlers and middleware that panicked: predicates of routes,
    /// functions for late bundles, [`accept_if`](crate::channel::StreamOptions::accept_if), framings and
    /// transports of connections, streams of [`Server::feed`](crate::Server::feed), and, in the sums of the
    /// server, its clock.
    hooks_panicked,
    /// Calls dropped because the lane of their route was full, because a newer message replaced them, or
    /// because the runtime of the lane ended before the server.
    overflowed,
    /// Handlers that did not complete before the deadline of a shutdown.
    abandoned,
    /// Replies sent, or taken by a queue of the channel.
    replies,
    /// Replies dropped by the [`Middleware`](crate::middleware::Middleware) of their channel. They are also
    /// in [`FilterStats::dropped_out`](crate::middleware::FilterStats).
    replies_filtered,
    /// Replies dropped because they exceeded the budget of a packet (64 replies, 64 KiB), because the peer
    /// cannot be answered, because the middleware, the queue of the connection or the operating system
    /// refused them, or because they still waited for room in the socket when the channel was closed, which includes
    /// those of a [`Reply`](crate::Reply).
    replies_dropped,
    /// Replies dropped because their source exceeded its rate
    /// ([`Server::reply_rate`](crate::Server::reply_rate)).
    replies_over_rate,
    /// Waiting bundles dropped when their channel was removed or the server was shut down.
    discarded,
    /// Queued packets dropped at the deadline of a shutdown.
    cut_off,
    /// Packets refused because an inner bundle is due before the bundle around it
    /// ([`TimeOptions::check_inner_time_tags`](crate::schedule::TimeOptions::check_inner_time_tags)).
    refused_time_tags,
    /// Bundles dropped because they were late ([`LatePolicy::DropAfter`](crate::schedule::LatePolicy::DropAfter),
    /// [`LatePolicy::DropLateArrivals`](crate::schedule::LatePolicy::DropLateArrivals)).
    late_dropped,
    /// Bundles passed to the function for late bundles
    /// ([`LatePolicy::Hand`](crate::schedule::LatePolicy::Hand)).
    late_handed,
    /// The number of times the inbox became full.
    overflows,
    /// Packets dropped because the inbox was full
    /// ([`Server::inbox_overflow`](crate::Server::inbox_overflow)), including those that were read only because a
    /// client of the channel waited for a reply.
    inbox_dropped,
    /// Connections that were accepted.
    connected,
    /// Ended connections.
    disconnected,
    /// Refused connections: over a limit, or refused by
    /// [`accept_if`](crate::channel::StreamOptions::accept_if).
    refused,
    /// The number of times that accepting a connection failed, or a channel that dials out could not connect.
    accept_failures,
}

impl Stats {
    /// Of the schedule, which all channels share.
    fn schedule_rows(&self) -> [(&'static str, u64); 2] {
        [("late on arrival", self.schedule.late), ("waiting for their time", self.schedule.pending as u64)]
    }

    /// Returns the number of dropped packets, for any reason: `malformed`, `refused_time_tags`,
    /// `late_dropped`, `late_handed` (which ran elsewhere), `inbox_dropped`, `cut_off`, and those dropped by
    /// the schedule: see the accounts above.
    pub fn dropped(&self) -> u64 {
        let schedule = &self.schedule;
        let refused = schedule.dropped_beyond_horizon
            + schedule.dropped_entries
            + schedule.dropped_bytes
            + schedule.dropped_peer_entries
            + schedule.dropped_peer_bytes;
        let given_up = schedule.evicted + schedule.cancelled + schedule.dropped_after_step;
        let late = self.late_dropped + self.late_handed;
        let unread = self.inbox_dropped + self.cut_off;
        self.malformed + self.refused_time_tags + late + unread + refused + given_up
    }
}

/// Prints a line for each number that is not zero.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = self.rows();
        rows.extend(self.schedule_rows());
        table(f, &[], &[rows])
    }
}

/// Prints a line for each number that is not zero, then those of its datagram socket.
impl fmt::Display for ChannelStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table(f, &[], &[self.rows()])?;
        #[cfg(feature = "net")]
        if let Some(udp) = &self.udp {
            udp.fmt(f)?;
        }
        Ok(())
    }
}

/// All statistics of a server. Returned by [`ServerHandle::report`](crate::ServerHandle::report).
///
/// `Display` prints a table with a column for each channel.
///
/// ```
/// use tokio_osc::{Channel, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let server = Server::new(Router::new()).listen("udp", channel).spawn();
/// let report = server.report();
/// assert_eq!(report.channels.len(), 1);
/// assert_eq!(report.server.received, 0);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// The sums over all channels.
    pub server: Stats,
    /// The open channels in the order in which they were added; after a shutdown, all channels that were
    /// open.
    pub channels: Vec<ChannelStats>,
}

impl ServerStats {
    /// Returns the statistics of a channel.
    pub fn channel(&self, name: &str) -> Option<&ChannelStats> {
        self.channels.iter().find(|channel| *channel.name == *name)
    }
}

impl fmt::Display for ServerStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heads = vec!["all"];
        heads.extend(self.channels.iter().map(|channel| &*channel.name));
        let mut columns = vec![self.server.rows()];
        columns.extend(self.channels.iter().map(ChannelStats::rows));
        #[cfg(feature = "net")]
        {
            let of_socket = |channel: &ChannelStats| {
                let udp = channel.udp.unwrap_or_default();
                [
                    ("dropped by the kernel", udp.kernel_drops.unwrap_or_default()),
                    ("receive buffer", udp.receive_buffer as u64),
                    ("send buffer", udp.send_buffer as u64),
                    ("oversized", udp.oversized),
                    ("receive errors", udp.receive_errors),
                    ("sent again", udp.sent_again),
                    ("send errors", udp.send_errors),
                ]
            };
            let sockets: Vec<_> = self.channels.iter().map(of_socket).collect();
            columns[0].extend((0..7).map(|row| {
                let name = sockets.first().map_or("", |rows| rows[row].0);
                (name, sockets.iter().map(|rows| rows[row].1).sum())
            }));
            columns[1..].iter_mut().zip(&sockets).for_each(|(column, rows)| column.extend(rows));
        }
        columns[0].extend(self.server.schedule_rows());
        table(f, &heads, &columns)
    }
}

/// Prints numbers aligned to the right, followed by their names. Rows of zeros are omitted.
fn table(f: &mut fmt::Formatter<'_>, heads: &[&str], columns: &[Vec<(&'static str, u64)>]) -> fmt::Result {
    let width = heads.iter().map(|head| head.len()).max().unwrap_or_default().max(12);
    for head in heads {
        write!(f, "{head:>width$} ")?;
    }
    if !heads.is_empty() {
        writeln!(f)?;
    }
    let Some((first, _)) = columns.split_first() else { return Ok(()) };
    for (row, (name, _)) in first.iter().enumerate() {
        let numbers: Vec<_> = columns.iter().filter_map(|column| Some(column.get(row)?.1)).collect();
        if numbers.iter().all(|&number| number == 0) {
            continue;
        }
        for number in numbers {
            write!(f, "{number:>width$} ")?;
        }
        writeln!(f, "{}", name.replace('_', " "))?;
    }
    Ok(())
}

impl ChannelCounters {
    /// Counts replies that a queue of the channel took and never sent.
    pub(super) fn note_unsent(&self, replies: u64) {
        self.replies.take_back(replies);
        self.replies_dropped.add(replies);
    }
}

/// A counter. Counters of the loop have only one writer, so that counting costs no locked instruction.
#[derive(Debug, Default)]
pub(super) struct Counter {
    in_loop: AtomicU64,
    elsewhere: AtomicU64,
}

impl Counter {
    pub(super) fn up(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, count: u64) {
        self.elsewhere.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes back some of those counted outside of the loop.
    fn take_back(&self, count: u64) {
        let left = |counted: u64| Some(counted.saturating_sub(count));
        let _ = self.elsewhere.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    }

    /// For the loop only: if two tasks did this, a count would be lost.
    #[inline]
    pub(super) fn up_in_loop(&self) {
        self.in_loop.store(self.in_loop.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.in_loop.load(Ordering::Relaxed) + self.elsewhere.load(Ordering::Relaxed)
    }
}
