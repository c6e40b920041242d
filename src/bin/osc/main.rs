//! `osc`: send, show, decode, encode and match Open Sound Control from the command line.
//!
//! Every command ends with 0 on success, 1 on a negative answer, and 2 on a usage or input error,
//! which is one line on stderr. Stdout carries data only.
#![forbid(unsafe_code)]

mod decode;
mod dump;
mod encode;
mod failure;
mod framing;
mod json;
mod matching;
mod output;
mod schedule;
mod send;
mod style;
mod time;
mod values;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::{At as _, Failure};

/// Open Sound Control from the command line.
///
/// Exit code: 0 success, 1 a negative answer, 2 a usage or input error.
#[derive(Parser)]
#[command(name = "osc", version, disable_help_subcommand = true, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, made once")]
enum Command {
    Send(send::Send),
    Dump(dump::Dump),
    Decode(decode::Decode),
    Encode(encode::Encode),
    Match(matching::Match),
}

fn main() -> ExitCode {
    let ended = Cli::try_parse().map_err(Failure::from).and_then(|cli| match cli.command {
        Command::Send(send) => block_on(send.run()),
        Command::Dump(dump) => block_on(dump.run()),
        Command::Decode(decode) => decode.run(),
        Command::Encode(encode) => encode.run(),
        Command::Match(matching) => matching.run(),
    });
    ended.unwrap_or_else(output::report)
}

/// Runs a command that uses the network, on this thread.
fn block_on(command: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.at("runtime")?.block_on(command)
}
