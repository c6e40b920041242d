//! Prints packets as they pass.

use std::fmt;
use std::io;
use std::sync::Mutex;

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::lock::lock;
use crate::packet::{EncodeError, Meta, Packet, PacketStep, Peer};
use crate::types::{ArgRef, Text};
use crate::wire::{DecodeError, HexDump};

/// A layer that prints packets as they pass, as bytes, lines or values, to a writer or as `tracing` events.
/// The names in osc4py3 are `…_dumpraw`, `…_dumppacket` and `dump_decoded_values`.
///
/// | option | prints | seen |
/// |---|---|---|
/// | [`raw_in`](Dump::raw_in) | the bytes of incoming packets | before layers that were added later |
/// | [`packets_in`](Dump::packets_in) | incoming packets, as canonical lines | before layers that were added later |
/// | [`values_in`](Dump::values_in) | each address, type tag string and argument | the same |
/// | [`packets_out`](Dump::packets_out) | outgoing packets, as canonical lines | after layers that were added later |
/// | [`raw_out`](Dump::raw_out) | the bytes of outgoing packets | after layers that were added later |
///
/// ```text
/// OSC decoding packet from 127.0.0.1:9000:
/// 000:2f610000 2c690000 00000001              /a.. ,i.. ....
/// OSC decoded packet from 127.0.0.1:9000:
/// /a ,i 1
/// Decoded string: "/a"
/// Decoded string: ",i"
/// Decoded int32: 1
/// ```
///
/// As the first layer it prints the bytes of the wire, as the last layer the packets of the handlers. Without
/// an option it prints nothing. All lines for one packet and option are written in one call, so the output of
/// connections does not interleave. The layer writes and flushes while the packet waits, so the writer must
/// be fast. If the writer fails, the lines are lost, and the packet passes.
///
/// ```
/// use tokio_osc::middleware::Dump;
/// use tokio_osc::{Client, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dump = Dump::to(std::io::stdout()).raw_out().packets_in();
/// let client = Udp::new("127.0.0.1:9000").middleware(dump).client().await?;
/// client.send(("/a", 1)).await?;
/// # Ok(()) }
/// ```
pub struct Dump {
    to: Target,
    shown: Vec<DumpPart>,
}

/// The options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DumpPart {
    RawIn,
    PacketsIn,
    ValuesIn,
    PacketsOut,
    RawOut,
}

enum Target {
    Writer(Mutex<Box<dyn io::Write + Send>>),
    Tracing,
}

impl Dump {
    /// Creates a layer that prints to a writer: standard output, a file, a buffer.
    pub fn to(writer: impl io::Write + Send + 'static) -> Self {
        Self::new(Target::Writer(Mutex::new(Box::new(writer))))
    }

    /// Creates a layer that emits `tracing` events with the target `tokio_osc::dump`: packets at DEBUG, bytes
    /// and values at TRACE. Each event has the fields `peer` and `dump`.
    pub fn to_tracing() -> Self {
        Self::new(Target::Tracing)
    }

    fn new(to: Target) -> Self {
        Self { to, shown: Vec::new() }
    }

    /// Prints the bytes of incoming packets. In osc4py3: `decode_packet_dumpraw`.
    #[must_use]
    pub fn raw_in(self) -> Self {
        self.with(DumpPart::RawIn)
    }

    /// Prints the bytes of outgoing packets. In osc4py3: `encode_packet_dumpraw`.
    #[must_use]
    pub fn raw_out(self) -> Self {
        self.with(DumpPart::RawOut)
    }

    /// Prints incoming packets. In osc4py3: `decode_packet_dumppacket`.
    #[must_use]
    pub fn packets_in(self) -> Self {
        self.with(DumpPart::PacketsIn)
    }

    /// Prints outgoing packets. In osc4py3: `encode_packet_dumppacket`.
    #[must_use]
    pub fn packets_out(self) -> Self {
        self.with(DumpPart::PacketsOut)
    }

    /// Prints the values of incoming packets, one per line. In osc4py3: `dump_decoded_values`.
    #[must_use]
    pub fn values_in(self) -> Self {
        self.with(DumpPart::ValuesIn)
    }

    fn with(mut self, shown: DumpPart) -> Self {
        self.shown.push(shown);
        self
    }

    fn show(&self, what: DumpPart, peer: Peer, lines: &dyn fmt::Display) {
        // First: with the option off, a packet is not formatted at all.
        if !self.shown.contains(&what) {
            return;
        }
        match &self.to {
            Target::Writer(writer) => {
                // Formatted before the lock, and written in one call: other connections wait for the write
                // only, and lines do not mix.
                let text = format!("{}{lines}", Title { what, peer });
                let mut writer = lock(writer);
                if let Err(error) = writer.write_all(text.as_bytes()).and_then(|()| writer.flush()) {
                    tracing::debug!(target: "tokio_osc::dump", %error, "dump not written");
                }
            }
            Target::Tracing => trace(what, peer, lines),
        }
    }
}

impl Middleware for Dump {
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        self.show(DumpPart::RawIn, meta.peer, &HexDump(&frame));
        Ok(Flow::Pass(frame))
    }

    fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        self.show(DumpPart::PacketsIn, meta.peer, &PacketLines(&packet));
        self.show(DumpPart::ValuesIn, meta.peer, &Values(&packet));
        Ok(Flow::Pass(packet))
    }

    fn packet_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        self.show(DumpPart::PacketsOut, meta.peer, &PacketLines(&packet));
        Ok(Flow::Pass(packet))
    }

    fn frame_out(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        self.show(DumpPart::RawOut, meta.peer, &HexDump(&frame));
        Ok(Flow::Pass(frame))
    }
}

impl fmt::Debug for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dump").field("shown", &self.shown).finish_non_exhaustive()
    }
}

fn trace(what: DumpPart, peer: Peer, dump: &dyn fmt::Display) {
    match what {
        DumpPart::RawIn => tracing::trace!(target: "tokio_osc::dump", %peer, %dump, "decoding packet"),
        DumpPart::PacketsIn => tracing::debug!(target: "tokio_osc::dump", %peer, %dump, "decoded packet"),
        DumpPart::ValuesIn => tracing::trace!(target: "tokio_osc::dump", %peer, %dump, "decoded values"),
        DumpPart::PacketsOut => tracing::debug!(target: "tokio_osc::dump", %peer, %dump, "encoding packet"),
        DumpPart::RawOut => tracing::trace!(target: "tokio_osc::dump", %peer, %dump, "encoded packet"),
    }
}

/// The title line of osc4py3, with the peer if it has an address.
struct Title {
    what: DumpPart,
    peer: Peer,
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, preposition) = match self.what {
            DumpPart::RawIn => ("OSC decoding packet", "from"),
            DumpPart::RawOut => ("OSC encoded packet", "to"),
            DumpPart::PacketsIn => ("OSC decoded packet", "from"),
            DumpPart::PacketsOut => ("OSC encoding packet", "to"),
            // osc4py3 prints the values without a title.
            DumpPart::ValuesIn => return Ok(()),
        };
        if self.peer == Peer::LOCAL {
            return writeln!(f, "{title}:");
        }
        writeln!(f, "{title} {preposition} {}:", self.peer)
    }
}

/// Canonical lines.
struct PacketLines<'a>(&'a Packet);

impl fmt::Display for PacketLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.0)
    }
}

/// Writes a line for each time tag, address, type tag string and argument, in the order of the wire.
struct Values<'a>(&'a Packet);

impl fmt::Display for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.0.as_ref().walk() {
            match step {
                PacketStep::Begin(time_tag) => value(f, ArgRef::TimeTag(time_tag))?,
                PacketStep::Message(message) => {
                    value(f, ArgRef::String(message.address()))?;
                    // As a value of its own, because osc4py3 prints each OSC string that it decodes.
                    value(f, ArgRef::String(Text::new(message.type_tags().as_bytes())))?;
                    message.args().scalars().try_for_each(|arg| value(f, arg))?;
                }
                PacketStep::End => {}
            }
        }
        Ok(())
    }
}

fn value(f: &mut fmt::Formatter<'_>, arg: ArgRef<'_>) -> fmt::Result {
    write!(f, "Decoded {}", name(arg))?;
    if let ArgRef::Blob(bytes) = arg {
        write!(f, " ({} bytes)", bytes.len())?;
    }
    writeln!(f, ": {arg}")
}

fn name(arg: ArgRef<'_>) -> &'static str {
    match arg {
        ArgRef::Bool(_) => "boolean",
        _ => arg.type_tag().name().trim_start_matches("an ").trim_start_matches("a "),
    }
}
