//! One error for applications: the sum of the errors of all floors.

use std::{fmt, io};

macro_rules! sum {
    (
        $(#[$of_all:meta])*
        $name:ident
        $(#[doc = $doc:literal] $(#[cfg($feature:meta)])? $variant:ident($type:ty),)*
    ) => {
        $(#[$of_all])*
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $doc] $(#[cfg($feature)])? $variant($type),)*
        }

        $(
            $(#[cfg($feature)])?
            impl From<$type> for $name {
                fn from(error: $type) -> Self {
                    Self::$variant(error)
                }
            }
        )*

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $($(#[cfg($feature)])? Self::$variant(error) => error.fmt(f),)*
                }
            }
        }

        readable! { enum $name { $($(#[cfg($feature)])? $variant(error),)* } }

        /// Returns the source of the wrapped error, whose text this error already prints.
        impl std::error::Error for $name {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                match self {
                    $($(#[cfg($feature)])? Self::$variant(error) => error.source(),)*
                }
            }
        }
    };
}

sum! {
    /// Any error of this crate, for applications that use `?`.
    ///
    /// Each function returns the smallest type that fits. All of them convert into this one.
    ///
    /// | error | returned by | feature |
    /// |-------|----|---------|
    /// | [`DecodeError`](crate::packet::DecodeError) | [`Packet::decode`](crate::Packet::decode); items of a [`Channel`](crate::Channel) | |
    /// | [`EncodeError`](crate::packet::EncodeError) | [`Message::new`](crate::Message::new), [`BundleBuilder::build`](crate::packet::BundleBuilder::build), [`IntoPacket`](crate::packet::IntoPacket) | |
    /// | [`ArgsError`](crate::packet::ArgsError) | [`Message::parse`](crate::Message::parse), [`FromArgs`](crate::FromArgs) | |
    /// | [`ParseLineError`](crate::packet::ParseLineError) | `str::parse` of a [`Message`](crate::Message) or [`Packet`](crate::Packet), [`LineReader`](crate::packet::LineReader) | |
    /// | `SerdeError` | `to_args`, `from_args` | `serde` |
    /// | `UnmappableText` | `Text::decode`, `TextBuf::encode` | `encoding` |
    /// | [`PatternError`](crate::pattern::PatternError) | [`Pattern::new`](crate::Pattern::new) | |
    /// | [`AddressTableError`](crate::middleware::AddressTableError) | [`AddressTable::new`](crate::middleware::AddressTable::new) | |
    /// | [`NetworkError`](crate::middleware::NetworkError) | [`Access::allow`](crate::middleware::Access::allow), [`Access::deny`](crate::middleware::Access::deny) | |
    /// | [`EnvelopeError`](crate::middleware::EnvelopeError) | [`EnvelopeBuilder::build`](crate::middleware::EnvelopeBuilder::build) | |
    /// | [`ProtocolError`](crate::middleware::ProtocolError) | [`Checksum`](crate::middleware::Checksum), [`Signature`](crate::middleware::Signature), [`Cipher`](crate::middleware::Cipher) | |
    /// | [`SendError`](crate::packet::SendError) | [`Client::send`](crate::Client::send), [`Outlet::send_to`](crate::channel::Outlet::send_to), codecs that encode | |
    /// | [`FrameError`](crate::codec::FrameError) | codecs that decode a stream | |
    /// | [`RequestError`](crate::client::RequestError) | [`Client::request`](crate::Client::request) | |
    /// | [`EndpointError`](crate::channel::EndpointError) | `str::parse` of an [`Endpoint`](crate::Endpoint) | `net` |
    /// | [`BindError`](crate::channel::BindError) | constructors of [`Channel`](crate::Channel) and [`Client`](crate::Client) | `net` |
    /// | [`Rejection`](crate::dispatch::Rejection) | [`FromContext`](crate::dispatch::FromContext) | |
    /// | [`CaptureError`](crate::dispatch::CaptureError) | [`FromCaptures`](crate::dispatch::FromCaptures) | |
    /// | [`ReplyError`](crate::dispatch::ReplyError) | [`Reply::send`](crate::Reply::send) | |
    /// | [`ChannelError`](crate::server::ChannelError) | [`Server::try_listen`](crate::Server::try_listen), [`ServerHandle::listen`](crate::ServerHandle::listen), [`Node::add`](crate::Node::add), [`Node::group`](crate::Node::group) | |
    /// | [`NodeError`](crate::node::NodeError) | [`Node::send`](crate::Node::send) | |
    /// | [`ClockSyncError`](crate::tools::ClockSyncError) | [`ClockSync::measure`](crate::tools::ClockSync::measure) | `net` |
    /// | [`SubscribeError`](crate::tools::SubscribeError) | [`Subscribers::add`](crate::tools::Subscribers::add) | |
    /// | [`InsideRuntime`](crate::tools::InsideRuntime) | [`FrameLoop::block_on`](crate::tools::FrameLoop::block_on) | |
    /// | [`io::Error`] | operations on sockets and files | |
    ///
    /// `Display` prints the whole text, that of the wrapped error included. Its
    /// [`source`](std::error::Error::source) is therefore the source of the wrapped error, so that a report of the
    /// whole chain prints nothing twice. The wrapped error is the field of the variant.
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
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    Error

    /// A peer's bytes are not a valid packet.
    Decode(crate::packet::DecodeError),
    /// The caller's values cannot be encoded as a packet.
    Encode(crate::packet::EncodeError),
    /// A message does not have the requested arguments.
    Args(crate::packet::ArgsError),
    /// Text is not a canonical line.
    ParseLine(crate::packet::ParseLineError),
    /// A value cannot be converted to an argument list, or an argument list to the requested value.
    #[cfg(feature = "serde")]
    Serde(crate::packet::SerdeError),
    /// Text contains characters that the charset does not have.
    #[cfg(feature = "encoding")]
    UnmappableText(crate::packet::UnmappableText),
    /// Text is not a valid address pattern.
    Pattern(crate::pattern::PatternError),
    /// A table of addresses is not valid.
    AddressTable(crate::middleware::AddressTableError),
    /// Text is not the address of a network.
    Network(crate::middleware::NetworkError),
    /// The configuration of an envelope is incomplete.
    Envelope(crate::middleware::EnvelopeError),
    /// A checksum, signature or cipher of an envelope failed.
    Protocol(crate::middleware::ProtocolError),
    /// A packet could not be sent.
    Send(crate::packet::SendError),
    /// The framing of a stream is broken.
    Frame(crate::codec::FrameError),
    /// A request was not answered.
    Request(crate::client::RequestError),
    /// Text is not a valid endpoint.
    #[cfg(feature = "net")]
    Endpoint(crate::channel::EndpointError),
    /// A channel or client cannot be opened.
    #[cfg(feature = "net")]
    Bind(crate::channel::BindError),
    /// A message does not have the parameters of a handler.
    Rejection(crate::dispatch::Rejection),
    /// A captured part of an address does not have the requested type.
    Capture(crate::dispatch::CaptureError),
    /// A reply was not sent.
    Reply(crate::dispatch::ReplyError),
    /// A channel was not added or removed, or a name was refused.
    Channel(crate::server::ChannelError),
    /// A node could not send a packet.
    Node(crate::node::NodeError),
    /// A clock measurement got no answer.
    #[cfg(feature = "net")]
    ClockSync(crate::tools::ClockSyncError),
    /// A frame loop was used inside a runtime.
    InsideRuntime(crate::tools::InsideRuntime),
    /// A peer was not subscribed.
    Subscribe(crate::tools::SubscribeError),
    /// An I/O error.
    Io(io::Error),
}
