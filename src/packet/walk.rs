//! A walk through a packet and all bundles in it, without recursion.

use super::{MessageRef, PacketRef};
use crate::types::TimeTag;
use crate::wire::{WireStep, WireWalk};

/// A step of a walk through a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PacketStep<'a> {
    Message(MessageRef<'a>),
    /// A bundle begins.
    Begin(TimeTag),
    /// The innermost open bundle ends.
    End,
}

/// An iterator over the steps of a packet.
pub(crate) struct PacketWalk<'a> {
    steps: WireWalk<'a>,
    may_hold_unknown: bool,
}

impl<'a> PacketWalk<'a> {
    pub(crate) fn new(packet: PacketRef<'a>) -> Self {
        let may_hold_unknown = matches!(packet, PacketRef::Bundle(bundle) if bundle.may_hold_unknown());
        Self { steps: WireWalk::new(packet.as_bytes()), may_hold_unknown }
    }
}

impl<'a> Iterator for PacketWalk<'a> {
    type Item = PacketStep<'a>;

    fn next(&mut self) -> Option<PacketStep<'a>> {
        let may_hold_unknown = self.may_hold_unknown;
        self.steps.find_map(|step| match step {
            WireStep::Bundle(tag) => Some(PacketStep::Begin(tag)),
            WireStep::Message(bytes) => {
                let message = MessageRef::of_validated(bytes);
                (!may_hold_unknown || message.is_known()).then_some(PacketStep::Message(message))
            }
            WireStep::End => Some(PacketStep::End),
            WireStep::Size(_) | WireStep::Rest(_) => None,
        })
    }
}
