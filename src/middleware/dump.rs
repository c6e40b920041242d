//! Shows what passes.

use std::fmt;
use std::io;
use std::sync::Mutex;

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::lock::lock;
use crate::packet::{EncodeError, Meta, Packet, Peer, Step};
use crate::types::{ArgRef, Text};
use crate::wire::{DecodeError, HexDump};

/// A layer that shows what passes: bytes, packets, values; to anything that is written to, or as
/// `tracing` events. In osc4py3: `…_dumpraw`,
/// `…_dumppacket` and `dump_decoded_values`.
///
/// | option | shows | where |
/// |---|---|---|
/// | [`raw_in`](Dump::raw_in) | the bytes of what arrives | before layers that were added later |
/// | [`packets_in`](Dump::packets_in) | the packet, as canonical lines | before layers that were added later |
/// | [`values_in`](Dump::values_in) | each address, type tag string and argument | the same |
/// | [`packets_out`](Dump::packets_out) | the packet to be sent | after layers that were added later |
/// | [`raw_out`](Dump::raw_out) | its bytes | after layers that were added later |
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
/// So it shows the bytes of the wire where it is the first layer, and what the handlers get where
/// it is the last. With no option set it shows nothing. All lines that an option makes of a packet are
/// written at once, never mixed with others. It writes and flushes while the packet waits: give it what
/// is quick. An error of the writer loses the lines and nothing else.
///
/// ```
/// use tokio_osc::{Client, Dump, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dump = Dump::to(std::io::stdout()).raw_out().packets_in();
/// let client = Udp::new("127.0.0.1:9000").middleware(dump).client().await?;
/// client.send(("/a", 1)).await?;
/// # Ok(()) }
/// ```
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Dump {
    to: Target,
    raw_in: bool,
    raw_out: bool,
    packets_in: bool,
    packets_out: bool,
    values_in: bool,
}

enum Target {
    Writer(Mutex<Box<dyn io::Write + Send>>),
    Tracing,
}

impl Dump {
    /// Shows to a writer: standard output, a file, a buffer.
    pub fn to(writer: impl io::Write + Send + 'static) -> Self {
        Self::new(Target::Writer(Mutex::new(Box::new(writer))))
    }

    /// Shows as `tracing` events of the target `tokio_osc::dump`: packets at DEBUG, bytes and values
    /// at TRACE; each with the fields `peer` and `dump`.
    pub fn to_tracing() -> Self {
        Self::new(Target::Tracing)
    }

    fn new(to: Target) -> Self {
        Self { to, raw_in: false, raw_out: false, packets_in: false, packets_out: false, values_in: false }
    }

    /// Shows the bytes of what arrives: `decode_packet_dumpraw`.
    #[must_use]
    pub const fn raw_in(mut self) -> Self {
        self.raw_in = true;
        self
    }

    /// Shows the bytes of what is sent: `encode_packet_dumpraw`.
    #[must_use]
    pub const fn raw_out(mut self) -> Self {
        self.raw_out = true;
        self
    }

    /// Shows packets that arrive: `decode_packet_dumppacket`.
    #[must_use]
    pub const fn packets_in(mut self) -> Self {
        self.packets_in = true;
        self
    }

    /// Shows packets that are sent: `encode_packet_dumppacket`.
    #[must_use]
    pub const fn packets_out(mut self) -> Self {
        self.packets_out = true;
        self
    }

    /// Shows the values of what arrives, one a line: `dump_decoded_values`.
    #[must_use]
    pub const fn values_in(mut self) -> Self {
        self.values_in = true;
        self
    }

    fn show(&self, record: &Record<'_>) {
        match &self.to {
            Target::Writer(writer) => {
                let text = record.to_string();
                let mut writer = lock(writer);
                if let Err(error) = writer.write_all(text.as_bytes()).and_then(|()| writer.flush()) {
                    tracing::debug!(target: "tokio_osc::dump", %error, "dump not written");
                }
            }
            Target::Tracing => record.trace(),
        }
    }
}

impl Middleware for Dump {
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        if self.raw_in {
            self.show(&Record { peer: meta.peer, what: What::RawIn(&frame) });
        }
        Ok(Flow::Pass(frame))
    }

    fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        if self.packets_in {
            self.show(&Record { peer: meta.peer, what: What::PacketIn(&packet) });
        }
        if self.values_in {
            self.show(&Record { peer: meta.peer, what: What::ValuesIn(&packet) });
        }
        Ok(Flow::Pass(packet))
    }

    fn packet_out(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        if self.packets_out {
            self.show(&Record { peer: meta.peer, what: What::PacketOut(&packet) });
        }
        Ok(Flow::Pass(packet))
    }

    fn frame_out(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        if self.raw_out {
            self.show(&Record { peer: meta.peer, what: What::RawOut(&frame) });
        }
        Ok(Flow::Pass(frame))
    }
}

impl fmt::Debug for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dump")
            .field("raw_in", &self.raw_in)
            .field("raw_out", &self.raw_out)
            .field("packets_in", &self.packets_in)
            .field("packets_out", &self.packets_out)
            .field("values_in", &self.values_in)
            .finish_non_exhaustive()
    }
}

/// Lines that belong together.
struct Record<'a> {
    peer: Peer,
    what: What<'a>,
}

enum What<'a> {
    RawIn(&'a Bytes),
    RawOut(&'a Bytes),
    PacketIn(&'a Packet),
    PacketOut(&'a Packet),
    ValuesIn(&'a Packet),
}

impl Record<'_> {
    fn trace(&self) {
        let peer = self.peer;
        match &self.what {
            What::RawIn(_) => {
                tracing::trace!(target: "tokio_osc::dump", %peer, dump = %self.what, "decoding packet");
            }
            What::RawOut(_) => {
                tracing::trace!(target: "tokio_osc::dump", %peer, dump = %self.what, "encoded packet");
            }
            What::PacketIn(_) => {
                tracing::debug!(target: "tokio_osc::dump", %peer, dump = %self.what, "decoded packet");
            }
            What::PacketOut(_) => {
                tracing::debug!(target: "tokio_osc::dump", %peer, dump = %self.what, "encoding packet");
            }
            What::ValuesIn(_) => {
                tracing::trace!(target: "tokio_osc::dump", %peer, dump = %self.what, "decoded values");
            }
        }
    }
}

/// The title that osc4py3 writes, with the peer if it has an address, and the lines.
impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, preposition) = match self.what {
            What::RawIn(_) => ("OSC decoding packet", "from"),
            What::RawOut(_) => ("OSC encoded packet", "to"),
            What::PacketIn(_) => ("OSC decoded packet", "from"),
            What::PacketOut(_) => ("OSC encoding packet", "to"),
            What::ValuesIn(_) => return self.what.fmt(f),
        };
        f.write_str(title)?;
        if self.peer != Peer::LOCAL {
            write!(f, " {preposition} {}", self.peer)?;
        }
        write!(f, ":\n{}", self.what)
    }
}

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RawIn(frame) | Self::RawOut(frame) => HexDump(frame).fmt(f),
            Self::PacketIn(packet) | Self::PacketOut(packet) => writeln!(f, "{packet}"),
            Self::ValuesIn(packet) => values(f, packet),
        }
    }
}

/// A line for each time tag, address, type tag string and argument, in the order of the wire.
fn values(f: &mut fmt::Formatter<'_>, packet: &Packet) -> fmt::Result {
    for step in packet.as_ref().walk() {
        match step {
            Step::Begin(time_tag) => value(f, ArgRef::TimeTag(time_tag))?,
            Step::Message(message) => {
                value(f, ArgRef::String(message.address()))?;
                value(f, ArgRef::String(Text::new(message.type_tags().as_bytes())))?;
                message.args().scalars().try_for_each(|arg| value(f, arg))?;
            }
            Step::End => {}
        }
    }
    Ok(())
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
        ArgRef::Int32(_) => "int32",
        ArgRef::Float32(_) => "float32",
        ArgRef::String(_) => "string",
        ArgRef::Blob(_) => "blob",
        ArgRef::Int64(_) => "int64",
        ArgRef::TimeTag(_) => "time tag",
        ArgRef::Float64(_) => "float64",
        ArgRef::Symbol(_) => "symbol",
        ArgRef::Char(_) => "character",
        ArgRef::Color(_) => "color",
        ArgRef::Midi(_) => "MIDI message",
        ArgRef::Bool(_) => "boolean",
        ArgRef::Nil => "nil",
        ArgRef::Impulse => "impulse",
        ArgRef::Array(_) => "array",
    }
}
