//! Routes in a tree of their parts.

use super::RouteId;
use super::names::{Names, NodeId};
use super::segments::Segments;
use crate::pattern::Part;

pub(super) const ROOT: NodeId = 0;

/// The parts of all routes. Each path from the root to a node is the list of parts of its routes.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) routes: Vec<RouteId>,
    pub(super) any: Option<NodeId>,
    pub(super) descend: Option<NodeId>,
    pub(super) names: Names,
    pub(super) segments: Segments,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], free: Vec::new() }
    }
}

impl Tree {
    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The routes of `//`, which also matches addresses without a slash.
    pub(super) fn of_every_address(&self) -> &[RouteId] {
        let node = self.child(ROOT, Part::Descend).and_then(|below| self.child(below, Part::Any));
        node.and_then(|node| self.node(node)).map_or(&[], |node| &node.routes)
    }

    pub(super) fn insert(&mut self, parts: &[Part<'_>], route: RouteId) {
        let mut at = ROOT;
        for &part in parts {
            at = match self.child(at, part) {
                Some(child) => child,
                None => self.add_child(at, part),
            };
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.routes.push(route);
        }
    }

    /// Removes a route, with the nodes that only it needed.
    pub(super) fn remove(&mut self, parts: &[Part<'_>], route: RouteId) {
        let mut path = vec![ROOT];
        for &part in parts {
            let Some(child) = path.last().and_then(|&at| self.child(at, part)) else { return };
            path.push(child);
        }
        if let Some(node) = path.last().and_then(|&at| self.nodes.get_mut(at)) {
            node.routes.retain(|&other| other != route);
        }
        for (step, &part) in path.windows(2).zip(parts).rev() {
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

    /// The number of nodes, and of routes at the root.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.nodes.len() - self.free.len(), self.nodes.first().map_or(0, |root| root.routes.len()))
    }

    fn child(&self, at: NodeId, part: Part<'_>) -> Option<NodeId> {
        self.nodes.get(at)?.child(part)
    }

    fn add_child(&mut self, parent: NodeId, part: Part<'_>) -> NodeId {
        let child = self.free.pop().unwrap_or(self.nodes.len());
        if child == self.nodes.len() {
            self.nodes.push(Node::default());
        }
        if let Some(node) = self.nodes.get_mut(parent) {
            node.add_child(part, child);
        }
        child
    }
}

impl Node {
    /// Returns `true` if a child consumes one name: all except the one after `//`.
    pub(super) fn has_children(&self) -> bool {
        self.names.len() > 0 || self.any.is_some() || !self.segments.is_empty()
    }

    fn child(&self, part: Part<'_>) -> Option<NodeId> {
        match part {
            Part::Literal(name) => self.names.get(name),
            Part::Segment(text) => self.segments.get(text),
            Part::Any => self.any,
            Part::Descend => self.descend,
        }
    }

    fn add_child(&mut self, part: Part<'_>, child: NodeId) {
        match part {
            Part::Literal(name) => self.names.insert(name, child),
            Part::Segment(text) => self.segments.insert(text, child),
            Part::Any => self.any = Some(child),
            Part::Descend => self.descend = Some(child),
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

    fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.descend.is_none() && !self.has_children()
    }
}
