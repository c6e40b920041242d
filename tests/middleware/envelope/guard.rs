//! Envelopes put to work by hand.

use std::time::SystemTime;

use tokio_osc::middleware::{Envelope, EnvelopeFault, Flow, Middleware};
use tokio_osc::packet::{DecodeError, DecodeErrorKind, IntoPacket};
use tokio_osc::{Meta, Packet, Peer};

pub(crate) fn gain() -> Packet {
    ("/gain", 0.5_f32).into_packet().unwrap()
}

/// A packet in its envelope.
pub(crate) fn close(envelope: &Envelope, packet: &Packet) -> Packet {
    match envelope.packet_out(packet.clone(), &mut Meta::from_peer(Peer::LOCAL)).unwrap() {
        Flow::Pass(closed) => closed,
        Flow::Drop => panic!("dropped"),
    }
}

/// [`gain`] in an envelope.
pub(crate) fn closed(envelope: &Envelope) -> Packet {
    close(envelope, &gain())
}

/// The packet inside of an envelope.
pub(crate) fn open(envelope: &Envelope, packet: &Packet) -> Result<Packet, DecodeErrorKind> {
    open_at(envelope, packet, SystemTime::now())
}

/// The packet inside of an envelope that arrives at a certain time.
pub(crate) fn open_at(
    envelope: &Envelope,
    packet: &Packet,
    received_at: SystemTime,
) -> Result<Packet, DecodeErrorKind> {
    let mut meta = Meta::from_peer(Peer::LOCAL);
    meta.received_at = received_at;
    match envelope.packet_in(packet.clone(), &mut meta) {
        Ok(Flow::Pass(packet)) => Ok(packet),
        Ok(Flow::Drop) => panic!("dropped"),
        Err(error) => Err(error.kind()),
    }
}

/// Why an envelope is refused.
pub(crate) fn fault_of(envelope: &Envelope, packet: &Packet) -> EnvelopeFault {
    fault(open(envelope, packet))
}

/// The fault of an envelope that was refused.
pub(crate) fn fault(opened: Result<Packet, DecodeErrorKind>) -> EnvelopeFault {
    match opened {
        Err(DecodeErrorKind::Refused(why)) => EnvelopeFault::of(&DecodeError::refused(why)).unwrap(),
        other => panic!("{other:?}"),
    }
}
