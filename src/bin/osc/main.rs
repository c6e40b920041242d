//! `osc`: send, show, record, relay and measure Open Sound Control from the command line.
//!
//! Every command ends with 0 on success, 1 on a negative answer, and 2 on a usage or input error,
//! which is one line on stderr. Stdout carries data only.
#![forbid(unsafe_code)]

mod bar;
mod completions;
mod decode;
mod decoding;
mod dump;
mod encode;
mod failure;
mod flood;
mod framing;
mod interrupt;
mod listen;
mod matching;
mod output;
mod ping;
mod place;
mod plot;
mod rates;
mod record;
mod recording;
mod relay;
mod replay;
mod reply;
mod schedule;
mod select;
mod send;
mod style;
mod time;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, FromArgMatches, Parser, Subcommand};

use failure::{At as _, Failure};

/// Send, show, record, relay and measure Open Sound Control
///
/// Exit code: 0 success, 1 a negative answer, 2 a usage or input error.
#[derive(Parser)]
#[command(name = "osc", version, disable_help_subcommand = true, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

macro_rules! commands {
    ($($command:ident($args:ty),)*) => {
        #[derive(Subcommand)]
        enum Command {
            $($command($args),)*
        }

        impl Command {
            /// Parses the words of a command with the options of this command only. Building those of all commands
            /// takes longer than sending a message.
            fn parse_alone(words: &[OsString]) -> Option<Result<Self, clap::Error>> {
                let name = words.first()?.to_str()?;
                $(if name == stringify!($command).to_lowercase() {
                    let alone = clap::Command::new("osc").bin_name(format!("osc {name}"));
                    let matches = <$args>::augment_args(alone).try_get_matches_from(words);
                    return Some(matches.and_then(|matches| {
                        <$args>::from_arg_matches(&matches).map(Self::$command)
                    }));
                })*
                None
            }
        }
    };
}

commands! {
    Send(send::Send),
    Dump(dump::Dump),
    Decode(decode::Decode),
    Encode(encode::Encode),
    Match(matching::Match),
    Record(record::Record),
    Replay(replay::Replay),
    Relay(relay::Relay),
    Ping(ping::Ping),
    Flood(flood::Flood),
    Completions(completions::Completions),
    Man(completions::Man),
}

/// The output of `osc` without a command.
const FIRST_STEPS: &str = "\
Open Sound Control from the command line. Three commands to begin with:

  osc dump 9000                                   print what arrives at port 9000
  osc send 9000 /synth/1/freq fs 440 saw          send it a message
  osc ping localhost:57110 /status                ask a program for an answer

`osc --help` lists all commands, `osc COMMAND --help` their options.
";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let command = match Command::parse_alone(&words) {
        Some(command) => command.map(Some),
        None => Cli::try_parse().map(|cli| cli.command),
    };
    let ended = command.map_err(Failure::from).and_then(|command| match command {
        None => output::write(FIRST_STEPS).map(|()| ExitCode::SUCCESS),
        Some(command) => run(command),
    });
    ended.unwrap_or_else(output::report)
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Send(send) => block_on(send.run()),
        Command::Dump(dump) => block_on(dump.run()),
        Command::Decode(decode) => decode.run(),
        Command::Encode(encode) => encode.run(),
        Command::Match(matching) => matching.run(),
        Command::Record(record) => block_on(record.run()),
        Command::Replay(replay) => block_on(replay.run()),
        Command::Relay(relay) => block_on(relay.run()),
        Command::Ping(ping) => block_on(ping.run()),
        Command::Flood(flood) => block_on(flood.run()),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    }
}

/// Runs a command that uses the network, on this thread.
fn block_on(command: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.at("runtime")?.block_on(command)
}
