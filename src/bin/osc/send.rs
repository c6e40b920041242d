//! `osc send`: one message from the command line, or packets from canonical lines.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::sleep;
use tokio_osc::channel::StreamOptions;
use tokio_osc::packet::{DecodeOptions, IntoPacket, LineReader};
use tokio_osc::{Bundle, Client, Packet, TimeTag};

use crate::failure::{At as _, Failure};
use crate::place::{looked_up, parse_peer};
use crate::reply::{self, ReplyOptions};
use crate::time::{parse_duration, parse_time_tag};
use crate::values;

/// Send a message, or packets from canonical lines
///
/// `osc send URL ADDRESS [TYPES [VALUE]...]` sends one message, as liblo's oscsend does.
/// `osc send URL -` reads canonical lines from stdin: each message, and each `#bundle TIMETAG` …
/// `#end`, is one packet; `#sleep MS` pauses for milliseconds; other lines that begin with `#` are
/// comments. Options come before the first VALUE. With --reply the exit code is 1 if no answer came.
#[derive(clap::Args)]
#[expect(clippy::doc_markdown, reason = "the help shows it verbatim")]
pub(crate) struct Send {
    /// Where to send: HOST:PORT, HOST PORT, PORT of this host, or a URL
    ///
    /// URLs are osc.udp://HOST:PORT/, osc.tcp://HOST:PORT/, osc.tcp+slip://HOST:PORT/, osc.unix:///PATH and
    /// osc.unix+slip:///PATH, with options as in ?interface=eth0&ttl=4 or ?local=9001.
    url: String,

    /// The address or address pattern of the message; `-` reads packets from stdin
    address: String,

    /// Type tags of the values, for example ifs
    ///
    /// With a value: i int32, h int64, f float32, d float64, s string, S symbol, b blob (as hex), t time tag
    /// (now, +1.5s, 0x and 16 hex digits), c character, r color (rrggbbaa), m MIDI (port, status, data1, data2
    /// as hex). Without: T true, F false, N nil, I impulse, [ ] array.
    types: Option<String>,

    /// One value for each type tag that has one
    #[arg(value_name = "VALUE", allow_hyphen_values = true, trailing_var_arg = true)]
    values: Vec<String>,

    /// Send the message in a bundle with this time tag
    ///
    /// +1.5s, -200ms, now (immediately), or 0x and 16 hex digits.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_time_tag)]
    at: Option<TimeTag>,

    /// Pause between the packets from stdin, for example 1ms [default: none]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    gap: Option<Duration>,

    /// Send the address unchanged, even without a leading slash
    #[arg(long)]
    bare: bool,

    /// Read a JSON object per line from stdin, as `osc dump --json` prints them
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    reply: ReplyOptions,
}

impl Send {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        // Errors in the command are reported before anything is connected.
        let this = self.with_host_and_port_joined();
        let url = parse_peer(&this.url).at(&this.url)?;
        let packet = match &*this.address {
            "-" => {
                this.check_lines()?;
                None
            }
            _ => Some(this.packet()?),
        };
        let decode = DecodeOptions::default().accept_bare_addresses(this.bare);
        let client = looked_up(&url).client_with(StreamOptions::default().decode(decode)).await.at(&url)?;
        // Heard from before anything is sent: the answer may be quick.
        let answers = this.reply.answers(&client);
        match packet {
            Some(packet) => client.send(packet).await.at(&url)?,
            None => this.send_lines(&client).await?,
        }
        let exit = match answers {
            Some(answers) => reply::print_first(answers, this.reply.timeout).await?,
            None => ExitCode::SUCCESS,
        };
        // A connection is closed in order, so that no packet in it is lost.
        client.close().await.at(&url)?;
        Ok(exit)
    }

    /// Joins `HOST PORT`, two words as for `oscsend`, to one URL.
    fn with_host_and_port_joined(self) -> Self {
        let is_port = !self.url.contains(':') && self.address.parse::<u16>().is_ok();
        match (is_port, self.types) {
            (true, Some(address)) => {
                let mut values = self.values.into_iter();
                let url = format!("{}:{}", self.url, self.address);
                let types = values.next();
                Self { url, address, types, values: values.collect(), ..self }
            }
            (_, types) => Self { types, ..self },
        }
    }

    fn packet(&self) -> Result<Packet, Failure> {
        if self.gap.is_some() {
            return Err(Failure::at("--gap", "only packets from stdin have pauses between them"));
        }
        if self.json {
            return Err(Failure::at("--json", "only packets from stdin are JSON"));
        }
        let types = self.types.as_deref().unwrap_or_default();
        let message = values::message(&self.address, types, &self.values, self.bare)?;
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
            let packet =
                if self.json { parse_json(&line, &place)? } else { reader.push(&line).at("stdin")? };
            let Some(packet) = packet else { continue };
            if let (Some(gap), false) = (self.gap, is_first) {
                sleep(gap).await;
            }
            is_first = false;
            client.send(&packet).await.at(&place)?;
        }
        reader.finish().at("stdin")
    }
}

/// The packet of a line of JSON; `None` for blank lines and comments.
fn parse_json(line: &str, place: &str) -> Result<Option<Packet>, Failure> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    serde_json::from_str(line).map(Some).map_err(|error| {
        let text = error.to_string();
        // The line is one of stdin, and told as such.
        let what = text.split(" at line ").next().unwrap_or(&text);
        match error.column() {
            // It is about the whole object.
            0 => Failure::at(place, what),
            column => Failure::at(format_args!("{place}, column {column}"), what),
        }
    })
}

/// The pause of a line `#sleep MS`. `None` for any other line.
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
