//! The guide `docs/from-osc4py3.md` goes through all rows, and the lines that it gives are among those
//! that the documentation tests compile.

use super::rows::ids;

const GUIDE: &str = include_str!("../../docs/from-osc4py3.md");

#[test]
fn the_guide_has_every_row_once() {
    let mut rows: Vec<_> = table_lines().filter_map(|cells| is_id(cells[0]).then_some(cells[0])).collect();
    rows.sort_unstable();
    let mut expected = ids();
    expected.sort_unstable();
    let missing: Vec<_> = expected.iter().filter(|id| !rows.contains(&id.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(rows, expected);
}

#[test]
fn the_lines_of_the_tables_are_compiled() {
    let compiled = without_spaces(&compiled());
    let loose: Vec<_> = table_lines()
        .filter(|cells| is_id(cells[0]) || cells[0] == "–")
        .flat_map(|cells| code(cells[2]))
        .filter(|code| code.contains('(') && !code.contains('…'))
        .filter(|code| !compiled.contains(&without_spaces(code)))
        .collect();
    assert!(loose.is_empty(), "not compiled: {loose:#?}");
}

fn is_id(cell: &str) -> bool {
    cell.chars().count() == 3 && cell.chars().skip(1).all(|digit| digit.is_ascii_digit())
}

/// The cells of every line of a table. `\|` is a bar within a cell.
fn table_lines() -> impl Iterator<Item = Vec<&'static str>> {
    GUIDE.lines().filter(|line| line.starts_with("| ")).map(|line| {
        let mut cells = Vec::new();
        let mut start = 1;
        for (bar, _) in line.match_indices('|').skip(1) {
            if !line[..bar].ends_with('\\') {
                cells.push(line[start..bar].trim());
                start = bar + 1;
            }
        }
        cells
    })
}

/// The text between backticks.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(|code| code.replace("\\|", "|")).collect()
}

/// The blocks of Rust, without what hides lines.
fn compiled() -> String {
    let mut rust = false;
    let mut lines = String::new();
    for line in GUIDE.lines() {
        if line.starts_with("```") {
            rust = line.starts_with("```rust");
        } else if rust {
            lines.push_str(line.strip_prefix("# ").unwrap_or(line));
        }
    }
    lines
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}
