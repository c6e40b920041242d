//! SLIP framing (RFC 1055), the framing of OSC 1.1.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use memchr::{memchr, memchr2};
use tokio_util::codec::{Decoder, Encoder};

use super::{FrameError, MAX_FRAME};
use crate::packet::{SendError, SendErrorKind};
use crate::wire::{DecodeError, DecodeErrorKind};

const END: u8 = 0xc0;
const ESC: u8 = 0xdb;
const ESC_END: u8 = 0xdc;
const ESC_ESC: u8 = 0xdd;

/// SLIP framing: a frame is between END bytes. The framing of OSC 1.1.
///
/// ```text
/// frame       2f 61 00 00 2c 69 00 00 00 00 00 c0                 /a ,i 192
///                                              └─ END in the data is sent as ESC ESC_END
/// wire     c0 2f 61 00 00 2c 69 00 00 00 00 00 db dc c0
///          └─ END before (it flushes noise)           └─ END after
/// ```
///
/// | name | byte | escaped as |
/// |---------|------|---------|
/// | END     | `c0` | `db dc` |
/// | ESC     | `db` | `db dd` |
///
/// Reading accepts all styles of END: before and after a frame, only after, one shared by two frames, or
/// many. Empty frames cost nothing. A frame with an invalid escape, or longer than
/// [`max_frame`](Slip::max_frame), is one error item, and reading continues after the next END:
///
/// ```text
/// wire     c0 db 41 c0 2f 61 00 00 2c 00 00 00 c0
///             └ error: BAD_ESCAPE  └ the next frame is whole
/// ```
///
/// Frames without an ESC are slices of the read buffer; others are unescaped in place. Each byte is read
/// once, however the stream is split. The buffer holds at most twice the limit and one read.
///
/// ```
/// use tokio_osc::{Bytes, Slip};
/// use tokio_util::bytes::BytesMut;
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let mut wire = BytesMut::new();
/// Slip::new().encode(Bytes::from_static(&[0x2f, 0xc0]), &mut wire)?;
/// assert_eq!(&wire[..], [0xc0, 0x2f, 0xdb, 0xdc, 0xc0]);
/// assert_eq!(Slip::new().decode(&mut wire)?, Some(Ok(Bytes::from_static(&[0x2f, 0xc0]))));
/// # Ok::<(), tokio_osc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    flag_at_start: bool,
    max_frame: usize,
    /// Bytes at the start of the buffer that are unescaped: the frame so far.
    frame: usize,
    /// Bytes of the buffer that were scanned. Those between `frame` and here are consumed.
    scanned: usize,
    /// Whether the rest of a broken frame is being discarded.
    skipping: bool,
}

impl Default for Slip {
    fn default() -> Self {
        Self { flag_at_start: true, max_frame: MAX_FRAME, frame: 0, scanned: 0, skipping: false }
    }
}

impl Slip {
    /// The reason for refusing a frame with an invalid escape: the text of [`DecodeErrorKind::Refused`].
    pub const BAD_ESCAPE: &str = "a SLIP escape that escapes nothing";

    /// Creates a framing with END at both ends and frames of at most 1 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether END is also sent before a frame. Default `true`, as OSC 1.1 requires. Use `false` for
    /// peers that accept a single END only, such as liblo servers if the first packet is a bundle.
    pub const fn flag_at_start(mut self, on: bool) -> Self {
        self.flag_at_start = on;
        self
    }

    /// Sets the maximum size of an unescaped frame, in both directions. Default [`MAX_FRAME`].
    pub const fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        self
    }

    /// Ends a frame without errors: all before `end` is scanned, and END lies there. The ENDs that
    /// follow are taken as well.
    #[expect(clippy::arithmetic_side_effects, reason = "`frame` <= `end` <= the length of the buffer")]
    fn finish(&mut self, src: &mut BytesMut, end: usize) -> Bytes {
        let rest = src.get(end..).unwrap_or_default();
        let spent = end + leading_ends(rest) - self.frame;
        let frame = src.split_to(self.frame).freeze();
        src.advance(spent);
        (self.frame, self.scanned) = (0, 0);
        frame
    }

    /// Discards the frame. All bytes before `end` belong to it.
    fn give_up(&mut self, src: &mut BytesMut, kind: DecodeErrorKind, end: usize) -> DecodeError {
        let error = DecodeError::new(kind, self.frame.min(self.max_frame));
        leave_last(src, end);
        (self.frame, self.scanned, self.skipping) = (0, 0, true);
        error
    }
}

/// Drops the bytes before `end`, but not the last of the buffer. While a connection's buffer holds
/// anything, its in-frame timeout runs: so it must for a broken frame, too, until END has come.
fn leave_last(src: &mut BytesMut, end: usize) {
    src.advance(end.min(src.len().saturating_sub(1)));
}

fn leading_ends(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte != END).unwrap_or(bytes.len())
}

impl Decoder for Slip {
    type Item = Result<Bytes, DecodeError>;
    type Error = FrameError;

    /// Decodes the next non-empty frame. Never fails.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "`frame` <= `scanned` <= the length of the buffer: both grow by bytes that `get` has found there"
    )]
    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        if self.scanned > src.len() {
            // Another buffer than in the last call.
            (self.frame, self.scanned) = (0, 0);
        }
        if self.skipping {
            let Some(end) = memchr(END, src) else {
                leave_last(src, src.len());
                return Ok(None);
            };
            src.advance(end);
            self.skipping = false;
        }
        if self.scanned == 0 && src.first() == Some(&END) {
            src.advance(leading_ends(src));
        }
        loop {
            let run = self.scanned..src.len();
            let found = src.get(run.clone()).and_then(|rest| memchr2(END, ESC, rest));
            let at = found.map_or(run.end, |found| run.start + found);
            let grown = self.frame + (at - run.start);
            if grown > self.max_frame {
                self.frame = grown;
                return Ok(Some(Err(self.give_up(src, DecodeErrorKind::FrameTooLong, at))));
            }
            if self.frame < run.start {
                src.copy_within(run.start..at, self.frame);
            }
            (self.frame, self.scanned) = (grown, at);
            match (src.get(at), src.get(at + 1)) {
                (Some(&END), _) => return Ok(Some(Ok(self.finish(src, at)))),
                (Some(_), None) | (None, _) => return Ok(None),
                (Some(_), Some(&escaped)) => {
                    let byte = match escaped {
                        ESC_END => END,
                        ESC_ESC => ESC,
                        _ => {
                            return Ok(Some(Err(self.give_up(
                                src,
                                DecodeErrorKind::Refused(Self::BAD_ESCAPE),
                                at + 1,
                            ))));
                        }
                    };
                    if let Some(place) = src.get_mut(self.frame) {
                        *place = byte;
                    }
                    self.frame += 1;
                    self.scanned += 2;
                }
            }
        }
    }

    /// Same as `decode`.
    ///
    /// # Errors
    /// Returns an error if the stream ends inside a frame.
    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        if let Some(frame) = self.decode(src)? {
            return Ok(Some(frame));
        }
        (self.frame, self.scanned) = (0, 0);
        if self.skipping {
            // Reported when it broke.
            src.clear();
        }
        FrameError::at_end(src)
    }
}

impl Encoder<Bytes> for Slip {
    type Error = SendError;

    /// Appends the frame with its END bytes.
    ///
    /// # Errors
    /// Returns an error if the frame is over the limit. `dst` is unchanged then.
    fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> Result<(), SendError> {
        if frame.len() > self.max_frame {
            return Err(SendErrorKind::TooLarge { size: frame.len(), limit: self.max_frame }.into());
        }
        dst.reserve(frame.len().saturating_add(2));
        if self.flag_at_start {
            dst.put_u8(END);
        }
        let mut rest = &frame[..];
        while let Some(at) = memchr2(END, ESC, rest) {
            let (plain, special) = rest.split_at(at);
            dst.extend_from_slice(plain);
            dst.extend_from_slice(&[ESC, if special.first() == Some(&END) { ESC_END } else { ESC_ESC }]);
            rest = special.get(1..).unwrap_or_default();
        }
        dst.extend_from_slice(rest);
        dst.put_u8(END);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kinds(slip: &mut Slip, src: &mut BytesMut) -> Vec<Result<Bytes, DecodeErrorKind>> {
        std::iter::from_fn(|| slip.decode(src).unwrap()).map(|frame| frame.map_err(|e| e.kind())).collect()
    }

    #[test]
    fn frames_without_escapes_are_slices_of_the_buffer_and_the_others_are_unescaped_in_it() {
        let mut src = BytesMut::from(&b"\xc0plain\xc0\xc0e\xdb\xdcd\xc0"[..]);
        let start = src.as_ptr() as usize;
        let frames = kinds(&mut Slip::new(), &mut src);
        let offsets: Vec<_> = frames.iter().map(|f| f.as_ref().unwrap().as_ptr() as usize - start).collect();
        assert_eq!(offsets, [1, 8]);
        assert_eq!(frames[1], Ok(Bytes::from_static(b"e\xc0d")));
    }

    #[test]
    fn the_limit_counts_unescaped_bytes() {
        let mut slip = Slip::new().max_frame(4);
        let mut fits = BytesMut::from(&b"\xdb\xdc\xdb\xdd\xdb\xdc\xdb\xdd\xc0"[..]);
        assert_eq!(kinds(&mut slip, &mut fits), [Ok(Bytes::from_static(b"\xc0\xdb\xc0\xdb"))]);
        let mut over = BytesMut::from(&b"12345\xc0ok\xc0"[..]);
        assert_eq!(
            kinds(&mut slip, &mut over),
            [Err(DecodeErrorKind::FrameTooLong), Ok(Bytes::from_static(b"ok"))]
        );
    }

    #[test]
    fn an_endless_frame_is_one_error_and_no_memory() {
        let mut slip = Slip::new().max_frame(1_000);
        let mut src = BytesMut::new();
        let mut errors = 0;
        for _ in 0..10_000 {
            src.extend_from_slice(&[b'x'; 100]);
            errors += kinds(&mut slip, &mut src).len();
            assert!(src.len() <= 1_100);
        }
        assert_eq!(errors, 1);
    }

    #[test]
    fn a_frame_is_under_way_until_its_end_comes_also_when_it_is_broken() {
        let (long, escape) = (DecodeErrorKind::FrameTooLong, DecodeErrorKind::Refused(Slip::BAD_ESCAPE));
        for (wire, kind) in [(&b"\xc0\xdb\0"[..], escape), (b"\xc0123456789", long)] {
            let mut slip = Slip::new().max_frame(8);
            let mut src = BytesMut::from(wire);
            assert_eq!(kinds(&mut slip, &mut src), [Err(kind)]);
            for _ in 0..3 {
                assert!(!src.is_empty());
                src.extend_from_slice(b"\0");
                assert_eq!(kinds(&mut slip, &mut src), []);
            }
            src.extend_from_slice(b"\xc0");
            assert_eq!(kinds(&mut slip, &mut src), []);
            assert!(src.is_empty(), "END has come");
            src.extend_from_slice(b"ok\xc0");
            assert_eq!(kinds(&mut slip, &mut src), [Ok(Bytes::from_static(b"ok"))]);
        }
    }

    #[test]
    fn a_stream_that_ends_in_a_broken_frame_has_said_so() {
        let mut slip = Slip::new();
        let mut src = BytesMut::from(&b"\xdb\0\0"[..]);
        assert!(slip.decode_eof(&mut src).unwrap().unwrap().is_err());
        assert_eq!(slip.decode_eof(&mut src).unwrap(), None);
    }

    #[test]
    fn a_stream_that_ends_inside_a_frame_reports_it_once() {
        let mut slip = Slip::new();
        let mut src = BytesMut::from(&b"\xc0half"[..]);
        assert!(slip.decode_eof(&mut src).is_err());
        assert_eq!(slip.decode_eof(&mut src).unwrap(), None);
    }
}
