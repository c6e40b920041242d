//! One error for applications: the sum of what the floors return.

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

        /// The source of the error that this one holds: its own text is the same.
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
    /// The errors that applications pass on with `?`, as one.
    ///
    /// The functions of the crate return the smaller type that fits; each converts into this one.
    ///
    /// | error | of | feature |
    /// |-------|----|---------|
    /// | [`DecodeError`](crate::packet::DecodeError) | [`Packet::decode`](crate::Packet::decode); what a [`Channel`](crate::Channel) reads | |
    /// | [`EncodeError`](crate::packet::EncodeError) | [`Message::new`](crate::Message::new), [`BundleBuilder::build`](crate::packet::BundleBuilder::build), [`IntoPacket`](crate::packet::IntoPacket) | |
    /// | [`ArgsError`](crate::packet::ArgsError) | [`Message::parse`](crate::Message::parse), [`FromArgs`](crate::FromArgs) | |
    /// | [`ParseLineError`](crate::packet::ParseLineError) | `str::parse` of a [`Message`](crate::Message) or [`Packet`](crate::Packet), [`LineReader`](crate::packet::LineReader) | |
    /// | `SerdeError` | `to_args`, `from_args` | `serde` |
    /// | `UnmappableText` | `Text::decode`, `TextBuf::encode` | `encoding` |
    /// | [`PatternError`](crate::pattern::PatternError) | [`Pattern::new`](crate::Pattern::new) | |
    /// | [`AddressTableError`](crate::middleware::AddressTableError) | [`AddressTable::new`](crate::middleware::AddressTable::new) | |
    /// | [`EnvelopeError`](crate::middleware::EnvelopeError) | [`EnvelopeBuilder::build`](crate::middleware::EnvelopeBuilder::build) | |
    /// | [`ProtocolError`](crate::middleware::ProtocolError) | [`Checksum`](crate::middleware::Checksum), [`Signature`](crate::middleware::Signature), [`Cipher`](crate::middleware::Cipher) | |
    /// | [`SendError`](crate::packet::SendError) | [`Client::send`](crate::Client::send), [`Outlet::send_to`](crate::channel::Outlet::send_to), codecs that encode | |
    /// | [`FrameError`](crate::codec::FrameError) | codecs that decode a stream | |
    /// | [`RequestError`](crate::client::RequestError) | [`Client::request`](crate::Client::request) | |
    /// | [`EndpointError`](crate::channel::EndpointError) | `str::parse` of an [`Endpoint`](crate::Endpoint) | `net` |
    /// | [`BindError`](crate::channel::BindError) | what opens a [`Channel`](crate::Channel) or a [`Client`](crate::Client) | `net` |
    /// | [`Rejection`](crate::dispatch::Rejection) | [`FromContext`](crate::dispatch::FromContext) | |
    /// | [`CaptureError`](crate::dispatch::CaptureError) | [`FromCaptures`](crate::dispatch::FromCaptures) | |
    /// | [`ReplyError`](crate::dispatch::ReplyError) | [`Reply::send`](crate::Reply::send) | |
    /// | [`ChannelError`](crate::server::ChannelError) | [`Server::try_listen`](crate::Server::try_listen), [`ServerHandle::listen`](crate::ServerHandle::listen), [`Node::add`](crate::Node::add), [`Node::group`](crate::Node::group) | |
    /// | [`NodeError`](crate::node::NodeError) | [`Node::send`](crate::Node::send) | |
    /// | [`ClockSyncError`](crate::tools::ClockSyncError) | [`ClockSync::measure`](crate::tools::ClockSync::measure) | `net` |
    /// | [`InsideRuntime`](crate::tools::InsideRuntime) | [`FrameLoop::block_on`](crate::tools::FrameLoop::block_on) | |
    /// | [`io::Error`] | what opens sockets, and the operating system in general | |
    ///
    /// The text of an error of this crate is whole: it holds the text of the error that it comes from.
    /// Its [`source`](std::error::Error::source) is therefore the source of that error, so that a
    /// report of the whole chain says nothing twice. The error that it comes from is a field of its
    /// variant or kind.
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
    /// The caller's values make no packet.
    Encode(crate::packet::EncodeError),
    /// A message does not have the arguments asked for.
    Args(crate::packet::ArgsError),
    /// Text is not a canonical line.
    ParseLine(crate::packet::ParseLineError),
    /// A value is not an argument list, or an argument list not the value asked for.
    #[cfg(feature = "serde")]
    Serde(crate::packet::SerdeError),
    /// Text has what a charset does not have.
    #[cfg(feature = "encoding")]
    UnmappableText(crate::packet::UnmappableText),
    /// Text is not a valid address pattern.
    Pattern(crate::pattern::PatternError),
    /// A table of addresses cannot be used.
    AddressTable(crate::middleware::AddressTableError),
    /// An envelope is not configured in full.
    Envelope(crate::middleware::EnvelopeError),
    /// A function of an envelope refuses.
    Protocol(crate::middleware::ProtocolError),
    /// A packet could not be sent.
    Send(crate::packet::SendError),
    /// The frames of a stream can no longer be told apart.
    Frame(crate::codec::FrameError),
    /// A request has no reply.
    Request(crate::client::RequestError),
    /// Text is not a valid URL of an endpoint.
    #[cfg(feature = "net")]
    Endpoint(crate::channel::EndpointError),
    /// A channel or a client cannot be opened.
    #[cfg(feature = "net")]
    Bind(crate::channel::BindError),
    /// A message does not fit a route.
    Rejection(crate::dispatch::Rejection),
    /// A captured part of an address is not what was asked for.
    Capture(crate::dispatch::CaptureError),
    /// A reply was not sent.
    Reply(crate::dispatch::ReplyError),
    /// A server or a node did not add or remove a channel, or did not take a name.
    Channel(crate::server::ChannelError),
    /// A node sent nothing.
    Node(crate::node::NodeError),
    /// A question for the time was not answered.
    #[cfg(feature = "net")]
    ClockSync(crate::tools::ClockSyncError),
    /// A frame loop was to run in a runtime.
    InsideRuntime(crate::tools::InsideRuntime),
    /// The operating system's word.
    Io(io::Error),
}
