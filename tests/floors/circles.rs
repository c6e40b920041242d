//! Circles of files: two files that import from each other, over however many others.
//!
//! Every import is followed to the file that defines the name, through re-exports: `use super::Client`
//! of a file beside `client.rs` is an import from `client.rs`, not from `mod.rs`.

use std::collections::{BTreeMap, BTreeSet};

/// The files of each circle, sorted; none of them where imports have one direction.
///
/// `files` are paths below `src` with their text. An import between a module and one of its own
/// submodules does not count: the two are one thing in several files.
pub(crate) fn circles(files: &[(String, String)]) -> Vec<Vec<String>> {
    let tree = Tree::new(files);
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, text) in files {
        let module = module_of(path);
        let own = imports.entry(path).or_default();
        for import in imports_of(&without_tests(text)) {
            let Some(to) = tree.file_of(&module, &import) else { continue };
            let other = module_of(to);
            let same_floor = other.first() == module.first();
            if same_floor && !module.starts_with(&other) && !other.starts_with(&module) {
                own.insert(to);
            }
        }
    }
    components(&imports)
}

/// The modules of the crate: where each is, and what names it has from elsewhere.
struct Tree<'a> {
    files: BTreeMap<Vec<String>, &'a str>,
    /// For each module, the names that its `use` declarations bring in, with their paths.
    aliases: BTreeMap<Vec<String>, Vec<Import>>,
}

/// A path as it is written, without `as`, and the name that it brings in.
#[derive(Clone)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    name: String,
}

/// Whether the text of a module makes a name public.
pub(crate) fn exports(text: &str, name: &str) -> bool {
    let code = without_tests(text);
    let used = code.split(';').filter(|statement| statement.contains("pub use ")).any(|statement| {
        let mut imports = Vec::new();
        expand(&[], use_tree(statement).unwrap_or_default(), &mut imports);
        imports.iter().any(|import| import.name == name)
    });
    let kinds = ["struct", "enum", "trait", "fn", "async fn", "const fn", "const", "type", "mod"];
    let defined = |kind: &&str| {
        code.match_indices(&format!("pub {kind} {name}")).any(|(at, found)| {
            !code[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    };
    used || kinds.iter().any(defined)
}

impl<'a> Tree<'a> {
    fn new(files: &'a [(String, String)]) -> Self {
        let aliases = files.iter().map(|(path, text)| {
            let uses = imports_of(&without_tests(text)).into_iter().filter(|import| !import.name.is_empty());
            (module_of(path), uses.collect())
        });
        Self {
            files: files.iter().map(|(path, _)| (module_of(path), path.as_str())).collect(),
            aliases: aliases.collect(),
        }
    }

    /// The file that defines what a module imports.
    fn file_of(&self, module: &[String], import: &Import) -> Option<&'a str> {
        self.resolve(module, &import.path, 0)
    }

    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<&'a str> {
        // A name may pass through the `mod.rs` of each folder and `lib.rs`; more is a loop of `use`.
        if depth > 8 {
            return None;
        }
        let mut at = module.to_vec();
        let mut rest = path;
        while let Some((first, more)) = rest.split_first() {
            match first.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            rest = more;
        }
        while let Some((first, more)) = rest.split_first() {
            let mut below = at.clone();
            below.push(first.clone());
            if !self.files.contains_key(&below) {
                break;
            }
            at = below;
            rest = more;
        }
        let here = self.files.get(&at).copied();
        let Some(name) = rest.first() else { return here };
        let Some(alias) = self.aliases.get(&at)?.iter().find(|alias| alias.name == *name) else {
            return here;
        };
        let path: Vec<_> = alias.path.iter().chain(&rest[1..]).cloned().collect();
        // A name of another crate counts as defined where it is imported.
        self.resolve(&at, &path, depth + 1).or(here)
    }
}

fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    path.split('/').filter(|part| !matches!(*part, "mod" | "lib")).map(str::to_owned).collect()
}

/// The text without comments and unit tests.
pub(crate) fn without_tests(text: &str) -> String {
    let code: Vec<_> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let end = code.find("\n#[cfg(test)]\n").or_else(|| code.find("mod tests {")).unwrap_or(code.len());
    code[..end].to_owned()
}

/// All paths of a text that begin in the crate: of `use` declarations, with the name they bring in,
/// and those in the code.
pub(crate) fn imports_of(code: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    let mut rest = String::new();
    for statement in code.split(';') {
        if let Some(tree) = use_tree(statement) {
            expand(&[], tree, &mut imports);
        } else {
            rest.push_str(statement);
            rest.push(';');
        }
    }
    let inline = ["crate::", "super::", "self::"];
    for (at, _) in rest.match_indices("::") {
        let start = rest[..at].rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
        let begins = inline.iter().any(|begin| rest[start..].starts_with(begin));
        if !begins || rest[..start].ends_with("::") || rest[..start].ends_with('$') {
            continue;
        }
        let end = rest[start..].find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
        let path = &rest[start..end.map_or(rest.len(), |end| start + end)];
        let path = path.trim_end_matches(':').split("::").map(str::to_owned).collect();
        imports.push(Import { path, name: String::new() });
    }
    imports.retain(|import| import.path.len() > 1);
    imports
}

/// The tree after `use` in a statement that is a `use` declaration.
fn use_tree(statement: &str) -> Option<&str> {
    let at = statement.rfind("use ")?;
    let before = statement[..at].trim_end();
    let visibility = before.rsplit(['\n', '{', '}', ']']).next().unwrap_or_default().trim();
    let is_declaration = visibility.is_empty() || visibility.starts_with("pub");
    let whole_word = statement[..at].chars().next_back().is_none_or(char::is_whitespace);
    (is_declaration && whole_word).then(|| &statement[at + 4..])
}

/// `a::{b, c as d}` is `a::b` and `a::c`, which is called `d`.
fn expand(before: &[String], tree: &str, imports: &mut Vec<Import>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name)));
        let mut path: Vec<_> =
            before.iter().cloned().chain(path.split("::").map(|part| part.trim().to_owned())).collect();
        if path.last().is_some_and(|last| last == "self" || last == "*") {
            path.pop();
        }
        let name = alias.map(|name| name.trim().to_owned()).or_else(|| path.last().cloned());
        imports.push(Import { path, name: name.unwrap_or_default() });
        return;
    };
    let prefix = tree[..open].trim().trim_end_matches("::");
    let prefix: Vec<_> = before
        .iter()
        .cloned()
        .chain(prefix.split("::").filter(|part| !part.is_empty()).map(|part| part.trim().to_owned()))
        .collect();
    let mut level = 0;
    let mut start = open + 1;
    for (at, c) in tree.char_indices().skip_while(|(at, _)| *at <= open) {
        match c {
            '{' => level += 1,
            '}' if level == 0 => {
                push_part(&prefix, &tree[start..at], imports);
                return;
            }
            '}' => level -= 1,
            ',' if level == 0 => {
                push_part(&prefix, &tree[start..at], imports);
                start = at + 1;
            }
            _ => {}
        }
    }
}

fn push_part(prefix: &[String], part: &str, imports: &mut Vec<Import>) {
    if !part.trim().is_empty() {
        expand(prefix, part, imports);
    }
}

/// The strongly connected components of more than one file.
fn components(imports: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<Vec<String>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|from| (*from, reachable(imports, from))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, others) in &reach {
        let circle: Vec<_> = others.iter().filter(|other| reach[*other].contains(file)).collect();
        if circle.len() > 1 {
            found.insert(circle.into_iter().map(|file| (*file).to_owned()).collect());
        }
    }
    found.into_iter().collect()
}

fn reachable<'a>(imports: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = imports[from].iter().copied().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(&imports[file]);
        }
    }
    seen
}
