//! The table of all rows, `rows.md`, is whole, and names tests that exist.

use std::collections::BTreeSet;
use std::path::Path;

const TABLE: &str = include_str!("rows.md");

/// The groups, each with the number of its rows.
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

/// What stands for nothing that could be tested: switches without a meaning here, and what osc4py3
/// itself has not.
const WITHOUT_A_TEST: [&str; 7] = ["F06", "F10", "H05", "Q12", "U06", "V06", "V14"];

/// A line of the table.
struct Row {
    id: &'static str,
    feature: &'static str,
    evidence: &'static str,
}

impl Row {
    fn reason(&self) -> Option<&'static str> {
        self.evidence.strip_prefix("no test: ")
    }

    /// Files, each with the name of a test in it.
    fn tests(&self) -> Vec<(&'static str, &'static str)> {
        if self.reason().is_some() {
            return Vec::new();
        }
        let pair = |test: &'static str| test.split_once(": ").unwrap_or((test, ""));
        self.evidence.split(", ").map(pair).collect()
    }
}

/// The names of all rows.
pub(super) fn ids() -> Vec<String> {
    let group = |&(letter, count)| (1..=count).map(move |number| format!("{letter}{number:02}"));
    GROUPS.iter().flat_map(group).collect()
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix('|')?.split('|').map(str::trim);
        let (id, feature, evidence) = (cells.next()?, cells.next()?, cells.next()?);
        let is_id = id.len() == 3 && id.chars().skip(1).all(|digit| digit.is_ascii_digit());
        is_id.then_some(Row { id, feature, evidence })
    };
    TABLE.lines().filter_map(row).collect()
}

#[test]
fn every_row_is_here_once() {
    let in_table: Vec<_> = rows().iter().map(|row| row.id.to_owned()).collect();
    assert_eq!(in_table, ids());
    assert!(rows().iter().all(|row| !row.feature.is_empty()));
}

#[test]
fn every_test_that_a_row_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let missing: BTreeSet<_> = rows()
        .iter()
        .flat_map(|row| row.tests().into_iter().map(|(file, test)| (row.id, file, test)))
        .filter(|(_, file, test)| {
            let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            !is_test(&source, test)
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_row_without_a_test_is_one_that_cannot_have_one() {
    let rows = rows();
    let without: Vec<_> = rows.iter().filter(|row| row.reason().is_some()).map(|row| row.id).collect();
    let unexpected: Vec<_> = without.iter().filter(|id| !WITHOUT_A_TEST.contains(id)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    assert!(rows.iter().filter_map(Row::reason).all(|reason| reason.len() > 20));
}

/// The tests of this directory are named after their rows: the table names each of them.
#[test]
fn every_test_here_is_named_by_its_row() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seed");
    let mut unnamed = Vec::new();
    for file in std::fs::read_dir(here).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if matches!(name, "rows.md" | "rows.rs" | "guide.rs") {
            continue;
        }
        for test in tests_of(&std::fs::read_to_string(&file).unwrap()) {
            let id = test.get(..3).unwrap_or_default().to_uppercase();
            let path = format!("tests/seed/{name}");
            let row = rows().into_iter().find(|row| row.id == id);
            if !row.is_some_and(|row| row.tests().contains(&(path.as_str(), test.as_str()))) {
                unnamed.push(format!("{path}: {test}"));
            }
        }
    }
    assert!(unnamed.is_empty(), "{unnamed:#?}");
}

#[test]
fn a_function_is_a_test_if_it_says_so() {
    let source = "
        #[test]
        fn one() {}
        fn helper() {}
        /// Text.
        #[tokio::test(start_paused = true)]
        #[ignore]
        async fn two() {}
        // #[test]
        fn three() {}
    ";
    assert_eq!(tests_of(source), ["one", "two"]);
    assert!(!is_test(source, "tw"));
}

fn is_test(source: &str, name: &str) -> bool {
    tests_of(source).iter().any(|test| test == name)
}

/// The names of the functions that have `#[test]` or `#[tokio::test]` among their attributes.
fn tests_of(source: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let mut marked = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        }
        if line.starts_with("fn ") || line.starts_with("async fn ") {
            let name = line.trim_start_matches("async ").trim_start_matches("fn ");
            let end = name.find(|character: char| !character.is_alphanumeric() && character != '_');
            if marked {
                tests.push(name[..end.unwrap_or(name.len())].to_owned());
            }
            marked = false;
        }
    }
    tests
}
