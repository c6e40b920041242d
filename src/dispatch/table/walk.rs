//! The walk of a path through the tree of routes.
//!
//! A state is a node and the set of levels that the path may have reached there. Example: the routes
//! `/a/*/c` and `//c`, the path `/a/b/c` with the levels 0, 1, 2 and its end:
//!
//! ```text
//! root {0} ──a──► {1} ──*──► {2} ──c──► {end}      the route /a/*/c
//!     └───//───► {0,1,2,end} ──c──► {end}          the route //c
//! ```
//!
//! After a `//` the path may be at any level from its own on, so all those levels go on together,
//! as one set of bits. That is what keeps the walk linear: a node has one parent, so it is reached
//! once, with all its levels, and not once for each. A walk with one level at a time would visit
//! a chain of `//a//a//a` as often as there are ways to place its parts on the path.
//!
//! Nothing recurses: nodes still to be visited are on a list, so that no route and no path can use
//! up the stack.

use super::RouteId;
use super::names::{Names, NodeId};
use super::segments::Segments;
use super::steps::Steps;
use super::subject::{Levels, Span, Subject, bits, single};
use super::tree::{ROOT, Tree};
use crate::pattern::{Part, Pattern};

/// Memory that a walk uses again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    parts: Vec<Span>,
    work: Work,
}

#[derive(Debug, Default)]
struct Work {
    pending: Vec<(NodeId, Levels)>,
    gathered: Vec<(NodeId, Levels)>,
    name: Vec<u8>,
}

/// Adds the routes that match a name, in no order, each once.
pub(super) fn find(
    tree: &Tree,
    address: &[u8],
    steps: &mut Steps,
    scratch: &mut Scratch,
    found: &mut Vec<RouteId>,
) {
    if !address.starts_with(b"/") {
        found.extend_from_slice(tree.of_every_address());
        return;
    }
    let Scratch { parts, work } = scratch;
    if let Some(subject) = Subject::of_address(address, parts) {
        Walk { tree, subject, steps, work, found, recent: Vec::new() }.run();
    }
}

/// Adds the routes that share an address with a pattern without `//`, in no order, each once.
pub(super) fn find_shared(
    tree: &Tree,
    pattern: &Pattern,
    steps: &mut Steps,
    scratch: &mut Scratch,
    found: &mut Vec<RouteId>,
) {
    let Scratch { parts, work } = scratch;
    if let Some(subject) = Subject::of_pattern(pattern, parts) {
        Walk { tree, subject, steps, work, found, recent: Vec::new() }.run();
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    subject: Subject<'a>,
    steps: &'a mut Steps,
    work: &'a mut Work,
    found: &'a mut Vec<RouteId>,
    /// Which names the parts of some levels matched lately. Routes that differ in one name mostly have the same
    /// few names below it: those are compared once, not once for each route.
    recent: Vec<(usize, &'a [u8], bool)>,
}

/// Names that are remembered, and names of a node up to which it is worth it.
const RECENT: usize = 8;

impl<'a> Walk<'a> {
    fn run(&mut self) {
        self.work.pending.clear();
        self.arrive(ROOT, 1, false);
        let tree = self.tree;
        while let Some((at, levels)) = self.work.pending.pop() {
            let Some(node) = tree.node(at) else { continue };
            if let Some(any) = node.any {
                self.go_to(any, levels);
            }
            if !node.segments.is_empty() {
                self.visit_segments(&node.segments, levels);
            }
            if node.names.len() > 0 {
                self.visit_names(&node.names, levels);
            }
        }
    }

    /// Goes to a child whose part was found at these levels.
    fn go_to(&mut self, child: NodeId, levels: Levels) {
        let last = self.subject.last();
        self.arrive(child, (levels & !last) << 1, levels & last != 0);
    }

    /// Arrives at a node before the parts of these levels, and maybe at the end of the path too. To
    /// arrive before a `//` is to arrive behind it, at the same level and at all later ones.
    fn arrive(&mut self, node: NodeId, levels: Levels, is_end: bool) {
        let (mut at, mut levels, mut is_end) = (node, levels, is_end);
        let tree = self.tree;
        while let Some(node) = tree.node(at) {
            if !self.steps.look() {
                return;
            }
            if is_end {
                self.found.extend_from_slice(&node.routes);
            }
            if levels != 0 && node.has_children() {
                self.work.pending.push((at, levels));
            }
            let Some(descend) = node.descend else { return };
            if levels != 0 {
                // The lowest bit and all above it: `wrapping_neg` sets those above.
                levels = (levels | levels.wrapping_neg()) & self.subject.all();
                is_end = true;
            }
            at = descend;
        }
    }

    fn visit_segments(&mut self, segments: &Segments, levels: Levels) {
        if let Some(Part::Literal(name)) = single(levels).map(|level| self.subject.part(level)) {
            for (text, child) in segments.beginning_like(name) {
                if !self.steps.compare(text, name) {
                    return;
                }
                if Part::Segment(text).matches(name) {
                    self.go_to(child, levels);
                }
            }
            return;
        }
        self.visit_sharing(segments.iter(), Part::Segment, levels);
    }

    /// By a look-up for each name that the parts stand for, as far as they say which, else by a look
    /// at each child.
    fn visit_names(&mut self, names: &'a Names, levels: Levels) {
        if let Some(level) = single(levels) {
            return self.visit_names_of(level, names, levels);
        }
        if self.subject.is_wild(levels) {
            return self.visit_sharing(names.iter(), Part::Literal, levels);
        }
        for level in bits(levels) {
            let Part::Literal(name) = self.subject.part(level) else { continue };
            self.work.gathered.extend(names.get(name).map(|child| (child, 1 << level)));
        }
        self.go_to_gathered();
    }

    fn visit_names_of(&mut self, level: usize, names: &'a Names, levels: Levels) {
        let part = self.subject.part(level);
        match part {
            Part::Literal(name) => {
                if let Some(child) = names.get(name) {
                    self.go_to(child, levels);
                }
            }
            Part::Any | Part::Descend => {
                for (_, child) in names.iter() {
                    self.go_to(child, levels);
                }
            }
            Part::Segment(text) => {
                let Some((before, list, behind)) = part.alternatives() else {
                    // Not `visit_sharing`: one level and plain names need no look at the kinds.
                    for (name, child) in names.iter() {
                        let known = self.recent.iter().find(|known| (known.0, known.1) == (level, name));
                        let matches = if let Some(&(_, _, matches)) = known {
                            self.steps.look() && matches
                        } else {
                            self.steps.compare(text, name)
                                && self.matches_and_remember(level, name, names.len())
                        };
                        if self.steps.is_spent() {
                            return;
                        }
                        if matches {
                            self.go_to(child, levels);
                        }
                    }
                    return;
                };
                for alternative in list.take_while(|_| self.steps.look()) {
                    let name = &mut self.work.name;
                    name.clear();
                    name.extend([before, alternative, behind].into_iter().flatten());
                    self.work.gathered.extend(names.get(name).map(|child| (child, levels)));
                }
                self.go_to_gathered();
            }
        }
    }

    fn matches_and_remember(&mut self, level: usize, name: &'a [u8], names: usize) -> bool {
        let matches = self.subject.part(level).matches(name);
        if names <= RECENT {
            // The oldest gives way: those of the same level come one after the other.
            self.recent.truncate(RECENT - 1);
            self.recent.insert(0, (level, name, matches));
        }
        matches
    }

    /// Goes to those of these children that have a name in common with the parts of the path.
    fn visit_sharing<'b>(
        &mut self,
        children: impl Iterator<Item = (&'b [u8], NodeId)>,
        part: impl Fn(&'b [u8]) -> Part<'b>,
        levels: Levels,
    ) {
        let own = self.subject.text_of(levels);
        for (text, child) in children {
            if !self.steps.compare(own, text) {
                return;
            }
            let shared = self.subject.sharing(levels, part(text));
            if shared != 0 {
                self.go_to(child, shared);
            }
        }
    }

    /// Goes to the children that were gathered, to each once: two levels or two alternatives may
    /// have led to the same one.
    fn go_to_gathered(&mut self) {
        let mut children = std::mem::take(&mut self.work.gathered);
        children.sort_unstable();
        for same in children.chunk_by(|one, two| one.0 == two.0) {
            let levels = same.iter().fold(0, |set, (_, levels)| set | levels);
            if let Some(&(child, _)) = same.first() {
                self.go_to(child, levels);
            }
        }
        children.clear();
        self.work.gathered = children;
    }
}
