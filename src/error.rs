//! One error for applications: the sum of what the floors return.

use std::{fmt, io};

/// The errors that applications pass on with `?`, as one.
///
/// The functions of the crate return the smaller type that fits; each that has a variant here
/// converts into this one. A few have none, such as those of a [`Node`](crate::Node), of a clock
/// measurement, and of text that is no URL: with them, use `Box<dyn std::error::Error>`.
///
/// ```
/// use tokio_osc::{Error, Message};
///
/// fn gain(message: &Message) -> Result<f32, Error> {
///     let answer = Message::new("/gain", message.parse::<f32>()?)?;
///     Ok(answer.parse()?)
/// }
///
/// let error = gain(&Message::new("/gain", "loud")?).unwrap_err();
/// assert_eq!(error.to_string(), "argument 0: expected float32, found a string (s)");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A peer's bytes are no packet.
    Decode(crate::DecodeError),
    /// The caller's values make no packet.
    Encode(crate::EncodeError),
    /// A message does not have the arguments asked for.
    Args(crate::ArgsError),
    /// An envelope is not configured in full.
    Envelope(crate::EnvelopeError),
    /// Text is no canonical line.
    ParseLine(crate::ParseLineError),
    /// Text is no address pattern.
    Pattern(crate::PatternError),
    /// A table of addresses cannot be used.
    AddressTable(crate::AddressTableError),
    /// A packet was not sent, or a stream cannot be framed any more.
    Frame(crate::FrameError),
    /// A request has no reply.
    #[cfg(feature = "net")]
    Request(crate::RequestError),
    /// A reply was not sent.
    Reply(crate::ReplyError),
    /// A server did not add or remove a channel.
    Channel(crate::ChannelError),
    /// A frame loop was to run in a runtime.
    InsideRuntime(crate::InsideRuntime),
    /// The operating system's word.
    Io(io::Error),
}

macro_rules! sum {
    ($($(#[$attribute:meta])* $variant:ident($type:ty),)*) => {
        $(
            $(#[$attribute])*
            impl From<$type> for Error {
                fn from(error: $type) -> Self {
                    Self::$variant(error)
                }
            }
        )*

        impl fmt::Display for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $($(#[$attribute])* Self::$variant(error) => error.fmt(f),)*
                }
            }
        }

        /// The source of the error that this one holds: its own text is the same.
        impl std::error::Error for Error {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                match self {
                    $($(#[$attribute])* Self::$variant(error) => error.source(),)*
                }
            }
        }
    };
}

sum! {
    Decode(crate::DecodeError),
    Encode(crate::EncodeError),
    Args(crate::ArgsError),
    Envelope(crate::EnvelopeError),
    ParseLine(crate::ParseLineError),
    Pattern(crate::PatternError),
    AddressTable(crate::AddressTableError),
    Frame(crate::FrameError),
    #[cfg(feature = "net")]
    Request(crate::RequestError),
    Reply(crate::ReplyError),
    Channel(crate::ChannelError),
    InsideRuntime(crate::InsideRuntime),
    Io(io::Error),
}
