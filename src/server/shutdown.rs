//! Options of a shutdown.

use std::time::Duration;

/// Options of a shutdown: whether waiting bundles still run, and how long the shutdown may take. In any case the
/// server stops reading, and received packets run first.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Channel, Router, Server, Shutdown};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let server = Server::new(Router::new()).listen("udp", channel).spawn();
///
/// // The cues that are on their way still run, if they are due within 5 seconds.
/// let how = Shutdown::new().drain().deadline(Duration::from_secs(5));
/// let report = server.shutdown_with(how).await;
/// assert_eq!(report.server.discarded, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "it says how to end, and ends nothing"]
pub struct Shutdown {
    pub(super) drain: bool,
    pub(super) deadline: Option<Duration>,
}

impl Shutdown {
    /// Creates the default: bundles that wait for their time are dropped and counted
    /// ([`Stats::discarded`](crate::server::Stats#structfield.discarded)), and handlers have no deadline.
    pub const fn new() -> Self {
        Self { drain: false, deadline: None }
    }

    /// Runs waiting bundles at their time before the server ends. Without a [`deadline`](Self::deadline) this may take as long as
    /// the [horizon](crate::schedule::ScheduleLimits::horizon).
    pub const fn drain(mut self) -> Self {
        self.drain = true;
        self
    }

    /// Sets the maximum duration. After it, pending handlers are dropped
    /// ([`abandoned`](crate::server::Stats#structfield.abandoned)), and so are queued packets
    /// ([`cut_off`](crate::server::Stats#structfield.cut_off)) and waiting bundles
    /// ([`discarded`](crate::server::Stats#structfield.discarded)); connections are closed at once. Default:
    /// no deadline.
    ///
    /// A handler that blocks its thread cannot be dropped: the server waits for it in any case.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}
