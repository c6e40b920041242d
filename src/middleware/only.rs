//! A layer for some directions and peers.

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::packet::{EncodeError, Meta, Packet, Peer};
use crate::wire::DecodeError;

/// The direction of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

/// Applies a layer to some directions and peers. Other packets bypass it.
pub(super) struct Only<M, F> {
    layer: M,
    applies: F,
}

impl<M, F: Fn(Direction, Peer) -> bool> Only<M, F> {
    pub(super) fn new(layer: M, applies: F) -> Self {
        Self { layer, applies }
    }
}

macro_rules! where_it_applies {
    ($($way:ident $method:ident($value:ty) $error:ty,)*) => {
        impl<M: Middleware, F: Fn(Direction, Peer) -> bool + Send + Sync + 'static> Middleware for Only<M, F> {$(
            fn $method(&self, value: $value, meta: &mut Meta) -> Result<Flow<$value>, $error> {
                if (self.applies)(Direction::$way, meta.peer) {
                    self.layer.$method(value, meta)
                } else {
                    Ok(Flow::Pass(value))
                }
            }
        )*}
    };
}

where_it_applies! {
    In frame_in(Bytes) DecodeError,
    In packet_in(Packet) DecodeError,
    Out packet_out(Packet) EncodeError,
    Out frame_out(Bytes) EncodeError,
}
