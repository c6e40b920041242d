//! Encoding a message: its address and its arguments.

use bytes::BytesMut;

use super::{EncodeError, EncodeErrorKind, IntoArgs};
use crate::pattern;
use crate::wire::{BUNDLE_NAME, Fault, Layout, Measure, NUMERIC_ADDRESS, WriteInto, padded};

/// Appends a message whose address must be a valid pattern, or nothing on an error.
#[inline]
pub(super) fn encode(dst: &mut BytesMut, address: &[u8], args: &impl IntoArgs) -> Result<(), EncodeError> {
    Head::pattern(address)?.encode(dst, args).map(drop)
}

/// The checked start of a message: an address, or a number instead of one.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    address: &'a [u8],
    /// The number of its bytes on the wire, padding included.
    pub(super) size: usize,
}

impl<'a> Head<'a> {
    /// A legal address pattern.
    #[inline]
    pub(super) fn pattern(address: &'a [u8]) -> Result<Self, EncodeError> {
        match pattern::check(address) {
            Ok(_) => Ok(Self { address, size: padded(address.len()) }),
            Err(error) => Err(EncodeError::new(EncodeErrorKind::Address, error.position())),
        }
    }

    /// Text that begins with a slash.
    pub(super) fn path(address: &'a [u8]) -> Result<Self, EncodeError> {
        match address.first() {
            Some(b'/') => Self::text(address),
            _ => Err(EncodeError::new(EncodeErrorKind::Address, 0)),
        }
    }

    /// Any text that a decoder does not read as a bundle or a number.
    pub(super) fn text(address: &'a [u8]) -> Result<Self, EncodeError> {
        if address.is_empty() || BUNDLE_NAME.strip_suffix(b"\0") == Some(address) {
            return Err(EncodeError::new(EncodeErrorKind::Address, 0));
        }
        match address.iter().position(|&byte| byte == 0) {
            Some(at) => Err(EncodeError::new(EncodeErrorKind::Address, at)),
            None => Ok(Self { address, size: padded(address.len()) }),
        }
    }

    /// The four bytes of a number. The first is NUL.
    pub(super) fn number(number: &'a [u8; NUMERIC_ADDRESS]) -> Result<Self, EncodeError> {
        match number[0] {
            0 => Ok(Self { address: number, size: NUMERIC_ADDRESS }),
            _ => Err(EncodeError::new(EncodeErrorKind::Address, 0)),
        }
    }

    pub(super) fn any(address: &'a [u8]) -> Result<Self, EncodeError> {
        match <&[u8; NUMERIC_ADDRESS]>::try_from(address) {
            Ok(number) if number[0] == 0 => Self::number(number),
            _ => Self::text(address),
        }
    }

    /// The layout of a message whose arguments begin at `args`.
    #[inline]
    pub(super) fn layout(self, args: usize) -> Layout {
        let is_number = self.size == self.address.len();
        Layout::new(if is_number { 0 } else { self.address.len() }, args)
    }

    /// Appends a message, or nothing on an error.
    #[inline]
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "`size` bytes are added, which are at least `args_at`; before that lie the address, the comma and \
                  the tags, whose sum it is. Memory ends before a sum overflows. With plain sums and slices the \
                  compiler computes the sizes of typed arguments; with `get` a message takes up to twice as long"
    )]
    pub(super) fn encode(self, dst: &mut BytesMut, args: &impl IntoArgs) -> Result<Layout, EncodeError> {
        let mut measure = Measure::default();
        args.write_args(&mut measure);
        let args_at = self.size + padded(1 + measure.tags);
        let size = args_at.saturating_add(measure.data);
        if let Some(error) = refusal(&measure, size) {
            return Err(error);
        }
        let start = dst.len();
        dst.resize(start + size, 0);
        let (head, data) = dst[start..].split_at_mut(args_at);
        let (address, tag_string) = head.split_at_mut(self.size);
        address[..self.address.len()].copy_from_slice(self.address);
        tag_string[0] = b',';
        let mut write = WriteInto::new(&mut tag_string[1..=measure.tags], data);
        args.write_args(&mut write);
        if !write.is_exact() {
            dst.truncate(start);
            return Err(EncodeError::new(EncodeErrorKind::Unstable, 0));
        }
        Ok(self.layout(args_at))
    }
}

/// The reason why the measured message cannot be encoded.
#[inline]
fn refusal(measure: &Measure, size: usize) -> Option<EncodeError> {
    if let Some((fault, index)) = measure.fault {
        return Some(match fault {
            Fault::Nul => EncodeError::new(EncodeErrorKind::NulInText, index),
            Fault::TooDeep => EncodeError::new(EncodeErrorKind::ArraysTooDeep, 0),
            Fault::Refused(why) => EncodeError::new(EncodeErrorKind::ArgumentRefused(why), index),
        });
    }
    (size > i32::MAX as usize).then(|| EncodeError::new(EncodeErrorKind::TooLarge, size))
}
