//! The names of channels.

use std::fmt;
use std::sync::Arc;

use crate::types::is_name_byte;

/// The first character of reserved names.
const RESERVED: char = '_';

/// The error of adding or removing a channel or a group.
///
/// ```
/// use tokio_osc::server::ChannelErrorKind;
/// use tokio_osc::{Channel, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let server = Server::new(Router::new()).listen("stage", channel).spawn();
/// let error = server.remove("desk").await.unwrap_err();
/// assert_eq!(error.kind(), ChannelErrorKind::Unknown);
/// assert_eq!(error.to_string(), "there is no channel \"desk\"; there is \"stage\"");
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelError {
    kind: ChannelErrorKind,
    name: Arc<str>,
    known: Vec<Arc<str>>,
}

/// The kinds of [`ChannelError`].
///
/// ```
/// use tokio_osc::server::ChannelErrorKind;
/// use tokio_osc::{Channel, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let error = Server::new(Router::new()).try_listen("stage left", channel).unwrap_err();
/// assert_eq!(error.kind(), ChannelErrorKind::IllegalCharacter(' '));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelErrorKind {
    /// The name is empty.
    Empty,
    /// The name is not a valid part of an address: it contains a space, a control character, one of `# * , /
    /// ? [ ] { }`, or a character that is not ASCII.
    IllegalCharacter(char),
    /// Names that begin with `_` are reserved for the server; [`LOCAL`](crate::node::LOCAL) and
    /// [`ALL`](crate::node::ALL) for a node.
    Reserved,
    /// A channel or group of this name exists already.
    Duplicate,
    /// There is no channel with this name.
    Unknown,
    /// The server is shutting down, or has ended.
    Ended,
}

impl ChannelError {
    /// Creates an error, for your own collections of channels.
    pub fn new(kind: ChannelErrorKind, name: impl Into<Arc<str>>) -> Self {
        Self { kind, name: name.into(), known: Vec::new() }
    }

    pub(super) fn unknown(name: &str, known: Vec<Arc<str>>) -> Self {
        Self { kind: ChannelErrorKind::Unknown, name: name.into(), known }
    }

    /// Checks that a name is valid for a channel: one part of an address that does not begin with `_`.
    ///
    /// ```
    /// use tokio_osc::server::{ChannelError, ChannelErrorKind};
    ///
    /// assert_eq!(ChannelError::check_name("stage-2"), Ok(()));
    /// let error = ChannelError::check_name("stage/2").unwrap_err();
    /// assert_eq!(error.kind(), ChannelErrorKind::IllegalCharacter('/'));
    /// ```
    ///
    /// # Errors
    /// Returns an error if the name is empty, reserved, or contains an illegal character.
    pub fn check_name(name: &str) -> Result<(), Self> {
        let legal = |c: char| u8::try_from(c).is_ok_and(is_name_byte);
        let kind = if name.is_empty() {
            ChannelErrorKind::Empty
        } else if let Some(c) = name.chars().find(|&c| !legal(c)) {
            ChannelErrorKind::IllegalCharacter(c)
        } else if name.starts_with(RESERVED) {
            ChannelErrorKind::Reserved
        } else {
            return Ok(());
        };
        Err(Self::new(kind, name))
    }

    /// Returns the kind of the error.
    pub const fn kind(&self) -> ChannelErrorKind {
        self.kind
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            ChannelErrorKind::Empty => f.write_str("a name has at least one character"),
            ChannelErrorKind::IllegalCharacter(c) => {
                write!(f, "the name {name:?} holds {c:?}, which no part of an address holds")
            }
            ChannelErrorKind::Reserved if name.starts_with(RESERVED) => {
                write!(f, "the name {name:?} is reserved, as all that begin with {RESERVED:?}")
            }
            ChannelErrorKind::Reserved => write!(f, "the name {name:?} is reserved"),
            ChannelErrorKind::Duplicate => write!(f, "a channel or group has the name {name:?} already"),
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

readable! { struct ChannelError { kind, name, known } }

impl std::error::Error for ChannelError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_an_address() {
        let kind = |name| ChannelError::check_name(name).err().map(|error| error.kind());
        for name in ["udp", "a", "stage-2", "osc.main", "a_", "~!$"] {
            assert_eq!(kind(name), None, "{name}");
        }
        assert_eq!(kind(""), Some(ChannelErrorKind::Empty));
        for (name, illegal) in [
            ("a b", ' '),
            ("a/b", '/'),
            ("/a", '/'),
            ("a*", '*'),
            ("a#", '#'),
            ("a,b", ','),
            ("[a]", '['),
            ("{a}", '{'),
            ("a?", '?'),
            ("ä", 'ä'),
            ("a\n", '\n'),
            ("a\u{7f}", '\u{7f}'),
        ] {
            assert_eq!(kind(name), Some(ChannelErrorKind::IllegalCharacter(illegal)), "{name:?}");
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
