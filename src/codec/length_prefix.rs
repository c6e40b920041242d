//! Length prefix framing, the framing of OSC 1.0.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{FrameError, FrameErrorKind, LikelyCause, MAX_FRAME};
use crate::packet::{SendError, SendErrorKind};

/// The most bytes of a length, and before or after one.
const MAX_WIDTH: usize = 8;
const MAX_OFFSET: usize = 64;

/// A length before each frame: the framing of OSC 1.0, liblo's `osc.tcp`, and scsynth.
///
/// ```text
/// frame                2f 61 00 00 2c 00 00 00
/// wire     00 00 00 08 2f 61 00 00 2c 00 00 00
///          └─ signed 32 bit, big-endian
/// ```
///
/// Every part of the header can be set. Here two bytes precede a little-endian length of two bytes that includes the
/// header:
///
/// ```text
/// wire     00 00 0c 00 2f 61 00 00 2c 00 00 00
///          │     └─ 12 = 8 + 4
///          └─ two bytes that are skipped when read, and written as zero
/// ```
///
/// A length of 0 is an empty frame, which a [`Codec`](crate::codec::Codec) skips and counts
/// ([`FilterStats::empty_in`](crate::middleware::FilterStats)). A length that is negative or over the limit
/// ends the stream with a [`FrameError`] that names the likely cause, because the start of the next frame is
/// unknown. No memory is reserved for a claimed length: the buffer grows with the received bytes.
///
/// This is not based on `LengthDelimitedCodec`, which reserves the claimed length and cannot report the
/// likely cause. That codec can be used as a framing too.
///
/// ```
/// use tokio_osc::codec::LikelyCause;
/// use tokio_osc::{Bytes, LengthPrefix};
/// use tokio_util::bytes::BytesMut;
/// use tokio_util::codec::Decoder;
///
/// let mut wire = BytesMut::from(&b"\0\0\0\x04abcd"[..]);
/// assert_eq!(LengthPrefix::new().decode(&mut wire)?, Some(Bytes::from_static(b"abcd")));
///
/// let mut http = BytesMut::from(&b"GET / HTTP/1.1\r\n"[..]);
/// let error = LengthPrefix::new().decode(&mut http).unwrap_err();
/// assert_eq!(error.likely_cause(), Some(LikelyCause::Http));
/// assert_eq!(error.to_string(), "a frame of 1195725856 bytes, over the limit of 1048576: this looks like HTTP");
/// # Ok::<(), tokio_osc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LengthPrefix {
    width: usize,
    offset: usize,
    after: usize,
    adjustment: i32,
    little_endian: bool,
    signed: bool,
    max_frame: usize,
}

impl Default for LengthPrefix {
    fn default() -> Self {
        Self {
            width: 4,
            offset: 0,
            after: 0,
            adjustment: 0,
            little_endian: false,
            signed: true,
            max_frame: MAX_FRAME,
        }
    }
}

impl LengthPrefix {
    /// Creates a framing with a signed 32-bit big-endian length and frames of at most 1 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of bytes of the length. Default 4.
    ///
    /// # Panics
    /// Panics if it is not between 1 and 8.
    pub const fn width(mut self, bytes: usize) -> Self {
        assert!(bytes >= 1 && bytes <= MAX_WIDTH, "a length has 1 to 8 bytes");
        self.width = bytes;
        self
    }

    /// Sets the number of bytes before the length. Default 0.
    ///
    /// # Panics
    /// Panics if it is over 64.
    pub const fn offset(mut self, bytes: usize) -> Self {
        assert!(bytes <= MAX_OFFSET, "at most 64 bytes come before the length");
        self.offset = bytes;
        self
    }

    /// Sets the number of bytes between the length and the frame. They are ignored when reading, and written as zero.
    /// Default 0.
    ///
    /// # Panics
    /// Panics if it is over 64.
    pub const fn after(mut self, bytes: usize) -> Self {
        assert!(bytes <= MAX_OFFSET, "at most 64 bytes come after the length");
        self.after = bytes;
        self
    }

    /// Sets the difference between the length on the wire and the bytes that follow it. Default 0; `-4` if
    /// the length includes itself.
    pub const fn adjustment(mut self, bytes: i32) -> Self {
        self.adjustment = bytes;
        self
    }

    /// Uses little-endian lengths. Default: big-endian.
    pub const fn little_endian(mut self) -> Self {
        self.little_endian = true;
        self
    }

    /// Uses unsigned lengths. Default: signed.
    pub const fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }

    /// Sets the maximum size of a frame, in both directions. Default [`MAX_FRAME`].
    pub const fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        self
    }

    #[expect(clippy::arithmetic_side_effects, reason = "at most 64 + 8 + 64")]
    fn header(&self) -> usize {
        self.offset + self.width + self.after
    }

    /// Parses a length.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the width is 1 to 8, and 64 bits and an adjustment of 32 fit in 128"
    )]
    fn length(&self, field: &[u8], little_endian: bool) -> i128 {
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        let value = if little_endian { field.iter().rfold(0, add) } else { field.iter().fold(0, add) };
        let unused = 64 - 8 * self.width;
        let value =
            if self.signed { i128::from((value << unused) as i64 >> unused) } else { i128::from(value) };
        value + i128::from(self.adjustment)
    }

    fn checked(&self, length: i128) -> Option<usize> {
        usize::try_from(length).ok().filter(|length| *length <= self.max_frame)
    }

    fn cause(&self, src: &[u8], field: &[u8]) -> Option<LikelyCause> {
        let swapped = self.checked(self.length(field, !self.little_endian));
        let plausible = swapped.is_some_and(|length| length > 0 && length % 4 == 0);
        LikelyCause::of(src).or(plausible.then_some(LikelyCause::WrongEndian))
    }
}

impl Decoder for LengthPrefix {
    type Item = Bytes;
    type Error = FrameError;

    /// Decodes the next frame.
    ///
    /// # Errors
    /// Returns an error if the length is negative or over the limit.
    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        let header = self.header();
        let Some(field) = src.get(self.offset..).and_then(|rest| rest.get(..self.width)) else {
            return Ok(None);
        };
        let length = self.length(field, self.little_endian);
        let Some(size) = self.checked(length) else {
            let cause = self.cause(src, field);
            return Err(FrameErrorKind::BadLength { length, limit: self.max_frame, cause }.into());
        };
        if src.len() < header.saturating_add(size) {
            return Ok(None);
        }
        src.advance(header);
        Ok(Some(src.split_to(size).freeze()))
    }

    /// Same as `decode`.
    ///
    /// # Errors
    /// Also returns an error if the stream ends inside a frame.
    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        match self.decode(src)? {
            Some(frame) => Ok(Some(frame)),
            None => FrameError::at_end(src),
        }
    }
}

impl Encoder<Bytes> for LengthPrefix {
    type Error = SendError;

    /// Appends the frame with its header.
    ///
    /// # Errors
    /// Returns an error if the frame is over the limit, or its length does not fit the width. `dst` is
    /// unchanged then.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the width is 1 to 8, and 64 bits and an adjustment of 32 fit in 128"
    )]
    fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> Result<(), SendError> {
        let length = frame.len() as i128 - i128::from(self.adjustment);
        let bits = 8 * self.width - usize::from(self.signed);
        let largest = (1_i128 << bits) - 1;
        if frame.len() > self.max_frame || length < 0 || length > largest {
            let fits = usize::try_from(largest + i128::from(self.adjustment)).unwrap_or(usize::MAX);
            let limit = self.max_frame.min(fits);
            return Err(SendErrorKind::TooLarge { size: frame.len(), limit }.into());
        }
        dst.reserve(self.header().saturating_add(frame.len()));
        dst.put_bytes(0, self.offset);
        // At most `largest`, which is at most `u64::MAX`.
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        if self.little_endian {
            dst.put_uint_le(length, self.width);
        } else {
            dst.put_uint(length, self.width);
        }
        dst.put_bytes(0, self.after);
        dst.extend_from_slice(&frame);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn round_trip(mut framing: LengthPrefix, wire: &[u8], frame: &'static [u8]) {
        let mut buffer = BytesMut::new();
        framing.encode(Bytes::from_static(frame), &mut buffer).unwrap();
        assert_eq!(&buffer[..], wire);
        assert_eq!(framing.decode(&mut buffer).unwrap(), Some(Bytes::from_static(frame)));
        assert!(buffer.is_empty());
    }

    #[test]
    fn every_part_of_the_header_is_settable() {
        round_trip(LengthPrefix::new(), b"\0\0\0\x04abcd", b"abcd");
        round_trip(LengthPrefix::new().width(1).unsigned(), b"\x04abcd", b"abcd");
        round_trip(LengthPrefix::new().width(8).little_endian(), b"\x04\0\0\0\0\0\0\0abcd", b"abcd");
        round_trip(LengthPrefix::new().adjustment(-4), b"\0\0\0\x08abcd", b"abcd");
        round_trip(
            LengthPrefix::new().width(2).little_endian().offset(2).adjustment(-4),
            b"\0\0\x08\0abcd",
            b"abcd",
        );
        // osc4py3's `read_headerunpack=("!HH", 4, 0)`: a field behind the length.
        round_trip(LengthPrefix::new().width(2).after(2), b"\0\x04\0\0abcd", b"abcd");
        round_trip(LengthPrefix::new().offset(1).after(3).adjustment(-8), b"\0\0\0\0\x0c\0\0\0abcd", b"abcd");
    }

    #[test]
    fn bytes_between_the_length_and_the_packet_are_waited_for_and_skipped() {
        let mut framing = LengthPrefix::new().width(1).after(3);
        let mut src = BytesMut::from(&b"\0"[..]);
        assert_eq!(framing.decode(&mut src).unwrap(), None, "the header is not whole");
        src.extend_from_slice(b"xyz\x02");
        assert_eq!(framing.decode(&mut src).unwrap(), Some(Bytes::new()));
        assert_eq!(framing.decode(&mut src).unwrap(), None);
        src.extend_from_slice(b"xyzab");
        assert_eq!(framing.decode(&mut src).unwrap(), Some(Bytes::from_static(b"ab")));
    }

    #[test]
    fn a_frame_that_does_not_fit_its_length_is_refused_and_leaves_nothing() {
        let mut dst = BytesMut::from(&b"before"[..]);
        let frame = Bytes::from(vec![0; 128]);
        assert!(LengthPrefix::new().width(1).encode(frame.clone(), &mut dst).is_err());
        assert!(LengthPrefix::new().max_frame(127).encode(frame.clone(), &mut dst).is_err());
        assert_eq!(&dst[..], b"before");
        assert!(LengthPrefix::new().width(1).unsigned().encode(frame, &mut dst).is_ok());
    }

    #[test]
    fn lengths_out_of_range_name_their_likely_cause() {
        let cases: [(&[u8], _); 7] = [
            (b"\xc0/a\0\0,\0\0\0\xc0", Some(LikelyCause::Slip)),
            (b"GET / HTTP/1.1", Some(LikelyCause::Http)),
            (b"\x16\x03\x01\x02\0", Some(LikelyCause::Tls)),
            (b"\x0c\0\0\0/a\0\0", Some(LikelyCause::WrongEndian)),
            (b"/a\0\0,\0\0\0", Some(LikelyCause::Unframed)),
            (b"\xff\xff\xff\xff", None),
            (b"\x7f\xff\xff\xff", None),
        ];
        for (wire, cause) in cases {
            let error = LengthPrefix::new().decode(&mut BytesMut::from(wire)).unwrap_err();
            assert_eq!(error.likely_cause(), cause, "{wire:02x?}");
        }
    }

    #[test]
    fn the_limit_is_exact_and_asks_for_no_memory() {
        let mut framing = LengthPrefix::new().max_frame(8);
        let mut src = BytesMut::from(&b"\0\0\0\x08"[..]);
        let capacity = src.capacity();
        assert_eq!(framing.decode(&mut src).unwrap(), None);
        assert_eq!(src.capacity(), capacity);
        assert!(framing.decode(&mut BytesMut::from(&b"\0\0\0\x09"[..])).is_err());
    }
}
