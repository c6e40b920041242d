//! Faults, attacks and bad inputs of the decoder: threats 1 to 16.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tokio_osc::packet::{AnnotatedDump, ArgRef, DecodeErrorKind, DecodeOptions, PacketRef, Text};
use tokio_osc::{Arg, Bundle, Bytes, Message, Packet};

use crate::support::counting::counted;
use crate::support::{
    bytes, deep, message_of_tags, nested_arrays, nested_bundles, on_a_small_stack, raw_decode, valid,
};

fn profiles() -> [DecodeOptions; 4] {
    let bare = DecodeOptions::lenient().accept_bare_addresses(true);
    [DecodeOptions::strict(), DecodeOptions::default(), DecodeOptions::lenient(), bare]
}

/// In every profile, this error.
#[track_caller]
fn refused(frame: &[u8], kind: DecodeErrorKind) {
    for options in profiles() {
        let error = Packet::decode_with(Bytes::copy_from_slice(frame), &options).unwrap_err();
        assert_eq!(error.kind(), kind, "{}", frame.escape_ascii());
    }
}

/// A bundle with one element that claims this size.
fn bundle_with_size(size: i32, element: &[u8]) -> Vec<u8> {
    [&b"#bundle\0\0\0\0\0\0\0\0\x01"[..], &size.to_be_bytes(), element].concat()
}

/// Threat 1.
/// Also tests/packets/stack.rs: decode, clone, debug, compare, drop and encode on 128 KiB.
#[test]
fn deeply_nested_bundles_are_an_error() {
    for levels in [33, 3_275, 20_000, 100_000] {
        on_a_small_stack(move || refused(&nested_bundles(levels), DecodeErrorKind::BundlesTooDeep));
    }
    on_a_small_stack(|| assert!(Packet::decode(nested_bundles(32).into()).is_ok()));
}

/// Threat 1.
/// The dump is for unchecked bytes: no limit holds there but its own.
#[test]
fn a_dump_of_nested_bundles_grows_with_them() {
    for levels in [1_000, 40_000] {
        let frame = nested_bundles(levels);
        let dump = AnnotatedDump(&frame).to_string();
        assert_eq!(dump.lines().count(), 3 * levels - 1);
        assert!(dump.len() < 20 * frame.len(), "{levels} levels, {} bytes", dump.len());
    }
}

/// Threat 2.
/// Also tests/packets/stack.rs.
#[test]
fn nested_and_flat_arrays_are_limited_and_take_linear_time() {
    for levels in [33, 4_096, 32_000] {
        on_a_small_stack(move || refused(&nested_arrays(levels), DecodeErrorKind::ArraysTooDeep));
    }
    let flat = Message::decode(message_of_tags(&b"[]".repeat(20_000)).into()).unwrap();
    let start = Instant::now();
    assert_eq!(flat.args().count(), 20_000);
    assert_eq!(flat.parse::<Vec<Arg>>().unwrap().len(), 20_000);
    assert!(format!("{flat:?}").len() < 2_048);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// Threat 3.
/// Also tests/packets/allocations.rs: heap per byte of input.
#[test]
fn sizes_that_lie_are_errors() {
    for size in [-1, -4, i32::MIN] {
        let frame = [&b"/a\0\0,b\0\0"[..], &size.to_be_bytes(), &[0; 8]].concat();
        refused(&frame, DecodeErrorKind::NegativeBlobSize);
    }
    for size in [9, 100, i32::MAX - 3, i32::MAX] {
        let frame = [&b"/a\0\0,b\0\0"[..], &size.to_be_bytes(), &[0; 8]].concat();
        let ((), heap) = counted(|| refused(&frame, DecodeErrorKind::Truncated));
        assert!(heap.largest <= 4 * frame.len(), "{size}: {heap:?}");
    }
    refused(b"/a\0\0,b\0\0", DecodeErrorKind::Truncated);
    refused(b"/a\0\0,s\0\0", DecodeErrorKind::Truncated);
}

/// Threat 4.
#[test]
fn element_sizes_that_lie_are_errors() {
    let message = b"/a\0\0,\0\0\0";
    for size in [-1, -4, -8, i32::MIN, 1, 2, 3, 5, 7] {
        refused(&bundle_with_size(size, message), DecodeErrorKind::ElementSize);
    }
    for size in [12, 16, i32::MAX - 3] {
        refused(&bundle_with_size(size, message), DecodeErrorKind::Truncated);
    }
    refused(&bundle_with_size(0, message), DecodeErrorKind::ElementSize);
    // Past its parent, though inside the packet.
    let inner = bundle_with_size(20, message);
    let outer = Bundle::immediately().with(("/b", ())).build().unwrap();
    let size = i32::try_from(inner.len()).unwrap();
    let frame = [bundle_with_size(size, &inner), outer.as_bytes()[16..].to_vec()].concat();
    refused(&frame, DecodeErrorKind::Truncated);
}

/// Threat 5.
/// All vectors: tests/packets/truncation.rs.
#[test]
fn a_packet_cut_at_any_offset_is_an_error_or_a_shorter_packet() {
    let elements = Bundle::immediately().with(("/first", (1, "two", 3.0_f32))).with(("/second", b"blob"));
    let whole = elements.with(Bundle::immediately().with(("/third", 3))).build().unwrap();
    let borders: Vec<usize> = (0..whole.as_bytes().len())
        .filter(|&cut| Packet::decode(whole.as_bytes().slice(..cut)).is_ok())
        .collect();
    // Only between elements a shorter bundle is left; each of them begins like the whole.
    assert_eq!(borders.len(), 3, "{borders:?}");
}

/// Threat 6.
/// Each kind of padding: tests/packets/dialects.rs.
#[test]
fn padding_and_nul_in_text_follow_the_profile() {
    refused_by_default(b"/a\0\0,s\0\0abcd", DecodeErrorKind::UnterminatedString);
    // A NUL ends the text; the bytes after it are padding, or left over.
    let message = Message::decode(Bytes::from_static(b"/a\0\0,s\0\0a\0b\0")).unwrap();
    assert_eq!(message.parse::<&str>().unwrap(), "a");
    refused_by_default(b"/a\0\0,s\0\0a\0\0\0c\0\0\0", DecodeErrorKind::TrailingBytes);
}

fn refused_by_default(frame: &[u8], kind: DecodeErrorKind) {
    for options in [DecodeOptions::strict(), DecodeOptions::default()] {
        assert_eq!(PacketRef::decode(frame, &options).unwrap_err().kind(), kind);
    }
}

/// Threat 7.
#[test]
fn bytes_left_over_and_bytes_missing_are_errors() {
    refused(b"/a\0\0,i\0\0\0\0\0\x01\0\0\0\x02", DecodeErrorKind::TrailingBytes);
    refused(b"/a\0\0,\0\0\0\0\0\0\x02", DecodeErrorKind::TrailingBytes);
    for tag in b"ifcrmhtdsSb" {
        let frame = [b"/a\0\0,", &[*tag][..], b"\0\0"].concat();
        refused(&frame, DecodeErrorKind::Truncated);
    }
    let error = Packet::decode(Bytes::from_static(b"/a\0\0,ih\0\0\0\0\x01\0\0\0\x02")).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::Truncated, 12));
}

/// Threat 8.
#[test]
fn unknown_type_tags_cost_their_message_only() {
    let unknown = b"/x\0\0,iz\0\0\0\0\x01\0\0\0\x02";
    refused(unknown, DecodeErrorKind::UnknownTypeTag(b'z'));
    let mut frame = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
    for element in [&b"/a\0\0,i\0\0\0\0\0\x01"[..], unknown, b"/b\0\0,i\0\0\0\0\0\x02"] {
        frame.extend_from_slice(&u32::try_from(element.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(element);
    }
    for options in profiles() {
        let (packet, repairs) = Packet::decode_with(frame.clone().into(), &options).unwrap();
        let Packet::Bundle(bundle) = packet else { unreachable!() };
        let addresses: Vec<_> = bundle
            .elements()
            .map(|element| Message::try_from(element).unwrap().address().to_string())
            .collect();
        assert_eq!((addresses.join(" ").as_str(), repairs.unknown_type_tags), ("/a /b", 1));
        assert_eq!(bundle.as_bytes(), &frame, "a relay passes it on");
    }
    // Any other defect costs the whole packet.
    let cut = frame.len() - 4;
    frame[52..56].copy_from_slice(&8_u32.to_be_bytes());
    refused_by_default(&frame[..cut], DecodeErrorKind::Truncated);
}

/// Threat 9.
#[test]
fn bytes_of_other_protocols_are_errors() {
    let strangers: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\0",
        b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0",
        b"{\"a\":1}\n",
        b"#bundl\0\0",
        &[0xff; 64],
        &[0xc0, b'/', b'a', 0, 0, b',', 0, 0, 0, 0xc0, 0, 0],
    ];
    for frame in strangers {
        refused_by_default_with_any(frame);
    }
}

fn refused_by_default_with_any(frame: &[u8]) {
    for options in [DecodeOptions::strict(), DecodeOptions::default(), DecodeOptions::lenient()] {
        assert!(Packet::decode_with(Bytes::copy_from_slice(frame), &options).is_err());
    }
}

/// Threat 10.
#[test]
fn empty_packets_and_zeros_are_errors() {
    refused(b"", DecodeErrorKind::Empty);
    for zeros in [4, 8, 512] {
        let frame = vec![0; zeros];
        for options in [DecodeOptions::strict(), DecodeOptions::default(), DecodeOptions::lenient()] {
            let error = Packet::decode_with(frame.clone().into(), &options).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::NotAPacket);
        }
    }
}

/// Threat 11.
/// The figures for all vectors: tests/packets/allocations.rs.
#[test]
fn many_small_arguments_are_limited() {
    let empty_strings = [message_of_tags(&b"s".repeat(13_000)), vec![0; 4 * 13_000]].concat();
    let many_tags = message_of_tags(&b"T".repeat(60_000));
    let wide_bundle =
        [&b"#bundle\0\0\0\0\0\0\0\0\x01"[..], &b"\0\0\0\x08/a\0\0,\0\0\0".repeat(5_000)].concat();
    for frame in [many_tags, empty_strings, wide_bundle] {
        let frame = Bytes::from(frame);
        drop(frame.clone());
        let (packet, heap) = counted(|| Packet::decode(frame.clone()).unwrap());
        assert_eq!(heap.allocations, 0, "{packet:?}");
    }
    refused(&message_of_tags(&b"T".repeat(65_537)), DecodeErrorKind::TooManyArgs);
}

/// Threat 12.
/// The policies: tests/packets/dialects.rs.
#[test]
fn text_that_is_not_ascii_or_utf8_keeps_its_bytes() {
    for text in [&b"caf\xe9"[..], b"\xff\xfe", b"\xc3", "é€😀".as_bytes(), b"\xed\xa0\x80"] {
        let message = Message::with_raw_address([b"/", text].concat(), Text::new(text)).unwrap();
        let read = Message::decode(message.as_bytes().clone()).unwrap();
        assert_eq!(read.parse::<Text<'_>>().unwrap().as_bytes(), text);
        assert_eq!(&read.address().as_bytes()[1..], text);
        assert_eq!(read.parse::<&str>().is_ok(), std::str::from_utf8(text).is_ok());
        let lines = (read.to_string(), format!("{read:?}"), read.address().to_string());
        assert_eq!(lines.0.parse::<Message>().unwrap(), read);
    }
}

/// Threat 13.
/// Also through the canonical line: tests/packets/roundtrip.rs.
#[test]
fn floats_keep_their_bits() {
    for bits in
        [0x7ff8_0000_0000_0001, 0x7ff0_0000_0000_0001, 0xfff0_0000_0000_0001, 1 << 63, 0x7ff0 << 48_u64]
    {
        let value = f64::from_bits(bits);
        let message = Message::new("/d", value).unwrap();
        let read = Message::decode(message.as_bytes().clone()).unwrap();
        let Some(ArgRef::Float64(found)) = read.args().next() else { unreachable!() };
        assert_eq!(found.to_bits(), bits);
        assert_eq!(read.parse::<Arg>().unwrap(), Arg::Float64(value));
        assert_eq!(rebuilt(&read), message);
    }
}

fn rebuilt(message: &Message) -> Message {
    Message::new(message.address().as_bytes(), message.parse::<Vec<Arg>>().unwrap()).unwrap()
}

/// Threat 14.
/// Sizes whose rounding up or whose sum overflows 32 bits. On a 64-bit machine this shows that they
/// are refused; that no `usize` of 32 bits overflows is for a 32-bit target to show.
#[test]
fn sizes_that_overflow_are_errors() {
    for size in [0x7fff_fffd, 0x7fff_fffe, i32::MAX] {
        let frame = [&b"/a\0\0,b\0\0"[..], &size.to_be_bytes(), &[0; 4]].concat();
        refused(&frame, DecodeErrorKind::Truncated);
    }
    refused(&bundle_with_size(0x7fff_fffc, &[0; 8]), DecodeErrorKind::Truncated);
    refused(&bundle_with_size(0x7fff_fffd, &[0; 8]), DecodeErrorKind::ElementSize);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Threat 15.
    /// Values to bytes to values, and for vectors bytes to values to bytes: tests/packets/roundtrip.rs,
    /// tests/packets/vectors.rs. Here: whatever the encoder takes, the decoder takes.
    #[test]
    fn the_encoder_refuses_what_the_decoder_would(
        address in prop::collection::vec(any::<u8>(), 0..12),
        text in prop::collection::vec(prop_oneof![9 => 1..=255_u8, 1 => Just(0)], 0..12),
        blob in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        match Message::with_raw_address(&address, (Text::new(&text), &blob)) {
            Ok(message) => {
                let read = Message::decode(message.as_bytes().clone()).unwrap();
                let (found, bytes) = read.parse::<(Text<'_>, &[u8])>().unwrap();
                prop_assert_eq!((found.as_bytes(), bytes), (&text[..], &blob[..]));
            }
            Err(_) => prop_assert!(
                text.contains(&0) || address.contains(&0) || address.first() != Some(&b'/')
            ),
        }
    }
}

/// Threat 16.
/// Datagrams are copied to their size by the codec; here: what is kept apart from its packet.
#[test]
fn small_values_can_be_kept_without_their_large_buffer() {
    let frame = Bytes::from([&b"/a\0\0,bb\0\0\0\0\x04abcd\0\0\xff\xf0"[..], &vec![0; 0xfff0]].concat());
    let kept = counted(|| {
        let message = Message::decode(frame.clone()).unwrap();
        let (small, _) = message.parse::<(Vec<u8>, &[u8])>().unwrap();
        small
    });
    drop(frame);
    assert_eq!((kept.0.as_slice(), kept.1.peak <= 64), (&b"abcd"[..], true));
    // A message taken out of a bundle shares its buffer; an owned copy has exactly its size.
    let bundle = Bundle::immediately().with(("/a", 1)).with(("/b", vec![0_u8; 60_000])).build().unwrap();
    let Some(PacketRef::Message(first)) = bundle.as_ref().elements().next() else { unreachable!() };
    let (copy, heap) = counted(|| first.to_owned());
    assert_eq!((copy.as_bytes().len(), heap.largest), (12, 12));
}

/// Threat 2: no vector takes long to be read or refused.
#[test]
fn the_vectors_take_no_time() {
    for vector in valid().iter().chain(&raw_decode()) {
        let frame = bytes(vector);
        let start = Instant::now();
        for options in profiles() {
            drop(Packet::decode_with(frame.clone(), &options));
        }
        let _ = PacketRef::decode(&frame, &deep());
        assert!(start.elapsed() < Duration::from_millis(50), "{vector}");
    }
}
