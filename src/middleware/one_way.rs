//! A layer for one direction.

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::packet::{EncodeError, Meta, Packet};
use crate::wire::DecodeError;

/// A layer for what arrives: what [`Middleware::only_in`] returns.
///
/// ```
/// use tokio_osc::{AllowedTypeTags, Middleware, TypeTagSet};
///
/// let layer = AllowedTypeTags::new(TypeTagSet::of("ifsb").expect("four type tags")).only_in();
/// # drop(layer);
/// ```
#[derive(Clone, Debug)]
pub struct OnlyIn<M>(pub(super) M);

/// A layer for what is sent: what [`Middleware::only_out`] returns.
///
/// ```
/// use tokio_osc::{AllowedTypeTags, Middleware, TypeTagSet};
///
/// let layer = AllowedTypeTags::new(TypeTagSet::of("ifsb").expect("four type tags")).only_out();
/// # drop(layer);
/// ```
#[derive(Clone, Debug)]
pub struct OnlyOut<M>(pub(super) M);

impl<M: Middleware> Middleware for OnlyIn<M> {
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        self.0.frame_in(frame, meta)
    }

    fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        self.0.packet_in(packet, meta)
    }
}

impl<M: Middleware> Middleware for OnlyOut<M> {
    fn packet_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        self.0.packet_out(packet, meta)
    }

    fn frame_out(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        self.0.frame_out(frame, meta)
    }
}
