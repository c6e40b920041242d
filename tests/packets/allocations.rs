//! What decoding and encoding take from the heap.

use tokio_osc::bytes::BytesMut;
use tokio_osc::packet::{ArgRef, Array, DecodeOptions, IntoPacket, MessageRef, PacketRef};
use tokio_osc::{Arg, Bundle, Bytes, Message, Packet, TimeTag};

use crate::support::counting::counted;
use crate::support::{bytes, deep, message_of_tags, name, nested_bundles, raw_decode, valid};

/// The seven cases of the benchmark, as packets.
fn cases() -> Vec<Packet> {
    let sixty_four: [f32; 64] = std::array::from_fn(|index| index as f32);
    let sixteen = (0..16).fold(Bundle::immediately(), |bundle, index| {
        bundle.with((format!("/synth/{index}/set"), (index, 0.5_f32, "saw")))
    });
    let nested =
        Bundle::immediately().with(Bundle::immediately().with(Bundle::immediately().with(("/a", 1))));
    vec![
        Message::new("/synth/1/freq", 440.0_f32).unwrap().into(),
        Message::new("/mixed", (1, "eight ch", 0.5_f32, &[7_u8; 16][..])).unwrap().into(),
        Message::new("/many", sixty_four).unwrap().into(),
        Message::new("/blob", vec![7_u8; 1_024]).unwrap().into(),
        sixteen.build().unwrap().into(),
        nested.build().unwrap().into(),
        Message::new("/s_new", ("default", 1001, 0, 1, "freq", 440.0_f32, "amp", 0.5_f32)).unwrap().into(),
    ]
}

fn read_all(packet: PacketRef<'_>) -> usize {
    match packet {
        PacketRef::Message(message) => message.args().map(weight).sum(),
        PacketRef::Bundle(bundle) => bundle.elements().map(read_all).sum(),
    }
}

fn weight(arg: ArgRef<'_>) -> usize {
    match arg {
        ArgRef::String(text) | ArgRef::Symbol(text) => text.as_bytes().len(),
        ArgRef::Blob(blob) => blob.len(),
        ArgRef::Array(array) => array.iter().map(weight).sum(),
        _ => 1,
    }
}

#[test]
fn decoding_to_an_owned_packet_and_reading_it_takes_nothing() {
    for packet in cases() {
        let frame = Bytes::copy_from_slice(packet.as_bytes());
        // The first clone of a buffer makes its reference count; that is the socket's, not ours.
        drop(frame.clone());
        let ((), heap) = counted(|| {
            let decoded = Packet::decode(frame.clone()).unwrap();
            assert!(read_all(decoded.as_ref()) > 0);
        });
        assert_eq!(heap.allocations, 0, "{packet}");
    }
}

#[test]
fn typed_parse_takes_nothing() {
    let cases = cases();
    let messages: Vec<MessageRef<'_>> = cases
        .iter()
        .filter_map(|packet| match packet.as_ref() {
            PacketRef::Message(message) => Some(message),
            PacketRef::Bundle(_) => None,
        })
        .collect();
    let (read, heap) = counted(|| {
        let hz: f32 = messages[0].parse().unwrap();
        let (_, text, _, _) = messages[1].parse::<(i32, &str, f32, &[u8])>().unwrap();
        let many: [f32; 64] = messages[2].parse().unwrap();
        let blob: &[u8] = messages[3].parse().unwrap();
        let (name, ..) = messages[4].parse::<(&str, i32, i32, i32, &str, f32, &str, f32)>().unwrap();
        (hz, text.len(), many[63], blob.len(), name.len())
    });
    assert_eq!(read, (440.0, 8, 63.0, 1_024, 7));
    assert_eq!(heap.allocations, 0);
}

#[test]
fn a_blob_and_text_of_a_message_share_its_buffer() {
    let message = Message::decode(Bytes::copy_from_slice(cases()[3].as_bytes())).unwrap();
    drop(message.clone());
    let (blob, heap) = counted(|| message.parse::<Bytes>().unwrap());
    assert_eq!((blob.len(), heap.allocations), (1_024, 0));
}

#[test]
fn encoding_into_a_reused_buffer_takes_nothing() {
    let list = [Arg::from(1), Arg::from("two"), Arg::Array(vec![Arg::Nil, Arg::from(3.0_f32)])];
    let packets = cases();
    let mut buffer = BytesMut::with_capacity(4_096);
    let ((), heap) = counted(|| {
        for _ in 0..10 {
            buffer.clear();
            ("/a", (1, 0.5_f32, "text", Array([1, 2, 3]), TimeTag::IMMEDIATELY)).encode(&mut buffer).unwrap();
            ("/b", &list[..]).encode(&mut buffer).unwrap();
            for packet in &packets {
                packet.encode(&mut buffer).unwrap();
            }
        }
    });
    assert_eq!(heap.allocations, 0);
}

/// Bytes of heap per byte of packet, for decoding it and for taking its arguments out as values.
#[test]
fn heap_per_byte_of_input_is_bounded() {
    let mut frames: Vec<(String, Bytes)> =
        valid().iter().chain(&raw_decode()).map(|vector| (name(vector).to_owned(), bytes(vector))).collect();
    for (label, tags) in [("60,000 T", b"T".repeat(60_000)), ("20,000 []", b"[]".repeat(20_000))] {
        frames.push((label.to_owned(), message_of_tags(&tags).into()));
    }
    let empty_strings = [message_of_tags(&b"s".repeat(13_000)), vec![0; 4 * 13_000]].concat();
    frames.push(("13,000 empty strings".to_owned(), empty_strings.into()));
    frames.push(("bundles nested 1,000 deep".to_owned(), nested_bundles(1_000).into()));

    let lenient = DecodeOptions::lenient().max_bundle_depth(1_000).max_array_depth(255);
    for (profile, options) in [("default", deep()), ("lenient", lenient)] {
        let mut worst = (0.0, "", 0);
        for (label, frame) in frames.iter().filter(|(_, frame)| frame.len() >= 8) {
            // The first clone of a buffer makes its reference count; that is the socket's, not ours.
            let (shared, frame) = (frame.clone(), frame);
            let ((), heap) = counted(|| drop(Packet::decode_with(shared, &options)));
            let ratio = heap.peak as f64 / frame.len() as f64;
            assert!(ratio <= 8.0 || heap.peak <= 64, "{label}: {heap:?} of {}", frame.len());
            if ratio > worst.0 {
                worst = (ratio, label, heap.largest);
            }
        }
        println!(
            "decode, {profile}: at most {:.2} bytes of heap per byte ({}, largest {})",
            worst.0, worst.1, worst.2
        );
    }
}

#[test]
fn what_owned_arguments_take_is_stated() {
    let message = Message::decode(message_of_tags(&b"T".repeat(60_000)).into()).unwrap();
    drop(message.clone());
    let (args, heap) = counted(|| message.parse::<Vec<Arg>>().unwrap());
    let per_tag = heap.peak as f64 / args.len() as f64;
    println!("60,000 tags as owned arguments: {per_tag:.1} bytes of heap per tag, {} each", size_of::<Arg>());
    assert!(per_tag <= 2.0 * size_of::<Arg>() as f64);
}
