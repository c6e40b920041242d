//! A layer for certain peers.

use std::fmt;

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::packet::{EncodeError, Meta, Packet, Peer};
use crate::wire::DecodeError;

/// A layer for certain peers: what [`Middleware::only_for`] returns.
///
/// ```
/// use tokio_osc::{AllowedTypeTags, Middleware, TypeTagSet};
///
/// let plain = AllowedTypeTags::new(TypeTagSet::of("ifsb").expect("four type tags"));
/// let layer = plain.only_for(|peer| peer.ip().is_some_and(|ip| !ip.is_loopback()));
/// # drop(layer);
/// ```
pub struct OnlyFor<M, P> {
    layer: M,
    peers: P,
}

impl<M, P> OnlyFor<M, P> {
    pub(super) fn new(layer: M, peers: P) -> Self {
        Self { layer, peers }
    }
}

impl<M, P> Middleware for OnlyFor<M, P>
where
    M: Middleware,
    P: Fn(Peer) -> bool + Send + Sync + 'static,
{
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        if (self.peers)(meta.peer) { self.layer.frame_in(frame, meta) } else { Ok(Flow::Pass(frame)) }
    }

    fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        if (self.peers)(meta.peer) { self.layer.packet_in(packet, meta) } else { Ok(Flow::Pass(packet)) }
    }

    fn packet_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        if (self.peers)(meta.peer) { self.layer.packet_out(packet, meta) } else { Ok(Flow::Pass(packet)) }
    }

    fn frame_out(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        if (self.peers)(meta.peer) { self.layer.frame_out(frame, meta) } else { Ok(Flow::Pass(frame)) }
    }
}

impl<M: fmt::Debug, P> fmt::Debug for OnlyFor<M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnlyFor").field(&self.layer).finish()
    }
}
