//! The names of a server's channels, and why one is refused.

use std::fmt;
use std::sync::Arc;

use crate::types::is_name_byte;

/// Names that begin so are the server's own.
const RESERVED: char = '_';

/// Why a server did not add or remove a channel.
///
/// ```
/// use tokio_osc::{Channel, ChannelErrorKind, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new(Router::new()).listen("stage", Channel::udp("127.0.0.1:0").await?).spawn();
/// let error = server.remove("desk").await.unwrap_err();
/// assert_eq!(error.kind(), ChannelErrorKind::Unknown);
/// assert_eq!(error.to_string(), "there is no channel \"desk\"; there is \"stage\"");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelError {
    kind: ChannelErrorKind,
    name: Arc<str>,
    known: Vec<Arc<str>>,
}

/// The kinds of [`ChannelError`].
///
/// ```
/// use tokio_osc::{Channel, ChannelErrorKind, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let error = Server::new(Router::new()).try_listen("stage left", channel).unwrap_err();
/// assert_eq!(error.kind(), ChannelErrorKind::Illegal);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelErrorKind {
    /// The name is no legal part of an address: empty, or with another byte than printable ASCII, or
    /// with a space or one of `#*,/?[]{}`.
    Illegal,
    /// Names that begin with `_` are the server's own.
    Reserved,
    /// A channel of this name is there already.
    Duplicate,
    /// There is no channel of this name.
    Unknown,
    /// The server ends, or has ended.
    Ended,
}

impl ChannelError {
    pub(super) fn new(kind: ChannelErrorKind, name: impl Into<Arc<str>>) -> Self {
        Self { kind, name: name.into(), known: Vec::new() }
    }

    pub(super) fn unknown(name: &str, known: Vec<Arc<str>>) -> Self {
        Self { kind: ChannelErrorKind::Unknown, name: name.into(), known }
    }

    /// What is wrong.
    pub const fn kind(&self) -> ChannelErrorKind {
        self.kind
    }

    /// The name in question.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            ChannelErrorKind::Illegal => {
                write!(f, "the channel name {name:?} is no legal part of an address")
            }
            ChannelErrorKind::Reserved => {
                write!(f, "the channel name {name:?} is reserved, as all that begin with {RESERVED:?}")
            }
            ChannelErrorKind::Duplicate => write!(f, "there is a channel {name:?} already"),
            ChannelErrorKind::Ended => write!(f, "the server of the channel {name:?} has ended"),
            ChannelErrorKind::Unknown => {
                write!(f, "there is no channel {name:?}; there is ")?;
                match &*self.known {
                    [] => f.write_str("none"),
                    [first, more @ ..] => {
                        write!(f, "{first:?}")?;
                        more.iter().try_for_each(|name| write!(f, ", {name:?}"))
                    }
                }
            }
        }
    }
}

impl std::error::Error for ChannelError {}

/// Refuses what may not be the name of a channel.
pub(super) fn check(name: &Arc<str>) -> Result<(), ChannelError> {
    let wrong = if name.is_empty() || !name.bytes().all(is_name_byte) {
        ChannelErrorKind::Illegal
    } else if name.starts_with(RESERVED) {
        ChannelErrorKind::Reserved
    } else {
        return Ok(());
    };
    Err(ChannelError::new(wrong, Arc::clone(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_an_address() {
        let kind = |name: &str| check(&name.into()).err().map(|error| error.kind());
        for name in ["udp", "a", "stage-2", "osc.main", "a_", "~!$"] {
            assert_eq!(kind(name), None, "{name}");
        }
        for name in ["", "a b", "a/b", "/a", "a*", "a#", "a,b", "[a]", "{a}", "a?", "ä", "a\n", "a\u{7f}"] {
            assert_eq!(kind(name), Some(ChannelErrorKind::Illegal), "{name:?}");
        }
        for name in ["_", "_events"] {
            assert_eq!(kind(name), Some(ChannelErrorKind::Reserved), "{name}");
        }
    }

    #[test]
    fn it_tells_what_there_is() {
        let error = ChannelError::unknown("c", vec!["a".into(), "b".into()]);
        assert_eq!(error.to_string(), "there is no channel \"c\"; there is \"a\", \"b\"");
        assert_eq!(
            ChannelError::unknown("c", vec![]).to_string(),
            "there is no channel \"c\"; there is none"
        );
    }
}
