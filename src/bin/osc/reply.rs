//! Answers: packets that arrive at the socket that sent.

use std::process::ExitCode;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_osc::client::Subscription;
use tokio_osc::{Client, Pattern};

use crate::failure::Failure;
use crate::output;
use crate::time::parse_duration;

/// The pattern of every address.
pub(crate) const ANY: &str = "//*";

/// The options of commands that can wait for answers.
#[derive(clap::Args)]
pub(crate) struct ReplyOptions {
    /// Wait for answers; with a pattern, for those whose address matches
    ///
    /// They arrive at the port that sent the message.
    #[arg(
        long,
        value_name = "PATTERN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ANY
    )]
    reply: Option<Pattern>,

    /// How long to wait for an answer
    #[arg(long, value_name = "S", default_value = "2s", value_parser = parse_duration, requires = "reply")]
    pub(crate) timeout: Duration,
}

impl ReplyOptions {
    /// The answers from now on, if the option is set.
    pub(crate) fn answers(&self, client: &Client) -> Option<Subscription> {
        self.reply.as_ref().map(|pattern| client.subscribe(pattern.to_string()))
    }
}

/// Prints the first answer; exit code 1 if there is none in time.
pub(crate) async fn print_first(mut answers: Subscription, wait: Duration) -> Result<ExitCode, Failure> {
    match timeout(wait, answers.next()).await {
        Ok(Some(message)) => {
            output::write(format!("{message}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(None) => {
            output::note("osc: the connection has ended without an answer");
            Ok(ExitCode::FAILURE)
        }
        Err(_) => {
            output::note(format_args!("osc: no answer within {} s", wait.as_secs_f64()));
            Ok(ExitCode::FAILURE)
        }
    }
}
