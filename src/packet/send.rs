//! Sending packets: the interface of channels for replies, and the errors of sending.

use std::error::Error;
use std::{fmt, io};

use super::{EncodeError, Packet, Peer};

/// Sends packets to the peers of a channel. Implemented by channels and used by dispatch for replies, so that
/// neither depends on the other.
pub(crate) trait SendTo: Send + Sync + 'static {
    /// Sends a packet to a peer, or queues it, without waiting. Fails with [`SendErrorKind::Full`] if too many packets
    /// for the peer wait.
    fn send(&self, packet: Packet, peer: Peer) -> Result<Sent, SendError>;
}

/// The outcome of a successful send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The operating system has it, or a queue before that.
    Sent,
    /// A layer of the middleware dropped it.
    Filtered,
}

/// The error of sending a packet.
///
/// ```
/// use tokio_osc::packet::SendErrorKind;
/// use tokio_osc::Client;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let client = Client::udp("127.0.0.1:9000").await?;
/// let error = client.send(("/blob", vec![0_u8; 70_000])).await.unwrap_err();
/// assert_eq!(error.kind(), SendErrorKind::TooLarge { size: 70_016, limit: 65_507 });
/// let text = "cannot send 70,016 bytes as one datagram (at most 65,507): use TCP";
/// assert_eq!((error.to_string(), format!("{error:?}")), (text.to_owned(), text.to_owned()));
/// # Ok(()) }
/// ```
pub struct SendError {
    kind: SendErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of [`SendError`]. The first ones are errors of the caller, the others of the transport.
///
/// ```
/// use tokio_osc::packet::SendErrorKind;
/// use tokio_osc::{Client, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::reconnecting("127.0.0.1:9000", Slip::new()).spawn()?;
/// client.close().await?;
/// let error = client.send(("/scene", 3)).await.unwrap_err();
/// assert_eq!(error.kind(), SendErrorKind::Closed);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The packet is not valid. See [`SendError::encode_error`].
    Encode,
    /// The packet is larger than the transport allows.
    TooLarge {
        /// Bytes of the packet.
        size: usize,
        /// The maximum.
        limit: usize,
    },
    /// The framing of the peer is not known yet ([`Detect`](crate::codec::Detect)).
    Undetected,
    /// Sending would block, because earlier packets are not sent yet. Only returned by methods that do not
    /// wait.
    Full,
    /// The connection, or the channel, is closed.
    Closed,
    /// An I/O error: see [`SendError::io_error`].
    Io(io::ErrorKind),
}

impl SendError {
    /// Returns the kind of the error.
    pub const fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// Returns the error of the packet, if that is the reason.
    pub fn encode_error(&self) -> Option<&EncodeError> {
        self.source.as_ref()?.downcast_ref()
    }

    /// Returns the I/O error, if that is the reason.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.source.as_ref()?.downcast_ref()
    }

    /// The error for a packet that is too large for a datagram, with the remedy.
    #[cold]
    pub(crate) fn too_large_for_datagram(size: usize, limit: usize) -> Self {
        let (bytes, most) = (grouped(size), grouped(limit));
        let text = format!("cannot send {bytes} bytes as one datagram (at most {most}): use TCP");
        Self { kind: SendErrorKind::TooLarge { size, limit }, source: Some(text.into()) }
    }

    /// Creates an error for your own transport, with its text.
    ///
    /// ```
    /// use tokio_osc::packet::SendError;
    ///
    /// assert_eq!(SendError::other("the serial port is gone").to_string(), "the serial port is gone");
    /// ```
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        io::Error::other(error).into()
    }
}

impl From<SendErrorKind> for SendError {
    fn from(kind: SendErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<EncodeError> for SendError {
    #[cold]
    fn from(error: EncodeError) -> Self {
        Self { kind: SendErrorKind::Encode, source: Some(Box::new(error)) }
    }
}

impl From<io::Error> for SendError {
    #[cold]
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::WouldBlock {
            return SendErrorKind::Full.into();
        }
        Self { kind: SendErrorKind::Io(error.kind()), source: Some(Box::new(error)) }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            return source.fmt(f);
        }
        match self.kind {
            SendErrorKind::TooLarge { size, limit } => {
                write!(f, "cannot send {} bytes at once (at most {})", grouped(size), grouped(limit))
            }
            SendErrorKind::Undetected => f.write_str("cannot send: the peer has not shown its framing yet"),
            SendErrorKind::Full => {
                f.write_str("cannot send without waiting: earlier packets are not sent yet")
            }
            SendErrorKind::Closed => f.write_str("cannot send: the connection is closed"),
            SendErrorKind::Encode => f.write_str("not a valid packet"),
            SendErrorKind::Io(kind) => kind.fmt(f),
        }
    }
}

readable! { struct SendError { kind, source } }

/// `Display` prints the cause, so the source is that of the cause, and a report of the chain prints nothing
/// twice.
impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref()?.source()
    }
}

/// Digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
