//! What the compiler says of a handler that is not one: it names the part that is wrong.
//!
//! Each program in `tests/compile` must fail with the text beside it. `BLESS=1` writes the texts. They
//! differ from one compiler to the next, and are compared with the one that they were written for only.
//!
//! It stays apart: it asks cargo for the library that all tests are linked with, and starts the compiler.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The compiler that the texts beside the programs were written by.
const WRITTEN_FOR: &str = "rustc 1.95.0 ";

#[test]
fn the_compiler_names_what_is_wrong() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(&rustc).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8_lossy(&version);
    if !version.starts_with(WRITTEN_FOR) {
        println!("skipped: the texts were written for {WRITTEN_FOR}this is {version}");
        return;
    }
    let library = library();
    let mut wrong = Vec::new();
    for program in programs() {
        let said = said_of(&program, &library, &rustc);
        let expected = program.with_extension("stderr");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{}:\n{said}", program.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The programs, relative to the manifest.
fn programs() -> Vec<PathBuf> {
    let files = fs::read_dir("tests/compile").unwrap().map(|file| file.unwrap().path());
    let mut programs: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
    programs.sort();
    assert!(programs.len() > 20, "the programs were found");
    programs
}

/// The library as `cargo test` has built it: nothing is built again.
fn library() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--no-run", "--quiet", "--all-features", "--test", "compile"]);
    cargo.args(["--message-format", "json"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let files = messages
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|message| message["target"]["name"] == "tokio_osc" && message["profile"]["test"] == false)
        .flat_map(|message| message["filenames"].as_array().unwrap().clone());
    let mut libraries =
        files.filter(|file| Path::new(file.as_str().unwrap()).extension().is_some_and(|it| it == "rlib"));
    libraries.next().unwrap().as_str().unwrap().into()
}

/// What the compiler says of a program that it refuses.
fn said_of(program: &Path, library: &Path, rustc: &OsString) -> String {
    let linked = format!("tokio_osc={}", library.display());
    let output = Command::new(rustc)
        .args(["--edition", "2024", "--emit", "metadata", "--out-dir", env!("CARGO_TARGET_TMPDIR")])
        .args(["--extern", &linked, "-L"])
        .arg(std::env::current_exe().unwrap().parent().unwrap())
        .arg(program)
        .output()
        .unwrap();
    assert!(!output.status.success(), "{} compiles", program.display());
    plain(&String::from_utf8(output.stderr).unwrap())
}

/// Without what changes with every edit of the library: its line numbers, the width that they take, and
/// how many types there are.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let (mut ours, mut indent) = (true, 0);
    let root = format!("{}/", env!("CARGO_MANIFEST_DIR"));
    for line in text.replace(&root, "").lines().filter(|line| !is_farewell(line)) {
        let bare = line.trim_start();
        if bare.starts_with("--> ") || bare.starts_with("::: ") {
            ours = bare.contains("tests/compile/");
            indent = line.len() - bare.len() - 1;
            let place = if ours { bare } else { bare.rsplitn(3, ':').last().unwrap() };
            write!(plain, " {place}").unwrap();
        } else if let Some((number, code)) = line.split_once('|').filter(|(number, _)| is_gutter(number)) {
            let number = if ours || number.starts_with('.') { number.trim() } else { "" };
            write!(plain, "{number:<1} |{code}").unwrap();
        } else if bare.starts_with("and ") && bare.ends_with(" others") {
            plain.push_str("          and $N others");
        } else {
            plain.push_str(line.strip_prefix(&" ".repeat(indent)).unwrap_or(line));
        }
        plain.truncate(plain.trim_end_matches(' ').len());
        plain.push('\n');
    }
    plain.trim_end().to_owned() + "\n"
}

/// The gutter before the code of a line: its number, nothing, or dots for lines left out.
fn is_gutter(text: &str) -> bool {
    let text = text.trim();
    text == "..." || text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many errors there were, and where to read more.
fn is_farewell(line: &str) -> bool {
    ["error: aborting due to ", "For more information about ", "Some errors have detailed "]
        .iter()
        .any(|start| line.starts_with(start))
}
