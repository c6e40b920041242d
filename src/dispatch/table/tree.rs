//! Routes in a tree of their parts.

use super::RouteId;
use super::children::{Children, NodeId};
use crate::pattern::Part;

pub(super) const ROOT: NodeId = 0;

/// The parts of all routes; each path from the root to a node is the parts of its routes.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) routes: Vec<RouteId>,
    pub(super) children: Children,
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

    /// Takes a route out, with the nodes that only it needed.
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
                node.children.remove(part);
            }
        }
    }

    /// How many nodes it has, and how many routes under its root.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.nodes.len() - self.free.len(), self.nodes.first().map_or(0, |root| root.routes.len()))
    }

    fn child(&self, at: NodeId, part: Part<'_>) -> Option<NodeId> {
        self.nodes.get(at)?.children.get(part)
    }

    fn add_child(&mut self, parent: NodeId, part: Part<'_>) -> NodeId {
        let child = self.free.pop().unwrap_or(self.nodes.len());
        if child == self.nodes.len() {
            self.nodes.push(Node::default());
        }
        if let Some(node) = self.nodes.get_mut(parent) {
            node.children.insert(part, child);
        }
        child
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.children.descend.is_none() && !self.children.stand_for_a_name()
    }
}
