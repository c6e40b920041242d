//! Finds the routes of an address.
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
//! The tree is not used for an incoming `//`: it would be walked from every node, which takes seven times as
//! long as checking each route. The index by last name takes a fifth of that check.
//!
//! A name is a literal address, an address that is not a valid pattern or has no slash, or the address of an
//! exact route. The latter is only in `literals`, where no pattern finds it.
//!
//! The hash comes before any look at the shape of an address, because what it holds is a name by then: the
//! address of a literal route holds no pattern character, and an exact route is one by declaration. Its keys are random, as peers choose what is looked up, and
//! names that come from peers may become routes (`LiveRoutes`): with known keys, addresses could be
//! made to collide.
//!
//! For any input, each node of the tree is visited at most once, nothing recurses, and nothing is stored for
//! an address that is not a route. Each look-up has a budget of steps, and ends when it is spent.

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

/// Routes by address. `T` is the value of a route.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Option<Route<T>>>,
    free: Vec<usize>,
    next: u64,
    /// The routes with a single address, by that address.
    literals: HashMap<Bytes, Known>,
    /// All routes except the exact ones, by their parts.
    tree: Tree,
    /// The literal routes that are not exact, by the last part of their address.
    endings: HashMap<Bytes, Vec<RouteId>>,
    /// The other routes. Without any, the hash finds everything.
    wild: Vec<RouteId>,
    /// The bundle routes. They are few, so each is checked.
    bundles: Vec<RouteId>,
}

/// The routes of the address of a literal route.
#[derive(Clone, Debug, Default)]
struct Known {
    literal: Vec<RouteId>,
    /// Including matching patterns, after the first look-up: one id for each.
    all: OnceLock<Box<[RouteId]>>,
}

/// The id of a route. Ids increase in the order in which routes were added, and are not reused.
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
    /// These and everything below: `/test` matches `/test` and `/test/here`, not `/testing`.
    Below,
    /// None: no look-up finds the route.
    Nothing,
    /// Bundles whose first message matches the pattern. No look-up of a message finds the route.
    Bundle,
}

/// The routes found by a look-up, in the order in which they were added. Reuse it to reuse its memory.
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

    /// Returns `true` if the last look-up ran out of steps. Its result is incomplete.
    pub(crate) fn is_spent(&self) -> bool {
        self.steps.is_spent()
    }

    /// Keeps the routes for which this returns true. A route whose predicate panicked is not kept, but counted.
    #[inline]
    pub(crate) fn retain<E>(&mut self, keep: impl Fn(RouteId) -> Result<bool, E>) {
        if self.ids.is_empty() {
            return;
        }
        let panicked = &mut self.panicked;
        self.ids.retain(|&id| {
            keep(id).unwrap_or_else(|_| {
                *panicked += 1;
                false
            })
        });
    }

    /// Returns the number of routes dropped because of a panic since the last call.
    pub(crate) fn take_panicked(&mut self) -> usize {
        std::mem::take(&mut self.panicked)
    }

    /// Replaces the result.
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
    /// Adds a route for the addresses of the pattern. Several routes may have the same pattern.
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
                let ending = Bytes::copy_from_slice(last_name(&route.pattern));
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

    /// Removes a route. `None` if it was removed before.
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

    /// Returns the value of a route. `None` if it was removed.
    pub(crate) fn get(&self, id: RouteId) -> Option<&T> {
        self.route(id).map(|route| &route.value)
    }

    /// Returns the number of routes.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Returns the routes with a reach, in the order in which they were added.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&Pattern, Reach, &T)> {
        let mut routes: Vec<_> = self.slots.iter().flatten().collect();
        routes.sort_unstable_by_key(|route| route.id);
        let reaching = routes.into_iter().filter(|route| route.reach != Reach::Nothing);
        reaching.map(|route| (&route.pattern, route.reach, &route.value))
    }

    /// The routes of an address, if it is that of a literal route and nothing has changed since the
    /// last look-up: one hash, nothing copied, and no need to know the shape of the address.
    pub(crate) fn known(&self, address: &[u8]) -> Option<&[RouteId]> {
        self.literals.get(address).and_then(|known| self.all_of(known))
    }

    /// The same, of an address that was looked up.
    fn all_of<'a>(&self, known: &'a Known) -> Option<&'a [RouteId]> {
        if self.wild.is_empty() { Some(&known.literal) } else { known.all.get().map(|all| &**all) }
    }

    /// Finds the routes of an address that is a name.
    pub(crate) fn find(&self, address: &[u8], found: &mut Found) {
        found.start();
        let known = self.literals.get(address);
        let Found { ids, steps, scratch, .. } = found;
        if let Some(all) = known.and_then(|known| self.all_of(known)) {
            return ids.extend_from_slice(all);
        }
        if self.wild.is_empty() {
            return;
        }
        walk::find(&self.tree, address, steps, scratch, ids);
        let Some(known) = known else { return ids.sort_unstable() };
        // The tree contains no exact routes.
        ids.extend_from_slice(&known.literal);
        ids.sort_unstable();
        ids.dedup();
        // Only for addresses of routes: an entry for each received address would let peers fill the memory.
        if !steps.is_spent() {
            known.all.get_or_init(|| Box::from(&**ids));
        }
    }

    /// Finds the routes that share an address with a pattern.
    pub(crate) fn find_shared(&self, pattern: &Pattern, found: &mut Found) {
        // The bytes of an exact route are a name, whatever they mean in a pattern.
        if pattern.is_literal() || self.literals.contains_key(pattern.as_bytes()) {
            return self.find(pattern.as_bytes(), found);
        }
        found.start();
        if !pattern.is_satisfiable() {
            return;
        }
        let pattern = pattern.with_single_stars();
        let Found { ids, steps, scratch, .. } = found;
        if pattern.as_bytes().windows(2).any(|pair| pair == b"//") {
            self.find_descending(&pattern, steps, ids);
        } else if self.may_end_like(&pattern, steps) {
            walk::find_shared(&self.tree, &pattern, steps, scratch, ids);
        }
        ids.sort_unstable();
    }

    /// Whether a route ends in a name that the last part of a pattern stands for, as far as that is quickly known:
    /// if not, none of its parts need be looked at. Sets of devices have few endings.
    fn may_end_like(&self, pattern: &Pattern, steps: &mut Steps) -> bool {
        if !self.wild.is_empty() || self.endings.len() > FEW_ENDINGS {
            return true;
        }
        let last = Part::new(last_name(pattern));
        self.endings.keys().any(|name| steps.compare(pattern.as_bytes(), name) && last.matches(name))
    }

    /// Returns `true` if there are bundle routes.
    pub(crate) fn has_bundles(&self) -> bool {
        !self.bundles.is_empty()
    }

    /// Finds the bundle routes for a bundle whose first message has this address.
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

    /// Adds the literal routes whose address a pattern matches.
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
        if let Some(ending) = self.endings.get_mut(last_name(&route.pattern)) {
            ending.retain(|&other| other != route.id);
            if ending.is_empty() {
                self.endings.remove(last_name(&route.pattern));
            }
        }
    }

    /// Clears the cache: a new or removed route may change the routes of any literal address.
    fn forget_known(&mut self) {
        for known in self.literals.values_mut() {
            known.all = OnceLock::new();
        }
    }
}

impl<T> Route<T> {
    /// Returns `true` if a walk through the tree can find it.
    fn is_in_tree(&self) -> bool {
        let has_addresses = matches!(self.reach, Reach::Exact | Reach::Below);
        has_addresses && !self.pattern.is_exact() && self.pattern.is_satisfiable()
    }

    /// Returns `true` if it has a single address.
    fn is_literal(&self) -> bool {
        self.reach == Reach::Exact && self.pattern.is_literal()
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts: Vec<Part<'_>> = self.pattern.parts().collect();
        if self.reach == Reach::Below {
            // An empty last part is no filter: `/` is in every address.
            if parts.last() == Some(&Part::Literal(b"")) {
                parts.pop();
            }
            parts.push(Part::Descend);
        }
        parts
    }
}

/// The part after the last slash of a pattern without `//`.
fn last_name(pattern: &Pattern) -> &[u8] {
    pattern.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}
