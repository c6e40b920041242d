//! The tests that a page names: `FILE`: `FUNCTION`, `FUNCTION`, …

use std::fs;
use std::path::Path;

/// What a page names, and the repository does not have.
pub(crate) fn missing(page: &str) -> Vec<String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(repository.join(page)).unwrap();
    let mut missing = Vec::new();
    for row in page.lines().filter(|line| line.starts_with('|')) {
        let mut file = String::new();
        // Every second piece is in backticks.
        for code in row.rsplit(" | ").next().unwrap_or_default().split('`').skip(1).step_by(2) {
            if code.starts_with("tests/") || code.starts_with("src/") {
                file = fs::read_to_string(repository.join(code)).unwrap_or_default();
                if file.is_empty() {
                    missing.push(format!("there is no file {code}"));
                }
            } else if is_function(code) && !file.contains(&format!("fn {code}(")) {
                missing.push(format!("no test {code}: {row}"));
            }
        }
    }
    missing
}

fn is_function(code: &str) -> bool {
    code.contains('_') && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
