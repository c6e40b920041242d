//! Restricts the types of arguments.

use std::convert::Infallible;

use bytes::Bytes;

use super::{Flow, Middleware, not_accepted};
use crate::packet::{EncodeError, Meta, Packet, PacketRef};
use crate::types::{TypeTag, TypeTagSet};
use crate::wire::{DecodeError, DecodeOptions, FieldKind, Fields, rewrite};

/// A layer that restricts argument types in both directions, for receivers that know only some of them.
/// Packets with other types are refused, or converted with [`converting`](AllowedTypeTags::converting). The
/// name in osc4py3 is `restrict_typetags`.
///
/// ```text
///   2f 67 61 69 6e 00 00 00   2c 66 00 00   3f 00 00 00      "/gain" ",f" 0.5     passes "ifsb"
///   2f 67 61 69 6e 00 00 00   2c 64 00 00   3f e0 … 00       "/gain" ",d" 0.5     refused
/// ```
///
/// One argument of another type anywhere in a bundle refuses the whole bundle. Sending it fails with
/// [`EncodeErrorKind::NotAccepted`](crate::packet::EncodeErrorKind::NotAccepted). An incoming packet becomes
/// an error item; if only incoming packets are restricted, [`DecodeOptions::allowed_type_tags`] costs less.
///
/// ```
/// use tokio_osc::middleware::AllowedTypeTags;
/// use tokio_osc::packet::{DecodeErrorKind, EncodeErrorKind, TypeTag, TypeTagSet};
/// use tokio_osc::Udp;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let plain = TypeTagSet::of("ifsb").expect("four type tags");
/// let client = Udp::new("127.0.0.1:9000").middleware(AllowedTypeTags::new(plain)).client().await?;
/// client.send(("/gain", 0.5_f32)).await?;
///
/// let error = client.send(("/gain", 0.5_f64)).await.unwrap_err();
/// let error = error.encode_error().expect("it was not sent");
/// let not_allowed = DecodeErrorKind::TypeTagNotAllowed(TypeTag::Float64);
/// assert_eq!(error.kind(), EncodeErrorKind::NotAccepted(not_allowed));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AllowedTypeTags {
    /// Accepts everything except other type tags: the packets are valid already.
    options: DecodeOptions,
    converts: bool,
}

impl AllowedTypeTags {
    /// Creates a layer that allows these types. Brackets are type tags too: a set without `[` and `]` allows
    /// no arrays.
    pub fn new(allowed: TypeTagSet) -> Self {
        Self { options: DecodeOptions::unlimited().allowed_type_tags(allowed), converts: false }
    }

    /// Converts arguments of other types to allowed types, if nothing is lost except precision:
    ///
    /// | from | to |
    /// |------|----|
    /// | `d` | `f`, rounded; not from finite to infinite |
    /// | `h` | `i`, if it fits |
    /// | `T`, `F` | `i`: 1, 0 |
    /// | `S` | `s` |
    ///
    /// Other conversions refuse the packet, as without this option. The offset of the error is an offset in
    /// the packet as far as it was converted.
    ///
    /// ```
    /// use tokio_osc::middleware::AllowedTypeTags;
    /// use tokio_osc::packet::TypeTagSet;
    /// use tokio_osc::Udp;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let device = Udp::new("127.0.0.1:0").bind().await?;
    /// let plain = TypeTagSet::of("ifsb").expect("four type tags");
    /// let layer = AllowedTypeTags::new(plain).converting();
    /// let client = Udp::new(device.local_addr()?).middleware(layer).client().await?;
    ///
    /// client.send(("/gain", 0.5)).await?;               // `0.5` alone is an `f64`: type tag `d`
    /// # use futures::StreamExt;
    /// # let mut device = device;
    /// let (packet, _) = device.next().await.expect("the channel is open");
    /// assert_eq!(packet?.to_string(), "/gain ,f 0.5");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn converting(self) -> Self {
        Self { converts: true, ..self }
    }

    /// Converts or checks the packet.
    fn allow(&self, packet: Packet) -> Result<Packet, DecodeError> {
        match PacketRef::decode(packet.as_bytes(), &self.options) {
            Ok(_) => Ok(packet),
            Err(error) if !self.converts => Err(error),
            // Refuses the types that could not be converted.
            Err(_) => {
                Packet::decode_with(self.turned(packet.as_bytes()), &self.options).map(|(packet, _)| packet)
            }
        }
    }

    /// Converts the arguments where that is possible.
    fn turned(&self, frame: &[u8]) -> Bytes {
        let allowed =
            |tag| TypeTag::from_byte(tag).is_none_or(|tag| self.options.allowed_type_tags.contains(tag));
        let Ok(turned) = rewrite(frame, |message: &[u8], _, out: &mut Vec<u8>| {
            // One type tag becomes one other type tag. The string keeps its size, so it can be changed in
            // place while the data are written behind it.
            let mut tag_at = 0;
            for field in Fields::new(message) {
                let begin = out.len();
                let FieldKind::Arg(tag) = field.kind else {
                    out.extend_from_slice(field.bytes);
                    // The last field without data before the arguments is the type tag string; its first tag
                    // follows the comma.
                    tag_at = begin + 1;
                    continue;
                };
                // An allowed type is never converted, even if its target is allowed too.
                let other = if allowed(tag) { None } else { turn(tag, field.bytes, out) };
                match (other, out.get_mut(tag_at)) {
                    (Some(other), Some(slot)) => *slot = other,
                    _ => out.extend_from_slice(field.bytes),
                }
                tag_at += 1;
            }
            Ok::<(), Infallible>(())
        });
        turned
    }
}

/// Appends the argument, converted to another type, and returns its type tag. `None` if the conversion would
/// lose too much.
fn turn(tag: u8, data: &[u8], out: &mut Vec<u8>) -> Option<u8> {
    let (other, turned) = match tag {
        b'd' => (b'f', narrow(f64::from_be_bytes(*data.first_chunk()?))?.to_be_bytes()),
        b'h' => (b'i', i32::try_from(i64::from_be_bytes(*data.first_chunk()?)).ok()?.to_be_bytes()),
        b'T' | b'F' => (b'i', i32::from(tag == b'T').to_be_bytes()),
        b'S' => {
            out.extend_from_slice(data);
            return Some(b's');
        }
        _ => return None,
    };
    out.extend_from_slice(&turned);
    Some(other)
}

#[expect(clippy::cast_possible_truncation, reason = "rounding is what is promised")]
fn narrow(wide: f64) -> Option<f32> {
    let narrow = wide as f32;
    // Infinity stays infinity. A finite number that becomes infinite would be another value, not a rounded
    // one.
    (narrow.is_finite() || !wide.is_finite()).then_some(narrow)
}

impl Middleware for AllowedTypeTags {
    fn packet_in(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        self.allow(packet).map(Flow::Pass)
    }

    fn packet_out(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        self.allow(packet).map(Flow::Pass).map_err(not_accepted)
    }
}
