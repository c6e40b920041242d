//! What a server has done so far, in numbers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::schedule::ScheduleCounters;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What a server has done so far.
        ///
        /// Packets: `received` = `malformed` + `refused_time_tags` + packets that ran or run now,
        /// were dropped or handed over as late + those in the inbox + those that the schedule holds
        /// or dropped. Messages: each is `matched`, `unmatched`, `illegal`, or dropped and part of
        /// `over_budget`.
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
            /// What the schedule of timed bundles has done.
            pub schedule: ScheduleCounters,
        }

        /// The same, while it is being counted.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: Counter,)*
        }

        impl Counters {
            pub(super) fn snapshot(&self, schedule: ScheduleCounters) -> Stats {
                Stats { $($name: self.$name.get(),)* schedule }
            }
        }

        /// A table: one line per number that is not zero.
        impl fmt::Display for Stats {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(
                    if self.$name > 0 {
                        writeln!(f, "{:>12} {}", self.$name, stringify!($name).replace('_', " "))?;
                    }
                )*
                Ok(())
            }
        }
    };
}

counters! {
    /// Packets taken from the channels, malformed ones included.
    received,
    /// Packets that could not be decoded.
    malformed,
    /// Packets accepted although they did not follow the specification.
    repaired,
    /// Messages that matched at least one route.
    matched,
    /// Messages that matched no route.
    unmatched,
    /// Messages whose address is no legal pattern; they match no route.
    illegal,
    /// Handlers that ran to their end.
    handled,
    /// Handlers not called because the message did not have what they ask for.
    rejected,
    /// Handlers that returned an error, or a reply that cannot be encoded.
    failed,
    /// Handlers that panicked, and predicates of routes.
    panicked,
    /// Handlers not called because the lane of their route was full, or that had to leave it for a
    /// newer message.
    overflowed,
    /// Messages of which not all handlers were called, because their packet had caused as many calls
    /// or as many steps of matching as one packet may.
    over_budget,
    /// Replies sent.
    replies,
    /// Replies dropped: over the budget of a packet (64 replies, 64 KiB), to a peer without a way
    /// back, or refused by the operating system.
    replies_dropped,
    /// Replies dropped because their source had as many as it may
    /// ([`Server::reply_rate`](crate::Server::reply_rate)).
    replies_over_rate,
    /// Bundles that were waiting when the server was shut down.
    discarded,
    /// Packets refused because a bundle in them is due before the bundle around it
    /// ([`TimeOptions::check_inner_time_tags`](crate::TimeOptions::check_inner_time_tags)).
    refused_time_tags,
    /// Bundles dropped because they were late ([`LatePolicy::DropAfter`](crate::LatePolicy::DropAfter)).
    late_dropped,
    /// Bundles handed to the function for late ones ([`LatePolicy::Hand`](crate::LatePolicy::Hand)).
    late_handed,
}

/// One number, written and read by any task.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn up(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
