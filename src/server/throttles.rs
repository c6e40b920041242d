//! Limits log lines to one per second for each kind, such as each route or kind of address, so that a
//! frequent fault does not hide a rare one and no peer fills the log.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashMapExt};

use crate::lock::lock;
use crate::throttle::Throttle;

/// Maximum number of kinds with their own limit. All others share one.
const MAX_KINDS: usize = 256;
/// Maximum length of the name of a kind, in bytes.
const MAX_NAME: usize = 128;
/// After this time a kind can be replaced by another.
const KEPT: Duration = Duration::from_secs(10);

pub(super) struct Throttles {
    /// The keys come from peers, so they are hashed with a random seed.
    kinds: Mutex<HashMap<Box<[u8]>, Kind>>,
    others: Throttle,
}

struct Kind {
    throttle: Throttle,
    seen: Instant,
}

impl Throttles {
    /// Returns the number of suppressed lines of this kind if a line may be written now.
    pub(super) fn pass(&self, name: &[u8]) -> Option<u64> {
        let name = name.get(..MAX_NAME).unwrap_or(name);
        let mut kinds = lock(&self.kinds);
        if let Some(kind) = kinds.get_mut(name) {
            kind.seen = Instant::now();
            return kind.throttle.pass();
        }
        if kinds.len() >= MAX_KINDS {
            // Not for each message, because checking all kinds takes time.
            let suppressed = self.others.pass()?;
            kinds.retain(|_, kind| kind.seen.elapsed() < KEPT);
            return Some(suppressed);
        }
        let kind = Kind { throttle: Throttle::default(), seen: Instant::now() };
        kinds.entry(name.into()).or_insert(kind).throttle.pass()
    }

    /// The same for an address. Addresses that differ only in numbers are one kind.
    pub(super) fn pass_address(&self, address: &[u8]) -> Option<u64> {
        let digits_of_one = |one: &u8, other: &u8| one.is_ascii_digit() && other.is_ascii_digit();
        let kind: Vec<u8> = address
            .chunk_by(digits_of_one)
            .flat_map(|run| if run[0].is_ascii_digit() { b"0" } else { run })
            .copied()
            .collect();
        self.pass(&kind)
    }
}

impl Default for Throttles {
    fn default() -> Self {
        Self { kinds: Mutex::new(HashMap::new()), others: Throttle::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_line_and_numbers_do_not_make_one() {
        let throttles = Throttles::default();
        assert_eq!(throttles.pass_address(b"/voice/1/gain"), Some(0));
        assert_eq!(throttles.pass_address(b"/voice/12/gain"), None);
        assert_eq!(throttles.pass_address(b"/voice/1/pan"), Some(0));
    }

    #[test]
    fn a_flood_of_kinds_has_a_bounded_number_of_lines() {
        let throttles = Throttles::default();
        let names = (0..10_000_u32).map(u32::to_be_bytes);
        let lines = names.filter(|name| throttles.pass(name).is_some()).count();
        assert!((MAX_KINDS..MAX_KINDS + 20).contains(&lines), "{lines}");
    }
}
