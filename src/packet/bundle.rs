//! Bundles: a time tag with messages and inner bundles.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::walk::PacketWalk;
use super::{EncodeError, EncodeErrorKind, IntoPacket, MessageRef, Packet, PacketRef, append};
use crate::types::{TimeTag, brief};
use crate::wire::{BUNDLE_NAME, bundle_header, split_bundle, split_element};

/// A time tag with messages and inner bundles, kept as validated bytes.
///
/// ```text
/// +-------------+----------+--------+-----------+--------+-----------+---
/// | "#bundle\0" | time tag | size 1 | element 1 | size 2 | element 2 | …
/// | 8 bytes     | 8 bytes  | i32    | message or bundle  |           |
/// +-------------+----------+--------+-----------+--------+-----------+---
/// ```
///
/// A bundle has a time tag, and elements that take effect together at that time. Cloning it increments a reference
/// count. `==` compares time tags and elements, and ignores padding.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::{Bundle, TimeTag};
///
/// let bundle = Bundle::at(TimeTag::after(Duration::from_millis(200)))
///     .with(("/synth/1/freq", 440.0_f32))
///     .with(("/synth/1/gate", true))
///     .build()?;
/// assert_eq!(bundle.elements().count(), 2);
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone)]
pub struct Bundle {
    frame: Bytes,
    /// Whether messages in it may have a type tag that OSC does not define, so that each must be checked.
    may_hold_unknown: bool,
}

impl Bundle {
    /// Starts a bundle that runs at this time.
    pub fn at(time_tag: TimeTag) -> BundleBuilder {
        let mut frame = BytesMut::with_capacity(256);
        begin(&mut frame, time_tag);
        BundleBuilder { frame, error: None }
    }

    /// Creates a bundle of a slice of elements, to be sent. It is encoded directly into the output, without a buffer of
    /// its own.
    ///
    /// ```
    /// use tokio_osc::packet::IntoPacket;
    /// use tokio_osc::{Bundle, TimeTag};
    ///
    /// let levels = [("/mixer/1/gain", 0.5_f32), ("/mixer/2/gain", 0.25)];
    /// let packet = Bundle::of(TimeTag::IMMEDIATELY, &levels).into_packet()?;
    /// assert_eq!(
    ///     packet.to_string(),
    ///     "#bundle 0x0000000000000001\n/mixer/1/gain ,f 0.5\n/mixer/2/gain ,f 0.25\n#end"
    /// );
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    pub const fn of<E: IntoPacket>(time_tag: TimeTag, elements: &[E]) -> impl IntoPacket + use<'_, E> {
        BundleOf { time_tag, elements }
    }

    /// Starts a bundle that runs on arrival.
    pub fn immediately() -> BundleBuilder {
        Self::at(TimeTag::IMMEDIATELY)
    }

    /// Creates a bundle from a frame that was validated as one.
    pub(crate) fn from_parts(frame: Bytes, may_hold_unknown: bool) -> Self {
        Self { frame, may_hold_unknown }
    }

    /// Creates a bundle from a frame that was encoded here. Its elements may have been received.
    pub(super) fn from_encoded(frame: Bytes) -> Self {
        Self::from_parts(frame, true)
    }

    /// Borrows the bundle.
    pub fn as_ref(&self) -> BundleRef<'_> {
        BundleRef { frame: &self.frame, may_hold_unknown: self.may_hold_unknown }
    }

    /// Returns the time tag.
    pub fn time_tag(&self) -> TimeTag {
        self.as_ref().time_tag()
    }

    /// Returns the elements, in order, as an iterator that owns the bundle. Each element shares its buffer.
    pub fn into_elements(self) -> IntoElements {
        let left = self.as_ref().iter().rest.len();
        IntoElements { bundle: self, left }
    }

    /// Returns the elements, in order. Each shares the buffer of the bundle.
    pub fn elements(&self) -> impl Iterator<Item = Packet> {
        self.as_ref().elements().map(|element| element.share(&self.frame))
    }

    /// Returns the bytes of the bundle.
    pub fn as_bytes(&self) -> &Bytes {
        &self.frame
    }

    /// Returns the bytes of the bundle, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.frame
    }
}

/// A bundle that is being built. It implements [`IntoPacket`], so it can be sent without calling
/// [`build`](BundleBuilder::build). Created by [`Bundle::at`] and [`Bundle::immediately`].
///
/// ```
/// use tokio_osc::Bundle;
///
/// let mut scene = Bundle::immediately();
/// for channel in 1..=4 {
///     scene = scene.with((format!("/ch/{channel}/gain"), 0.5_f32));
/// }
/// assert_eq!(scene.build()?.elements().count(), 4);
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BundleBuilder {
    frame: BytesMut,
    error: Option<EncodeError>,
}

impl BundleBuilder {
    /// Returns `true` if the bundle has no elements.
    ///
    /// ```
    /// use tokio_osc::Bundle;
    ///
    /// let changes = Bundle::immediately();
    /// assert!(changes.is_empty());
    /// assert!(!changes.with(("/gain", 0.5_f32)).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.error.is_none() && split_bundle(&self.frame).is_none_or(|(_, elements)| elements.is_empty())
    }

    /// Adds a message or a bundle. If it cannot be encoded, [`build`](BundleBuilder::build) or sending the bundle
    /// returns the error.
    pub fn with(mut self, element: impl IntoPacket) -> Self {
        if self.error.is_none() {
            self.error = push(&mut self.frame, |frame| append(frame, &element)).err();
        }
        self
    }

    /// Adds an encoded element, from any program. It is checked with the widest limits, and copied unchanged.
    ///
    /// ```
    /// use tokio_osc::{Bundle, Message};
    ///
    /// let stored: &[u8] = b"/gate\0\0\0,T\0\0";
    /// let bundle = Bundle::immediately().push_encoded(stored).with(("/freq", 440.0_f32)).build()?;
    /// assert_eq!(bundle.elements().count(), 2);
    /// assert!(Bundle::immediately().push_encoded(b"/gate").build().is_err());
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    pub fn push_encoded(self, element: impl AsRef<[u8]>) -> Self {
        self.with(Encoded(element.as_ref()))
    }

    /// Encodes the bundle.
    ///
    /// # Errors
    /// Returns the error of the first element that could not be encoded, or an error if the bundle takes more than
    /// 2<sup>31</sup> - 1 bytes.
    pub fn build(self) -> Result<Bundle, EncodeError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Bundle::from_encoded(self.frame.freeze())),
        }
    }

    pub(super) fn encoded(&self) -> Result<&[u8], EncodeError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(&self.frame),
        }
    }
}

/// A time tag and elements that are not encoded yet.
pub(super) struct BundleOf<'a, E> {
    pub(super) time_tag: TimeTag,
    pub(super) elements: &'a [E],
}

/// Appends a bundle, or nothing on an error. Its elements are checked together with the enclosing packet.
pub(super) fn encode(
    dst: &mut BytesMut,
    time_tag: TimeTag,
    elements: &[impl IntoPacket],
) -> Result<(), EncodeError> {
    let start = dst.len();
    begin(dst, time_tag);
    let pushed = elements.iter().try_for_each(|element| push(dst, |dst| element.encode(dst)));
    if pushed.is_err() {
        dst.truncate(start);
    }
    pushed
}

#[inline]
fn begin(frame: &mut BytesMut, time_tag: TimeTag) {
    frame.extend_from_slice(&bundle_header(time_tag));
}

/// Appends an element and its size.
#[inline]
fn push(
    frame: &mut BytesMut,
    encode: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = frame.len();
    frame.extend_from_slice(&[0; 4]);
    encode(frame)?;
    if frame.len() > i32::MAX as usize {
        return Err(EncodeError::new(EncodeErrorKind::TooLarge, frame.len()));
    }
    // A writer that is not of this crate may have taken away what was there: then the sizes are wrong.
    let Some((prefix, element)) = frame.get_mut(start..).and_then(<[u8]>::split_first_chunk_mut) else {
        return Ok(());
    };
    #[expect(clippy::cast_possible_truncation, reason = "the size was checked")]
    let size = element.len() as u32;
    *prefix = size.to_be_bytes();
    Ok(())
}

/// Encoded bytes from the caller, which are checked like those of the caller's own types.
struct Encoded<'a>(&'a [u8]);

impl IntoPacket for Encoded<'_> {
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        dst.extend_from_slice(self.0);
        Ok(())
    }
}

/// A validated bundle in borrowed bytes.
///
/// ```
/// use tokio_osc::packet::{DecodeOptions, PacketRef};
/// use tokio_osc::TimeTag;
///
/// let bytes = b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0";
/// let (PacketRef::Bundle(bundle), _) = PacketRef::decode(bytes, &DecodeOptions::default())? else { unreachable!() };
/// assert_eq!(bundle.time_tag(), TimeTag::IMMEDIATELY);
/// assert_eq!(bundle.elements().count(), 1);
/// # Ok::<(), tokio_osc::packet::DecodeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct BundleRef<'a> {
    frame: &'a [u8],
    may_hold_unknown: bool,
}

impl<'a> BundleRef<'a> {
    /// For a frame that was validated as a bundle.
    #[inline]
    pub(super) fn from_parts(frame: &'a [u8], may_hold_unknown: bool) -> Self {
        Self { frame, may_hold_unknown }
    }

    pub(super) fn may_hold_unknown(self) -> bool {
        self.may_hold_unknown
    }

    /// Returns the time tag.
    pub fn time_tag(&self) -> TimeTag {
        split_bundle(self.frame).map_or(TimeTag::IMMEDIATELY, |(time_tag, _)| time_tag)
    }

    /// Returns the elements, in order. Messages with an unknown type tag are skipped, as OSC 1.0 requires.
    ///
    /// ```
    /// use tokio_osc::packet::PacketRef;
    /// use tokio_osc::Bundle;
    ///
    /// let bundle = Bundle::immediately().with(("/freq", 440.0_f32)).build()?;
    /// for element in bundle.as_ref().elements() {
    ///     if let PacketRef::Message(message) = element {
    ///         assert_eq!(message.address(), "/freq");
    ///     }
    /// }
    /// # Ok::<(), tokio_osc::packet::EncodeError>(())
    /// ```
    pub fn elements(&self) -> impl Iterator<Item = PacketRef<'a>> + Clone + use<'a> {
        self.iter()
    }

    fn iter(self) -> Elements<'a> {
        let rest = split_bundle(self.frame).map_or(&[][..], |(_, elements)| elements);
        Elements { rest, may_hold_unknown: self.may_hold_unknown }
    }

    /// Returns the bytes of the bundle.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.frame
    }

    /// Copies the bundle into a buffer of exactly its size.
    pub fn to_owned(&self) -> Bundle {
        Bundle::from_parts(Bytes::copy_from_slice(self.frame), self.may_hold_unknown)
    }
}

impl PartialEq for BundleRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.frame == other.frame
            || PacketWalk::new(PacketRef::Bundle(*self)).eq(PacketWalk::new(PacketRef::Bundle(*other)))
    }
}

impl Eq for BundleRef<'_> {}

impl fmt::Debug for BundleRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        brief(f, "Bundle", self)
    }
}

/// The elements of a bundle.
#[derive(Clone)]
struct Elements<'a> {
    rest: &'a [u8],
    may_hold_unknown: bool,
}

impl<'a> Iterator for Elements<'a> {
    type Item = PacketRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<PacketRef<'a>> {
        loop {
            let (element, rest) = split_element(self.rest)?;
            self.rest = rest;
            if element.starts_with(BUNDLE_NAME) {
                let may_hold_unknown = self.may_hold_unknown;
                return Some(PacketRef::Bundle(BundleRef { frame: element, may_hold_unknown }));
            }
            let message = MessageRef::of_validated(element);
            if !self.may_hold_unknown || message.is_known() {
                return Some(PacketRef::Message(message));
            }
        }
    }
}

impl std::iter::FusedIterator for Elements<'_> {}

/// An iterator over the elements of a bundle that owns the bundle. Returned by [`Bundle::into_elements`].
///
/// ```
/// use tokio_osc::{Bundle, Packet};
///
/// let bundle = Bundle::immediately().with(("/freq", 440.0_f32)).with(("/gate", true)).build()?;
/// let elements: Vec<Packet> = bundle.into_elements().collect();
/// assert_eq!(elements.len(), 2);
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct IntoElements {
    bundle: Bundle,
    /// The number of bytes at the end of the bundle that are not read yet.
    left: usize,
}

impl Iterator for IntoElements {
    type Item = Packet;

    // Inline, as what it uses: the packet would be moved several times.
    #[inline]
    fn next(&mut self) -> Option<Packet> {
        let frame = self.bundle.as_bytes();
        let rest = frame.get(frame.len().saturating_sub(self.left)..).unwrap_or_default();
        let mut elements = Elements { rest, may_hold_unknown: self.bundle.may_hold_unknown };
        let element = elements.next()?;
        self.left = elements.rest.len();
        // Not `share`, which would have to find out where the element lies.
        let end = frame.len().saturating_sub(self.left);
        let begin = end.saturating_sub(element.as_bytes().len());
        Some(element.in_frame(frame.slice(begin..end)))
    }
}

impl std::iter::FusedIterator for IntoElements {}
