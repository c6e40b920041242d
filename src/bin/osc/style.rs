//! How `osc dump` shows a packet: as canonical lines, as JSON, or as hexadecimal digits.

use tokio_osc::Meta;
use tokio_osc::packet::{HexDump, PacketRef};

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
        let time = self.time.then(|| Utc(meta.received_at).to_string());
        let peer = self.peer.then(|| meta.peer.to_string());
        if self.json {
            let head = [("time", time), ("peer", peer)].into_iter();
            let head = head.filter_map(|(key, text)| Some((key.to_owned(), text?.into())));
            let object = head.chain(json::of_packet(packet)).collect::<json::Object>();
            return json::Value::from(object).to_string() + "\n";
        }
        let prefix: String = [time, peer].into_iter().flatten().map(|text| text + " ").collect();
        let body = if self.raw { HexDump(packet.as_bytes()).to_string() } else { packet.to_string() };
        body.lines().fold(String::new(), |text, line| text + &prefix + line + "\n")
    }
}
