//! Links between the pages: the file is there, and so is the heading.

use std::fs;
use std::path::{Path, PathBuf};

use crate::prose::{collect, markdown};

/// The links of all pages that lead nowhere, as `PAGE:LINE: TARGET`.
pub(crate) fn broken(repository: &Path) -> Vec<String> {
    let mut pages = Vec::new();
    collect(repository, &mut pages);
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    assert!(pages.len() > 10, "only {} pages were found", pages.len());
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for (line, prose) in markdown(&text) {
            let targets = targets(&prose).filter(|target| !leads_somewhere(&page, target));
            let name = page.strip_prefix(repository).unwrap().display().to_string();
            broken.extend(targets.map(|target| format!("{name}:{line}: {target}")));
        }
    }
    broken
}

/// The targets of `[text](target)` that are files or headings: not those of the web, nor paths of Rust.
fn targets(prose: &str) -> impl Iterator<Item = &str> {
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    links.filter(|target| !target.contains("://") && !target.contains("::") && !target.starts_with("mailto:"))
}

fn leads_somewhere(page: &Path, target: &str) -> bool {
    let (path, heading) = target.split_once('#').map_or((target, None), |(path, at)| (path, Some(at)));
    let file: PathBuf = if path.is_empty() { page.to_owned() } else { page.parent().unwrap().join(path) };
    let Some(heading) = heading else { return file.exists() };
    fs::read_to_string(file).is_ok_and(|text| headings(&text).any(|slug| slug == heading))
}

/// The headings of a page as the anchors that GitHub makes of them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let lines = markdown(text).into_iter().map(|(_, line)| line);
    lines.filter(|line| line.starts_with('#')).map(|line| {
        let kept = line.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let broken = broken(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    for (target, leads) in [
        ("#send", true),
        ("limits.md", true),
        ("../README.md#what-it-does", true),
        ("#sent", false),
        ("limit.md", false),
        ("../README.md#what-it-did", false),
    ] {
        assert_eq!(leads_somewhere(&page, target), leads, "{target}");
    }
    let prose = "see [this](a.md), [that](https://example.org) and [`Code`](crate::Code)";
    assert_eq!(targets(prose).collect::<Vec<_>>(), ["a.md"]);
}
