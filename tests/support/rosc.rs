//! A packet of ours and one of rosc's: whether they mean the same.

use ::rosc::{OscPacket, OscType};
use tokio_osc::packet::{ArgRef, PacketRef};

pub fn same_packet(ours: PacketRef<'_>, theirs: &OscPacket) -> bool {
    match (ours, theirs) {
        (PacketRef::Message(ours), OscPacket::Message(theirs)) => {
            ours.address() == theirs.addr.as_str() && same_args(ours.args(), &theirs.args)
        }
        (PacketRef::Bundle(ours), OscPacket::Bundle(theirs)) => {
            let (time_tag, elements) = (ours.time_tag(), ours.elements().collect::<Vec<_>>());
            (time_tag.seconds(), time_tag.fraction()) == (theirs.timetag.seconds, theirs.timetag.fractional)
                && elements.len() == theirs.content.len()
                && elements.into_iter().zip(&theirs.content).all(|(ours, theirs)| same_packet(ours, theirs))
        }
        _ => false,
    }
}

fn same_args<'a>(ours: impl Iterator<Item = ArgRef<'a>>, theirs: &[OscType]) -> bool {
    let ours: Vec<_> = ours.collect();
    ours.len() == theirs.len() && ours.into_iter().zip(theirs).all(|(ours, theirs)| same_arg(ours, theirs))
}

fn same_arg(ours: ArgRef<'_>, theirs: &OscType) -> bool {
    match (ours, theirs) {
        (ArgRef::Int32(a), OscType::Int(b)) => a == *b,
        (ArgRef::Float32(a), OscType::Float(b)) => a.to_bits() == b.to_bits(),
        (ArgRef::String(a), OscType::String(b)) => a == b.as_str(),
        (ArgRef::Blob(a), OscType::Blob(b)) => a == b,
        (ArgRef::Int64(a), OscType::Long(b)) => a == *b,
        (ArgRef::TimeTag(a), OscType::Time(b)) => (a.seconds(), a.fraction()) == (b.seconds, b.fractional),
        (ArgRef::Float64(a), OscType::Double(b)) => a.to_bits() == b.to_bits(),
        (ArgRef::Char(a), OscType::Char(b)) => a.to_bits() == u32::from(*b),
        (ArgRef::Color(a), OscType::Color(b)) => <[u8; 4]>::from(a) == [b.red, b.green, b.blue, b.alpha],
        (ArgRef::Midi(a), OscType::Midi(b)) => <[u8; 4]>::from(a) == [b.port, b.status, b.data1, b.data2],
        (ArgRef::Bool(a), OscType::Bool(b)) => a == *b,
        (ArgRef::Nil, OscType::Nil) | (ArgRef::Impulse, OscType::Inf) => true,
        (ArgRef::Array(a), OscType::Array(b)) => same_args(a.iter(), &b.content),
        _ => false,
    }
}
