//! Validates packets in one pass, without recursion or an allocation by a claimed size. Every offset is
//! checked. Valid packets are later read without further checks.

use super::error::{Defect, DefectKind as Kind};
use super::layout::{BUNDLE_HEADER, BUNDLE_NAME, Layout, NUMERIC_ADDRESS};
use super::levels::{Level, Levels};
use super::scan::{Scanned, padded, scan};
use super::sizes::{RUN, arg_size, fixed_size, run_size};
use super::{AddressPolicy, DecodeOptions, MissingTypeTags, Repairs, TextPolicy};
use crate::types::{TypeTag, TypeTagSet};

/// The shape of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PacketShape {
    Message(Layout),
    Bundle,
}

/// Checks packets against one set of options, and counts what is tolerated.
pub(crate) struct Validator<'a> {
    options: &'a DecodeOptions,
    pub(crate) repairs: Repairs,
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "sums of offsets within one frame, which `size` bounds by 2^31 - 1, and counts of what it holds"
)]
impl<'a> Validator<'a> {
    pub(crate) fn new(options: &'a DecodeOptions) -> Self {
        Self { options, repairs: Repairs::default() }
    }

    /// Checks a whole packet and returns its shape.
    #[inline]
    pub(crate) fn packet(&mut self, frame: &[u8]) -> Result<PacketShape, Defect> {
        Self::size(frame)?;
        if frame.first() == Some(&b'/') {
            return self.message(frame, 0).map(PacketShape::Message);
        }
        if frame.starts_with(BUNDLE_NAME) {
            return self.bundle(frame).map(|()| PacketShape::Bundle);
        }
        self.bare_message(frame, 0).map(PacketShape::Message)
    }

    #[inline]
    fn size(frame: &[u8]) -> Result<(), Defect> {
        if frame.is_empty() {
            return Err(Defect::new(Kind::Empty, 0));
        }
        if frame.len() > i32::MAX as usize {
            return Err(Defect::new(Kind::TooLarge, 0));
        }
        if frame.len() % 4 != 0 {
            return Err(Defect::new(Kind::Unaligned, frame.len()));
        }
        Ok(())
    }

    /// Checks a whole bundle, inner bundles included. The frame begins with [`BUNDLE_NAME`].
    ///
    /// A message with an unknown type tag is counted and passed over; any other defect is an error
    /// for the whole.
    ///
    /// ```text
    /// frame   #bundle … | size | #bundle … | size | /a … | size | /b … |
    ///                                        ^ at        ^ level.end   ^ end of outer
    /// ```
    ///
    /// | at `at` | what happens |
    /// |---|---|
    /// | `level.end` | the bundle is whole: its parent goes on; without a parent, all is whole |
    /// | a size and a message | the message is checked, `at` goes behind it |
    /// | a size and a bundle | `level` is pushed on the stack, the inner bundle becomes the level |
    fn bundle(&mut self, frame: &[u8]) -> Result<(), Defect> {
        if self.options.max_bundle_depth == 0 {
            return Err(Defect::new(Kind::BundlesTooDeep, 0));
        }
        self.bundle_header(frame, 0)?;
        let mut at = BUNDLE_HEADER;
        let mut level = Level { end: frame.len(), elements: 0 };
        let mut outer = Levels::new();
        loop {
            // One element can end several bundles, each at the same offset.
            while at == level.end {
                match outer.pop() {
                    Some(parent) => level = parent,
                    None => return Ok(()),
                }
            }
            // Behind the size.
            let start = at + 4;
            // Within the parent, not only within the frame. Otherwise an element could extend beyond its
            // bundle, and the check of the end above would never succeed.
            let element = element(frame, at, level.end)?;
            let end = start + element.len();
            // Counted before the element is looked at: the limit bounds that work.
            level.elements += 1;
            if level.elements > self.options.max_elements {
                return Err(Defect::new(Kind::TooManyElements, at));
            }
            at = end;
            let is_named = element.first() == Some(&b'/');
            if !is_named && element.starts_with(BUNDLE_NAME) {
                // Those on the stack, the present one, and the one that begins.
                if outer.len() + 2 > self.options.max_bundle_depth {
                    return Err(Defect::new(Kind::BundlesTooDeep, start));
                }
                self.bundle_header(element, start)?;
                outer.push(level);
                level = Level { end, elements: 0 };
                // Into the bundle instead of behind it.
                at = start + BUNDLE_HEADER;
                continue;
            }
            let checked =
                if is_named { self.message(element, start) } else { self.bare_message(element, start) };
            if let Err(error) = checked {
                self.pass_over(error)?;
            }
        }
    }

    #[inline]
    fn bundle_header(&mut self, frame: &[u8], base: usize) -> Result<(), Defect> {
        let Some(time_tag) = frame.get(BUNDLE_NAME.len()..BUNDLE_HEADER) else {
            return Err(Defect::new(Kind::Truncated, base + BUNDLE_NAME.len()));
        };
        if self.options.accept_zero_time_tags && time_tag == [0; 8] {
            self.repairs.zero_time_tags += 1;
        }
        Ok(())
    }

    /// In a bundle, an unknown type tag costs its message only.
    #[cold]
    fn pass_over(&mut self, error: Defect) -> Result<(), Defect> {
        if !matches!(error.kind(), Kind::UnknownTypeTag(_)) {
            return Err(error);
        }
        self.repairs.unknown_type_tags += 1;
        Ok(())
    }

    /// Checks one message that begins with `/`; `base` is its offset in the packet.
    #[inline]
    fn message(&mut self, frame: &[u8], base: usize) -> Result<Layout, Defect> {
        let address = self.string(frame, base)?;
        self.address(frame.get(..address).unwrap_or_default(), base)?;
        self.behind_address(frame, address, padded(address), base)
    }

    /// Checks one message that begins with anything else, if such messages are accepted.
    #[cold]
    fn bare_message(&mut self, frame: &[u8], base: usize) -> Result<Layout, Defect> {
        if !self.options.accept_bare_addresses {
            return Err(Defect::new(Kind::NotAPacket, base));
        }
        self.repairs.bare_addresses += 1;
        if frame.first() == Some(&0) {
            return self.behind_address(frame, 0, NUMERIC_ADDRESS, base);
        }
        self.message(frame, base)
    }

    /// The type tags and the arguments, behind an address whose padding ends at `next`.
    ///
    /// ```text
    /// frame   /note 00 00 00 | , i s 00 | 0000003c | loud 00 00 00 00
    ///         ^ base          ^ next     ^ next + args
    /// ```
    ///
    /// A frame begins at `base` of its packet, so that errors name the byte of the packet.
    #[inline]
    fn behind_address(
        &mut self,
        frame: &[u8],
        address: usize,
        next: usize,
        base: usize,
    ) -> Result<Layout, Defect> {
        // In range: an address was found with all its padding, and a number takes four bytes, of which
        // no frame and no element has fewer.
        let rest = frame.get(next..).unwrap_or_default();
        if rest.first() != Some(&b',') {
            self.untagged(rest, base + next)?;
            return Ok(Layout::new(address, next));
        }
        let tag_string = self.tag_string(rest, base + next)?;
        let args = padded(tag_string);
        let tags = rest.get(1..tag_string).unwrap_or_default();
        let data = rest.get(args..).unwrap_or_default();
        self.args(tags, base + next + 1, data, base + next + args)?;
        Ok(Layout::new(address, next + args))
    }

    /// No type tag string, but perhaps bytes.
    #[cold]
    fn untagged(&mut self, rest: &[u8], base: usize) -> Result<(), Defect> {
        match self.options.missing_type_tags {
            MissingTypeTags::NoArguments | MissingTypeTags::Untyped if rest.is_empty() => {
                self.repairs.missing_type_tags += 1;
                Ok(())
            }
            MissingTypeTags::Untyped => {
                self.repairs.untyped += 1;
                Ok(())
            }
            MissingTypeTags::NoArguments | MissingTypeTags::Reject => {
                Err(Defect::new(Kind::MissingTypeTags, base))
            }
        }
    }

    /// A type tag string. Text of another charset is reported here as unknown type tags, not by the text policy.
    #[inline]
    fn tag_string(&mut self, bytes: &[u8], base: usize) -> Result<usize, Defect> {
        let Some(scanned) = scan(bytes) else {
            return Err(Defect::new(Kind::UnterminatedString, base));
        };
        if !scanned.zero_padded {
            self.padding(scanned.padding(bytes), base + scanned.len)?;
        }
        Ok(scanned.len)
    }

    /// The arguments: each tag has its bytes, each bracket its partner, and nothing is left over.
    #[inline]
    fn args(&mut self, tags: &[u8], tags_at: usize, data: &[u8], base: usize) -> Result<(), Defect> {
        if tags.len() > self.options.max_args {
            return Err(Defect::new(Kind::TooManyArgs, tags_at + self.options.max_args));
        }
        let mut at = 0_usize;
        let mut depth = 0_u8;
        let mut leading = 0_usize;
        // A list that begins with many equal numbers takes one step for eight of them; a short one, one branch.
        while let Some(size) = tags.get(leading..leading.saturating_add(RUN)).and_then(run_size) {
            at = at.saturating_add(size);
            leading = leading.saturating_add(RUN);
        }
        for (index, &tag) in tags.iter().enumerate().skip(leading) {
            let size = fixed_size(tag);
            if size <= 8 {
                // Whether all the bytes are there is checked once, after the loop: a run of numbers
                // takes no branch each. The sum cannot wrap back into range.
                at = at.saturating_add(usize::from(size));
                continue;
            }
            // The data determine their own size, so they must be present here.
            let Some(rest) = data.get(at..) else {
                return Err(truncated(tags.get(..index).unwrap_or_default(), data, base));
            };
            at += match tag {
                b's' | b'S' => padded(self.string(rest, base + at)?),
                b'b' => self.blob(rest, base + at)?,
                b'[' if depth < self.options.max_array_depth => {
                    depth += 1;
                    0
                }
                b'[' => return Err(Defect::new(Kind::ArraysTooDeep, tags_at + index)),
                b']' if depth > 0 => {
                    depth -= 1;
                    0
                }
                b']' => return Err(Defect::new(Kind::UnbalancedBrackets, tags_at + index)),
                tag => return Err(Defect::new(Kind::UnknownTypeTag(tag), tags_at + index)),
            };
        }
        // Only now: the numbers behind the last text were added up without a look.
        if at > data.len() {
            return Err(truncated(tags, data, base));
        }
        if depth > 0 {
            return Err(Defect::new(Kind::UnbalancedBrackets, tags_at + tags.len()));
        }
        if at < data.len() {
            return Err(Defect::new(Kind::TrailingBytes, base + at));
        }
        if self.options.allowed_type_tags != TypeTagSet::ALL {
            return self.allowed(tags, tags_at);
        }
        Ok(())
    }

    #[cold]
    fn allowed(&self, tags: &[u8], tags_at: usize) -> Result<(), Defect> {
        let known = tags.iter().enumerate().filter_map(|(at, &tag)| Some((at, TypeTag::from_byte(tag)?)));
        for (index, tag) in known {
            if !self.options.allowed_type_tags.contains(tag) {
                return Err(Defect::new(Kind::TypeTagNotAllowed(tag), tags_at + index));
            }
        }
        Ok(())
    }

    /// The length of the OSC-string at the beginning of `bytes`, its padding and charset checked.
    #[expect(clippy::inline_always, reason = "measured: a third of the time of short messages")]
    #[inline(always)]
    fn string(&mut self, bytes: &[u8], base: usize) -> Result<usize, Defect> {
        let Some(scanned) = scan(bytes) else {
            let kind = if bytes.is_empty() { Kind::Truncated } else { Kind::UnterminatedString };
            return Err(Defect::new(kind, base));
        };
        if !(scanned.ascii && scanned.zero_padded) {
            self.tolerate(bytes, scanned, base)?;
        }
        Ok(scanned.len)
    }

    #[cold]
    fn tolerate(&mut self, bytes: &[u8], scanned: Scanned, base: usize) -> Result<(), Defect> {
        if !scanned.zero_padded {
            self.padding(scanned.padding(bytes), base + scanned.len)?;
        }
        if !scanned.ascii {
            self.charset(bytes.get(..scanned.len).unwrap_or_default(), base)?;
        }
        Ok(())
    }

    /// Text of which a byte is not ASCII.
    fn charset(&mut self, text: &[u8], base: usize) -> Result<(), Defect> {
        let illegal = |at| Err(Defect::new(Kind::IllegalCharacter, base + at));
        match (self.options.text_policy, std::str::from_utf8(text)) {
            (TextPolicy::Ascii, _) => illegal(text.iter().take_while(|byte| byte.is_ascii()).count()),
            (TextPolicy::Utf8, Err(error)) => illegal(error.valid_up_to()),
            (TextPolicy::Any, Err(_)) => {
                self.repairs.not_utf8 += 1;
                Ok(())
            }
            (TextPolicy::Utf8 | TextPolicy::Any, Ok(_)) => Ok(()),
        }
    }

    fn blob(&mut self, bytes: &[u8], base: usize) -> Result<usize, Defect> {
        let Some((size, data)) = bytes.split_first_chunk::<4>() else {
            return Err(Defect::new(Kind::Truncated, base));
        };
        let Ok(len) = usize::try_from(i32::from_be_bytes(*size)) else {
            return Err(Defect::new(Kind::NegativeBlobSize, base));
        };
        let size = len.next_multiple_of(4);
        let Some(padding) = data.get(len..size) else {
            return Err(Defect::new(Kind::Truncated, base));
        };
        if padding.iter().any(|&byte| byte != 0) {
            self.padding(padding, base + 4 + len)?;
        }
        Ok(4 + size)
    }

    /// Padding of which a byte is not NUL.
    #[cold]
    fn padding(&mut self, padding: &[u8], base: usize) -> Result<(), Defect> {
        if !self.options.accept_nonzero_padding {
            let at = padding.iter().position(|&byte| byte != 0).unwrap_or_default();
            return Err(Defect::new(Kind::NonzeroPadding, base + at));
        }
        self.repairs.nonzero_padding += 1;
        Ok(())
    }

    #[inline]
    fn address(&self, address: &[u8], base: usize) -> Result<(), Defect> {
        // An address with more parts than the limit is also longer than the limit.
        if address.len() > self.options.max_address_parts || address.len() > self.options.max_address_len {
            self.long_address(address, base)?;
        }
        match self.options.address_policy {
            AddressPolicy::Any => Ok(()),
            policy => legal_address(policy, address, base),
        }
    }

    #[cold]
    fn long_address(&self, address: &[u8], base: usize) -> Result<(), Defect> {
        if address.len() > self.options.max_address_len {
            return Err(Defect::new(Kind::AddressTooLong, base + self.options.max_address_len));
        }
        let mut slashes = address.iter().enumerate().filter(|&(_, &byte)| byte == b'/');
        match slashes.nth(self.options.max_address_parts) {
            Some((at, _)) => Err(Defect::new(Kind::TooManyAddressParts, base + at)),
            None => Ok(()),
        }
    }
}

/// The error for arguments that take more bytes than there are, at the first argument that does.
/// All before the last that needs a look were found whole.
#[cold]
fn truncated(tags: &[u8], data: &[u8], base: usize) -> Defect {
    let mut at = 0;
    for &tag in tags {
        let rest = data.get(at..).unwrap_or_default();
        let size = arg_size(tag, rest).unwrap_or_default();
        if size > rest.len() {
            break;
        }
        at = at.saturating_add(size);
    }
    Defect::new(Kind::Truncated, base.saturating_add(at))
}

/// The offset of the first byte that the policy does not allow is an error.
#[cold]
fn legal_address(policy: AddressPolicy, address: &[u8], base: usize) -> Result<(), Defect> {
    match address.iter().position(|&byte| !policy.allows(byte)) {
        Some(at) => Err(Defect::new(Kind::IllegalCharacter, base.saturating_add(at))),
        None => Ok(()),
    }
}

/// The element whose size is at `at`, inside a bundle that ends at `bundle_end`.
#[inline]
fn element(frame: &[u8], at: usize, bundle_end: usize) -> Result<&[u8], Defect> {
    let truncated = || Defect::new(Kind::Truncated, at);
    let (size, rest) =
        frame.get(at..bundle_end).and_then(<[u8]>::split_first_chunk::<4>).ok_or_else(truncated)?;
    match usize::try_from(i32::from_be_bytes(*size)) {
        Ok(size) if size > 0 && size % 4 == 0 => rest.get(..size).ok_or_else(truncated),
        _ => Err(Defect::new(Kind::ElementSize, at)),
    }
}
