//! How `osc dump` shows a packet: as canonical lines, as JSON, or as hexadecimal digits.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::LazyLock;

use tokio_osc::packet::HexDump;
use tokio_osc::{Meta, Packet};

use crate::time::Utc;

/// The options of `osc dump` for its output.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "an option each")]
pub(crate) struct Style {
    /// Print one JSON object per packet instead of canonical lines
    #[arg(long)]
    json: bool,

    /// Print the bytes of each packet in hex and as text, even of malformed ones
    #[arg(long, conflicts_with = "json")]
    pub(crate) raw: bool,

    /// Print the sender of each packet, in front of each line
    #[arg(long)]
    peer: bool,

    /// Print when each packet was received (UTC), in front of each line
    #[arg(long)]
    time: bool,
}

/// A line of JSON.
#[derive(serde::Serialize)]
struct JsonLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    #[serde(flatten)]
    packet: &'a Packet,
}

impl Style {
    /// Appends the packet as text; each line with its line feed.
    pub(crate) fn render(&self, packet: &Packet, meta: &Meta, text: &mut String) {
        if self.json {
            let line = JsonLine { time: self.time(meta), peer: self.peer(meta), packet };
            // A packet has no map keys that JSON could refuse.
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
            text.push('\n');
        } else if self.raw {
            self.bytes(packet.as_bytes(), meta, text);
        } else if *IS_COLORED || self.time || self.peer {
            self.lines(&packet.to_string(), meta, *IS_COLORED, text);
        } else {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{packet}");
        }
    }

    /// Appends the bytes of a packet, which may be malformed, as a hex dump.
    pub(crate) fn bytes(&self, bytes: &[u8], meta: &Meta, text: &mut String) {
        self.lines(&HexDump(bytes).to_string(), meta, false, text);
    }

    fn lines(&self, body: &str, meta: &Meta, is_colored: bool, text: &mut String) {
        let prefix: String =
            [self.time(meta), self.peer(meta)].into_iter().flatten().map(|text| text + " ").collect();
        for line in body.lines() {
            text.push_str(&prefix);
            match line.split_once(' ') {
                // An address in quotes may hold spaces: it stays as it is.
                Some((address, rest)) if is_colored && !line.starts_with(['"', 'x']) => {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "\x1b[36m{address}\x1b[0m {rest}");
                }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
    }

    fn time(&self, meta: &Meta) -> Option<String> {
        self.time.then(|| Utc(meta.received_at).to_string())
    }

    fn peer(&self, meta: &Meta) -> Option<String> {
        self.peer.then(|| meta.peer.to_string())
    }
}

/// Whether to print colors: stdout is a terminal and <https://no-color.org> is not set. Determined once, because it
/// takes system calls.
static IS_COLORED: LazyLock<bool> = LazyLock::new(|| {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
});
