//! The middleware of a channel, in its order.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::packet::{EncodeError, Meta, Packet};
use crate::wire::{DecodeError, DecodeOptions};

/// The layers between the wire and the packets, the first one next to the wire. Clones share them
/// and what they have counted.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    layers: Vec<Arc<dyn Middleware>>,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Counters {
    dropped_in: AtomicU64,
    dropped_out: AtomicU64,
}

impl Chain {
    pub(crate) fn push(&mut self, layer: impl Middleware) {
        self.layers.push(Arc::new(layer));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// From a frame to a packet; `None` if a layer has dropped it. What was tolerated is noted in
    /// `meta`.
    pub(crate) fn read(
        &self,
        mut frame: Bytes,
        meta: &mut Meta,
        options: &DecodeOptions,
    ) -> Result<Option<Packet>, DecodeError> {
        for layer in &self.layers {
            let Flow::Pass(next) = layer.frame_in(frame, meta)? else { return Ok(self.dropped_in()) };
            frame = next;
        }
        let (mut packet, repairs) = Packet::decode_with(frame, options)?;
        meta.repairs = repairs;
        for layer in &self.layers {
            let Flow::Pass(next) = layer.packet_in(packet, meta)? else { return Ok(self.dropped_in()) };
            packet = next;
        }
        Ok(Some(packet))
    }

    /// From a packet to a frame; `None` if a layer has dropped it.
    pub(crate) fn write(&self, mut packet: Packet, meta: &mut Meta) -> Result<Option<Bytes>, EncodeError> {
        for layer in self.layers.iter().rev() {
            let Flow::Pass(next) = layer.packet_out(packet, meta)? else { return Ok(self.dropped_out()) };
            packet = next;
        }
        let mut frame = packet.as_bytes().clone();
        for layer in self.layers.iter().rev() {
            let Flow::Pass(next) = layer.frame_out(frame, meta)? else { return Ok(self.dropped_out()) };
            frame = next;
        }
        Ok(Some(frame))
    }

    fn dropped_in<T>(&self) -> Option<T> {
        self.counters.dropped_in.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn dropped_out<T>(&self) -> Option<T> {
        self.counters.dropped_out.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("layers", &self.layers.len()).finish_non_exhaustive()
    }
}
