//! Which routes an address means.
//!
//! ```text
//! incoming            is looked up in
//! ─────────────────── ──────────────────────────────────────────────────────────────────────────
//! name                `literals`, by one hash of the whole address; on a miss
//!                     `tree`, by its parts. What that finds for the address of a literal route
//!                     is kept with the route, until a pattern is added or removed
//! pattern without //  `tree`, by its parts, along all names that a part matches
//! pattern with //     `endings`: the literal routes that end in its last name, or in one that its
//!                     last part matches; and `wild`: each of the other routes
//! ```
//!
//! The tree does not serve a `//` that comes in: it would be walked from every node, which takes
//! seven times as long as a look at each route. By the last name it takes a fifth of that look.
//!
//! A name is a literal address, what is not a valid pattern or has no slash, and the address of an exact
//! route: that stands in `literals` alone, where no pattern finds it.
//!
//! The hash comes before any look at the shape of an address, because what it holds is a name by then: a
//! literal route's address holds no character of a pattern, and an exact route says so. Its keys are random, as peers choose what is looked up, and
//! names that come from peers may become routes (`LiveRoutes`): with known keys, addresses could be
//! made to collide.
//!
//! Whatever comes in, each node of the tree is visited once at most, nothing recurses, and nothing is
//! kept of an address that is not a route. Each look-up has an allowance of steps, and ends when they
//! are spent.

mod names;
mod segments;
mod steps;
mod subject;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

use std::sync::OnceLock;

use bytes::Bytes;
use foldhash::HashMap;

use crate::pattern::{Part, Pattern, overlap};
use steps::Steps;
use tree::Tree;

/// Endings up to which each is compared with the last part of a pattern before its other parts.
const FEW_ENDINGS: usize = 8;

/// Routes by address. `T` is what a route leads to.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Option<Route<T>>>,
    free: Vec<usize>,
    next: u64,
    /// The routes that stand for one address, by that address.
    literals: HashMap<Bytes, Known>,
    /// All routes but the exact ones, by their parts.
    tree: Tree,
    /// The literal routes that are not exact, by the last name of their address.
    endings: HashMap<Bytes, Vec<RouteId>>,
    /// The others. Without any, the tree has nothing to add to what the hash says of an address.
    wild: Vec<RouteId>,
    /// Those of bundles, which are few: each is looked at.
    bundles: Vec<RouteId>,
}

/// The routes of the address of a literal route.
#[derive(Clone, Debug, Default)]
struct Known {
    literal: Vec<RouteId>,
    /// With those that are patterns, after the first look-up: one id for each that matches.
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
    /// Those and all below: `/test` matches `/test` and `/test/here`, not `/testing`.
    Below,
    /// None: no look-up finds it.
    Nothing,
    /// Bundles whose first message is at an address of the pattern: no look-up of a message finds it.
    Bundle,
}

/// The routes that a look-up found, in the order in which they were added. To be used again and
/// again: it keeps its memory.
#[derive(Debug, Default)]
pub(crate) struct Found {
    ids: Vec<RouteId>,
    steps: Steps,
    scratch: walk::Scratch,
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

    /// Sets how many steps all look-ups to come may take together.
    pub(crate) fn allow(&mut self, steps: usize) {
        self.steps = Steps::new(steps);
    }

    /// Runs a look-up that may take at most this many of the steps that are left. Returns the number it took.
    pub(crate) fn within<R>(&mut self, most: usize, look_up: impl FnOnce(&mut Self) -> R) -> (R, usize) {
        let left = self.steps.left();
        self.steps = Steps::new(left.min(most));
        let found = look_up(self);
        let used = left.min(most) - self.steps.left();
        self.steps.set_left(left - used);
        (found, used)
    }

    /// Whether the last look-up needed more steps than were left. What it found is not all.
    pub(crate) fn is_spent(&self) -> bool {
        self.steps.is_spent()
    }

    /// Keeps the routes for which this returns true. A route whose predicate panicked is not kept, but counted.
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
            literals: HashMap::default(),
            tree: Tree::default(),
            endings: HashMap::default(),
            wild: Vec::new(),
            bundles: Vec::new(),
        }
    }
}

impl<T> Table<T> {
    /// Adds a route for the addresses of the pattern. Routes with the same pattern all match.
    #[cfg(test)]
    pub(crate) fn insert(&mut self, pattern: Pattern, value: T) -> RouteId {
        self.insert_reaching(pattern, Reach::Exact, value)
    }

    /// Adds a route with this reach.
    pub(crate) fn insert_reaching(&mut self, pattern: Pattern, reach: Reach, value: T) -> RouteId {
        let id = RouteId { order: self.next, slot: self.free.pop().unwrap_or(self.slots.len()) };
        self.next += 1;
        let route = Route { id, pattern, reach, value };
        if route.is_literal() {
            let known = self.literals.entry(route.pattern.clone().into_bytes()).or_default();
            known.literal.push(id);
            known.all = OnceLock::new();
        }
        if route.is_in_tree() {
            self.tree.insert(&route.parts(), id);
            if route.is_literal() {
                let ending = Bytes::copy_from_slice(route.last_name());
                self.endings.entry(ending).or_default().push(id);
            } else {
                self.wild.push(id);
                self.forget_known();
            }
        }
        if route.reach == Reach::Bundle {
            self.bundles.push(id);
        }
        match self.slots.get_mut(id.slot) {
            Some(slot) => *slot = Some(route),
            None => self.slots.push(Some(route)),
        }
        id
    }

    /// Takes a route out; `None` if it is gone already.
    pub(crate) fn remove(&mut self, id: RouteId) -> Option<T> {
        let route = self.slots.get_mut(id.slot)?.take_if(|route| route.id == id)?;
        self.free.push(id.slot);
        self.bundles.retain(|&other| other != id);
        if route.is_literal() {
            self.forget_literal(&route);
        }
        if route.is_in_tree() {
            self.tree.remove(&route.parts(), id);
            if !route.is_literal() {
                self.wild.retain(|&other| other != id);
                self.forget_known();
            }
        }
        Some(route.value)
    }

    /// What a route leads to; `None` if it was removed.
    pub(crate) fn get(&self, id: RouteId) -> Option<&T> {
        self.route(id).map(|route| &route.value)
    }

    /// How many routes there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The routes that have a reach, in the order in which they were added.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&Pattern, Reach, &T)> {
        let mut routes: Vec<_> = self.slots.iter().flatten().collect();
        routes.sort_unstable_by_key(|route| route.id);
        let reaching = routes.into_iter().filter(|route| route.reach != Reach::Nothing);
        reaching.map(|route| (&route.pattern, route.reach, &route.value))
    }

    /// Finds the routes of an address by the hash alone; whether it knows all of them.
    pub(crate) fn find_known(&self, address: &[u8], found: &mut Found) -> bool {
        found.start();
        let known = self.known(address);
        found.ids.extend_from_slice(known.unwrap_or_default());
        known.is_some()
    }

    /// The routes of an address, if it is that of a literal route and nothing has changed since the
    /// last look-up: one hash, nothing copied, and no need to know the shape of the address.
    pub(crate) fn known(&self, address: &[u8]) -> Option<&[RouteId]> {
        let known = self.literals.get(address)?;
        if self.wild.is_empty() { Some(&known.literal) } else { known.all.get().map(|all| &**all) }
    }

    /// Finds the routes of an address that is a name.
    pub(crate) fn find(&self, address: &[u8], found: &mut Found) {
        if self.find_known(address, found) || self.wild.is_empty() {
            return;
        }
        let Found { ids, steps, scratch, .. } = found;
        walk::find(&self.tree, address, steps, scratch, ids);
        let Some(known) = self.literals.get(address) else { return ids.sort_unstable() };
        // The tree has no exact routes.
        ids.extend_from_slice(&known.literal);
        ids.sort_unstable();
        ids.dedup();
        // Only for the addresses of routes: an entry for each address that comes in would let peers
        // fill the memory.
        if !steps.is_spent() {
            known.all.get_or_init(|| Box::from(&**ids));
        }
    }

    /// Finds the routes that share an address with a pattern.
    pub(crate) fn find_shared(&self, pattern: &Pattern, found: &mut Found) {
        // An exact route says that its bytes are a name, whatever they mean in a pattern.
        if pattern.is_literal() || self.literals.contains_key(pattern.as_bytes()) {
            return self.find(pattern.as_bytes(), found);
        }
        found.start();
        if !pattern.is_satisfiable() {
            return;
        }
        let pattern = pattern.with_single_stars();
        let Found { ids, steps, scratch, .. } = found;
        if pattern.parts().any(|part| part == Part::Descend) {
            self.find_descending(&pattern, steps, ids);
        } else if self.may_end_like(&pattern, steps) {
            walk::find_shared(&self.tree, &pattern, steps, scratch, ids);
        }
        ids.sort_unstable();
    }

    /// Whether a route ends in a name that the last part of a pattern stands for, as far as that is quickly known:
    /// if not, none of its parts need be looked at. Sets of devices have few endings.
    fn may_end_like(&self, pattern: &Pattern, steps: &mut Steps) -> bool {
        let Some(last) = pattern.parts().last().filter(|_| self.wild.is_empty()) else { return true };
        let ends = |name: &Bytes| steps.compare(pattern.as_bytes(), name) && last.matches(name);
        self.endings.len() > FEW_ENDINGS || self.endings.keys().any(ends)
    }

    /// Whether there are routes of bundles.
    pub(crate) fn has_bundles(&self) -> bool {
        !self.bundles.is_empty()
    }

    /// Finds the routes of a bundle whose first message has this address.
    pub(crate) fn find_bundle(&self, address: &Pattern, found: &mut Found) {
        found.start();
        for route in self.bundles.iter().filter_map(|&id| self.route(id)) {
            if !found.steps.compare(address.as_bytes(), route.pattern.as_bytes()) {
                return;
            }
            if route.pattern.overlaps(address) {
                found.ids.push(route.id);
            }
        }
    }

    /// Adds the routes that share an address with a pattern with `//`.
    fn find_descending(&self, pattern: &Pattern, steps: &mut Steps, ids: &mut Vec<RouteId>) {
        let last = pattern.parts().last().unwrap_or(Part::Any);
        if let Part::Literal(name) = last {
            self.add_matching(pattern, self.endings.get(name).into_iter().flatten(), steps, ids);
        } else {
            for (name, ending) in &self.endings {
                if steps.compare(pattern.as_bytes(), name) && last.matches(name) {
                    self.add_matching(pattern, ending, steps, ids);
                }
            }
        }
        for route in self.wild.iter().filter_map(|&id| self.route(id)) {
            if !steps.compare(pattern.as_bytes(), route.pattern.as_bytes()) {
                return;
            }
            if overlap(pattern.parts(), &route.parts()) {
                ids.push(route.id);
            }
        }
    }

    /// Adds those of these literal routes whose address a pattern matches.
    fn add_matching<'a>(
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

    fn route(&self, id: RouteId) -> Option<&Route<T>> {
        self.slots.get(id.slot)?.as_ref().filter(|route| route.id == id)
    }

    fn forget_literal(&mut self, route: &Route<T>) {
        if let Some(known) = self.literals.get_mut(route.pattern.as_bytes()) {
            known.literal.retain(|&other| other != route.id);
            known.all = OnceLock::new();
            if known.literal.is_empty() {
                self.literals.remove(route.pattern.as_bytes());
            }
        }
        if let Some(ending) = self.endings.get_mut(route.last_name()) {
            ending.retain(|&other| other != route.id);
            if ending.is_empty() {
                self.endings.remove(route.last_name());
            }
        }
    }

    /// Whatever a pattern matches, the routes of a literal address may be others now.
    fn forget_known(&mut self) {
        for known in self.literals.values_mut() {
            known.all = OnceLock::new();
        }
    }
}

impl<T> Route<T> {
    /// Whether a walk by parts can find it.
    fn is_in_tree(&self) -> bool {
        let has_addresses = matches!(self.reach, Reach::Exact | Reach::Below);
        has_addresses && !self.pattern.is_exact() && self.pattern.is_satisfiable()
    }

    /// Whether it stands for one address.
    fn is_literal(&self) -> bool {
        self.reach == Reach::Exact && self.pattern.is_literal()
    }

    /// Of a route that stands for one address.
    fn last_name(&self) -> &[u8] {
        self.pattern.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts: Vec<Part<'_>> = self.pattern.parts().collect();
        if self.reach == Reach::Below {
            // An empty last part says nothing: `/` is every address.
            if parts.last() == Some(&Part::Literal(b"")) {
                parts.pop();
            }
            parts.push(Part::Descend);
        }
        parts
    }
}
