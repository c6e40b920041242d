//! What is written in the repository: its prose, its links, and the tests that its pages name.
#![allow(clippy::unwrap_used, missing_docs)]

mod evidence;
mod guide;
mod links;
mod phrases;
mod prose;
mod rows;

use prose::places;

/// At most this many places may hold a phrase out of use: those that read well in their context.
const CEILING: usize = 2;

/// A reminder, not a censor: a place that reads well in its context may stay.
#[test]
fn phrases_out_of_use_become_fewer() {
    let places = places(&[
        "src",
        "docs",
        "examples",
        "tests",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ]);
    for (file, line, phrase) in &places {
        println!("{file}:{line}: \"{}\": {}", phrase.text, phrase.instead);
    }
    assert!(
        places.len() <= CEILING,
        "{} places, expected at most {CEILING}: run with --nocapture to see them",
        places.len()
    );
}
