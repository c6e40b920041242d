//! `osc dump --stats`: packets, bytes and addresses of each second.

use tokio_osc::Packet;

use crate::listen::Drops;

#[derive(Default)]
struct Counts {
    packets: u64,
    messages: u64,
    bytes: u64,
}

/// Counts since the last line, and since the beginning.
pub(crate) struct Rates {
    since_line: Counts,
    packets: u64,
    malformed: u64,
    drops: Drops,
}

impl Rates {
    pub(crate) fn new(drops: Drops) -> Self {
        Self { since_line: Counts::default(), packets: 0, malformed: 0, drops }
    }

    pub(crate) fn take(&mut self, packet: &Packet) {
        let counts = &mut self.since_line;
        counts.packets += 1;
        counts.messages += packet.as_ref().messages().count() as u64;
        counts.bytes += packet.as_bytes().len() as u64;
        self.packets += 1;
    }

    pub(crate) fn malformed(&mut self) {
        self.malformed += 1;
    }

    /// The line of a second that has passed.
    pub(crate) fn line(&mut self) -> String {
        let Counts { packets, messages, bytes } = std::mem::take(&mut self.since_line);
        format!(
            "{packets:>8} packets/s {messages:>8} messages/s {bytes:>10} bytes/s   total {} malformed {} dropped {}\n",
            self.packets,
            self.malformed,
            self.drops.count()
        )
    }
}
