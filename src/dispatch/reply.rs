//! What a handler returns goes back to the sender.

use std::fmt;

use crate::packet::{EncodeError, IntoPacket, Packet};

/// What a handler has to say to the sender of the message: packets, or why there are none.
#[derive(Debug, Default)]
pub struct Reply {
    pub(crate) packets: Vec<Packet>,
    pub(crate) failed: Option<String>,
}

impl Reply {
    /// No reply.
    pub fn none() -> Self {
        Self::default()
    }

    fn of(packet: Result<Packet, EncodeError>) -> Self {
        match packet {
            Ok(packet) => Self { packets: vec![packet], failed: None },
            Err(error) => Self { packets: Vec::new(), failed: Some(error.to_string()) },
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.packets.extend(other.packets);
        self.failed = self.failed.or(other.failed);
        self
    }
}

/// What a handler may return.
///
/// `()` sends nothing. Whatever can be sent, see [`IntoPacket`](crate::IntoPacket), goes back to
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of an OSC handler",
    note = "a handler returns `()`, or what goes back to the sender: `(address, arguments)`, `Message`, `Bundle`, or `Option`, `Result` or `Vec` of them"
)]
pub trait IntoReply {
    /// Turns the result into a reply.
    fn into_reply(self) -> Reply;
}

impl<P: IntoPacket> IntoReply for P {
    fn into_reply(self) -> Reply {
        Reply::of(self.into_packet())
    }
}

impl IntoReply for Reply {
    fn into_reply(self) -> Reply {
        self
    }
}

impl IntoReply for () {
    fn into_reply(self) -> Reply {
        Reply::none()
    }
}

impl<R: IntoReply> IntoReply for Option<R> {
    fn into_reply(self) -> Reply {
        self.map_or_else(Reply::none, IntoReply::into_reply)
    }
}

impl<R: IntoReply, E: fmt::Display> IntoReply for Result<R, E> {
    fn into_reply(self) -> Reply {
        match self {
            Ok(reply) => reply.into_reply(),
            Err(error) => Reply { packets: Vec::new(), failed: Some(error.to_string()) },
        }
    }
}

impl<R: IntoReply> IntoReply for Vec<R> {
    fn into_reply(self) -> Reply {
        self.into_iter().map(IntoReply::into_reply).fold(Reply::none(), Reply::and)
    }
}

/// A handler that never returns, such as `|| panic!()`, has the type `!`, which stable Rust can
/// name only by this detour.
#[doc(hidden)]
pub trait Gives {
    type Output;
}

impl<T> Gives for fn() -> T {
    type Output = T;
}

impl IntoReply for <fn() -> ! as Gives>::Output {
    fn into_reply(self) -> Reply {
        self
    }
}
