//! Answers: what comes back on the socket that was sent from.

use std::process::ExitCode;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_osc::client::Subscription;
use tokio_osc::{Client, Pattern};

use crate::failure::Failure;
use crate::output;

/// The pattern of every address.
pub(crate) const ANY: &str = "//*";

/// The answers whose address matches, from now on.
pub(crate) fn answers(client: &Client, pattern: &Pattern) -> Subscription {
    client.subscribe(pattern.to_string())
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
