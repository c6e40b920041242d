//! `osc relay`: forwards packets between transports, unchanged.

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures::stream::select_all;
use tokio::time::sleep;
use tokio_osc::channel::StreamOptions;
use tokio_osc::tools::{Relay as Forward, RelayStats};
use tokio_osc::{Endpoint, Pattern};

use crate::decoding::Decoding;
use crate::failure::{At as _, Failure};
use crate::interrupt::Interrupt;
use crate::listen::{Listening, tell_connections};
use crate::output::note;
use crate::place::{Listen, parse_peer};
use crate::time::parse_duration;

/// Forward packets between transports, unchanged
///
/// Every packet that arrives at one of the URLs is sent to all URLs of --to, byte for byte, time tags
/// included. A slow destination does not delay the others: its oldest packets are dropped when 1 MiB
/// waits. Ctrl-C sends the queued packets, prints the counts on stderr, and ends.
#[derive(clap::Args)]
pub(crate) struct Relay {
    /// Where to listen, as for `osc dump`
    #[arg(required = true, value_name = "FROM")]
    from: Vec<Listen>,

    /// Where to send, as for `osc send`
    #[arg(long, required = true, num_args = 1.., value_name = "URL", value_parser = parse_peer)]
    to: Vec<Endpoint>,

    /// Forward only packets with a message whose address matches; can be repeated
    #[arg(long, value_name = "PATTERN")]
    only: Vec<Pattern>,

    /// End after S seconds
    #[arg(long, value_name = "S", value_parser = parse_duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    decoding: Decoding,
}

impl Relay {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let mut interrupt = Interrupt::new()?;
        let mut forward = Forward::new();
        for pattern in self.only {
            forward = forward.only(pattern).at("--only")?;
        }
        for url in &self.to {
            forward = forward.to(url.to_string(), url.client().await.at(url)?);
        }
        let options = StreamOptions::default().decode(self.decoding.options());
        let listening = Listening::on(&self.from, &options).await?;
        tokio::spawn(tell_connections(select_all(
            listening.channels.iter().map(|(_, channel)| channel.events()),
        )));
        let drops = listening.drops;
        for (url, channel) in listening.channels {
            forward = forward.from(url.to_string(), channel);
        }
        let handle = forward.spawn();
        let mut timeout = pin!(sleep(self.timeout.unwrap_or(Duration::MAX)));
        tokio::select! {
            () = interrupt.pressed() => {}
            () = &mut timeout => {}
        }
        drops.tell();
        tell(&handle.shutdown().await);
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(counts: &RelayStats) {
    let RelayStats { received, malformed, filtered, .. } = counts;
    note(format_args!("osc: {received} received, {malformed} malformed, {filtered} filtered"));
    for to in &counts.to {
        note(format_args!(
            "osc: to {}: {} sent, {} failed, {} dropped",
            to.name, to.sent, to.failed, to.dropped
        ));
    }
}
