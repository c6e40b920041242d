//! Routes in a tree of their parts.

use std::ops::Range;

use bytes::Bytes;

use super::RouteId;
use super::levels::{Levels, bits};
use super::names::Names;
use crate::pattern::{Part, Pattern, spans};

pub(super) type NodeId = usize;

const ROOT: NodeId = 0;

/// The parts of all routes; each way from the root to a node is the parts of its routes.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    names: Names,
    segments: Vec<(Bytes, NodeId)>,
    any: Option<NodeId>,
    descend: Option<NodeId>,
    routes: Vec<RouteId>,
}

/// Memory that a walk uses again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    spans: Vec<(Range<usize>, Kind)>,
    pending: Vec<(NodeId, Levels)>,
    children: Vec<(NodeId, u128)>,
    name: Vec<u8>,
}

/// What a [`Part`] is, without its text.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Literal,
    Any,
    Segment,
}

/// A path that stands before the tree: an address, or a pattern without `//`.
pub(super) struct Subject<'a> {
    text: &'a [u8],
    /// Which parts are no names, as bits.
    wild: u128,
    scratch: &'a mut Scratch,
}

impl<'a> Subject<'a> {
    /// `None` if it has more parts than any pattern can have.
    pub(super) fn address(text: &'a [u8], scratch: &'a mut Scratch) -> Option<Self> {
        Self::new(text, scratch, |_| Kind::Literal)
    }

    /// `None` if it has more parts than any pattern can have.
    pub(super) fn pattern(text: &'a [u8], scratch: &'a mut Scratch) -> Option<Self> {
        Self::new(text, scratch, |part| match Part::new(part) {
            Part::Literal(_) => Kind::Literal,
            Part::Any | Part::Descend => Kind::Any,
            Part::Segment(_) => Kind::Segment,
        })
    }

    fn new(text: &'a [u8], scratch: &'a mut Scratch, kind: impl Fn(&[u8]) -> Kind) -> Option<Self> {
        scratch.spans.clear();
        let mut wild = 0;
        for (level, span) in spans(text).enumerate() {
            if level == Pattern::MAX_PARTS {
                return None;
            }
            let kind = kind(text.get(span.clone())?);
            wild |= u128::from(!matches!(kind, Kind::Literal)) << level;
            scratch.spans.push((span, kind));
        }
        (!scratch.spans.is_empty()).then_some(Self { text, wild, scratch })
    }

    fn len(&self) -> usize {
        self.scratch.spans.len()
    }

    fn part(&self, level: usize) -> Part<'a> {
        let Some((span, kind)) = self.scratch.spans.get(level) else { return Part::Any };
        let text = self.text.get(span.clone()).unwrap_or_default();
        match kind {
            Kind::Literal => Part::Literal(text),
            Kind::Any => Part::Any,
            Kind::Segment => Part::Segment(text),
        }
    }

    /// Which of these parts a part of a route has a name in common with.
    fn sharing(&self, levels: u128, part: Part<'_>) -> u128 {
        let shared = bits(levels).filter(|&level| self.part(level).overlaps(part));
        shared.fold(0, |set, level| set | 1 << level)
    }

    fn go_to(&mut self, node: NodeId, taken: u128) {
        if taken != 0 {
            self.scratch.pending.push((node, Levels::behind(taken, self.scratch.spans.len())));
        }
    }

    /// Goes to the children that were found, to each once.
    fn gather(&mut self) {
        let mut children = std::mem::take(&mut self.scratch.children);
        children.sort_unstable();
        for same in children.chunk_by(|one, two| one.0 == two.0) {
            let taken = same.iter().fold(0, |set, (_, taken)| set | taken);
            if let Some(&(child, _)) = same.first() {
                self.go_to(child, taken);
            }
        }
        children.clear();
        self.scratch.children = children;
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], free: Vec::new() }
    }
}

impl Tree {
    pub(super) fn insert(&mut self, parts: &[Part<'_>], route: RouteId) {
        let mut at = ROOT;
        for &part in parts {
            at = match self.nodes.get(at).and_then(|node| node.child(part)) {
                Some(child) => child,
                None => self.add_child(at, part),
            };
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.routes.push(route);
        }
    }

    /// Takes a route out, with the nodes that only it needed.
    pub(super) fn remove(&mut self, parts: &[Part<'_>], route: RouteId) {
        let mut way = vec![ROOT];
        for &part in parts {
            let Some(child) = way.last().and_then(|&at| self.nodes.get(at)?.child(part)) else { return };
            way.push(child);
        }
        if let Some(node) = way.last().and_then(|&at| self.nodes.get_mut(at)) {
            node.routes.retain(|&other| other != route);
        }
        for (step, &part) in way.windows(2).zip(parts).rev() {
            let &[parent, child] = step else { return };
            if !self.nodes.get(child).is_some_and(Node::is_empty) {
                return;
            }
            self.free.push(child);
            if let Some(node) = self.nodes.get_mut(parent) {
                node.remove_child(part);
            }
        }
    }

    /// Adds the routes that the subject meets, in no order, each once.
    ///
    /// Each node is visited once, with the set of all levels at which it can be reached. Only below
    /// a `//` of a route is that more than one.
    pub(super) fn walk(&self, mut subject: Subject<'_>, routes: &mut Vec<RouteId>) {
        subject.scratch.pending.clear();
        subject.scratch.pending.push((ROOT, Levels::START));
        while let Some((at, levels)) = subject.scratch.pending.pop() {
            let Some(node) = self.nodes.get(at) else { continue };
            if levels.end {
                routes.extend_from_slice(&node.routes);
            }
            if let Some(descend) = node.descend {
                subject.scratch.pending.push((descend, levels.and_later(subject.len())));
            }
            let next = levels.next_parts();
            if next == 0 {
                continue;
            }
            if let Some(any) = node.any {
                subject.go_to(any, next);
            }
            for (segment, child) in &node.segments {
                let shared = subject.sharing(next, Part::Segment(segment));
                subject.go_to(*child, shared);
            }
            if node.names.len() > 0 {
                visit_names(&node.names, next, &mut subject);
            }
        }
    }

    /// How many nodes it has, and how many routes under its root.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.nodes.len() - self.free.len(), self.nodes.first().map_or(0, |root| root.routes.len()))
    }

    fn add_child(&mut self, parent: NodeId, part: Part<'_>) -> NodeId {
        let child = self.free.pop().unwrap_or(self.nodes.len());
        if child == self.nodes.len() {
            self.nodes.push(Node::default());
        }
        if let Some(node) = self.nodes.get_mut(parent) {
            match part {
                Part::Literal(name) => node.names.insert(name, child),
                Part::Segment(text) => node.segments.push((Bytes::copy_from_slice(text), child)),
                Part::Any => node.any = Some(child),
                Part::Descend => node.descend = Some(child),
            }
        }
        child
    }
}

/// Goes to the named children that meet one of the next parts: by a look-up for each name that these
/// stand for, as far as they say which, else by a look at each child.
fn visit_names(names: &Names, next: u128, subject: &mut Subject<'_>) {
    if next & subject.wild == 0 {
        for level in bits(next) {
            let Part::Literal(name) = subject.part(level) else { continue };
            if let Some(child) = names.get(name) {
                subject.scratch.children.push((child, 1 << level));
            }
        }
        return subject.gather();
    }
    let level = next.trailing_zeros() as usize;
    let alternatives = subject.part(level).alternatives().filter(|_| next.is_power_of_two());
    if let Some((before, list, behind)) = alternatives {
        for alternative in list {
            let name = &mut subject.scratch.name;
            name.clear();
            name.extend([before, alternative, behind].into_iter().flatten());
            if let Some(child) = names.get(name) {
                subject.scratch.children.push((child, next));
            }
        }
        return subject.gather();
    }
    for (name, child) in names.iter() {
        let shared = subject.sharing(next, Part::Literal(name));
        subject.go_to(child, shared);
    }
}

impl Node {
    fn child(&self, part: Part<'_>) -> Option<NodeId> {
        match part {
            Part::Literal(name) => self.names.get(name),
            Part::Segment(text) => {
                self.segments.iter().find(|(other, _)| other == text).map(|&(_, child)| child)
            }
            Part::Any => self.any,
            Part::Descend => self.descend,
        }
    }

    fn remove_child(&mut self, part: Part<'_>) {
        match part {
            Part::Literal(name) => self.names.remove(name),
            Part::Segment(text) => self.segments.retain(|(other, _)| other != text),
            Part::Any => self.any = None,
            Part::Descend => self.descend = None,
        }
    }

    fn is_empty(&self) -> bool {
        self.routes.is_empty()
            && self.names.len() == 0
            && self.segments.is_empty()
            && self.any.is_none()
            && self.descend.is_none()
    }
}
