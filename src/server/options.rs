//! The options of a server.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::{Server, Shutdown};
use crate::dispatch::{Limited, SourceRate};
use crate::packet::Overflow;
use crate::schedule::{Clock, Precision, ScheduleLimits, TimeOptions};
use crate::user_function::UserFunction;

impl Server {
    /// Sets the clock that time tags are compared with. Default [`SystemClock`](crate::schedule::SystemClock);
    /// a test with paused time takes a [`TokioClock`](crate::schedule::TokioClock). If a clock panics,
    /// its last reading is used, and the panic is counted
    /// ([`hooks_panicked`](crate::server::Stats::hooks_panicked)).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Sets the limits of bundles that wait for their time.
    pub fn schedule(mut self, limits: ScheduleLimits) -> Self {
        self.schedule = limits;
        self
    }

    /// Sets how exactly the server wakes for due bundles. Default [`Precision::Tokio`].
    pub fn precision(mut self, precision: Precision) -> Self {
        self.options.precision = precision;
        self
    }

    /// Sets how time tags are handled on all channels without options of their own.
    pub fn time(mut self, options: TimeOptions) -> Self {
        self.time = options;
        self
    }

    /// Sets how the time tags of one channel are handled, instead of [`time`](Server::time). The channel must have
    /// been added with [`listen`](Server::listen) or [`feed`](Server::feed). For a channel that is added while the
    /// server runs, use [`ServerHandle::listen_with`](crate::ServerHandle::listen_with).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::schedule::{LatePolicy, TimeOptions};
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// let server = Server::new(Router::new())
    ///     .time(TimeOptions::new().late(LatePolicy::DropAfter(Duration::from_millis(50))))
    ///     .listen("show", Channel::udp("127.0.0.1:0").await?)
    ///     .listen("sensors", Channel::udp("127.0.0.1:0").await?)
    ///     .time_on("sensors", TimeOptions::new().honor_time_tags(false));
    /// # drop(server);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// Panics if there is no channel of this name yet.
    #[track_caller]
    pub fn time_on(mut self, channel: &str, options: TimeOptions) -> Self {
        let spec = self.specs.iter_mut().find(|spec| *spec.name == *channel);
        #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
        let Some(spec) = spec else { panic!("there is no channel {channel:?} yet") };
        spec.time = Some(options);
        self
    }

    /// Sets how many packets may wait for a handler. Default 1,024, at least 1. When the inbox is full, by this number
    /// or by its [bytes](Server::inbox_bytes), [`inbox_overflow`](Server::inbox_overflow) applies.
    pub fn inbox(mut self, packets: usize) -> Self {
        self.options.inbox.packets = packets;
        self
    }

    /// Sets how many bytes of packets may wait for a handler. At this limit the inbox is full. Default 16 MiB. The last
    /// packet may exceed it, so that every packet that a channel accepts fits.
    ///
    /// ```
    /// use tokio_osc::{Router, Server};
    ///
    /// let server = Server::new(Router::new()).inbox(256).inbox_bytes(1 << 20);
    /// # drop(server);
    /// ```
    pub fn inbox_bytes(mut self, bytes: usize) -> Self {
        self.options.inbox.bytes = bytes;
        self
    }

    /// Sets what happens when the inbox is full. With [`Overflow::Wait`], the default, the channels are not read.
    /// The buffers of the operating system fill, and a UDP socket then drops the newest packets. The only exception
    /// is a channel whose own client ([`Channel::client_to`](crate::Channel::client_to)) waits for a reply: it is
    /// read, and packets other than the reply are dropped.
    ///
    /// With the other policies the server goes on reading. Dropped packets are counted as
    /// [`inbox_dropped`](crate::server::Stats::inbox_dropped).
    ///
    /// ```
    /// use tokio_osc::packet::Overflow;
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(Router::new())
    ///     .listen("sensors", Channel::udp("127.0.0.1:0").await?)
    ///     .inbox(64)
    ///     .inbox_overflow(Overflow::DropOldest);
    /// # drop(server);
    /// # Ok(()) }
    /// ```
    pub fn inbox_overflow(mut self, overflow: Overflow) -> Self {
        self.options.inbox_overflow = overflow;
        self
    }

    /// Sets how many handler calls one packet may cause. Further messages of the packet are dropped and counted.
    /// Without a limit, a bundle of patterns in a single datagram could call every handler thousands of times.
    /// Default 16,384.
    pub fn max_calls(mut self, calls: usize) -> Self {
        self.limits.calls = calls;
        self
    }

    /// Sets how many steps of matching one packet may cause. A message that needs more is dropped and counted. Without
    /// a limit, a bundle of long patterns could be matched with every route for seconds. To compare a
    /// part of a pattern with a part of a route costs the product of their lengths, and 64 steps for
    /// each look; a look-up by hash costs none. Default 33,554,432: 7 to 40 ms per packet with the worst
    /// patterns known.
    ///
    /// One message of 20 bytes of patterns, matched with 1,000 routes of 20 bytes each, takes half a
    /// million at most.
    pub fn max_steps(mut self, steps: usize) -> Self {
        self.limits.steps = steps;
        self
    }

    /// Sets how many steps of matching the packets of one source may cause in a second, and at once. A message that
    /// needs more is dropped and counted as [`over_budget`](crate::server::Stats::over_budget). Default 268,435,456:
    /// some 60 to 300 ms of work. A message that needs at most 4,096 steps is free.
    ///
    /// A source is an IPv4 address or an IPv6 /64 network. At most 4,096 sources have a budget of their own at a
    /// time; the others share one.
    pub fn max_steps_per_second(mut self, steps: u32) -> Self {
        self.limits.source_steps = steps;
        self
    }

    /// Sets how many bytes of replies a datagram may cause for each of its own bytes. Further replies are dropped and
    /// counted. Default 64, for datagrams of other hosts. A limit that is set here applies to this host too.
    ///
    /// The address of a datagram may be forged, and its replies then go to a victim. Peers of streams are not limited:
    /// they have shown that their address is their own.
    ///
    /// ```
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// let server = Server::new(Router::new().route("/status", || ("/status", "in one line")))
    ///     .listen("udp", Channel::udp("127.0.0.1:0").await?)
    ///     .reply_amplification(4);
    /// # drop(server);
    /// # Ok(()) }
    /// ```
    pub fn reply_amplification(mut self, factor: usize) -> Self {
        self.limits.replies.amplification = Limited::All(factor);
        self
    }

    /// Sets how many replies one source may cause: `burst` at once, then `per_second`. Further replies are dropped
    /// and counted. Default 1,000 and 1,000, for sources on other hosts. A rate that is set here applies to this host
    /// too. Both are at least 1.
    ///
    /// The reply to a UDP packet with a forged address goes to a victim. The budget of a packet
    /// ([`Reply`](crate::Reply)) limits what one packet can send there; this rate limits what all packets together
    /// can. It applies to each IPv4 address and each IPv6 /64 network. Peers of streams are not limited. At most
    /// 4,096 sources have a rate of their own at a time; the others share one, so that many forged addresses cannot
    /// free a source from its limit.
    ///
    /// ```
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// let server = Server::new(Router::new().route("/status", || ("/status", "a long list")))
    ///     .listen("udp", Channel::udp("127.0.0.1:0").await?)
    ///     .reply_rate(100, 20);
    /// # drop(server);
    /// # Ok(()) }
    /// ```
    pub fn reply_rate(mut self, per_second: u32, burst: u32) -> Self {
        self.limits.replies.rate = Limited::All(Arc::new(SourceRate::new(per_second, burst)));
        self
    }

    /// Shuts down the server when a future completes, such as `tokio::signal::ctrl_c()`. The server stops reading
    /// and runs the received packets; then [`run`](Server::run) returns. A second call replaces the first.
    ///
    /// ```
    /// use tokio_osc::{Channel, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let server = Server::new(Router::new())
    ///     .listen("udp", Channel::udp("127.0.0.1:0").await?)
    ///     .with_graceful_shutdown(async { drop(stopped.await) });
    ///
    /// stop.send(()).expect("the server waits for it");
    /// server.run().await;
    /// # Ok(()) }
    /// ```
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        let user = UserFunction::new("Server::with_graceful_shutdown");
        let signal = async move {
            if user.wait(signal).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        self.options.signal = Some(signal.boxed());
        self
    }

    /// Sets the options of a shutdown by [`with_graceful_shutdown`](Server::with_graceful_shutdown) or
    /// [`ServerHandle::shutdown`](crate::ServerHandle::shutdown). Default `Shutdown::new()`: no deadline, and bundles
    /// that wait for their time are dropped.
    pub fn on_shutdown(mut self, how: Shutdown) -> Self {
        self.options.shutdown = how;
        self
    }

    /// Writes the most important numbers as a `tracing` event at this interval (at least 1 ms), at the level
    /// INFO with the target `tokio_osc::stats`. By default never.
    pub fn report_every(mut self, interval: Duration) -> Self {
        self.options.report_every = Some(interval);
        self
    }
}
