//! What the compiler says of a handler that is none: it names the part that is wrong.
//!
//! The texts differ from one compiler to the next. They are compared with the one that they were
//! written for, and only with the features of the whole crate, which some messages list types of.
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::Command;

/// The compiler that the texts beside the programs were written by.
const WRITTEN_FOR: &str = "rustc 1.95.0 ";

#[test]
fn the_compiler_names_what_is_wrong() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8_lossy(&version);
    if !version.starts_with(WRITTEN_FOR) {
        println!("skipped: the texts were written for {WRITTEN_FOR}this is {version}");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/compile/*.rs");
}
