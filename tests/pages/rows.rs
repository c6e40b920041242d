//! The table of what osc4py3 can do, `tests/seed/rows.md`, and that of the threats, `docs/reliability.md`: they are
//! whole, and every row names tests that exist, run and stand for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::evidence::{Row, faults};

const SEED: &str = include_str!("../seed/rows.md");
const THREATS: &str = include_str!("../../docs/reliability.md");

/// The groups of the seed, each with the number of its rows.
const GROUPS: [(char, usize); 20] = [
    ('A', 16),
    ('B', 18),
    ('L', 3),
    ('T', 7),
    ('E', 4),
    ('G', 12),
    ('H', 5),
    ('K', 10),
    ('P', 18),
    ('S', 14),
    ('N', 17),
    ('Q', 16),
    ('F', 21),
    ('D', 9),
    ('U', 15),
    ('M', 10),
    ('C', 7),
    ('X', 8),
    ('V', 17),
    ('W', 6),
];

/// Rows that cannot be tested: switches without a meaning here, and what osc4py3 itself does not have.
const SEED_WITHOUT_A_TEST: [&str; 7] = ["F06", "F10", "H05", "Q12", "U06", "V06", "V14"];

/// What a test cannot show: interleavings, the compiler's promise, and dependencies.
const THREATS_WITHOUT_A_TEST: [&str; 3] = ["67", "68", "69"];

/// The names of all rows of the seed.
pub(super) fn ids() -> Vec<String> {
    let group = |&(letter, count)| (1..=count).map(move |number| format!("{letter}{number:02}"));
    GROUPS.iter().flat_map(group).collect()
}

#[test]
fn every_row_of_the_seed_is_there_once_and_shown_by_its_tests() {
    let rows = rows(SEED, |id| id.len() == 3 && id.starts_with(|first: char| first.is_ascii_uppercase()));
    assert_eq!(rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), ids());
    check(&rows, "Row", &SEED_WITHOUT_A_TEST, |file| file.starts_with("tests/seed/"));
}

#[test]
fn every_threat_is_there_once_and_shown_by_its_tests() {
    let rows = rows(THREATS, |id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let numbers: Vec<_> = (1..=rows.len()).map(|number| number.to_string()).collect();
    assert_eq!(rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), numbers);
    check(&rows, "Threat", &THREATS_WITHOUT_A_TEST, |file| {
        file.ends_with("/threats.rs") || file == "tests/threats_life.rs"
    });
}

fn check(rows: &[Row], noun: &str, without_a_test: &[&str], at_home: impl Fn(&str) -> bool) {
    let faults = faults(rows, noun, &sources(), at_home);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for row in rows.iter().filter(|row| row.reason.is_some()) {
        assert!(without_a_test.contains(&row.id.as_str()), "{} could be tested", row.id);
    }
}

/// The rows of a table: the first cell is the name, the last one the evidence.
fn rows(table: &str, is_id: impl Fn(&str) -> bool) -> Vec<Row> {
    let row = |line: &str| {
        let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let (id, evidence) = (cells.first()?, cells.last()?);
        assert!(cells.iter().all(|cell| !cell.is_empty()), "an empty cell: {line}");
        (!id.is_empty() && is_id(id)).then(|| Row::new(id, evidence))
    };
    table.lines().filter_map(row).collect()
}

/// Every source file with tests, by its path in the repository.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = BTreeMap::new();
    let mut folders = vec![root.join("src"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                sources.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    // Its fixtures are text that reads as tests.
    sources.remove("tests/pages/evidence.rs");
    sources
}
