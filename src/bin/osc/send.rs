//! `osc send`: one message from the command line, or packets from canonical lines.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::sleep;
use tokio_osc::packet::{IntoPacket, LineReader};
use tokio_osc::{Bundle, Client, Endpoint, Message, Packet, TimeTag};

use crate::failure::{At as _, Failure};
use crate::time::{parse_duration, parse_time_tag};
use crate::values;

/// Send a message, or packets from canonical lines
///
/// `osc send URL ADDRESS [TYPES [VALUE]...]` sends one message, as liblo's oscsend does.
/// `osc send URL -` reads canonical lines from stdin: each message, and each `#bundle TIMETAG` …
/// `#end`, is one packet; `#sleep MS` pauses for milliseconds; other lines that begin with `#` are
/// comments. Options stand before the first VALUE.
#[derive(clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help shows it verbatim")]
pub(crate) struct Send {
    /// Where to send: osc.udp://HOST:PORT/ or HOST:PORT, osc.tcp://HOST:PORT/,
    /// osc.tcp+slip://HOST:PORT/, osc.unix:///PATH, osc.unix+slip:///PATH; with options
    /// as in ?interface=eth0&ttl=4
    url: Endpoint,

    /// The address or address pattern of the message; `-` reads canonical lines from stdin
    address: String,

    /// Type tags of the values: i int32, h int64, f float32, d float64, s string, S symbol, b blob
    /// (as hex), t time tag (now, +1.5s, 0x and 16 hex digits), c character, r color (rrggbbaa),
    /// m MIDI (port, status, data1, data2 as hex), and without a value T true, F false, N nil,
    /// I impulse, [ ] array
    types: Option<String>,

    /// One value for each type tag that has one
    #[arg(value_name = "VALUE", allow_hyphen_values = true, trailing_var_arg = true)]
    values: Vec<String>,

    /// Send the message in a bundle that is due then: +1.5s, -200ms, now (immediately), or 0x and 16
    /// hex digits
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_time_tag)]
    at: Option<TimeTag>,

    /// Pause between the packets from stdin, for example 1ms [default: none]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    gap: Option<Duration>,
}

impl Send {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        // What is wrong with the command is said before anything is connected.
        let packet = match &*self.address {
            "-" => {
                self.check_lines()?;
                None
            }
            _ => Some(self.packet()?),
        };
        let client = self.url.client().await.at(&self.url)?;
        match packet {
            Some(packet) => client.send(packet).await.at(&self.url)?,
            None => self.send_lines(&client).await?,
        }
        // A connection is closed in order, so that nothing of what was sent is lost.
        client.close().await.at(&self.url)?;
        Ok(ExitCode::SUCCESS)
    }

    fn packet(&self) -> Result<Packet, Failure> {
        if self.gap.is_some() {
            return Err(Failure::at("--gap", "only packets from stdin have pauses between them"));
        }
        let types = self.types.as_deref().unwrap_or_default();
        let args = values::parse(types, &self.values).at(&self.address)?;
        let message = Message::new(&self.address, args).at(&self.address)?;
        match self.at {
            None => Ok(message.into()),
            Some(time_tag) => Bundle::at(time_tag).with(message).into_packet().at(&self.address),
        }
    }

    fn check_lines(&self) -> Result<(), Failure> {
        if self.types.is_some() {
            return Err(Failure::at("-", "messages from stdin take no type tags and values"));
        }
        if self.at.is_some() {
            return Err(Failure::at("--at", "packets from stdin carry their time: #bundle +SECONDS"));
        }
        Ok(())
    }

    async fn send_lines(&self, client: &Client) -> Result<(), Failure> {
        let mut reader = LineReader::new();
        let mut is_first = true;
        for (line, number) in io::stdin().lines().zip(1_u64..) {
            let place = format!("stdin: line {number}");
            let line = line.at(&place)?;
            if let Some(pause) = parse_sleep(&line).at(&place)? {
                sleep(pause).await;
            }
            let Some(packet) = reader.push(&line).at("stdin")? else { continue };
            if let (Some(gap), false) = (self.gap, is_first) {
                sleep(gap).await;
            }
            is_first = false;
            client.send(&packet).await.at(&place)?;
        }
        reader.finish().at("stdin")
    }
}

/// The pause that a line `#sleep MS` asks for; `None` for any other line.
fn parse_sleep(line: &str) -> Result<Option<Duration>, String> {
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some("#sleep") {
        return Ok(None);
    }
    let milliseconds = words.next().unwrap_or_default();
    let duration = milliseconds.parse().map(|milliseconds: f64| milliseconds / 1e3);
    match duration.ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(duration) => Ok(Some(duration)),
        None => Err(format!("#sleep takes milliseconds, not `{milliseconds}`")),
    }
}
