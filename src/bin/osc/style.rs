//! How `osc dump` shows a packet: as canonical lines, as JSON, or as hexadecimal digits.

use std::fmt::Write as _;

use tokio_osc::{HexDump, Meta, PacketRef};

use crate::json;
use crate::time::Utc;

/// The options of `osc dump` that say what is printed.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "an option each")]
pub(crate) struct Style {
    /// Print one JSON object per packet instead of canonical lines
    #[arg(long)]
    json: bool,

    /// Print the bytes of each packet as hexadecimal digits and text instead of canonical lines
    #[arg(long, conflicts_with = "json")]
    raw: bool,

    /// Print the sender of each packet, in front of each line
    #[arg(long)]
    peer: bool,

    /// Print when each packet was received (UTC), in front of each line
    #[arg(long)]
    time: bool,
}

impl Style {
    /// The packet as text; each line with its line feed.
    pub(crate) fn render(&self, packet: PacketRef<'_>, meta: &Meta) -> String {
        if self.json {
            return self.render_json(packet, meta);
        }
        let body = if self.raw { HexDump(packet.as_bytes()).to_string() } else { packet.to_string() };
        let prefix = self.prefix(meta);
        body.lines().fold(String::new(), |text, line| text + &prefix + line + "\n")
    }

    fn prefix(&self, meta: &Meta) -> String {
        let mut prefix = String::new();
        if self.time {
            let _ = write!(prefix, "{} ", Utc(meta.received_at));
        }
        if self.peer {
            let _ = write!(prefix, "{} ", meta.peer);
        }
        prefix
    }

    fn render_json(&self, packet: PacketRef<'_>, meta: &Meta) -> String {
        let mut object = json::Object::new();
        if self.time {
            object.insert("time".into(), Utc(meta.received_at).to_string().into());
        }
        if self.peer {
            object.insert("peer".into(), meta.peer.to_string().into());
        }
        object.extend(json::of_packet(packet));
        json::Value::from(object).to_string() + "\n"
    }
}
