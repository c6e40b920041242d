#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{Found, Reach, RouteId, Table};
use crate::pattern::Pattern;
use crate::types::Address;
use bytes::Bytes;

fn pattern(text: &str) -> Pattern {
    Pattern::new(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn table(routes: &[&'static str]) -> Table<&'static str> {
    let mut table = Table::default();
    for route in routes {
        table.insert(pattern(route), *route);
    }
    table
}

fn found(table: &Table<&'static str>, incoming: &str) -> Vec<&'static str> {
    let mut found = Found::default();
    table.find_shared(&pattern(incoming), &mut found);
    found.ids().iter().map(|&id| *table.get(id).unwrap()).collect()
}

#[test]
fn an_address_finds_its_routes_in_the_order_they_came() {
    let table =
        table(&["/*/gain", "/mixer/gain", "//gain", "/mixer/{gain,mute}", "/mixer/gain", "/mixer/*/gain"]);
    let routes = ["/*/gain", "/mixer/gain", "//gain", "/mixer/{gain,mute}", "/mixer/gain"];
    assert_eq!(found(&table, "/mixer/gain"), routes);
    assert_eq!(found(&table, "/mixer/1/gain"), ["//gain", "/mixer/*/gain"]);
    assert_eq!(found(&table, "/mixer/mute"), ["/mixer/{gain,mute}"]);
    assert!(found(&table, "/mixer").is_empty());
}

#[test]
fn a_pattern_finds_all_routes_that_share_an_address() {
    let table = table(&["/a/1/x", "/a/2/x", "/a/22/y", "/b/2/x", "/a/?/*", "//x", "/a/[2-3]/x"]);
    assert_eq!(found(&table, "/a/{2,3,2}/x"), ["/a/2/x", "/a/?/*", "//x", "/a/[2-3]/x"]);
    assert_eq!(found(&table, "/a/2*/x"), ["/a/2/x", "/a/?/*", "//x", "/a/[2-3]/x"]);
    assert_eq!(found(&table, "/a/*/*"), ["/a/1/x", "/a/2/x", "/a/22/y", "/a/?/*", "//x", "/a/[2-3]/x"]);
    assert_eq!(found(&table, "//y"), ["/a/22/y", "/a/?/*"]);
    assert_eq!(found(&table, "/b//"), ["/b/2/x", "//x"]);
    assert_eq!(found(&table, "//[xy]").len(), 7);
    assert!(found(&table, "/a/[*]/x").is_empty());
}

#[test]
fn a_prefix_takes_whole_parts() {
    let mut table = Table::default();
    table.insert_reaching(pattern("/test"), Reach::Below, "test");
    table.insert_reaching(pattern("/"), Reach::Below, "all");
    table.insert_reaching(pattern("/*/x"), Reach::Below, "x");
    assert_eq!(found(&table, "/test"), ["test", "all"]);
    assert_eq!(found(&table, "/test/here/too"), ["test", "all"]);
    assert_eq!(found(&table, "/testing"), ["all"]);
    assert_eq!(found(&table, "/test/x/y"), ["test", "all", "x"]);
    assert_eq!(found(&table, "/t*/x"), ["test", "all", "x"]);
    assert_eq!(found(&table, "//y"), ["test", "all", "x"]);
    assert_eq!(found(&table, "/b/*"), ["all", "x"]);
}

#[test]
fn a_wild_byte_from_the_wire_is_a_byte() {
    let table = table(&["/a?b", "/a*", "/a[!x]b", "/a b"]);
    assert_eq!(found(&table, "/a b"), ["/a?b", "/a*", "/a[!x]b", "/a b"]);
    assert_eq!(found(&table, "/{a b,c}"), ["/a?b", "/a*", "/a[!x]b", "/a b"]);
}

#[test]
fn every_change_clears_the_cache_of_addresses() {
    let mut table = table(&["/a/b", "/a/*"]);
    let copy = table.clone();
    assert_eq!(found(&table, "/a/b"), ["/a/b", "/a/*"]);
    let descend = table.insert(pattern("//b"), "//b");
    assert_eq!(found(&table, "/a/b"), ["/a/b", "/a/*", "//b"]);
    let again = table.insert(pattern("/a/b"), "again");
    assert_eq!(found(&table, "/a/b"), ["/a/b", "/a/*", "//b", "again"]);
    table.remove(descend);
    assert_eq!(found(&table, "/a/b"), ["/a/b", "/a/*", "again"]);
    table.remove(again);
    assert_eq!(found(&table, "/a/b"), ["/a/b", "/a/*"]);
    assert_eq!(found(&copy, "/a/b"), ["/a/b", "/a/*"]);
}

/// More children than are tried one by one: names, and patterns that begin with plain text or not.
#[test]
fn many_children_are_found_by_hash() {
    let mut table = Table::default();
    let texts: Vec<String> =
        (10..40).flat_map(|n| [format!("/v{n}"), format!("/v{n}?"), format!("/?{n}")]).collect();
    let ids: Vec<RouteId> = texts.iter().map(|text| table.insert(pattern(text), ())).collect();
    let mut found = Found::default();
    for number in 10..40 {
        let at = 3 * (number - 10);
        table.find(format!("/v{number}").as_bytes(), &mut found);
        assert_eq!(found.ids(), [ids[at], ids[at + 2]]);
        table.find(format!("/v{number}x").as_bytes(), &mut found);
        assert_eq!(found.ids(), [ids[at + 1]]);
        table.find_shared(&pattern(&format!("/{{v{number},w{number},v{number}}}")), &mut found);
        assert_eq!(found.ids(), [ids[at], ids[at + 2]]);
    }
    for &id in ids.iter().step_by(2) {
        table.remove(id);
    }
    for number in 10..40 {
        let at = 3 * (number - 10);
        table.find(format!("/v{number}").as_bytes(), &mut found);
        let left = [at, at + 2].into_iter().filter(|at| at % 2 == 1).map(|at| ids[at]);
        assert_eq!(found.ids(), left.collect::<Vec<_>>());
    }
}

#[test]
fn what_is_removed_is_gone_and_leaves_nothing_behind() {
    let mut table = Table::default();
    let texts = ["/a/b", "/a/*", "//b", "/a/[bc]", "/a/b/c", "/*", "/x/{a,b}/c"];
    let kept = table.insert(pattern("/a/b"), usize::MAX);
    for round in 0..3 {
        let ids: Vec<RouteId> = texts.iter().map(|text| table.insert(pattern(text), round)).collect();
        assert_eq!(table.len(), 1 + texts.len());
        for id in ids.into_iter().rev() {
            let kept = table.slots[id.slot].as_ref().unwrap();
            assert_eq!((kept.id, kept.is_literal()), (id, texts[id.slot - 1].starts_with("/a/b")));
            assert_eq!(table.remove(id), Some(round));
            assert_eq!(table.remove(id), None);
            assert!(table.get(id).is_none());
        }
    }
    assert_eq!((table.len(), table.slots.len()), (1, 1 + texts.len()));
    assert_eq!(table.tree.sizes(), (3, 0));
    assert_eq!((table.literals.len(), table.endings.len(), table.wild.len()), (1, 1, 0));
    let mut found = Found::default();
    table.find(b"/a/b", &mut found);
    assert_eq!(found.ids(), [kept]);
}

#[test]
fn an_address_of_too_many_parts_finds_nothing() {
    let table = table(&["//b", "//"]);
    let mut found = Found::default();
    let deepest = "/b".repeat(Pattern::MAX_PARTS);
    table.find(deepest.as_bytes(), &mut found);
    assert_eq!(found.ids().len(), 2);
    table.find(format!("{deepest}/b").as_bytes(), &mut found);
    assert!(found.ids().is_empty());
}

/// Threat 19: a tree of `//`, and an address on which each could stop anywhere. A walk visits a
/// node once, or this does not return.
#[test]
fn many_descents_on_the_side_of_the_routes_take_bounded_time() {
    let deepest: &'static str = "//a".repeat(42).leak();
    let table = table(&[deepest, "//a//*//a//*//b"]);
    assert_eq!(found(&table, &"/a".repeat(128)), [deepest]);
    assert_eq!(found(&table, &"/*".repeat(128)).len(), 2);
}

/// Threats 18 and 21: a list of 20,000 alternatives and 60,000 question marks against 10,000 routes.
#[test]
fn long_patterns_against_many_routes_take_bounded_time() {
    let mut table = Table::default();
    for route in 0..10_000 {
        table.insert(pattern(&format!("/channel/{route}/gain")), route);
    }
    let within = |text: String| Pattern::within(Bytes::from(text), 200_000).unwrap();
    let list: Vec<String> = (5_000..25_000).map(|number| number.to_string()).collect();
    let mut found = Found::default();
    table.find_shared(&within(format!("/channel/{{{}}}/gain", list.join(","))), &mut found);
    assert_eq!(found.ids().len(), 5_000);
    table.find_shared(&within(format!("/channel/{}/gain", "?".repeat(60_000))), &mut found);
    assert!(found.ids().is_empty());
    table.find_shared(&within(format!("/channel/{}/gain", "*".repeat(60_000))), &mut found);
    assert_eq!(found.ids().len(), 10_000);
    table.find_shared(&within(format!("/channel/{}1/gain", "*".repeat(60_000))), &mut found);
    assert_eq!(found.ids().len(), 1_000);
}

#[derive(Clone, Debug)]
enum Change {
    Insert(String),
    InsertExact(String),
    InsertPrefix(String),
    Remove(prop::sample::Index),
}

fn any_route() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => "[abc]",
        1 => "[ab][ab]",
        1 => Just(String::new()),
        2 => Just("*".to_owned()),
        1 => Just("?".to_owned()),
        1 => Just("a*".to_owned()),
        1 => Just("[!b]".to_owned()),
        1 => Just("[*]".to_owned()),
        1 => "\\{[ab],[bc]?\\}",
        1 => "a\\{b,\\}",
    ];
    let parts = prop::collection::vec((prop::bool::weighted(0.15), part), 1..4);
    let texts = parts.prop_map(|parts| {
        let parts =
            parts.into_iter().map(|(descend, part)| format!("{}{part}", if descend { "//" } else { "/" }));
        parts.collect::<String>()
    });
    texts.prop_filter("legal", |text| !text.contains("///"))
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => any_route().prop_map(Change::Insert),
        1 => any_route().prop_map(Change::InsertExact),
        1 => any_route().prop_map(Change::InsertPrefix),
        2 => any::<prop::sample::Index>().prop_map(Change::Remove),
    ]
}

/// The table as a list that is searched from one end to the other.
#[derive(Default)]
struct Scan(Vec<(RouteId, Vec<Pattern>)>);

impl Scan {
    fn insert(&mut self, id: RouteId, pattern: Pattern) {
        self.0.push((id, vec![pattern]));
    }

    /// A prefix is its own addresses and those below.
    fn insert_prefix(&mut self, id: RouteId, text: &str) {
        let text = if text.ends_with("//") { text } else { text.strip_suffix('/').unwrap_or(text) };
        let own = if text.is_empty() { vec![] } else { vec![pattern(text)] };
        let below = pattern(&if text.ends_with("//") { text.to_owned() } else { format!("{text}//") });
        self.0.push((id, own.into_iter().chain([below]).collect()));
    }

    /// What an exact route stands for is a name.
    fn sharing(&self, incoming: &Pattern) -> Vec<RouteId> {
        let is_name = |pattern: &Pattern| pattern.is_exact() && pattern.as_bytes() == incoming.as_bytes();
        if self.0.iter().any(|(_, patterns)| patterns.iter().any(is_name)) {
            return self.matching(&Address::from_wire(incoming.clone().into_bytes()));
        }
        let shares = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.overlaps(incoming));
        self.0.iter().filter(|(_, patterns)| shares(patterns)).map(|&(id, _)| id).collect()
    }

    /// A route such as `/[*]`, which no plain address matches, is not met by a name either.
    fn matching(&self, incoming: &Address) -> Vec<RouteId> {
        let meets = |pattern: &Pattern| pattern.is_satisfiable() && pattern.matches(incoming);
        let matches = |patterns: &[Pattern]| patterns.iter().any(meets);
        self.0.iter().filter(|(_, patterns)| matches(patterns)).map(|&(id, _)| id).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Each address is looked up before the next change, so that nothing stale is remembered.
    #[test]
    fn a_table_finds_what_a_scan_finds(
        changes in prop::collection::vec(any_change(), 1..60),
        incoming in prop::collection::vec(any_route(), 1..20),
        addresses in prop::collection::vec("(/[abc]{0,2}){1,4}", 1..20),
    ) {
        let mut table = Table::default();
        let mut scan = Scan::default();
        let mut found = Found::default();
        for (change, address) in changes.into_iter().zip(addresses.iter().cycle()) {
            let address = Address::new(address.clone()).unwrap();
            table.find(address.as_bytes(), &mut found);
            prop_assert_eq!(found.ids(), scan.matching(&address), "{}", address);
            match change {
                Change::Insert(text) => scan.insert(table.insert(pattern(&text), text.clone()), pattern(&text)),
                Change::InsertExact(text) => {
                    let exact = Pattern::try_exact(text.clone()).unwrap();
                    scan.insert(table.insert(exact.clone(), text), exact);
                }
                Change::InsertPrefix(text) => {
                    scan.insert_prefix(table.insert_reaching(pattern(&text), Reach::Below, text.clone()), &text);
                }
                Change::Remove(_) if scan.0.is_empty() => {}
                Change::Remove(index) => {
                    let (id, _) = scan.0.remove(index.index(scan.0.len()));
                    table = table.clone();
                    prop_assert!(table.remove(id).is_some());
                }
            }
        }
        prop_assert_eq!(table.len(), scan.0.len());
        for incoming in incoming.iter().map(|text| pattern(text)) {
            table.find_shared(&incoming, &mut found);
            prop_assert_eq!(found.ids(), scan.sharing(&incoming), "{}", incoming);
        }
        for address in addresses.into_iter().filter_map(Address::new) {
            table.find(address.as_bytes(), &mut found);
            prop_assert_eq!(found.ids(), scan.matching(&address), "{}", address);
        }
        for (id, _) in scan.0 {
            table.remove(id);
        }
        prop_assert_eq!(table.tree.sizes(), (1, 0));
        prop_assert_eq!((table.literals.len(), table.endings.len(), table.wild.len()), (0, 0, 0));
    }
}
