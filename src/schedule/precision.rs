//! How exactly a server wakes for what is due.

/// How exactly a server wakes for what is due. Never early, in any mode.
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
    /// By Tokio's timer, which has ticks of a millisecond: about 1 ms late at the median, 2 ms at
    /// most on an idle machine. The default, and the one to use with paused time.
    #[default]
    Tokio,
    /// By a timer of the operating system: a timerfd on Linux, about 0.1 ms late at the median; a
    /// thread of its own elsewhere, about 0.2 ms. One of them per server: the first from its start,
    /// the second from its first timed bundle; both end with it.
    ///
    /// This timer runs in real time: with Tokio's time paused, nothing timed runs before the test
    /// moves the time on. If the operating system refuses the timer, Tokio's takes its place, and
    /// that is traced.
    #[cfg(feature = "fine")]
    Fine,
    /// As [`Fine`](Self::Fine), woken this much early and then spinning until the time has come: a
    /// few microseconds late at the median, if it is longer than the timer is late (200 µs will do).
    /// At most 1 ms.
    ///
    /// Spinning holds up its worker thread, and all tasks on it, for so long before each bundle:
    /// for a runtime with a thread to spare.
    #[cfg(feature = "fine")]
    Spin(std::time::Duration),
}
