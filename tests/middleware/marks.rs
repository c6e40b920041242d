//! Layers that leave a trace.

use std::sync::{Arc, Mutex};

use tokio_osc::middleware::{Flow, Middleware, on_packet_in};
use tokio_osc::packet::{DecodeError, EncodeError, IntoPacket};
use tokio_osc::{Bytes, Message, Meta, Packet};

/// A layer that writes down each time it is asked, as `NAME method`.
pub(crate) struct Logged {
    pub(crate) name: &'static str,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
}

impl Logged {
    fn note(&self, method: &str) {
        self.log.lock().unwrap().push(format!("{} {method}", self.name));
    }
}

impl Middleware for Logged {
    fn frame_in(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        self.note("frame_in");
        Ok(Flow::Pass(frame))
    }

    fn packet_in(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        self.note("packet_in");
        Ok(Flow::Pass(packet))
    }

    fn packet_out(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        self.note("packet_out");
        Ok(Flow::Pass(packet))
    }

    fn frame_out(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        self.note("frame_out");
        Ok(Flow::Pass(frame))
    }
}

/// A secret that both ends share: without it, no packet makes sense. Flips all bits of a frame, so
/// that a way in or out that passes the middleware by shows.
pub(crate) struct Flip;

impl Flip {
    fn flip(frame: &Bytes) -> Flow<Bytes> {
        Flow::Pass(frame.iter().map(|byte| !byte).collect())
    }
}

impl Middleware for Flip {
    fn frame_in(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        Ok(Self::flip(&frame))
    }

    fn frame_out(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        Ok(Self::flip(&frame))
    }
}

/// Drops every packet to `/secret`, both ways.
pub(crate) struct NoSecrets;

impl NoSecrets {
    fn judge(packet: Packet) -> Flow<Packet> {
        match &packet {
            Packet::Message(message) if message.address() == "/secret" => Flow::Drop,
            _ => Flow::Pass(packet),
        }
    }
}

impl Middleware for NoSecrets {
    fn packet_in(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        Ok(Self::judge(packet))
    }

    fn packet_out(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        Ok(Self::judge(packet))
    }
}

/// Lets packets pass to whose sender it gives this channel name.
pub(crate) fn rename(name: &'static str) -> impl Middleware {
    on_packet_in(move |packet, meta| {
        meta.set_channel(name);
        Flow::Pass(packet)
    })
}

pub(crate) fn message(address: &str, value: i32) -> Message {
    Message::new(address, value).unwrap()
}

pub(crate) fn encoded(packet: impl IntoPacket) -> Bytes {
    packet.into_packet().unwrap().into_bytes()
}
