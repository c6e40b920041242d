//! A packet and all that is in it as a flat sequence, without recursion.

use super::{MessageRef, PacketRef};
use crate::types::TimeTag;
use crate::wire::{WireStep, WireWalk};

/// What is met on a walk through a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Message(MessageRef<'a>),
    /// A bundle begins.
    Begin(TimeTag),
    /// The innermost open bundle ends.
    End,
}

/// An iterator over the steps of a packet.
pub(crate) struct Walk<'a> {
    steps: WireWalk<'a>,
    may_hold_unknown: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(packet: PacketRef<'a>) -> Self {
        let may_hold_unknown = matches!(packet, PacketRef::Bundle(bundle) if bundle.may_hold_unknown());
        Self { steps: WireWalk::new(packet.as_bytes()), may_hold_unknown }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let may_hold_unknown = self.may_hold_unknown;
        self.steps.find_map(|step| match step {
            WireStep::Bundle(tag) => Some(Step::Begin(tag)),
            WireStep::Message(bytes) => {
                let message = MessageRef::of_validated(bytes);
                (!may_hold_unknown || message.is_known()).then_some(Step::Message(message))
            }
            WireStep::End => Some(Step::End),
            WireStep::Size(_) | WireStep::Rest(_) => None,
        })
    }
}
