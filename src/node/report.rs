//! The outcome of a packet for each name.

use std::fmt;
use std::sync::Arc;

use crate::node::{LOCAL, SendOutcome};
use crate::packet::{EncodeError, SendError};

/// The outcome of a packet for each name. Returned by [`Node::send`](crate::Node::send).
///
/// A [`SendReport`](crate::channel::SendReport) of a [`FanOut`](crate::client::FanOut) lists the peers of one
/// socket. This report lists names, and a fan-out can be one of them.
///
/// `Display` writes one line per name.
///
/// ```
/// use tokio_osc::{Channel, Client, Node};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let node = Node::new();
/// node.add("lights", Client::udp(channel.local_addr()?).await?)?;
///
/// let report = node.send("lights", ("/scene", 3)).await?;
/// for (name, error) in report.failed() {
///     eprintln!("{name}: {error}");
/// }
/// assert_eq!(report.to_string(), "lights: sent");
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
#[must_use = "it names the channels that were not sent to"]
pub struct NodeReport {
    outcomes: Vec<(Arc<str>, SendOutcome)>,
}

impl NodeReport {
    pub(super) fn new(outcomes: Vec<(Arc<str>, SendOutcome)>) -> Self {
        Self { outcomes }
    }

    /// Returns each channel and the outcome there. Groups are resolved, and each name is listed once, in the
    /// order of the targets.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SendOutcome)> {
        self.outcomes.iter().map(|(name, outcome)| (&**name, outcome))
    }

    /// Returns the outcome for one name.
    pub fn get(&self, name: &str) -> Option<&SendOutcome> {
        self.iter().find(|(known, _)| *known == name).map(|(_, outcome)| outcome)
    }

    /// Returns `true` if the packet was sent to all names and all their peers. With no names, returns `true`.
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|(_, outcome)| outcome.is_sent())
    }

    /// Returns the number of names to which it was sent, with all their peers.
    pub fn sent(&self) -> usize {
        self.outcomes.iter().filter(|(_, outcome)| outcome.is_sent()).count()
    }

    /// Returns the names to which it was not sent, or not to all peers, and the reason.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &SendError)> {
        self.iter().filter_map(|(name, outcome)| Some((name, outcome.error()?)))
    }
}

impl fmt::Display for NodeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, outcome)) in self.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}{name}: {outcome}")?;
        }
        Ok(())
    }
}

/// The error of a node that sent nothing.
///
/// ```
/// use tokio_osc::node::NodeError;
/// use tokio_osc::Node;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let error = Node::new().send("lights", ("/scene", 3)).await.unwrap_err();
/// assert!(matches!(error, NodeError::UnknownName { .. }));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeError {
    /// The packet cannot be encoded.
    Encode(EncodeError),
    /// No channel or group has this name.
    UnknownName {
        /// The unknown name.
        name: Arc<str>,
        /// The known names.
        known: Vec<Arc<str>>,
    },
    /// The channel of this name only receives: it is a datagram socket without a peer.
    ReceivesOnly {
        /// The unknown or refused name.
        name: Arc<str>,
    },
}

impl From<EncodeError> for NodeError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode(error) => error.fmt(f),
            Self::UnknownName { name, .. } if **name == *LOCAL => {
                f.write_str("a node without a server has no router of its own to send to")
            }
            Self::UnknownName { name, known } if known.is_empty() => {
                write!(f, "there is no channel {name:?}, and no other")
            }
            Self::UnknownName { name, known } => {
                write!(f, "there is no channel {name:?}; there are: {}", known.join(", "))
            }
            Self::ReceivesOnly { name } => write!(f, "the channel {name:?} only receives"),
        }
    }
}

readable! { enum NodeError { Encode(error), UnknownName { name, known }, ReceivesOnly { name } } }

impl std::error::Error for NodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Encode(error) => error.source(),
            Self::UnknownName { .. } | Self::ReceivesOnly { .. } => None,
        }
    }
}
