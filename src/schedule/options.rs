//! How a server treats incoming time tags: for all channels, or for one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::packet::{Bundle, Meta};
use crate::types::ClockOffset;

/// How the time tags of incoming bundles are treated: for a whole server with `Server::time`, for one
/// channel with `Server::time_on`. The second replaces the first.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::packet::ClockOffset;
/// use tokio_osc::schedule::{LatePolicy, TimeOptions};
///
/// let options = TimeOptions::new()
///     .clock_offset(ClockOffset::peer_behind(Duration::from_millis(250)))
///     .late(LatePolicy::DropAfter(Duration::from_millis(20)))
///     .check_inner_time_tags(true);
/// assert!(options.honor_time_tags);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TimeOptions {
    /// Whether bundles wait for their time tag. Default `true`; otherwise all run on arrival.
    pub honor_time_tags: bool,
    /// The clock offset: added to incoming time tags, and subtracted from the time tags of replies. Default
    /// zero.
    pub clock_offset: ClockOffset,
    /// A constant delay: bundles run at their time tag plus this. Default zero.
    pub delay: Duration,
    /// The policy for late bundles. Default [`LatePolicy::Run`].
    pub late: LatePolicy,
    /// Whether to refuse, and count, a packet with a bundle that is due before the bundle around it. Nothing
    /// of it runs. Default `false`: such a bundle runs with the outer bundle.
    ///
    /// Time tags are compared as a signed 64-bit difference, so that the change of era in 2036 is handled.
    /// The time tags 0 and [`TimeTag::IMMEDIATELY`](crate::TimeTag::IMMEDIATELY) are not instants and are
    /// never refused.
    pub check_inner_time_tags: bool,
}

impl TimeOptions {
    /// Creates the default options.
    pub const fn new() -> Self {
        Self {
            honor_time_tags: true,
            clock_offset: ClockOffset::ZERO,
            delay: Duration::ZERO,
            late: LatePolicy::Run,
            check_inner_time_tags: false,
        }
    }

    /// Sets whether bundles wait for their time tag.
    pub fn honor_time_tags(mut self, honor: bool) -> Self {
        self.honor_time_tags = honor;
        self
    }

    /// Sets the clock offset, our clock minus the peer's, which is added to incoming time tags and subtracted
    /// from the time tags of replies. [`ClockSync`](crate::tools::ClockSync) measures it.
    pub fn clock_offset(mut self, offset: ClockOffset) -> Self {
        self.clock_offset = offset;
        self
    }

    /// Sets a constant delay: bundles run at their time tag plus this.
    ///
    /// This removes the jitter of the network (Freed's forward synchronisation): the sender tags each event
    /// with the time at which it happened, and all events run with the same delay. Set it above the longest
    /// network delay. Lateness is measured from the delayed time.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the policy for late bundles.
    pub fn late(mut self, policy: LatePolicy) -> Self {
        self.late = policy;
        self
    }

    /// Sets whether to refuse a packet with a bundle that is due before the bundle around it.
    pub fn check_inner_time_tags(mut self, check: bool) -> Self {
        self.check_inner_time_tags = check;
        self
    }
}

impl Default for TimeOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What happens to a late bundle: one that is next to run after its time.
///
/// A bundle is late if it arrived late, if an earlier handler took long, or if the machine was suspended.
/// Only the time tag of the outermost bundle of a packet counts. An inner bundle that waits on its own is
/// checked on its own.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::{LatePolicy, TimeOptions};
///
/// let options = TimeOptions::new().late(LatePolicy::DropAfter(Duration::from_millis(50)));
/// # drop(options);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum LatePolicy {
    /// It runs (the default). Handlers read [`Meta::lateness`](crate::Meta::lateness).
    #[default]
    Run,
    /// It is dropped as a whole, and counted, if it is later than this when it is next to run. A bundle
    /// exactly this late runs.
    ///
    /// This measures all delays: the network, earlier packets, and, for a bundle that waited, the timer,
    /// which is up to 1 ms late (0.1 ms with [`Precision::Fine`](crate::schedule::Precision)). Zero therefore
    /// drops nearly every bundle; 10 to 50 ms suits music and light.
    DropAfter(Duration),
    /// It is dropped as a whole, and counted, if it is later than this when it arrives. A bundle that arrives
    /// in time runs, however late the timer and earlier handlers are.
    ///
    /// This measures the network, the sender, and the time until the server reads the channel. Zero drops
    /// exactly the bundles whose time has passed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::schedule::{LatePolicy, TimeOptions};
    ///
    /// let options = TimeOptions::new().late(LatePolicy::DropLateArrivals(Duration::ZERO));
    /// # drop(options);
    /// ```
    DropLateArrivals(Duration),
    /// It is passed to a function instead of its routes, and counted: see [`LatePolicy::hand`].
    Hand(LateHandler),
}

impl LatePolicy {
    /// Passes bundles that are later than `tolerance` to `handler` instead of their routes. The lateness is
    /// in the [`Meta`]. A bundle exactly as late as `tolerance` runs.
    ///
    /// The handler must not block. A panic is counted like that of any handler, and the server goes on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::schedule::{LatePolicy, TimeOptions};
    ///
    /// let late = LatePolicy::hand(Duration::from_millis(5), |bundle, meta| {
    ///     eprintln!("{} from {} is {:?} late", bundle.time_tag(), meta.peer, meta.lateness);
    /// });
    /// let options = TimeOptions::new().late(late);
    /// ```
    pub fn hand(tolerance: Duration, handler: impl Fn(Bundle, &Meta) + Send + Sync + 'static) -> Self {
        Self::Hand(LateHandler { tolerance, handler: Arc::new(handler) })
    }
}

type Handler = dyn Fn(Bundle, &Meta) + Send + Sync;

/// A function for late bundles, and its tolerance. Created by [`LatePolicy::hand`].
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::LatePolicy;
///
/// let tolerance = Duration::from_millis(5);
/// let policy = LatePolicy::hand(tolerance, |bundle, _| eprintln!("late: {bundle}"));
/// let LatePolicy::Hand(handler) = policy else { unreachable!() };
/// assert_eq!(handler.tolerance(), Duration::from_millis(5));
/// ```
#[derive(Clone)]
pub struct LateHandler {
    tolerance: Duration,
    handler: Arc<Handler>,
}

impl LateHandler {
    /// Returns the lateness up to which a bundle runs.
    pub fn tolerance(&self) -> Duration {
        self.tolerance
    }

    pub(crate) fn call(&self, bundle: Bundle, meta: &Meta) {
        (self.handler)(bundle, meta);
    }
}

impl fmt::Debug for LateHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LateHandler").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}
