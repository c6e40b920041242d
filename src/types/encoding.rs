//! Text in other charsets, with `encoding_rs`, for devices that use neither ASCII nor UTF-8.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{EncoderResult, Encoding};

use super::{Text, TextBuf};

/// What happens to bytes or characters that the other charset does not have.
///
/// ```
/// use tokio_osc::packet::{OnUnmappable, Text};
/// use tokio_osc::packet::encoding_rs::UTF_8;
///
/// let text = Text::new(b"caf\xe9");
/// assert!(text.decode(UTF_8, OnUnmappable::Strict).is_err());
/// assert_eq!(text.decode(UTF_8, OnUnmappable::Replace)?, "caf\u{fffd}");
/// assert_eq!(text.decode(UTF_8, OnUnmappable::Ignore)?, "caf");
/// # Ok::<(), tokio_osc::packet::UnmappableText>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnUnmappable {
    /// An error.
    #[default]
    Strict,
    /// U+FFFD when decoding, `?` when encoding.
    Replace,
    /// They are omitted.
    Ignore,
}

/// The error of text with bytes or characters that a charset does not have.
///
/// ```
/// use tokio_osc::packet::{OnUnmappable, Text};
/// use tokio_osc::packet::encoding_rs::UTF_8;
///
/// let error = Text::new(b"caf\xe9").decode(UTF_8, OnUnmappable::Strict).unwrap_err();
/// assert_eq!(error.charset(), "UTF-8");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnmappableText {
    charset: &'static str,
}

impl UnmappableText {
    /// Returns the name of the charset.
    pub const fn charset(&self) -> &'static str {
        self.charset
    }
}

impl fmt::Display for UnmappableText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the text has bytes or characters that {} does not have", self.charset)
    }
}

readable! { struct UnmappableText { charset } }

impl std::error::Error for UnmappableText {}

impl<'a> Text<'a> {
    /// Decodes the text from this charset.
    ///
    /// ```
    /// use tokio_osc::packet::encoding_rs::SHIFT_JIS;
    /// use tokio_osc::packet::{OnUnmappable, Text};
    ///
    /// let title = Text::new(b"\x89\xb9");
    /// assert_eq!(title.decode(SHIFT_JIS, OnUnmappable::Strict)?, "音");
    /// assert!(Text::new(b"\x89").decode(SHIFT_JIS, OnUnmappable::Strict).is_err());
    /// assert_eq!(Text::new(b"a\x89").decode(SHIFT_JIS, OnUnmappable::Ignore)?, "a");
    /// # Ok::<(), tokio_osc::packet::UnmappableText>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error for bytes that the charset does not have, with [`OnUnmappable::Strict`].
    pub fn decode(
        self,
        charset: &'static Encoding,
        unmappable: OnUnmappable,
    ) -> Result<Cow<'a, str>, UnmappableText> {
        if let Some(text) = charset.decode_without_bom_handling_and_without_replacement(self.as_bytes()) {
            return Ok(text);
        }
        match unmappable {
            OnUnmappable::Strict => Err(UnmappableText { charset: charset.name() }),
            OnUnmappable::Replace => Ok(charset.decode_without_bom_handling(self.as_bytes()).0),
            OnUnmappable::Ignore => Ok(without_malformed(charset, self.as_bytes()).into()),
        }
    }
}

fn without_malformed(charset: &'static Encoding, bytes: &[u8]) -> String {
    let mut decoder = charset.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len()));
    let mut rest = bytes;
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            encoding_rs::DecoderResult::InputEmpty => return text,
            encoding_rs::DecoderResult::OutputFull => text.reserve(rest.len() + 16),
            encoding_rs::DecoderResult::Malformed(..) => {}
        }
    }
}

impl TextBuf {
    /// Encodes text in another charset.
    ///
    /// ```
    /// use tokio_osc::packet::encoding_rs::WINDOWS_1252;
    /// use tokio_osc::packet::{OnUnmappable, TextBuf};
    /// use tokio_osc::Message;
    ///
    /// let label = TextBuf::encode("Küche", WINDOWS_1252, OnUnmappable::Strict)?;
    /// assert_eq!(label.as_bytes(), b"K\xfcche");
    /// assert!(TextBuf::encode("音", WINDOWS_1252, OnUnmappable::Strict).is_err());
    /// assert_eq!(TextBuf::encode("a音", WINDOWS_1252, OnUnmappable::Replace)?.as_bytes(), b"a?");
    /// # Ok::<(), tokio_osc::packet::UnmappableText>(())
    /// ```
    ///
    /// Text in UTF-16 contains NULs and cannot be sent: as everywhere in `encoding_rs`, UTF-8 is written instead.
    ///
    /// # Errors
    /// Returns an error for characters that the charset does not have, with [`OnUnmappable::Strict`].
    pub fn encode(
        text: &str,
        charset: &'static Encoding,
        unmappable: OnUnmappable,
    ) -> Result<Self, UnmappableText> {
        let mut encoder = charset.new_encoder();
        let mut bytes = Vec::with_capacity(text.len() + 16);
        let mut rest = text;
        loop {
            let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut bytes, true);
            rest = rest.get(read..).unwrap_or_default();
            match (result, unmappable) {
                (EncoderResult::InputEmpty, _) => return Ok(Self::new(bytes)),
                (EncoderResult::OutputFull, _) => bytes.reserve(rest.len() + 16),
                (EncoderResult::Unmappable(_), OnUnmappable::Strict) => {
                    return Err(UnmappableText { charset: charset.name() });
                }
                (EncoderResult::Unmappable(_), OnUnmappable::Replace) => bytes.push(b'?'),
                (EncoderResult::Unmappable(_), OnUnmappable::Ignore) => {
                    return Self::encode(&without_unmappable(charset, text), charset, OnUnmappable::Strict);
                }
            }
        }
    }
}

/// Taken out beforehand: the encoder of ISO-2022-JP has changed its state before it says that it does
/// not have a character, and two changes in a row are malformed.
fn without_unmappable(charset: &'static Encoding, text: &str) -> String {
    let is_mappable = |character: &char| !charset.encode(character.encode_utf8(&mut [0; 4])).2;
    text.chars().filter(is_mappable).collect()
}
