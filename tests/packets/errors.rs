//! The error types of the crate, all of them: that `?` makes each an `Error`, and that a report of the
//! whole chain says nothing twice.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio_osc::channel::Disconnect;
use tokio_osc::client::RequestError;
use tokio_osc::codec::{FrameError, FrameErrorKind};
use tokio_osc::dispatch::{CaptureError, FromCaptures, Rejection, ReplyError};
use tokio_osc::middleware::{
    Access, AddressTable, AddressTableError, Envelope, EnvelopeError, NetworkError, ProtocolError,
};
use tokio_osc::node::NodeError;
use tokio_osc::packet::{
    ArgsError, DecodeError, EncodeError, ParseLineError, SendError, SendErrorKind, Text,
};
use tokio_osc::pattern::PatternError;
use tokio_osc::server::ChannelError;
use tokio_osc::tools::{FrameLoop, InsideRuntime, SubscribeError};
use tokio_osc::{Bytes, Error, Message, Node, Packet, Pattern, Router, Server};

/// An error of the system that has a cause, as those of TLS have.
fn broken() -> io::Error {
    io::Error::other(Outer(Inner))
}

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the outer error")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cause")
    }
}

impl StdError for Inner {}

impl StdError for Outer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn encode() -> EncodeError {
    Message::new("no-slash", ()).unwrap_err()
}

fn arguments() -> ArgsError {
    Message::new("/gain", "loud").unwrap().parse::<f32>().unwrap_err()
}

fn capture() -> CaptureError {
    u32::from_captures(&[Text::new(b"seven")]).unwrap_err()
}

fn inside_runtime() -> InsideRuntime {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { FrameLoop::new().unwrap().block_on(async {}).unwrap_err() })
}

fn unknown_name() -> NodeError {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Node::new().send("lights", ("/scene", 3))).unwrap_err()
}

fn send() -> SendError {
    broken().into()
}

fn frame() -> FrameError {
    FrameErrorKind::Io(broken()).into()
}

#[cfg(feature = "net")]
fn clock_sync() -> tokio_osc::tools::ClockSyncError {
    use tokio_osc::tools::ClockSync;
    use tokio_osc::{Client, Slip};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (here, there) = tokio::io::duplex(64);
        drop(there);
        let client = Client::io(here, Slip::new());
        ClockSync::new(client).pings(1).measure().await.unwrap_err()
    })
}

#[cfg(feature = "net")]
fn bind() -> tokio_osc::channel::BindError {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(tokio_osc::Client::udp("a:b")).unwrap_err()
}

/// An error, its type, and what `?` makes of it.
struct Sample {
    of: &'static str,
    error: Box<dyn StdError>,
    summed: Error,
}

macro_rules! samples {
    ($($(#[$condition:meta])? $type:ident: $($value:expr),+;)*) => {{
        let mut samples = Vec::new();
        $(
            $(#[$condition])?
            samples.extend([$(Sample {
                of: stringify!($type),
                error: Box::<$type>::new($value),
                summed: Err::<(), $type>($value).map_err(Error::from).unwrap_err(),
            }),+]);
        )*
        samples
    }};
}

/// Errors of every type, and those that hold another one with each that they hold.
fn samples() -> Vec<Sample> {
    use tokio_osc::Endpoint;
    #[cfg(feature = "net")]
    use tokio_osc::channel::{BindError, EndpointError};
    #[cfg(feature = "serde")]
    use tokio_osc::packet::SerdeError;
    use tokio_osc::packet::encoding_rs::UTF_8;
    #[cfg(feature = "encoding")]
    use tokio_osc::packet::{OnUnmappable, UnmappableText};
    use tokio_osc::tools::ClockSyncError;

    let failed = || Disconnect::Failed(Arc::new(frame()));
    samples! {
        DecodeError: Packet::decode(Bytes::from_static(b"ping")).unwrap_err();
        EncodeError: encode();
        ArgsError: arguments(), ArgsError::refused("a note is 0 to 127");
        ParseLineError: "no-slash".parse::<Packet>().unwrap_err(), encode().into();
        PatternError: Pattern::new("/[").unwrap_err();
        AddressTableError: AddressTable::new([("gain", 1)]).unwrap_err();
        NetworkError: Access::new().allow("10.0.0.0/33").unwrap_err();
        EnvelopeError: Envelope::builder().build().unwrap_err();
        ProtocolError: ProtocolError;
        SendError: SendErrorKind::Closed.into(), encode().into(), send(), frame().into();
        FrameError: FrameErrorKind::Truncated { bytes: 3 }.into(), frame(), FrameError::other(Outer(Inner));
        RequestError: RequestError::timed_out(Duration::from_secs(1)), RequestError::from(send()),
            RequestError::from(Disconnect::ByPeer), RequestError::from(failed());
        Rejection: Rejection::Extra, Rejection::Args(arguments()), Rejection::Captures(capture());
        CaptureError: capture();
        ReplyError: ReplyError::Budget, ReplyError::Send(encode().into()), ReplyError::Send(send());
        ChannelError: Server::new(Router::new()).try_feed("a b", futures::stream::empty()).err().unwrap(),
            Node::new().group("", [""]).unwrap_err();
        NodeError: unknown_name(), NodeError::Encode(encode());
        SubscribeError: SubscribeError::NetworkFull, SubscribeError::OtherChannel("stage".into());
        InsideRuntime: inside_runtime();
        #[cfg(feature = "net")]
        EndpointError: "osc.tape://a:1".parse::<Endpoint>().unwrap_err(), "osc.udp://a:b".parse::<Endpoint>().unwrap_err();
        #[cfg(feature = "net")]
        BindError: bind();
        #[cfg(feature = "net")]
        ClockSyncError: clock_sync();
        #[cfg(feature = "serde")]
        SerdeError: tokio_osc::packet::from_args::<u8>(&Message::new("/a", "sixty").unwrap()).unwrap_err();
        #[cfg(feature = "encoding")]
        UnmappableText: Text::new(b"caf\xe9").decode(UTF_8, OnUnmappable::Strict).unwrap_err();
    }
}

fn chain(error: &dyn StdError) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut error = error;
    while let Some(source) = error.source() {
        texts.push(source.to_string());
        error = source;
    }
    texts
}

#[test]
fn a_chain_says_nothing_twice() {
    for Sample { of, error, .. } in samples() {
        let texts = chain(&*error);
        for (at, text) in texts.iter().enumerate() {
            let repeats = texts[at + 1..].iter().any(|source| text.contains(&**source));
            assert!(!repeats, "{of}: {texts:?}");
        }
    }
}

#[test]
fn main_and_unwrap_print_the_sentence() {
    for Sample { of, error, summed } in samples() {
        let sentence = error.to_string();
        assert_eq!([format!("{error:?}"), format!("{summed:?}")], [sentence.as_str(), &sentence], "{of}");
        let first = sentence.chars().next().unwrap();
        assert!(!first.is_uppercase() && !sentence.ends_with('.'), "{of}: {sentence}");
        assert!(!sentence.replace("there is no ", "").contains(" is no "), "{of}: {sentence}");
    }
}

#[test]
fn alternate_debug_shows_the_fields() {
    for Sample { of, error, summed } in samples() {
        let (fields, text) = (format!("{error:#?}"), format!("{summed:#?}"));
        assert_ne!(fields, error.to_string(), "{of}");
        let inner = fields.lines().last().unwrap().trim();
        assert!(text.contains(inner) && text != fields, "{of}: {text}");
    }
    assert_eq!(
        format!("{:#?}", Packet::decode(Bytes::from_static(b"/a\0\0,i\0\0\0\0")).unwrap_err()),
        "DecodeError {\n    kind: Unaligned,\n    offset: 10,\n}"
    );
}

#[test]
fn a_chain_ends_with_what_the_system_said() {
    let failed = RequestError::from(Disconnect::Failed(Arc::new(frame())));
    let text = "no reply, the connection was lost: the outer error";
    assert_eq!(chain(&failed), [text, "the cause"]);
    assert_eq!(chain(&Error::from(failed)), [text, "the cause"]);
    assert_eq!(chain(&frame()), ["the outer error", "the cause"]);
    assert_eq!(chain(&send()), ["the outer error", "the cause"]);
    assert_eq!(chain(&RequestError::from(send())).last().unwrap(), "the cause");
    assert_eq!(chain(&ReplyError::Send(send())).last().unwrap(), "the cause");
}

#[test]
fn a_sum_says_what_the_error_says() {
    for Sample { of, error, summed } in samples() {
        assert_eq!(chain(&summed), chain(&*error), "{of}");
    }
}

/// The samples are of all types that implement `Error` in the sources.
#[cfg(all(feature = "net", feature = "serde", feature = "encoding"))]
mod sources {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::samples;

    #[test]
    fn no_type_is_forgotten() {
        let mut types = BTreeSet::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut types);
        let mut known: BTreeSet<_> = samples().iter().map(|sample| sample.of.to_owned()).collect();
        known.insert("$name".to_owned());
        assert_eq!(types, known, "`Error` itself is named by its macro");
    }

    /// The types that implement `Error` in the files of a folder.
    fn collect(folder: &Path, types: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, types);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let implemented =
                text.lines().filter_map(|line| line.trim().strip_prefix("impl ")?.split_once(" for "));
            for (interface, of) in implemented {
                if matches!(interface, "Error" | "error::Error" | "std::error::Error") {
                    types.insert(of.split([' ', '<']).next().unwrap().to_owned());
                }
            }
        }
    }
}
