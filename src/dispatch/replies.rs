//! What a handler returns goes back to the sender.

use std::fmt;

use crate::packet::{IntoPacket, Packet};

/// What a handler has to say to the sender of the message: packets, or why there are none.
///
/// ```
/// use tokio_osc::dispatch::Replies;
/// use tokio_osc::{Args, IntoReply, Router};
///
/// let router = Router::new().route("/half", |Args(n): Args<i32>| {
///     if n % 2 == 0 { ("/half", n / 2).into_reply() } else { Replies::none() }
/// });
/// ```
#[derive(Debug, Default)]
pub struct Replies(Option<Box<ReplyParts>>);

/// What a handler has returned: behind a pointer, so that no reply costs one word.
#[derive(Debug, Default)]
pub(crate) struct ReplyParts {
    pub(crate) packets: Vec<Packet>,
    pub(crate) failed: Option<String>,
}

impl Replies {
    /// No reply.
    pub fn none() -> Self {
        Self::default()
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn into_parts(self) -> ReplyParts {
        self.0.map(|parts| *parts).unwrap_or_default()
    }

    fn sending(packet: Packet) -> Self {
        Self(Some(Box::new(ReplyParts { packets: vec![packet], failed: None })))
    }

    fn failed(error: &impl fmt::Display) -> Self {
        Self(Some(Box::new(ReplyParts { packets: Vec::new(), failed: Some(error.to_string()) })))
    }

    fn and(self, other: Self) -> Self {
        let Some(mut first) = self.0 else { return other };
        let second = other.into_parts();
        first.packets.extend(second.packets);
        first.failed = first.failed.or(second.failed);
        Self(Some(first))
    }
}

/// What a handler may return.
///
/// `()` sends nothing. Whatever can be sent, see [`IntoPacket`](crate::packet::IntoPacket), goes back to
/// the sender, from the socket that received the message. `Option`, `Result` and `Vec` of it do
/// what they say; an error is counted and traced, not sent.
///
/// ```
/// use tokio_osc::{Args, Message, Router};
///
/// let router = Router::new()
///     .route("/ping", |Args(n): Args<i32>| ("/pong", n))
///     .route("/quiet", || {})
///     .route("/half", |Args(n): Args<i32>| (n % 2 == 0).then(|| ("/half", n / 2)))
///     .route("/fallible", || Message::new("/answer", 42));
/// ```
///
/// A type of your own that is one packet implements [`IntoPacket`](crate::packet::IntoPacket), and can be
/// sent as well. One that may be none, or several, hands the work to what is a reply already:
///
/// ```
/// use tokio_osc::dispatch::Replies;
/// use tokio_osc::{Bundle, IntoReply, Router};
///
/// enum Level {
///     Known { db: f32, clipped: bool },
///     Unknown,
/// }
///
/// impl IntoReply for Level {
///     fn into_reply(self) -> Replies {
///         match self {
///             Self::Known { db, clipped } => {
///                 Bundle::immediately().with(("/level/db", db)).with(("/level/clipped", clipped)).into_reply()
///             }
///             Self::Unknown => Replies::none(),
///         }
///     }
/// }
///
/// let router = Router::new()
///     .route("/level", || Level::Known { db: -3.0, clipped: false })
///     .route("/level/next", async || Level::Unknown);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of an OSC handler",
    note = "a handler returns `()`, or what goes back to the sender: `(address, arguments)`, `Message`, `Bundle`, or `Option`, `Result` or `Vec` of them; or a type of your own that implements `IntoReply`"
)]
pub trait IntoReply {
    /// Turns the result into a reply.
    fn into_reply(self) -> Replies;
}

impl<P: IntoPacket> IntoReply for P {
    fn into_reply(self) -> Replies {
        match self.into_packet() {
            Ok(packet) => Replies::sending(packet),
            Err(error) => Replies::failed(&error),
        }
    }
}

impl IntoReply for Replies {
    fn into_reply(self) -> Replies {
        self
    }
}

impl IntoReply for () {
    fn into_reply(self) -> Replies {
        Replies::none()
    }
}

impl<R: IntoReply> IntoReply for Option<R> {
    fn into_reply(self) -> Replies {
        self.map_or_else(Replies::none, IntoReply::into_reply)
    }
}

impl<R: IntoReply, E: fmt::Display> IntoReply for Result<R, E> {
    fn into_reply(self) -> Replies {
        match self {
            Ok(reply) => reply.into_reply(),
            Err(error) => Replies::failed(&error),
        }
    }
}

impl<R: IntoReply> IntoReply for Vec<R> {
    fn into_reply(self) -> Replies {
        self.into_iter().map(IntoReply::into_reply).fold(Replies::none(), Replies::and)
    }
}

/// A handler that never returns, such as `|| panic!()`, has the type `!`, which stable Rust can name
/// only as what a function returns. The trait is the language's own: of one of this crate, another
/// crate could not know that `!` is the one type meant, and so could not implement `IntoReply`.
impl<T> IntoReply for T
where
    fn() -> !: FnOnce() -> T,
{
    fn into_reply(self) -> Replies {
        Replies::none()
    }
}
