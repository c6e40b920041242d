//! The examples of `docs/cli.md` that need no network: each command gives the output shown.

use std::path::Path;
use std::process::Command;

/// The commands of the `console` blocks, and the lines shown below each.
fn examples(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("```console\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let mut examples: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.strip_prefix("$ ") {
            Some(command) => examples.push((command.to_owned(), String::new())),
            None => examples.last_mut().unwrap().1.extend([line, "\n"]),
        }
    }
    examples
}

#[test]
fn examples_give_the_output_shown() {
    let tool = Path::new(env!("CARGO_BIN_EXE_osc")).parent().unwrap().to_str().unwrap();
    let path = format!("{tool}:{}", std::env::var("PATH").unwrap());
    let examples = examples(include_str!("../../docs/cli.md"));
    assert!(examples.len() >= 10, "only {} examples were found", examples.len());
    for (command, expected) in examples {
        let script = format!("exec 2>&1; {command}");
        let output = Command::new("sh").args(["-c", &script]).env("PATH", &path).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{command}");
    }
}
