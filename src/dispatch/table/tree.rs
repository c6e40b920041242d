//! Routes in a tree of their parts.

use super::RouteId;
use super::names::Names;
use super::segments::Segments;
use super::steps::Steps;
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
    routes: Vec<RouteId>,
    any: Option<NodeId>,
    descend: Option<NodeId>,
    names: Names,
    segments: Segments,
}

/// Levels of a path, as bits: the parts that come next.
type Levels = u128;

/// Memory that a walk uses again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    parts: Vec<Span>,
    pending: Vec<(NodeId, Levels)>,
    children: Vec<(NodeId, Levels)>,
    name: Vec<u8>,
}

/// Where a [`Part`] lies in its text.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Literal,
    Any,
    Segment,
}

/// A path that stands before the tree: an address, or a pattern without `//`.
pub(super) struct Subject<'a> {
    text: &'a [u8],
    parts: &'a [Span],
    /// The parts that are no names.
    wild: Levels,
}

impl<'a> Subject<'a> {
    /// `None` if it has more parts than any pattern can have.
    fn new(text: &'a [u8], parts: &'a mut Vec<Span>, kind: impl Fn(&[u8]) -> Kind) -> Option<Self> {
        parts.clear();
        let mut wild = 0;
        for (level, span) in spans(text).enumerate() {
            if level == Pattern::MAX_PARTS {
                return None;
            }
            let kind = kind(text.get(span.clone())?);
            wild |= Levels::from(kind != Kind::Literal) << level;
            parts.push(Span { start: span.start, end: span.end, kind });
        }
        (!parts.is_empty()).then_some(Self { text, parts, wild })
    }

    fn part(&self, level: usize) -> Part<'a> {
        let Some(&Span { start, end, kind }) = self.parts.get(level) else { return Part::Any };
        let text = self.text.get(start..end).unwrap_or_default();
        match kind {
            Kind::Literal => Part::Literal(text),
            Kind::Any => Part::Any,
            Kind::Segment => Part::Segment(text),
        }
    }

    /// At which of these levels a part of a route has a name in common with the subject.
    fn sharing(&self, levels: Levels, part: Part<'_>) -> Levels {
        let shared = bits(levels).filter(|&level| self.part(level).overlaps(part));
        shared.fold(0, |set, level| set | 1 << level)
    }
}

/// The places of the bits that are set, from the lowest.
fn bits(mut levels: Levels) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = levels.trailing_zeros() as usize;
        levels &= levels.checked_sub(1)?;
        Some(place)
    })
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

    /// Adds the routes that match a literal address, in no order, each once.
    pub(super) fn find(
        &self,
        address: &[u8],
        steps: &mut Steps,
        scratch: &mut Scratch,
        routes: &mut Vec<RouteId>,
    ) {
        let mut parts = std::mem::take(&mut scratch.parts);
        if let Some(subject) = Subject::new(address, &mut parts, |_| Kind::Literal) {
            self.walk(&subject, steps, scratch, routes);
        }
        scratch.parts = parts;
    }

    /// Adds the routes that share an address with a pattern without `//`, in no order, each once.
    pub(super) fn find_shared(
        &self,
        pattern: &[u8],
        steps: &mut Steps,
        scratch: &mut Scratch,
        routes: &mut Vec<RouteId>,
    ) {
        let kind = |part: &[u8]| match Part::new(part) {
            Part::Literal(_) => Kind::Literal,
            Part::Any | Part::Descend => Kind::Any,
            Part::Segment(_) => Kind::Segment,
        };
        let mut parts = std::mem::take(&mut scratch.parts);
        if let Some(subject) = Subject::new(pattern, &mut parts, kind) {
            self.walk(&subject, steps, scratch, routes);
        }
        scratch.parts = parts;
    }

    fn walk(
        &self,
        subject: &Subject<'_>,
        steps: &mut Steps,
        scratch: &mut Scratch,
        routes: &mut Vec<RouteId>,
    ) {
        scratch.pending.clear();
        let mut walk = Walk { tree: self, subject, steps, scratch, routes };
        walk.arrive(ROOT, 1, false);
        while let Some((at, levels)) = walk.scratch.pending.pop() {
            let Some(node) = self.nodes.get(at) else { continue };
            if let Some(any) = node.any {
                walk.go_to(any, levels);
            }
            if !node.segments.is_empty() {
                walk.visit_segments(&node.segments, levels);
            }
            if node.names.len() > 0 {
                walk.visit_names(&node.names, levels);
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
                Part::Segment(text) => node.segments.insert(text, child),
                Part::Any => node.any = Some(child),
                Part::Descend => node.descend = Some(child),
            }
        }
        child
    }
}

/// Visits each node once at most, with the set of all levels at which it is reached. Only below a
/// `//` of a route is that more than one.
struct Walk<'a> {
    tree: &'a Tree,
    subject: &'a Subject<'a>,
    steps: &'a mut Steps,
    scratch: &'a mut Scratch,
    routes: &'a mut Vec<RouteId>,
}

impl Walk<'_> {
    /// Goes to a child whose part was found at these levels.
    fn go_to(&mut self, child: NodeId, levels: Levels) {
        let last = 1 << (self.subject.parts.len() - 1);
        self.arrive(child, (levels & !last) << 1, levels & last != 0);
    }

    /// Arrives at a node before the parts of these levels, and maybe at the end of the path too. To
    /// arrive before a `//` is to arrive behind it, at the same level and at all later ones.
    fn arrive(&mut self, node: NodeId, levels: Levels, is_end: bool) {
        let (mut at, mut levels, mut is_end) = (node, levels, is_end);
        while let Some(node) = self.tree.nodes.get(at) {
            if !self.steps.look() {
                return;
            }
            if is_end {
                self.routes.extend_from_slice(&node.routes);
            }
            if levels != 0 && node.has_children() {
                self.scratch.pending.push((at, levels));
            }
            let Some(descend) = node.descend else { return };
            if levels != 0 {
                let all = Levels::MAX >> (Pattern::MAX_PARTS - self.subject.parts.len());
                levels = (levels | levels.wrapping_neg()) & all;
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
        for (text, child) in segments.iter() {
            if !self.steps.compare(self.subject.text, text) {
                return;
            }
            let shared = self.subject.sharing(levels, Part::Segment(text));
            if shared != 0 {
                self.go_to(child, shared);
            }
        }
    }

    /// By a look-up for each name that the parts stand for, as far as they say which, else by a look
    /// at each child.
    fn visit_names(&mut self, names: &Names, levels: Levels) {
        if let Some(level) = single(levels) {
            return self.visit_names_of(self.subject.part(level), names, levels);
        }
        if levels & self.subject.wild != 0 {
            for (name, child) in names.iter() {
                if !self.steps.compare(self.subject.text, name) {
                    return;
                }
                let shared = self.subject.sharing(levels, Part::Literal(name));
                if shared != 0 {
                    self.go_to(child, shared);
                }
            }
            return;
        }
        for level in bits(levels) {
            let Part::Literal(name) = self.subject.part(level) else { continue };
            self.scratch.children.extend(names.get(name).map(|child| (child, 1 << level)));
        }
        self.go_to_children();
    }

    fn visit_names_of(&mut self, part: Part<'_>, names: &Names, levels: Levels) {
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
                    for (name, child) in names.iter() {
                        if !self.steps.compare(text, name) {
                            return;
                        }
                        if part.matches(name) {
                            self.go_to(child, levels);
                        }
                    }
                    return;
                };
                for alternative in list.take_while(|_| self.steps.look()) {
                    let name = &mut self.scratch.name;
                    name.clear();
                    name.extend([before, alternative, behind].into_iter().flatten());
                    self.scratch.children.extend(names.get(name).map(|child| (child, levels)));
                }
                self.go_to_children();
            }
        }
    }

    /// Goes to the children that were gathered, to each once.
    fn go_to_children(&mut self) {
        let mut children = std::mem::take(&mut self.scratch.children);
        children.sort_unstable();
        for same in children.chunk_by(|one, two| one.0 == two.0) {
            let levels = same.iter().fold(0, |set, (_, levels)| set | levels);
            if let Some(&(child, _)) = same.first() {
                self.go_to(child, levels);
            }
        }
        children.clear();
        self.scratch.children = children;
    }
}

/// The level, if it is only one.
fn single(levels: Levels) -> Option<usize> {
    levels.is_power_of_two().then(|| levels.trailing_zeros() as usize)
}

impl Node {
    fn child(&self, part: Part<'_>) -> Option<NodeId> {
        match part {
            Part::Literal(name) => self.names.get(name),
            Part::Segment(text) => self.segments.get(text),
            Part::Any => self.any,
            Part::Descend => self.descend,
        }
    }

    fn remove_child(&mut self, part: Part<'_>) {
        match part {
            Part::Literal(name) => self.names.remove(name),
            Part::Segment(text) => self.segments.remove(text),
            Part::Any => self.any = None,
            Part::Descend => self.descend = None,
        }
    }

    /// Whether there are any but the one behind `//`.
    fn has_children(&self) -> bool {
        self.names.len() > 0 || self.any.is_some() || !self.segments.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.descend.is_none() && !self.has_children()
    }
}
