//! Which routes an address means.
//!
//! A literal address finds literal routes by one hash of the whole address, and routes that are
//! patterns through a tree of their parts. What the tree says of the address of a literal route is
//! kept with that route until the routes change. An incoming pattern walks that tree and another
//! one of the literal routes. One with `//` in it looks at the literal routes that end in its last
//! name, or in one that its last part matches.
//!
//! Whatever comes in, each node of a tree is visited once at most, nothing recurses, and nothing is
//! kept of an address that is no route. Each look-up has an allowance of steps, and ends when they
//! are spent.

mod names;
mod segments;
mod steps;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::HashMap;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::pattern::{Part, Pattern, overlap};
use steps::Steps;
use tree::Tree;

/// Routes by address. `T` is what a route leads to.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Option<Route<T>>>,
    free: Vec<usize>,
    next: u64,
    /// The literal routes: by address, by last name, and by their parts.
    addresses: HashMap<Bytes, Known>,
    endings: HashMap<Bytes, Vec<RouteId>>,
    literals: Tree,
    /// The others: by their parts, and in order.
    patterns: Tree,
    wild: Vec<RouteId>,
}

/// The routes of the address of a literal route.
#[derive(Clone, Debug, Default)]
struct Known {
    literal: Vec<RouteId>,
    /// With those that are patterns, once somebody asked: one id for each that matches.
    all: OnceLock<Box<[RouteId]>>,
}

/// Names a route of a table. In the order in which the routes were added; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RouteId {
    order: u64,
    slot: usize,
}

#[derive(Clone, Debug)]
struct Route<T> {
    id: RouteId,
    pattern: Pattern,
    reach: Reach,
    value: T,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The addresses of the pattern.
    Exact,
    /// Those and all below them.
    Below,
    /// None.
    Nothing,
}

/// The routes that a look-up found, in the order in which they were added. To be used again and
/// again: it keeps its memory.
#[derive(Debug, Default)]
pub(crate) struct Found {
    ids: Vec<RouteId>,
    steps: Steps,
    scratch: tree::Scratch,
    panicked: usize,
}

impl Found {
    pub(crate) fn ids(&self) -> &[RouteId] {
        &self.ids
    }

    fn start(&mut self) {
        self.ids.clear();
        self.steps.start();
    }

    /// Allows the look-ups to come so many steps in all.
    pub(crate) fn allow(&mut self, steps: usize) {
        self.steps = Steps::new(steps);
    }

    /// Whether the last look-up needed more steps than were left. What it found is not all.
    pub(crate) fn is_spent(&self) -> bool {
        self.steps.is_spent()
    }

    /// Keeps the routes of which this says so. One that panicked is not kept, but counted.
    pub(crate) fn retain<E>(&mut self, keep: impl Fn(RouteId) -> Result<bool, E>) {
        let panicked = &mut self.panicked;
        self.ids.retain(|&id| {
            keep(id).unwrap_or_else(|_| {
                *panicked += 1;
                false
            })
        });
    }

    /// How many routes were not kept because they panicked, since the last time.
    pub(crate) fn take_panicked(&mut self) -> usize {
        std::mem::take(&mut self.panicked)
    }

    /// Makes this all that was found.
    pub(crate) fn set(&mut self, ids: impl IntoIterator<Item = RouteId>) {
        self.ids.clear();
        self.ids.extend(ids);
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            next: 0,
            addresses: HashMap::new(),
            endings: HashMap::new(),
            literals: Tree::default(),
            patterns: Tree::default(),
            wild: Vec::new(),
        }
    }
}

impl<T> Table<T> {
    /// Adds a route for the addresses of the pattern. Routes with the same pattern all match.
    pub(crate) fn insert(&mut self, pattern: Pattern, value: T) -> RouteId {
        self.add(pattern, Reach::Exact, value)
    }

    /// Adds a route for the addresses of the pattern and all below: `/test` matches `/test` and
    /// `/test/here`, not `/testing`. An empty last part says nothing: `/` is every address.
    pub(crate) fn insert_prefix(&mut self, pattern: Pattern, value: T) -> RouteId {
        self.add(pattern, Reach::Below, value)
    }

    /// Adds a route that no look-up finds.
    pub(crate) fn insert_unlisted(&mut self, pattern: Pattern, value: T) -> RouteId {
        self.place(pattern, Reach::Nothing, value)
    }

    /// Adds a route with the reach that another one has.
    pub(crate) fn insert_reaching(&mut self, pattern: Pattern, reach: Reach, value: T) -> RouteId {
        self.add(pattern, reach, value)
    }

    /// The routes that look-ups find, in the order in which they were added.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&Pattern, Reach, &T)> {
        let mut routes: Vec<_> = self.slots.iter().flatten().collect();
        routes.sort_unstable_by_key(|route| route.id);
        let listed = routes.into_iter().filter(|route| route.reach != Reach::Nothing);
        listed.map(|route| (&route.pattern, route.reach, &route.value))
    }

    /// Takes a route out; `None` if it is gone already.
    pub(crate) fn remove(&mut self, id: RouteId) -> Option<T> {
        self.route(id)?;
        let route = self.slots.get_mut(id.slot)?.take()?;
        self.free.push(id.slot);
        if route.reach == Reach::Nothing {
            return Some(route.value);
        }
        if let Some(name) = route.last_name() {
            self.unlist_literal(&route, name);
        } else {
            self.patterns.remove(&route.parts(), id);
            self.wild.retain(|&other| other != id);
            self.forget_known();
        }
        Some(route.value)
    }

    /// What a route leads to; `None` if it was removed.
    pub(crate) fn get(&self, id: RouteId) -> Option<&T> {
        self.route(id).map(|route| &route.value)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, id: RouteId) -> Option<&mut T> {
        let route = self.slots.get_mut(id.slot)?.as_mut()?;
        (route.id == id).then_some(&mut route.value)
    }

    #[cfg(test)]
    pub(crate) fn pattern(&self, id: RouteId) -> Option<&Pattern> {
        self.route(id).map(|route| &route.pattern)
    }

    /// How many routes there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Finds the routes of a literal address. For the address of a literal route this is one hash,
    /// but for the first time after a change.
    pub(crate) fn find(&self, address: &[u8], found: &mut Found) {
        found.start();
        let Some(known) = self.addresses.get(address) else {
            return self.find_patterns(address, found);
        };
        if let Some(all) = known.all.get() {
            return found.ids.extend_from_slice(all);
        }
        found.ids.extend_from_slice(&known.literal);
        if !self.wild.is_empty() {
            self.find_patterns(address, found);
            if !found.is_spent() {
                known.all.get_or_init(|| Box::from(found.ids()));
            }
        }
    }

    fn find_patterns(&self, address: &[u8], found: &mut Found) {
        if !self.wild.is_empty() {
            let Found { ids, steps, scratch, .. } = found;
            self.patterns.find(address, steps, scratch, ids);
            found.ids.sort_unstable();
        }
    }

    /// Finds the routes that share an address with a pattern.
    pub(crate) fn find_shared(&self, pattern: &Pattern, found: &mut Found) {
        if pattern.is_literal() {
            return self.find(pattern.as_bytes(), found);
        }
        found.start();
        if !pattern.is_satisfiable() {
            return;
        }
        let pattern = pattern.with_single_stars();
        if pattern.parts().any(|part| part == Part::Descend) {
            self.find_descending(&pattern, &mut found.steps, &mut found.ids);
        } else {
            let Found { ids, steps, scratch, .. } = found;
            self.literals.find_shared(pattern.as_bytes(), steps, scratch, ids);
            self.patterns.find_shared(pattern.as_bytes(), steps, scratch, ids);
        }
        found.ids.sort_unstable();
    }

    fn find_descending(&self, pattern: &Pattern, steps: &mut Steps, ids: &mut Vec<RouteId>) {
        let last = pattern.parts().last().unwrap_or(Part::Any);
        if let Part::Literal(name) = last {
            self.add_sharing(pattern, self.endings.get(name).into_iter().flatten(), steps, ids);
        } else {
            for (name, ending) in &self.endings {
                if steps.compare(pattern.as_bytes(), name) && last.matches(name) {
                    self.add_sharing(pattern, ending, steps, ids);
                }
            }
        }
        let mut may_compare = |route: &&Route<T>| steps.compare(pattern.as_bytes(), route.pattern.as_bytes());
        let wild = self.wild.iter().filter_map(|&id| self.route(id)).take_while(&mut may_compare);
        ids.extend(wild.filter(|route| overlap(pattern.parts(), &route.parts())).map(|route| route.id));
    }

    /// Adds those of these literal routes whose address a pattern matches.
    fn add_sharing<'a>(
        &self,
        pattern: &Pattern,
        literal: impl IntoIterator<Item = &'a RouteId>,
        steps: &mut Steps,
        ids: &mut Vec<RouteId>,
    ) {
        for route in literal.into_iter().filter_map(|&id| self.route(id)) {
            let address = route.pattern.as_bytes();
            if !steps.compare(pattern.as_bytes(), address) {
                return;
            }
            if pattern.matches_bytes(address) {
                ids.push(route.id);
            }
        }
    }

    fn add(&mut self, pattern: Pattern, reach: Reach, value: T) -> RouteId {
        let id = self.place(pattern, reach, value);
        let Some(route) = self.slots.get_mut(id.slot).and_then(Option::take) else { return id };
        if let Some(name) = route.last_name() {
            self.list_literal(&route, name);
        } else if route.pattern.is_satisfiable() {
            self.patterns.insert(&route.parts(), id);
            self.wild.push(id);
            self.forget_known();
        }
        self.slots[id.slot] = Some(route);
        id
    }

    /// Gives a route its place, without making it known.
    fn place(&mut self, pattern: Pattern, reach: Reach, value: T) -> RouteId {
        let id = RouteId { order: self.next, slot: self.free.pop().unwrap_or(self.slots.len()) };
        self.next += 1;
        let route = Some(Route { id, pattern, reach, value });
        match self.slots.get_mut(id.slot) {
            Some(slot) => *slot = route,
            None => self.slots.push(route),
        }
        id
    }

    fn list_literal(&mut self, route: &Route<T>, last_name: &[u8]) {
        self.literals.insert(&route.parts(), route.id);
        self.endings.entry(Bytes::copy_from_slice(last_name)).or_default().push(route.id);
        let known = self.addresses.entry(route.pattern.clone().into_bytes()).or_default();
        known.literal.push(route.id);
        known.all = OnceLock::new();
    }

    fn unlist_literal(&mut self, route: &Route<T>, last_name: &[u8]) {
        self.literals.remove(&route.parts(), route.id);
        if let Some(ids) = self.endings.get_mut(last_name) {
            ids.retain(|&other| other != route.id);
            if ids.is_empty() {
                self.endings.remove(last_name);
            }
        }
        if let Some(known) = self.addresses.get_mut(route.pattern.as_bytes()) {
            known.literal.retain(|&other| other != route.id);
            known.all = OnceLock::new();
            if known.literal.is_empty() {
                self.addresses.remove(route.pattern.as_bytes());
            }
        }
    }

    fn forget_known(&mut self) {
        for known in self.addresses.values_mut() {
            known.all = OnceLock::new();
        }
    }

    fn route(&self, id: RouteId) -> Option<&Route<T>> {
        self.slots.get(id.slot)?.as_ref().filter(|route| route.id == id)
    }
}

impl<T> Route<T> {
    /// Whether it stands for one address.
    fn is_literal(&self) -> bool {
        self.reach == Reach::Exact && self.pattern.is_literal()
    }

    /// Of a route that stands for one address.
    fn last_name(&self) -> Option<&[u8]> {
        match self.pattern.parts().last() {
            Some(Part::Literal(name)) if self.is_literal() => Some(name),
            _ => None,
        }
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts: Vec<Part<'_>> = self.pattern.parts().collect();
        if self.reach == Reach::Below {
            if parts.last() == Some(&Part::Literal(b"")) {
                parts.pop();
            }
            parts.push(Part::Descend);
        }
        parts
    }
}
