//! A walk over bytes that may be a packet, without recursion.
//!
//! ```text
//! #bundle …  0000000c  /a …      00000018  #bundle …  …    <not an element>
//! Bundle     Size      Message   Size      Bundle     End  Rest              End
//! ```

use super::layout::{BUNDLE_HEADER, split_bundle, split_element};
use crate::types::TimeTag;

/// A step of a walk.
#[derive(Clone, Copy)]
pub(crate) enum WireStep<'a> {
    /// A bundle begins: its name and its time tag.
    Bundle(TimeTag),
    /// The size of an element, which is the next step.
    Size(usize),
    /// A message, or other bytes that are not a bundle.
    Message(&'a [u8]),
    /// The bytes at the end of a bundle that are not an element.
    Rest(&'a [u8]),
    /// The innermost open bundle ends.
    End,
}

/// The steps of a packet in the order of its bytes. Nothing is validated: the bytes may come
/// from a peer, and all of them are a part of some step.
pub(crate) struct WireWalk<'a> {
    frame: &'a [u8],
    at: usize,
    /// The end of the packet that begins at `at`: of the whole, or of an element whose size was read.
    entering: Option<usize>,
    /// Where the open bundles end, the innermost last. On the heap: depth is the sender's choice.
    ends: Vec<usize>,
}

impl<'a> WireWalk<'a> {
    pub(crate) fn new(frame: &'a [u8]) -> Self {
        Self { frame, at: 0, entering: Some(frame.len()), ends: Vec::new() }
    }

    /// Where the next step begins.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// The bundles that are open.
    pub(super) fn depth(&self) -> usize {
        self.ends.len()
    }

    /// Gives up the element whose size was the last step, and returns the rest of its bundle, the size
    /// included.
    pub(super) fn give_up(&mut self) -> &'a [u8] {
        self.entering = None;
        let end = self.ends.last().copied().unwrap_or(self.at);
        let rest = self.frame.get(self.at.saturating_sub(4)..end).unwrap_or_default();
        self.at = end;
        rest
    }

    /// The packet that begins here.
    fn enter(&mut self, end: usize) -> WireStep<'a> {
        let packet = self.frame.get(self.at..end).unwrap_or_default();
        if let Some((time_tag, _)) = split_bundle(packet) {
            self.at = self.at.saturating_add(BUNDLE_HEADER);
            self.ends.push(end);
            return WireStep::Bundle(time_tag);
        }
        self.at = end;
        WireStep::Message(packet)
    }
}

impl<'a> Iterator for WireWalk<'a> {
    type Item = WireStep<'a>;

    fn next(&mut self) -> Option<WireStep<'a>> {
        if let Some(end) = self.entering.take() {
            return Some(self.enter(end));
        }
        let end = *self.ends.last()?;
        let rest = self.frame.get(self.at..end).unwrap_or_default();
        if rest.is_empty() {
            self.ends.pop();
            return Some(WireStep::End);
        }
        let Some((element, _)) = split_element(rest) else {
            self.at = end;
            return Some(WireStep::Rest(rest));
        };
        self.at = self.at.saturating_add(4);
        self.entering = Some(self.at.saturating_add(element.len()));
        Some(WireStep::Size(element.len()))
    }
}
