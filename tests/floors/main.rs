//! The house has floors, and imports go downward only, between floors and inside each: this reads
//! every source file and names each import that does not.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;

mod circles;

use circles::circles;

/// Each floor and the floors it may import from.
const FLOORS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("pattern", &["types"]),
    ("wire", &["types"]),
    ("packet", &["types", "pattern", "wire"]),
    ("middleware", &["types", "pattern", "wire", "packet"]),
    ("codec", &["types", "pattern", "wire", "packet", "middleware"]),
    ("channel", &["types", "pattern", "wire", "packet", "middleware", "codec"]),
    ("client", &["types", "pattern", "wire", "packet", "middleware", "codec", "channel"]),
    ("schedule", &["types", "pattern", "wire", "packet"]),
    ("dispatch", &["types", "pattern", "wire", "packet"]),
    (
        "server",
        &["types", "pattern", "wire", "packet", "middleware", "codec", "channel", "schedule", "dispatch"],
    ),
    // These are made of what users have, too: names of the crate's root.
    ("node", &[]),
    ("tools", &[]),
    ("testing", &[]),
    ("guide", &[]),
];

/// Files below all floors: ways to do a thing that all do.
const FOUNDATION: &[&str] = &["lock", "throttle", "user_function"];

/// Floors that import by the crate's public names only.
const PUBLIC_ONLY: &[&str] = &["node", "tools", "testing", "guide"];

/// Floors that are not public: their public names are in `packet` and `pattern`.
const PRIVATE: &[&str] = &["types", "wire"];

#[test]
fn imports_go_downward_only() {
    let files = sources();
    assert!(files.len() > 40, "the sources were found");
    let violations: Vec<_> = files.iter().flat_map(|(path, text)| violations(path, text)).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// Circles of files inside a floor that are inherent, each with its reason.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["dispatch/context.rs", "dispatch/handler.rs", "dispatch/route.rs"],
        "a route holds a handler, which is called with a context, which leads to the route",
    ),
    (
        &[
            "packet/bundle.rs",
            "packet/into_packet.rs",
            "packet/message.rs",
            "packet/packet.rs",
            "packet/walk.rs",
        ],
        "recursive data: a packet is a message or a bundle, and a bundle holds packets",
    ),
];

#[test]
fn imports_inside_a_floor_have_one_direction() {
    let found = circles(&sources());
    let allowed = |circle: &Vec<String>| {
        CIRCLES.iter().any(|(files, _)| circle.iter().all(|file| files.contains(&file.as_str())))
    };
    let new: Vec<_> =
        found.iter().filter(|circle| !allowed(circle)).map(|circle| circle.join(" <-> ")).collect();
    assert!(new.is_empty(), "files that import from each other:\n{}", new.join("\n"));
}

#[test]
fn floors_on_public_names_use_no_others() {
    let files = sources();
    let text = |module: &str| {
        let path = format!("{module}/mod.rs");
        files.iter().find(|(file, _)| *file == path).map(|(_, text)| text.as_str()).unwrap_or_default()
    };
    let mut hidden = Vec::new();
    for (path, code) in &files {
        let floor = path.split('/').next().unwrap_or_default();
        if !PUBLIC_ONLY.contains(&floor) {
            continue;
        }
        for import in circles::imports_of(&circles::without_tests(code)) {
            let [root, module, name, ..] = import.path.as_slice() else { continue };
            let is_floor = FLOORS.iter().any(|(floor, _)| floor == module);
            if root == "crate" && is_floor && module != floor && !circles::exports(text(module), name) {
                hidden.push(format!("{path}: {module}::{name}"));
            }
        }
    }
    assert!(hidden.is_empty(), "names that users do not have:\n{}", hidden.join("\n"));
    assert!(
        circles::exports("pub use one::{One, Two};", "Two") && circles::exports("pub struct Own;", "Own")
    );
    assert!(!circles::exports("pub(crate) use one::Two;\nuse one::Own;\nstruct Own;", "Own"));
}

#[test]
fn a_circle_of_files_is_found() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let found =
        |files: &[(String, String)]| circles(files).iter().map(|circle| circle.join(" ")).collect::<Vec<_>>();
    let module = || {
        file(
            "a/mod.rs",
            "mod one;\nmod two;\nmod deep;\npub use one::One;\npub(crate) use two::{Two as Second, two};",
        )
    };

    let direct = [file("a/one.rs", "use super::two::Two;"), file("a/two.rs", "fn f() { super::one::g() }")];
    assert_eq!(found(&direct), ["a/one.rs a/two.rs"]);
    let through_the_parent = [
        module(),
        file("a/one.rs", "use super::Second;"),
        file("a/two.rs", "use crate::a::{One, deep::Deep};"),
    ];
    assert_eq!(found(&through_the_parent), ["a/one.rs a/two.rs"]);
    let through_the_root = [
        module(),
        file("lib.rs", "mod a;\npub use a::{One, Second};"),
        file("a/one.rs", "use crate::Second;"),
        file("a/two.rs", "use crate::One;"),
    ];
    assert_eq!(found(&through_the_root), ["a/one.rs a/two.rs"]);
    let over_a_third = [
        module(),
        file("a/one.rs", "use super::two::*;"),
        file("a/two.rs", "use self::super::deep::{self, Deep};"),
        file("a/deep.rs", "use super::super::a::One;"),
    ];
    assert_eq!(found(&over_a_third), ["a/deep.rs a/one.rs a/two.rs"]);
}

#[test]
fn imports_of_one_direction_are_not_a_circle() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = [
        file("a/mod.rs", "mod one;\nmod two;\npub use one::One;\nstruct Own;"),
        file(
            "a/one.rs",
            "use super::Own;\nuse super::two::Two; // use super::one\n#[cfg(test)]\nmod tests { use super::*; }",
        ),
        file(
            "a/two.rs",
            "use std::fmt;\nuse crate::b::Other;\n#[cfg(test)]\nmod tests {\n    use super::super::One;\n}",
        ),
        file("b/mod.rs", "use crate::a::One;"),
    ];
    assert_eq!(circles(&files), Vec::<Vec<String>>::new());
}

#[test]
fn an_upward_import_is_found() {
    let bad = [
        ("wire/read.rs", "use crate::packet::Message;"),
        ("schedule/queue.rs", "use crate::dispatch::Router;"),
        ("dispatch/router.rs", "fn now() { crate::schedule::now() }"),
        ("pattern/mod.rs", "use crate::{types::Text, wire::scan};"),
        ("wire/deep/file.rs", "use super::super::super::packet::Message;"),
        ("packet/mod.rs", "pub use super::server::Server;"),
        ("packet/mod.rs", "use crate::Server;"),
        ("packet/mod.rs", "mod tests {\n    use super::super::server::Server;\n}"),
        ("node/mod.rs", "use crate::wire::DecodeOptions;"),
        ("attic/mod.rs", "use crate::types::Text;"),
        ("types/text.rs", "use crate::error::Error;"),
    ];
    for (path, text) in bad {
        assert_eq!(violations(path, text).len(), 1, "{path}: {text}");
    }
}

#[test]
fn a_downward_import_is_fine() {
    let good = [
        ("wire/read.rs", "use crate::types::{Text, TimeTag};\nuse super::scan::scan;"),
        ("packet/line.rs", "use super::super::wire::ArgIter; // crate::server::Server"),
        ("server/drive.rs", "use crate::{dispatch::Router, schedule::Queue};"),
        ("node/mod.rs", "use crate::{Client, Server};\nuse super::node::Name;\nuse crate::server::Stats;"),
        ("pattern/mod.rs", "//! See [`Router`](crate::Router).\nuse crate::types::Text;"),
        ("pattern/mod.rs", "mod tests {\n    use super::syntax;\n}"),
        ("lib.rs", "mod types;\npub use types::Text;"),
        ("error.rs", "use crate::codec::FrameError;"),
        ("bin/osc/main.rs", "use crate::args::Command;"),
    ];
    for (path, text) in good {
        assert_eq!(violations(path, text), Vec::<String>::new(), "{path}");
    }
}

fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path(), "", &mut files);
    files
}

fn collect(dir: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push((name, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

/// The imports of a file, given by its path below `src`, that do not go downward.
fn violations(path: &str, text: &str) -> Vec<String> {
    let is_root = matches!(path, "lib.rs" | "error.rs" | "readable.rs") || path.starts_with("bin/");
    if is_root || FOUNDATION.iter().any(|name| path.strip_suffix(".rs") == Some(name)) {
        return Vec::new();
    }
    let module: Vec<&str> = path.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
    let Some((floor, below)) = FLOORS.iter().find(|(floor, _)| *floor == module[0]) else {
        return vec![format!("{path}: no floor has this name")];
    };
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let allowed = |name: &str| {
        if FOUNDATION.contains(&name) {
            return true;
        }
        let is_floor = FLOORS.iter().any(|(floor, _)| *floor == name);
        if PUBLIC_ONLY.contains(floor) {
            return !is_floor || !PRIVATE.contains(&name);
        }
        name == *floor || below.contains(&name)
    };
    let (code, tests) = code.split_at(code.find("mod tests {").unwrap_or(code.len()));
    let names = roots(code, "crate::", 1).into_iter().chain(roots(code, "super::", module.len()));
    let names = names.chain(roots(tests, "crate::", 1)).chain(roots(tests, "super::", module.len() + 1));
    names
        .filter(|name| !allowed(name))
        .map(|name| format!("{path}: the floor `{floor}` imports `{name}`"))
        .collect()
}

/// The first names of all paths that begin with `depth` repetitions of `start`, which lead to the
/// crate's root.
fn roots(code: &str, start: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(start) {
        let before = rest[..at].chars().next_back();
        rest = &rest[at..];
        let mut repeated = 0;
        while let Some(after) = rest.strip_prefix(start) {
            repeated += 1;
            rest = after;
        }
        if repeated >= depth.max(1)
            && !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$'))
        {
            found.extend(first_names(rest));
        }
    }
    found
}

/// `a` of `a::b`, and `a` and `c` of `{a::b, c::{d, e}}`.
fn first_names(path: &str) -> Vec<String> {
    let ident =
        |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let Some(group) = path.strip_prefix('{') else { return vec![ident(path)] };
    let mut names = vec![ident(group)];
    let mut level = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => level += 1,
            '}' if level == 0 => break,
            '}' => level -= 1,
            ',' if level == 0 => names.push(ident(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name: &String| !name.is_empty());
    names
}
