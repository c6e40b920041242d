//! Finds phrases in the prose of the repository: Markdown, comments, texts, and the names of tests.

use std::fs;
use std::path::{Path, PathBuf};

use crate::phrases::{PHRASES, Phrase};

/// A file, a line of it, and the phrase that begins there.
pub(crate) type Place = (String, usize, &'static Phrase);

/// Every place under these files and folders of the repository that holds a phrase out of use.
pub(crate) fn places(roots: &[&str]) -> Vec<Place> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for root in roots {
        collect(&repository.join(root), &mut files);
    }
    let mut places = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(repository).unwrap().display().to_string();
        let is_page = file.extension().is_some_and(|extension| extension == "md");
        let prose = if is_page { markdown(&text) } else { rust(&text) };
        let found = find(&prose).into_iter().map(|(line, phrase)| (name.clone(), line, phrase));
        places.extend(found);
    }
    places
}

/// The pages and sources under a path, without build output and hidden files.
pub(crate) fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name == "target" || name.starts_with('.') {
        return;
    }
    if path.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for entry in entries {
            collect(&entry, files);
        }
    } else if path.extension().is_some_and(|extension| extension == "md" || extension == "rs")
        // The list itself.
        && !path.ends_with("pages/phrases.rs")
    {
        files.push(path.to_owned());
    }
}

/// The lines of a page, without blocks of code.
pub(crate) fn markdown(text: &str) -> Vec<(usize, String)> {
    let mut code = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            lines.push((index + 1, line.to_owned()));
        }
    }
    lines
}

/// The comments, the literals and the names of functions of a source file.
fn rust(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let prose = if line.starts_with("//") {
            line.trim_start_matches(['/', '!']).to_owned()
        } else if let Some((_, name)) = line.split_once("fn ").filter(|(before, _)| !before.contains('"')) {
            let name = name.split('(').next().unwrap_or_default();
            // The names of tests are sentences, others are not. The full stop ends them.
            if name.matches('_').count() > 2 { name.replace('_', " ") + "." } else { String::new() }
        } else {
            line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(". ")
        };
        lines.push((index + 1, prose));
    }
    lines
}

/// The phrases in some lines, which may begin in one line and end in the next.
fn find(lines: &[(usize, String)]) -> Vec<(usize, &'static Phrase)> {
    let mut prose = String::from(" ");
    let mut begins = Vec::new();
    for (number, line) in lines {
        begins.push((prose.len(), *number));
        // Text in backticks is code.
        let words = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        prose
            .extend(words.split_whitespace().flat_map(|word| [&word.to_lowercase(), " "].map(str::to_owned)));
    }
    let mut found = Vec::new();
    for phrase in PHRASES {
        for (at, _) in prose.match_indices(phrase.text) {
            let end = at + phrase.text.len();
            let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "-_/".contains(c));
            if is_word(prose[..at].chars().next_back()) || is_word(prose[end..].chars().next()) {
                continue;
            }
            let is_fine = |fine: &&str| {
                let before = fine.find(phrase.text).unwrap();
                at >= before && prose[at - before..].starts_with(*fine)
            };
            if !phrase.fine.iter().any(is_fine) {
                let line = begins.partition_point(|(begin, _)| *begin <= at) - 1;
                found.push((begins[line].1, phrase));
            }
        }
    }
    found.sort_by_key(|(line, _)| *line);
    found
}
