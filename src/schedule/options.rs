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
    /// Whether bundles wait for their time. Default `true`; otherwise all run when they arrive.
    pub honor_time_tags: bool,
    /// Added to incoming tags before they are judged, and subtracted from the tags of replies.
    /// Default zero.
    pub clock_offset: ClockOffset,
    /// Constant delay: bundles run at their tag plus this. Default zero.
    pub delay: Duration,
    /// What happens to bundles that are late. Default [`LatePolicy::Run`].
    pub late: LatePolicy,
    /// Whether a packet in which a bundle is due before the bundle around it is refused before
    /// anything of it runs, and counted. Default `false`: such a bundle is due with the outer one.
    ///
    /// Tags are compared as a signed 64-bit difference, so that 2036 is crossed both ways. The tags
    /// 0 and [`TimeTag::IMMEDIATELY`](crate::TimeTag::IMMEDIATELY) are not instants and never at
    /// fault.
    pub check_inner_time_tags: bool,
}

impl TimeOptions {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            honor_time_tags: true,
            clock_offset: ClockOffset::ZERO,
            delay: Duration::ZERO,
            late: LatePolicy::Run,
            check_inner_time_tags: false,
        }
    }

    /// Sets whether bundles wait for their time.
    pub fn honor_time_tags(mut self, honor: bool) -> Self {
        self.honor_time_tags = honor;
        self
    }

    /// Sets what is added to incoming tags and subtracted from the tags of replies: our clock minus
    /// the peer's. [`ClockSync`](crate::tools::ClockSync) measures it.
    pub fn clock_offset(mut self, offset: ClockOffset) -> Self {
        self.clock_offset = offset;
        self
    }

    /// Sets a constant delay: bundles run at their tag plus this.
    ///
    /// This removes the jitter of the network (Freed's forward synchronisation): the sender tags
    /// each gesture with the time at which it happened, and everything runs equally late. Choose it
    /// above the longest way that a packet takes. Lateness counts from the delayed time.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets what happens to bundles that are late.
    pub fn late(mut self, policy: LatePolicy) -> Self {
        self.late = policy;
        self
    }

    /// Sets whether a packet in which a bundle is due before the one around it is refused.
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

/// What happens to a bundle whose turn comes later than its time.
///
/// That may be because it arrived late, because a handler before it took long, or because the
/// machine slept. Only the tag of the packet's outermost bundle counts; a bundle inside that waits
/// on its own is judged on its own.
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
    /// It runs (the default); handlers find out by [`Meta::lateness`](crate::Meta::lateness).
    #[default]
    Run,
    /// It is dropped, whole, if it is later than this when its turn comes; counted. A bundle exactly this
    /// late runs.
    ///
    /// This measures all that delays it: the network, the packets before it, and, of a bundle that
    /// waited, the timer, which wakes up to 1 ms late (0.1 ms with
    /// [`Precision::Fine`](crate::schedule::Precision)). Zero therefore drops nearly everything; 10 to
    /// 50 ms is a sensible value for music and light.
    DropAfter(Duration),
    /// It is dropped, whole, if it is later than this when it arrives; counted. A bundle that arrives in
    /// time runs, however long the timer and the handlers before it take.
    ///
    /// This measures the network and the sender, and the time that the server takes to read its
    /// channels. Zero is a sensible value: it drops what is past already.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::schedule::{LatePolicy, TimeOptions};
    ///
    /// let options = TimeOptions::new().late(LatePolicy::DropLateArrivals(Duration::ZERO));
    /// # drop(options);
    /// ```
    DropLateArrivals(Duration),
    /// It is handed to a function of its own instead: see [`LatePolicy::hand`]. Counted.
    Hand(LateHandler),
}

impl LatePolicy {
    /// Bundles that are later than `tolerance` go to `handler` and to no route. The lateness is in
    /// the [`Meta`]. A bundle exactly as late as `tolerance` runs.
    ///
    /// A handler that panics is counted as any other, and stops nothing. It must not block.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::schedule::{LatePolicy, TimeOptions};
    ///
    /// let options = TimeOptions::new().late(LatePolicy::hand(Duration::from_millis(5), |bundle, meta| {
    ///     eprintln!("{} from {} came {:?} too late", bundle.time_tag(), meta.peer, meta.lateness);
    /// }));
    /// ```
    pub fn hand(tolerance: Duration, handler: impl Fn(Bundle, &Meta) + Send + Sync + 'static) -> Self {
        Self::Hand(LateHandler { tolerance, handler: Arc::new(handler) })
    }
}

type Handler = dyn Fn(Bundle, &Meta) + Send + Sync;

/// A function for late bundles, and how late is late for it. What [`LatePolicy::hand`] makes.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::LatePolicy;
///
/// let policy = LatePolicy::hand(Duration::from_millis(5), |bundle, _| eprintln!("late: {bundle}"));
/// let LatePolicy::Hand(handler) = policy else { unreachable!() };
/// assert_eq!(handler.tolerance(), Duration::from_millis(5));
/// ```
#[derive(Clone)]
pub struct LateHandler {
    tolerance: Duration,
    handler: Arc<Handler>,
}

impl LateHandler {
    /// The lateness up to which a bundle runs.
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
