//! Text of another charset on the wire.

use std::borrow::Cow;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};

use super::rewrite::rewrite;
use super::{Flow, Middleware};
use crate::packet::{EncodeError, EncodeErrorKind, Meta};
use crate::types::{OnUnmappable, Text, TextBuf};
use crate::wire::{DecodeError, DecodeErrorKind, NUMERIC_ADDRESS, blob_size, padded, text_end};

const COMMA: u8 = b',';

/// A layer for devices that speak another charset (feature `encoding`): UTF-8 on this side, that
/// charset on the wire. Addresses, strings (`s`) and symbols (`S`) are turned, both ways and in
/// bundles; for one way see [`only_in`](Middleware::only_in).
///
/// ```text
///   here   2f 61 00 00   2c 73 00 00   c3 a9 00 00     "/a" ",s" "é"   UTF-8
///   wire   2f 61 00 00   2c 73 00 00   e9 00 00 00     "/a" ",s" "é"   windows-1252
/// ```
///
/// What one side does not have is an error, a replacement (U+FFFD on the way in, `?` on the way
/// out), or left out: [`OnUnmappable`]. An error is
/// [`IllegalCharacter`](DecodeErrorKind::IllegalCharacter), on the way out as
/// [`EncodeErrorKind::NotAccepted`], at the field that holds it.
///
/// The charset decides how much a text grows: to at most three times its bytes on the way in. Bytes
/// that are no message are left to the decoder, messages with type tags that OSC does not define as
/// they are. Text policies of the channel's [`DecodeOptions`](crate::DecodeOptions) see UTF-8.
///
/// ```
/// use tokio_osc::encoding_rs::SHIFT_JIS;
/// use tokio_osc::{Args, Client, Message, OnUnmappable, Router, Server, TextBuf, Transcode, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let to_device = Transcode::new(SHIFT_JIS, OnUnmappable::Strict);
/// let channel = Udp::new("127.0.0.1:0").middleware(to_device).bind().await?;
/// let device = Client::udp(channel.local_addr()?).await?;
/// let router = Router::new().route("/name", |Args(name): Args<String>| ("/is", name == "音"));
/// let server = Server::new(router).listen("udp", channel).spawn();
///
/// let name = TextBuf::new(&b"\x89\xb9"[..]);
/// let reply = device.request(("/name", name), "/is").await?;
/// assert!(reply.parse::<bool>()?);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Transcode {
    /// ASCII if there is none: `encoding_rs` has no charset that small.
    charset: Option<&'static Encoding>,
    unmappable: OnUnmappable,
}

impl Transcode {
    /// A layer for a charset of [`encoding_rs`]. Latin-1 is `WINDOWS_1252`, which has it but for
    /// controls. The charsets UTF-16 cannot be sent, since their text holds NULs: UTF-8 stands in
    /// their place.
    pub fn new(charset: &'static Encoding, unmappable: OnUnmappable) -> Self {
        Self { charset: Some(charset.output_encoding()), unmappable }
    }

    /// A layer for ASCII, the charset of OSC 1.0. With [`OnUnmappable::Strict`] it refuses all other
    /// text.
    pub const fn ascii(unmappable: OnUnmappable) -> Self {
        Self { charset: None, unmappable }
    }

    /// From the wire's charset to UTF-8.
    fn decode(self, text: &[u8]) -> Result<Cow<'_, [u8]>, Stop> {
        let Some(charset) = self.charset else { return self.decode_ascii(text).map(Cow::Owned) };
        match Text::new(text).decode(charset, self.unmappable) {
            Ok(Cow::Borrowed(text)) => Ok(text.as_bytes().into()),
            Ok(Cow::Owned(text)) => Ok(text.into_bytes().into()),
            Err(_) => Err(Stop::Unmappable),
        }
    }

    /// From UTF-8 to the wire's charset.
    fn encode(self, text: &[u8]) -> Result<Cow<'_, [u8]>, Stop> {
        let text = Text::new(text).decode(UTF_8, self.unmappable).map_err(|_| Stop::Unmappable)?;
        let Some(charset) = self.charset else { return self.encode_ascii(&text).map(Cow::Owned) };
        let encoded = TextBuf::encode(&text, charset, self.unmappable).map_err(|_| Stop::Unmappable)?;
        Ok(encoded.into_bytes().to_vec().into())
    }

    fn decode_ascii(self, text: &[u8]) -> Result<Vec<u8>, Stop> {
        let ascii = text.iter().copied().filter(u8::is_ascii);
        match self.unmappable {
            OnUnmappable::Strict => Err(Stop::Unmappable),
            OnUnmappable::Ignore => Ok(ascii.collect()),
            OnUnmappable::Replace => {
                let shown = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' };
                Ok(text.iter().map(shown).collect::<String>().into_bytes())
            }
        }
    }

    fn encode_ascii(self, text: &str) -> Result<Vec<u8>, Stop> {
        let known = |character: char| u8::try_from(character).ok().filter(u8::is_ascii);
        match self.unmappable {
            OnUnmappable::Strict => Err(Stop::Unmappable),
            OnUnmappable::Ignore => Ok(text.chars().filter_map(known).collect()),
            OnUnmappable::Replace => Ok(text.chars().map(|c| known(c).unwrap_or(b'?')).collect()),
        }
    }

    /// Whether a text is the same in both charsets.
    fn is_same(self, text: &[u8]) -> bool {
        text.is_ascii() && self.charset.is_none_or(Encoding::is_ascii_compatible)
    }

    /// The packet with its texts turned, or where the text stands that cannot be.
    fn turn(self, frame: &[u8], to: Turn) -> Result<Bytes, usize> {
        rewrite(frame, |message, at, turned| {
            let start = turned.len();
            let mut cursor = Cursor { rest: message, turned };
            match self.message(&mut cursor, to) {
                Ok(()) => Ok(()),
                Err(Stop::Unmappable) => Err(at + message.len() - cursor.rest.len()),
                Err(Stop::NoMessage) => {
                    turned.truncate(start);
                    turned.extend_from_slice(message);
                    Ok(())
                }
            }
        })
    }

    fn message(self, cursor: &mut Cursor<'_>, to: Turn) -> Result<(), Stop> {
        if cursor.rest.first() == Some(&0) {
            cursor.copy(NUMERIC_ADDRESS)?;
        } else {
            self.text(cursor, to)?;
        }
        if cursor.rest.first() == Some(&COMMA) {
            let tags = cursor.text()?;
            cursor.copy(padded(tags.len()))?;
            for tag in tags.iter().skip(1) {
                match tag {
                    b's' | b'S' => self.text(cursor, to)?,
                    b'b' => cursor.copy(blob_size(cursor.rest))?,
                    b'i' | b'f' | b'c' | b'r' | b'm' => cursor.copy(4)?,
                    b'h' | b't' | b'd' => cursor.copy(8)?,
                    b'T' | b'F' | b'N' | b'I' | b'[' | b']' => {}
                    _unknown => return Err(Stop::NoMessage),
                }
            }
        }
        cursor.copy(cursor.rest.len())
    }

    fn text(self, cursor: &mut Cursor<'_>, to: Turn) -> Result<(), Stop> {
        let text = cursor.text()?;
        if self.is_same(text) {
            return cursor.copy(padded(text.len()));
        }
        let other = to(self, text)?;
        cursor.replace(padded(text.len()), &other)
    }
}

/// A direction.
type Turn = for<'a> fn(Transcode, &'a [u8]) -> Result<Cow<'a, [u8]>, Stop>;

/// Why a message is not turned.
enum Stop {
    /// Text that one side does not have.
    Unmappable,
    NoMessage,
}

/// What is left of a message, and what was made of the rest of it.
struct Cursor<'a> {
    rest: &'a [u8],
    turned: &'a mut Vec<u8>,
}

impl<'a> Cursor<'a> {
    /// The text that comes next, with all its padding there.
    fn text(&self) -> Result<&'a [u8], Stop> {
        let len = text_end(self.rest);
        let whole = padded(len) <= self.rest.len();
        self.rest.get(..len).filter(|_| whole).ok_or(Stop::NoMessage)
    }

    fn copy(&mut self, len: usize) -> Result<(), Stop> {
        let (field, rest) = self.rest.split_at_checked(len).ok_or(Stop::NoMessage)?;
        self.turned.extend_from_slice(field);
        self.rest = rest;
        Ok(())
    }

    /// Puts another text in the place of a field.
    fn replace(&mut self, len: usize, text: &[u8]) -> Result<(), Stop> {
        self.rest = self.rest.get(len..).ok_or(Stop::NoMessage)?;
        self.turned.extend_from_slice(text);
        self.turned.resize(self.turned.len() + padded(text.len()) - text.len(), 0);
        Ok(())
    }
}

impl Middleware for Transcode {
    fn frame_in(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        let turned = self.turn(&frame, Self::decode);
        turned.map(Flow::Pass).map_err(|at| DecodeError::new(DecodeErrorKind::IllegalCharacter, at))
    }

    fn frame_out(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        let not_accepted = EncodeErrorKind::NotAccepted(DecodeErrorKind::IllegalCharacter);
        let turned = self.turn(&frame, Self::encode);
        turned.map(Flow::Pass).map_err(|at| EncodeError::new(not_accepted, at))
    }
}
