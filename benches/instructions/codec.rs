//! The seven cases of the codec, and the framings of streams.

use std::hint::black_box;

use tokio_osc::bytes::BytesMut;
use tokio_osc::packet::{ArgRef, DecodeOptions, IntoPacket, PacketRef};
use tokio_osc::{Bytes, LengthPrefix, Packet, Slip};
use tokio_util::codec::{Decoder, Encoder};

use crate::Rows;
use crate::cases::{self, Dynamic};

pub(crate) fn rows(rows: &mut Rows) {
    let options = DecodeOptions::default();
    let mut buffer = BytesMut::with_capacity(4_096);
    for case in 0..cases::NAMES.len() {
        buffer.clear();
        cases::encode(case, &mut buffer).unwrap();
        let packet = Bytes::copy_from_slice(&buffer);
        let values = Dynamic::of(PacketRef::decode(&packet, &options).unwrap().0);
        let name = |what: &str| format!("{what} {}", case + 1);
        rows.calls(&name("decode borrowed"), || {
            PacketRef::decode(black_box(&packet), &options).map(|(packet, _)| read(packet))
        });
        rows.calls(&name("decode typed"), || {
            PacketRef::decode(black_box(&packet), &options).map(|(packet, _)| cases::parse(case, packet))
        });
        rows.calls(&name("decode owned"), || {
            Packet::decode(black_box(&packet).clone()).map(|packet| read(packet.as_ref()))
        });
        rows.calls(&name("encode typed"), || {
            buffer.clear();
            cases::encode(black_box(case), &mut buffer)
        });
        rows.calls(&name("encode dynamic"), || {
            buffer.clear();
            black_box(&values).encode(&mut buffer)
        });
    }
    for size in [32, 1_000] {
        stream(rows, &format!("slip {size}"), size, Slip::new());
        stream(rows, &format!("length prefix {size}"), size, LengthPrefix::new());
    }
}

/// A frame, encoded and decoded.
fn stream<C>(rows: &mut Rows, name: &str, size: usize, mut codec: C)
where
    C: Encoder<Bytes> + Decoder,
    <C as Encoder<Bytes>>::Error: std::fmt::Debug,
{
    let frame: Bytes = b"abcdefghijklmnop".iter().copied().cycle().take(size).collect();
    let mut wire = BytesMut::with_capacity(4_096);
    rows.calls(name, || {
        wire.reserve(2_048);
        codec.encode(frame.clone(), &mut wire).unwrap();
        codec.decode(&mut wire).is_ok_and(|frame| frame.is_some())
    });
}

fn read(packet: PacketRef<'_>) -> usize {
    match packet {
        PacketRef::Message(message) => message.args().map(weight).sum(),
        PacketRef::Bundle(bundle) => bundle.elements().map(read).sum(),
    }
}

fn weight(arg: ArgRef<'_>) -> usize {
    match arg {
        ArgRef::Int32(value) => value as usize,
        ArgRef::Float32(value) => value.to_bits() as usize,
        ArgRef::String(text) => text.as_bytes().len(),
        ArgRef::Blob(blob) => blob.len(),
        _ => 1,
    }
}
