//! Only certain types of arguments.

use super::convert::convert;
use super::{Flow, Middleware};
use crate::packet::{EncodeError, Meta, Packet, PacketRef};
use crate::types::TypeTagSet;
use crate::wire::{DecodeError, DecodeOptions};

/// A layer that refuses packets with arguments of other types than these, on the way in and on the
/// way out: for receivers that know no others, and senders that should use no others. In
/// osc4py3: `restrict_typetags`.
///
/// ```text
///   2f 67 61 69 6e 00 00 00   2c 66 00 00   3f 00 00 00      "/gain" ",f" 0.5     passes "ifsb"
///   2f 67 61 69 6e 00 00 00   2c 64 00 00   3f e0 … 00       "/gain" ",d" 0.5     refused
/// ```
///
/// One such argument anywhere in a bundle refuses all of it. A packet to be sent is refused with
/// [`EncodeErrorKind::NotAccepted`](crate::packet::EncodeErrorKind::NotAccepted), one that arrives is an error
/// item; for the latter alone, [`DecodeOptions::allowed_type_tags`] costs less.
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
    /// Of which only the type tags can be missed: the packets are packets.
    options: DecodeOptions,
    allowed: TypeTagSet,
    converts: bool,
}

impl AllowedTypeTags {
    /// A layer that lets these pass. Brackets count: a set without `[` and `]` has no arrays.
    pub fn new(allowed: TypeTagSet) -> Self {
        Self { options: DecodeOptions::unlimited().allowed_type_tags(allowed), allowed, converts: false }
    }

    /// Converts what is sent, where nothing is lost or rounding is what is meant, and refuses the rest with an
    /// error that names the argument.
    ///
    /// | from | to | if |
    /// | --- | --- | --- |
    /// | double (`d`) | float (`f`) | it is not too large; it is rounded |
    /// | 64 bits (`h`) | 32 bits (`i`) | it fits |
    /// | `T`, `F` | 1, 0 (`i`) | |
    /// | symbol (`S`) | string (`s`) | |
    ///
    /// ```
    /// use tokio_osc::middleware::AllowedTypeTags;
    /// use tokio_osc::packet::TypeTagSet;
    /// use tokio_osc::{Channel, Udp};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let mut channel = Channel::udp("127.0.0.1:0").await?;
    /// let plain = AllowedTypeTags::new(TypeTagSet::of("ifsb").expect("four type tags")).converting();
    /// let client = Udp::new(channel.local_addr()?).middleware(plain).client().await?;
    /// client.send(("/gain", (0.5, true))).await?;
    /// let (packet, _) = channel.recv().await.expect("the channel is open");
    /// assert_eq!(packet?.to_string(), "/gain ,fi 0.5 1");
    ///
    /// let error = client.send(("/id", (7, i64::MAX))).await.unwrap_err();
    /// println!("{error}");    // argument 1: its type is not allowed, and its value has no equal in one that is
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub const fn converting(mut self) -> Self {
        self.converts = true;
        self
    }
}

impl Middleware for AllowedTypeTags {
    fn packet_in(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        PacketRef::decode(packet.as_bytes(), &self.options)?;
        Ok(Flow::Pass(packet))
    }

    fn packet_out(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        match packet.check(&self.options) {
            Err(_) if self.converts => Ok(Flow::Pass(convert(&packet, self.allowed)?)),
            checked => checked.map(|()| Flow::Pass(packet)),
        }
    }
}
