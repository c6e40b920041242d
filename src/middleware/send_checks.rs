//! Checks outgoing packets by the rules for incoming ones.

use super::{Flow, Middleware, not_accepted};
use crate::packet::{EncodeError, Meta, Packet, PacketRef};
use crate::wire::DecodeOptions;

/// A layer that checks outgoing packets by the rules for incoming ones: everything that [`DecodeOptions`] can
/// check, from the characters of addresses and texts to type tags and limits. A packet that a receiver with these
/// options would not accept is refused, and the error names the reason and the place. Incoming packets pass.
///
/// Layers that were added before it may still change what it has checked, such as a
/// [`Transcode`](crate::middleware::Transcode).
///
/// ```
/// use tokio_osc::middleware::SendChecks;
/// use tokio_osc::packet::{AddressPolicy, DecodeOptions, TextPolicy};
/// use tokio_osc::Udp;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Udp::new("127.0.0.1:0").bind().await?;
/// let rules = DecodeOptions::default()
///     .address_policy(AddressPolicy::Pattern)            // the characters of OSC 1.0
///     .text_policy(TextPolicy::Ascii);
/// let client = Udp::new(device.local_addr()?).middleware(SendChecks::new(rules)).client().await?;
///
/// client.send(("/track/1/name", "Bass")).await?;
/// assert!(client.send(("/track/1/name", "Bässe")).await.is_err());
/// assert!(client.send(("/track 1/name", "Bass")).await.is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SendChecks {
    options: DecodeOptions,
}

impl SendChecks {
    /// Checks by these options.
    pub const fn new(options: DecodeOptions) -> Self {
        Self { options }
    }
}

impl Middleware for SendChecks {
    fn packet_out(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        PacketRef::decode(packet.as_bytes(), &self.options).map_err(not_accepted)?;
        Ok(Flow::Pass(packet))
    }
}
