//! The precision of timed bundles.

/// The precision of timed bundles. No bundle runs early, in any mode.
///
/// ```
/// use tokio_osc::schedule::Precision;
/// use tokio_osc::{Router, Server};
///
/// let server = Server::new(Router::new()).precision(Precision::Tokio);
/// # drop(server);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// Tokio's timer, which has ticks of 1 ms: about 1 ms late at the median, at most 2 ms on an idle
    /// machine. The default. Required for paused time.
    #[default]
    Tokio,
    /// A timer of the operating system: on Linux a timerfd, about 0.1 ms late at the median; elsewhere a
    /// thread, about 0.2 ms. Each server has its own: the timerfd from its start, the thread from its first
    /// timed bundle. Both end with the server.
    ///
    /// This timer runs in real time: while Tokio's time is paused, no timed bundle runs before the test
    /// advances the time. If the operating system refuses the timer, Tokio's timer is used, and this is
    /// traced.
    #[cfg(feature = "fine")]
    Fine,
    /// Same as [`Fine`](Self::Fine), but wakes this much early and then spins until the time: a few
    /// microseconds late at the median, if the duration is longer than the lateness of the timer (200 µs
    /// suffices). At most 1 ms.
    ///
    /// Spinning blocks the worker thread, and all tasks on it, for this time before each bundle. Use it on a
    /// runtime with a spare thread.
    #[cfg(feature = "fine")]
    Spin(std::time::Duration),
}
