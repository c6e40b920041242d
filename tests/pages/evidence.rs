//! Tables of the repository whose rows name the tests that show them, and what is wrong with them.

use std::collections::BTreeMap;

/// A row of a table, by its number or letter.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    /// Why there is no test.
    pub(crate) reason: Option<String>,
    evidence: Vec<Evidence>,
}

/// A test that a row names. One marked `(root)` prints that it is skipped where it may not make networks.
#[derive(Clone, Debug)]
struct Evidence {
    file: String,
    test: String,
    root: bool,
}

impl Row {
    /// Reads `file: test, file: test (root)`, or `no test: reason`. A file need not be written again for its
    /// next test, and backticks mean nothing.
    pub(crate) fn new(id: &str, cell: &str) -> Self {
        let reason = cell.strip_prefix("no test: ").map(str::to_owned);
        let mut evidence = Vec::new();
        let mut file = "";
        let cell = cell.replace('`', "");
        for item in cell.split(", ").filter(|_| reason.is_none()) {
            let test = item.split_once(": ").map_or(item, |(named, test)| {
                file = named;
                test
            });
            let name = test.trim_end_matches(" (root)");
            let root = name != test;
            evidence.push(Evidence { file: file.to_owned(), test: name.to_owned(), root });
        }
        Self { id: id.to_owned(), reason, evidence }
    }

    fn names(&self, file: &str, test: &str) -> bool {
        self.evidence.iter().any(|evidence| evidence.file == file && evidence.test == test)
    }
}

/// A test of a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) ignored: bool,
    /// The rows that its documentation says it stands for.
    pub(crate) rows: Vec<String>,
}

/// What is wrong with a table: `noun` is what a test calls a row of it, `at_home` says of which files every
/// test stands for a row.
pub(crate) fn faults(
    rows: &[Row],
    noun: &str,
    sources: &BTreeMap<String, String>,
    at_home: impl Fn(&str) -> bool,
) -> Vec<String> {
    let tests: BTreeMap<_, _> =
        sources.iter().map(|(file, source)| (file.as_str(), tests_of(source, noun))).collect();
    let found = |evidence: &Evidence| {
        tests.get(&*evidence.file).and_then(|tests| tests.iter().find(|test| test.name == evidence.test))
    };
    let mut faults = Vec::new();
    for row in rows {
        let id = &row.id;
        for evidence in &row.evidence {
            if found(evidence).is_none() {
                faults.push(format!("{id}: there is no test {} in {}", evidence.test, evidence.file));
            }
            if evidence.root != evidence.file.starts_with("tests/netns/") {
                faults.push(format!("{id}: (root) is for tests in tests/netns, not for {}", evidence.test));
            }
        }
        if row.reason.is_none() && !row.evidence.iter().filter_map(found).any(|test| !test.ignored) {
            faults.push(format!("{id}: no test that runs without being asked for"));
        }
    }
    for (file, tests) in &tests {
        for test in tests {
            if test.rows.is_empty() && at_home(file) {
                faults.push(format!("{file}: {} does not say which {noun} it stands for", test.name));
            }
            for id in &test.rows {
                if !rows.iter().any(|row| row.id == *id && row.names(file, &test.name)) {
                    faults.push(format!("{id}: does not name {} in {file}", test.name));
                }
            }
        }
    }
    faults
}

/// The functions that have `#[test]` or `#[tokio::test]` among their attributes.
pub(crate) fn tests_of(source: &str, noun: &str) -> Vec<Test> {
    let mut tests = Vec::new();
    let (mut is_test, mut ignored, mut documentation) = (false, false, String::new());
    for line in source.lines().map(str::trim_start) {
        if let Some(text) = line.strip_prefix("///") {
            documentation.push_str(text);
        } else if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            ignored |= line.starts_with("#[ignore");
        } else {
            let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
            if let Some(name) = function.filter(|_| is_test) {
                let end = name.find(|character: char| !character.is_alphanumeric() && character != '_');
                let name = name[..end.unwrap_or(name.len())].to_owned();
                tests.push(Test { name, ignored, rows: rows_of(&documentation, noun) });
            }
            (is_test, ignored) = (false, false);
            documentation.clear();
        }
    }
    tests
}

/// The rows in text such as `Row A14.`, `Rows A14 and B02:`, `Threats 18 and 21`.
fn rows_of(text: &str, noun: &str) -> Vec<String> {
    let mut rows = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if word.strip_suffix('s').unwrap_or(word) != noun {
            continue;
        }
        for word in words.by_ref() {
            let id = word.trim_end_matches([',', '.', ':']);
            if id.chars().any(|character| character.is_ascii_digit()) {
                rows.push(id.to_owned());
            }
            if word != "and" && !word.ends_with(|last: char| last.is_ascii_digit()) {
                break;
            }
        }
    }
    rows
}

#[cfg(test)]
mod fixtures {
    use super::*;

    const SOURCE: &str = "
        #[test]
        fn one() {}
        fn helper() {}
        /// Rows A01 and A02: text of row B09.
        #[tokio::test(start_paused = true)]
        #[ignore]
        async fn two() {}
        // #[test]
        fn three() {}
    ";

    fn sources() -> BTreeMap<String, String> {
        let source = |file: &str| (file.to_owned(), SOURCE.to_owned());
        [source("tests/a.rs"), source("tests/netns/b.rs")].into()
    }

    fn faults_of(cells: &[(&str, &str)]) -> Vec<String> {
        let rows: Vec<_> = cells.iter().map(|(id, cell)| Row::new(id, cell)).collect();
        faults(&rows, "Row", &sources(), |file| file == "tests/a.rs")
    }

    #[test]
    fn a_function_with_a_test_attribute_is_a_test() {
        let test = |name: &str, ignored, rows: &[&str]| Test {
            name: name.to_owned(),
            ignored,
            rows: rows.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(tests_of(SOURCE, "Row"), [test("one", false, &[]), test("two", true, &["A01", "A02"])]);
    }

    #[test]
    fn a_table_without_evidence_is_refused() {
        let sound = [
            ("A01", "tests/a.rs: one, two, tests/netns/b.rs: two (root)"),
            ("A02", "`tests/a.rs`: `two`, `one`, `tests/netns/b.rs`: `two` (root)"),
        ];
        let with = |id: &'static str, cell| faults_of(&[sound[0], sound[1], (id, cell)]);
        let at_home = "tests/a.rs: one does not say which Row it stands for";
        assert_eq!(with("A03", "no test: a reason"), [at_home]);
        assert_eq!(with("A03", "tests/a.rs: tw, one"), ["A03: there is no test tw in tests/a.rs", at_home],);
        assert_eq!(with("A03", "tests/a.rs: two")[0], "A03: no test that runs without being asked for");
        assert_eq!(with("A03", "")[1], "A03: no test that runs without being asked for");
        assert_eq!(
            with("A03", "tests/netns/b.rs: one")[0],
            "A03: (root) is for tests in tests/netns, not for one",
        );
        assert_eq!(
            faults_of(&sound[..1]),
            [at_home, "A02: does not name two in tests/a.rs", "A02: does not name two in tests/netns/b.rs"],
        );
    }
}
