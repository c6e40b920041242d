//! Replies: the return values of handlers.

use std::fmt;

use crate::packet::{IntoPacket, Packet};

/// The reply of a handler: packets, or the reason why there are none.
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

/// The packets, boxed, so that an empty reply takes one word.
#[derive(Debug, Default)]
pub(crate) struct ReplyParts {
    pub(crate) packets: Vec<Packet>,
    pub(crate) failed: Option<String>,
}

impl Replies {
    /// An empty reply.
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

/// The return types of handlers.
///
/// `()` sends nothing. Anything that implements [`IntoPacket`](crate::packet::IntoPacket) is sent to the
/// sender, from the socket that received the message. `Option`, `Result` and `Vec` work as expected; an error
/// is counted and traced, not sent.
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
/// If your own type is always one packet, implement [`IntoPacket`](crate::packet::IntoPacket), so that
/// clients can send it too. For a type that makes no packet or several, delegate to a type that implements
/// `IntoReply`:
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
    note = "a handler returns `()`, or a reply: `(address, arguments)`, `Message`, `Bundle`, or `Option`, `Result` or `Vec` of them; or a type of your own that implements `IntoReply`"
)]
pub trait IntoReply {
    /// Converts the result to a reply.
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

/// A handler that never returns, such as `|| panic!()`, has the type `!`, which stable Rust can name only as
/// a return type. The trait belongs to the standard library: for a trait of this crate, other crates could
/// not rely on `!` being the only such type, and so could not implement `IntoReply`.
impl<T> IntoReply for T
where
    fn() -> !: FnOnce() -> T,
{
    fn into_reply(self) -> Replies {
        Replies::none()
    }
}
