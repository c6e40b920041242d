//! A packet and all that is in it as a flat sequence, without recursion.

use super::{Elements, MessageRef, PacketRef};
use crate::types::TimeTag;

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
    first: Option<PacketRef<'a>>,
    open: Vec<Elements<'a>>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(packet: PacketRef<'a>) -> Self {
        Self { first: Some(packet), open: Vec::new() }
    }

    fn enter(&mut self, packet: PacketRef<'a>) -> Step<'a> {
        match packet {
            PacketRef::Message(message) => Step::Message(message),
            PacketRef::Bundle(bundle) => {
                self.open.push(bundle.elements());
                Step::Begin(bundle.time_tag())
            }
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        if let Some(packet) = self.first.take() {
            return Some(self.enter(packet));
        }
        if let Some(element) = self.open.last_mut()?.next() {
            return Some(self.enter(element));
        }
        self.open.pop();
        Some(Step::End)
    }
}
