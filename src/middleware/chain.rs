//! The layers of a channel, in order.

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::lock::lock;
use crate::packet::{EncodeError, Meta, Packet, Peer};
use crate::user_function::UserFunction;
use crate::wire::{DecodeError, DecodeOptions};

/// The layers between the wire and the packets. The first one is next to the wire. Clones share the layers
/// and their counters.
#[derive(Clone)]
pub(crate) struct Chain {
    layers: Vec<Arc<dyn Middleware>>,
    filtered: Arc<Mutex<FilterStats>>,
    user: Arc<UserFunction>,
}

/// Counts packets that a channel or client dropped or refused for another reason than being malformed: empty
/// frames, and packets stopped by [`Middleware`]. Returned by
/// [`Outlet::filtered`](crate::channel::Outlet::filtered) and [`Client::filtered`](crate::Client::filtered).
///
/// ```
/// use tokio_osc::middleware::{Flow, on_packet_out};
/// use tokio_osc::{Channel, Client, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let mute = on_packet_out(|_, _| Flow::Drop);
/// let client = Udp::new(channel.local_addr()?).middleware(mute).client().await?;
/// client.send(("/scene", 3)).await?;
/// assert_eq!(client.filtered().dropped_out, 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterStats {
    /// Empty frames received on byte streams ([`LengthPrefix`](crate::LengthPrefix)). They are skipped.
    pub empty_in: u64,
    /// Incoming packets that were [dropped](Flow::Drop). No handler received them.
    pub dropped_in: u64,
    /// Incoming packets that were refused. Each became an error item.
    pub refused_in: u64,
    /// Incoming packets dropped because a layer panicked. (A panic on an outgoing packet refuses it.)
    pub panicked_in: u64,
    /// Outgoing packets that were [dropped](Flow::Drop). The sender got no error.
    pub dropped_out: u64,
    /// Outgoing packets that were refused. The sender got the error.
    pub refused_out: u64,
}

impl FilterStats {
    /// The reason for refusing an outgoing packet at which a layer panicked: the text of
    /// [`EncodeErrorKind::Refused`](crate::packet::EncodeErrorKind::Refused).
    pub const PANICKED: &str = "a layer of the middleware panicked";
}

impl Default for Chain {
    fn default() -> Self {
        let user = Arc::new(UserFunction::new("Middleware"));
        Self { layers: Vec::new(), filtered: Arc::default(), user }
    }
}

impl Chain {
    pub(crate) fn push(&mut self, layer: impl Middleware) {
        self.layers.push(Arc::new(layer));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The same layers, with counters of their own.
    pub(crate) fn counting_anew(&self) -> Self {
        Self { layers: self.layers.clone(), ..Self::default() }
    }

    /// Decodes a frame, through all layers. `None` if a layer dropped it. Repairs of the decoder are recorded
    /// in `meta`.
    pub(crate) fn read(
        &self,
        frame: Bytes,
        meta: &mut Meta,
        options: &DecodeOptions,
    ) -> Result<Option<Packet>, DecodeError> {
        if self.is_empty() {
            // The common case. It must not pay for `catch_unwind` and the calls of layers.
            return decode(frame, meta, options).map(Some);
        }
        // All layers see the frame before it is decoded, so that a layer near the wire may change bytes for
        // the decoder.
        let Flow::Pass(frame) = self.judge_in(frame, |layer, frame| layer.frame_in(frame, meta))? else {
            return Ok(None);
        };
        // A malformed packet is the peer's fault: it is counted by the channel, not as a verdict of the
        // middleware.
        let packet = decode(frame, meta, options)?;
        let Flow::Pass(packet) = self.judge_in(packet, |layer, packet| layer.packet_in(packet, meta))? else {
            return Ok(None);
        };
        Ok(Some(packet))
    }

    /// Decodes a frame without a [`Meta`], for channels without layers.
    pub(crate) fn read_packet(
        &self,
        frame: Bytes,
        peer: Peer,
        options: &DecodeOptions,
    ) -> Result<Option<Packet>, DecodeError> {
        if self.is_empty() {
            return Packet::decode_with(frame, options).map(|(packet, _)| Some(packet));
        }
        self.read(frame, &mut Meta::from_peer(peer), options)
    }

    /// Encodes a packet for a peer, through all layers. `None` if a layer dropped it.
    pub(crate) fn write(&self, packet: Packet, peer: Peer) -> Result<Option<Bytes>, EncodeError> {
        if self.is_empty() {
            return Ok(Some(packet.into_bytes()));
        }
        // One call around all layers: if one panics, the rest of the stack has not seen the packet, so it
        // must not be sent.
        let passed = self.user.call(|| self.frame_out(packet, &mut Meta::from_peer(peer)));
        match passed.unwrap_or_else(|_| Err(EncodeError::refused(FilterStats::PANICKED))) {
            Ok(Flow::Pass(frame)) => Ok(Some(frame)),
            Ok(Flow::Drop) => {
                self.count(|filtered| &mut filtered.dropped_out);
                Ok(None)
            }
            Err(error) => {
                self.count(|filtered| &mut filtered.refused_out);
                Err(error)
            }
        }
    }

    pub(crate) fn note_empty(&self) {
        self.count(|filtered| &mut filtered.empty_in);
    }

    pub(crate) fn filtered(&self) -> FilterStats {
        *lock(&self.filtered)
    }

    /// Counts a packet that was stopped. Packets that pass take no lock.
    fn count(&self, counter: fn(&mut FilterStats) -> &mut u64) {
        *counter(&mut lock(&self.filtered)) += 1;
    }

    fn frame_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        // The reverse order makes the layers an onion: the layer next to the wire is the first to see input
        // and the last to see output.
        let layers = || self.layers.iter().rev();
        match through(layers(), packet, |layer, packet| layer.packet_out(packet, meta))? {
            Flow::Pass(packet) => {
                through(layers(), packet.into_bytes(), |layer, frame| layer.frame_out(frame, meta))
            }
            Flow::Drop => Ok(Flow::Drop),
        }
    }

    /// Counts the verdict of the layers on an incoming packet.
    fn judge_in<T>(
        &self,
        arrived: T,
        layer: impl FnMut(&dyn Middleware, T) -> Result<Flow<T>, DecodeError>,
    ) -> Result<Flow<T>, DecodeError> {
        // An incoming packet has no sender that could get an error, so a panic drops it.
        let Ok(judgement) = self.user.call(|| through(self.layers.iter(), arrived, layer)) else {
            self.count(|filtered| &mut filtered.panicked_in);
            return Ok(Flow::Drop);
        };
        match &judgement {
            Ok(Flow::Pass(_)) => {}
            Ok(Flow::Drop) => self.count(|filtered| &mut filtered.dropped_in),
            Err(_) => self.count(|filtered| &mut filtered.refused_in),
        }
        judgement
    }
}

/// Passes a value from layer to layer, until one of them drops or refuses it.
fn through<'a, T, E>(
    layers: impl Iterator<Item = &'a Arc<dyn Middleware>>,
    mut value: T,
    mut pass: impl FnMut(&dyn Middleware, T) -> Result<Flow<T>, E>,
) -> Result<Flow<T>, E> {
    for layer in layers {
        match pass(&**layer, value)? {
            Flow::Pass(next) => value = next,
            Flow::Drop => return Ok(Flow::Drop),
        }
    }
    Ok(Flow::Pass(value))
}

fn decode(frame: Bytes, meta: &mut Meta, options: &DecodeOptions) -> Result<Packet, DecodeError> {
    let (packet, repairs) = Packet::decode_with(frame, options)?;
    meta.set_repairs(repairs);
    Ok(packet)
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("layers", &self.layers.len()).finish_non_exhaustive()
    }
}
