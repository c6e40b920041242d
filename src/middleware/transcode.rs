//! Conversion of text between charsets.

use std::borrow::Cow;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};

use super::only::Direction;
use super::{Flow, Middleware};
use crate::packet::{EncodeError, EncodeErrorKind, Meta};
use crate::types::{Char, OnUnmappable, Text, TextBuf};
use crate::wire::{DecodeError, DecodeErrorKind, FieldKind, Fields, put_text, rewrite};

/// A layer for devices that use another charset (feature `encoding`): UTF-8 in the program, that charset on
/// the wire. Addresses, strings (`s`), symbols (`S`) and characters (`c`) are converted, in both directions
/// and inside bundles; for one direction see [`only_in`](Middleware::only_in).
///
/// ```text
///   here   2f 61 00 00   2c 73 00 00   c3 a9 00 00     "/a" ",s" "é"   UTF-8
///   wire   2f 61 00 00   2c 73 00 00   e9 00 00 00     "/a" ",s" "é"   windows-1252
/// ```
///
/// [`OnUnmappable`] decides about characters that the other charset does not have: an error, a replacement
/// (U+FFFD when receiving, `?` when sending), or nothing. The error is
/// [`IllegalCharacter`](DecodeErrorKind::IllegalCharacter), when sending inside
/// [`EncodeErrorKind::NotAccepted`], at the offset of the field.
///
/// Text grows as the charset requires, to at most three times its bytes when receiving. Bytes that are not a
/// valid message are left to the decoder; messages with type tags that OSC does not define are not converted.
/// The text policies of the channel's [`DecodeOptions`](crate::packet::DecodeOptions) see UTF-8.
///
/// ```
/// use tokio_osc::packet::encoding_rs::SHIFT_JIS;
/// use tokio_osc::middleware::Transcode;
/// use tokio_osc::packet::{OnUnmappable, TextBuf};
/// use tokio_osc::{Args, Client, Message, Router, Server, Udp};
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
    /// `None` stands for ASCII, which `encoding_rs` does not have.
    charset: Option<&'static Encoding>,
    unmappable: OnUnmappable,
}

impl Transcode {
    /// Creates a layer for a charset of [`encoding_rs`]. For Latin-1 use `WINDOWS_1252`, which differs in
    /// control characters only. Text in UTF-16 contains NULs and cannot be sent; UTF-8 is sent instead.
    pub fn new(charset: &'static Encoding, unmappable: OnUnmappable) -> Self {
        Self { charset: Some(charset.output_encoding()), unmappable }
    }

    /// Creates a layer for ASCII, the charset of OSC 1.0. With [`OnUnmappable::Strict`] it refuses all other
    /// text.
    pub const fn ascii(unmappable: OnUnmappable) -> Self {
        Self { charset: None, unmappable }
    }

    /// Converts from the charset of the wire to UTF-8.
    fn decode(self, text: &[u8]) -> Result<Cow<'_, [u8]>, Unmappable> {
        let Some(charset) = self.charset else { return self.decode_ascii(text).map(Cow::Owned) };
        match Text::new(text).decode(charset, self.unmappable) {
            Ok(Cow::Borrowed(text)) => Ok(text.as_bytes().into()),
            Ok(Cow::Owned(text)) => Ok(text.into_bytes().into()),
            Err(_) => Err(Unmappable),
        }
    }

    /// Converts from UTF-8 to the charset of the wire.
    fn encode(self, text: &[u8]) -> Result<Cow<'_, [u8]>, Unmappable> {
        // The program may send bytes that are not UTF-8. They are unmappable too, and not passed to the wire.
        let text = Text::new(text).decode(UTF_8, self.unmappable).map_err(|_| Unmappable)?;
        let Some(charset) = self.charset else { return self.encode_ascii(&text).map(Cow::Owned) };
        let encoded = TextBuf::encode(&text, charset, self.unmappable).map_err(|_| Unmappable)?;
        Ok(encoded.into_bytes().to_vec().into())
    }

    fn decode_ascii(self, text: &[u8]) -> Result<Vec<u8>, Unmappable> {
        let ascii = text.iter().copied().filter(u8::is_ascii);
        match self.unmappable {
            OnUnmappable::Strict => Err(Unmappable),
            OnUnmappable::Ignore => Ok(ascii.collect()),
            OnUnmappable::Replace => {
                let shown = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' };
                Ok(text.iter().map(shown).collect::<String>().into_bytes())
            }
        }
    }

    fn encode_ascii(self, text: &str) -> Result<Vec<u8>, Unmappable> {
        let known = |character: char| u8::try_from(character).ok().filter(u8::is_ascii);
        match self.unmappable {
            OnUnmappable::Strict => Err(Unmappable),
            OnUnmappable::Ignore => Ok(text.chars().filter_map(known).collect()),
            OnUnmappable::Replace => Ok(text.chars().map(|c| known(c).unwrap_or(b'?')).collect()),
        }
    }

    /// Returns `true` if a text has the same bytes in both charsets.
    fn is_same(self, text: &[u8]) -> bool {
        text.is_ascii() && self.charset.is_none_or(Encoding::is_ascii_compatible)
    }

    fn text(self, text: &[u8], way: Direction) -> Result<Cow<'_, [u8]>, Unmappable> {
        match way {
            Direction::In => self.decode(text),
            Direction::Out => self.encode(text),
        }
    }

    /// Converts the four bytes of a character: a Unicode number in the program, the bytes of the charset on
    /// the wire, with the last one in the last byte. Values that are not one character are not converted.
    fn character(self, data: &[u8], way: Direction) -> Result<[u8; 4], Unmappable> {
        let data = data.first_chunk().copied().unwrap_or_default();
        match way {
            Direction::In => {
                // osc4py3 writes the character into the first byte.
                let text = self.decode(without_zeros(&data))?;
                let mut characters = std::str::from_utf8(&text).unwrap_or_default().chars();
                let one = characters.next().filter(|_| characters.next().is_none());
                Ok(one.map_or(data, |one| u32::from(one).to_be_bytes()))
            }
            Direction::Out => {
                let Some(character) = Char::from_bits(u32::from_be_bytes(data)).to_char() else {
                    return Ok(data);
                };
                let bytes = self.encode(character.encode_utf8(&mut [0; 4]).as_bytes())?.into_owned();
                let number = bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
                Ok(number.to_be_bytes())
            }
        }
    }

    /// Converts all text of a packet, or returns the offset of the text that cannot be converted.
    fn turn(self, frame: &[u8], way: Direction) -> Result<Bytes, usize> {
        rewrite(frame, |message: &[u8], at, out: &mut Vec<u8>| {
            let start = out.len();
            let mut place = at;
            for field in Fields::new(message) {
                match field.kind {
                    FieldKind::Address | FieldKind::Arg(b's' | b'S') if !self.is_same(field.text()) => {
                        put_text(out, &self.text(field.text(), way).map_err(|Unmappable| place)?);
                    }
                    FieldKind::Arg(b'c') => {
                        out.extend_from_slice(&self.character(field.bytes, way).map_err(|Unmappable| place)?);
                    }
                    FieldKind::Unreadable => {
                        // Copied unchanged: a half-converted message would hide the fault that the decoder is
                        // about to report.
                        out.truncate(start);
                        out.extend_from_slice(message);
                        return Ok(());
                    }
                    _ => out.extend_from_slice(field.bytes),
                }
                // Offsets are those of the original packet: the error must point into the bytes that the peer
                // sent.
                place += field.bytes.len();
            }
            Ok(())
        })
    }
}

fn without_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] | [rest @ .., 0] = bytes {
        bytes = rest;
    }
    bytes
}

/// A text that cannot be converted.
struct Unmappable;

impl Middleware for Transcode {
    fn frame_in(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        let turned = self.turn(&frame, Direction::In);
        turned.map(Flow::Pass).map_err(|at| DecodeError::new(DecodeErrorKind::IllegalCharacter, at))
    }

    fn frame_out(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        let not_accepted = EncodeErrorKind::NotAccepted(DecodeErrorKind::IllegalCharacter);
        let turned = self.turn(&frame, Direction::Out);
        turned.map(Flow::Pass).map_err(|at| EncodeError::new(not_accepted, at))
    }
}
