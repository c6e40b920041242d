//! Both ways: what is encoded decodes to the same values, what is decoded encodes to the same
//! bytes, and the canonical line loses nothing.

use proptest::prelude::*;
use tokio_osc::packet::{DecodeOptions, LineReader, ParseLineErrorKind};
use tokio_osc::{Arg, Message, Packet};

use crate::support::{rebuild, strategies};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn decode_of_encode_is_the_value(
        address in strategies::address(),
        args in prop::collection::vec(strategies::arg(), 0..10),
    ) {
        let message = Message::with_raw_address(&address, &args[..]).unwrap();
        let read = Message::decode(message.as_bytes().clone()).unwrap();
        prop_assert_eq!(read.address().as_bytes(), &address[..]);
        prop_assert_eq!(read.parse::<Vec<Arg>>().unwrap(), args);
    }

    #[test]
    fn encode_of_decode_is_the_bytes(packet in strategies::packet()) {
        let (read, _) = Packet::decode_with(packet.as_bytes().clone(), &DecodeOptions::default()).unwrap();
        prop_assert_eq!(&read, &packet);
        let rebuilt = rebuild(read.as_ref());
        prop_assert_eq!(rebuilt.as_bytes(), packet.as_bytes());
    }

    #[test]
    fn the_canonical_line_loses_nothing(packet in strategies::packet()) {
        let lines = packet.to_string();
        let read: Packet = lines.parse().unwrap();
        prop_assert_eq!(read.as_bytes(), packet.as_bytes(), "{}", lines);
    }

    #[test]
    fn what_only_lenient_options_accept_has_its_line(
        head in prop_oneof![
            prop::collection::vec(1..=255_u8, 1..9),
            any::<[u8; 3]>().prop_map(|bytes| [&[0], &bytes[..]].concat()),
        ],
        tail in prop::collection::vec(any::<u32>(), 0..4),
    ) {
        let mut frame = head.clone();
        if head[0] != 0 {
            frame.resize((head.len() / 4 + 1) * 4, 0);
        }
        frame.extend(tail.iter().flat_map(|word| word.to_be_bytes()));
        let options = DecodeOptions::lenient().accept_bare_addresses(true);
        if let Ok((packet, _)) = Packet::decode_with(frame.into(), &options) {
            let read: Packet = packet.to_string().parse().unwrap();
            prop_assert_eq!(read.as_bytes(), packet.as_bytes(), "{}", packet);
        }
    }

    #[test]
    fn no_text_is_a_panic(text in "[/#,x\"'<>\\[\\]\\\\ a-f0-9\\n:.~-]{0,60}") {
        let mut lines = LineReader::new();
        for line in text.lines() {
            if let Ok(Some(packet)) = lines.push(line) {
                let read: Packet = packet.to_string().parse().unwrap();
                prop_assert_eq!(read, packet);
            }
        }
    }
}

/// A line end or a tab is not part of an address, unless in quotes.
#[test]
fn plain_addresses_hold_no_controls() {
    for line in ["/ping\n", "/ping\r", "/ping\t", "/ping\t,i 5", "/ping\u{85}"] {
        let error = line.parse::<Message>().unwrap_err();
        assert_eq!((error.kind(), error.column()), (ParseLineErrorKind::Address, 1), "{line:?}");
    }
    assert_eq!(r#""/ping\n" ,"#.parse::<Message>().unwrap().address(), "/ping\n");
}

/// What a terminal obeys: controls, line separators, and all that Unicode calls `Bidi_Control`.
#[test]
fn what_a_terminal_obeys_is_escaped() {
    let obeyed = ["\u{1b}", "\u{7f}", "\u{85}", "\u{61c}", "\u{200e}", "\u{202e}", "\u{2028}", "\u{2066}"];
    for character in obeyed {
        let address = format!("/a{character}");
        let message = Message::with_raw_address(&address, character).unwrap();
        let escape = format!("\\u{:04x}", u32::from(character.chars().next().unwrap()));
        assert_eq!(message.to_string(), format!(r#""/a{escape}" ,s "{escape}""#));
    }
}

/// Quiet and signalling NaNs, zeros, infinities and subnormal numbers.
const FLOATS: [u32; 12] = [
    0x7fc0_0000,
    0xffc0_0000,
    0x7f80_0001,
    0xff80_0001,
    0x7fff_ffff,
    0xffff_ffff,
    0x8000_0000,
    0,
    0x7f80_0000,
    0xff80_0000,
    1,
    0x8000_0001,
];

#[test]
fn floats_keep_their_bits_on_the_wire_and_in_the_line() {
    for bits in FLOATS {
        let wide = u64::from(bits) << 32 | u64::from(bits & 1);
        let message = Message::new("/f", (f32::from_bits(bits), f64::from_bits(wide))).unwrap();
        let line: Message = message.to_string().parse().unwrap();
        for message in [Message::decode(message.as_bytes().clone()).unwrap(), line] {
            let (single, double) = message.parse::<(f32, f64)>().unwrap();
            assert_eq!((single.to_bits(), double.to_bits()), (bits, wide), "{message}");
            assert_eq!(message, message.clone(), "a NaN equals itself");
        }
    }
    assert_eq!(
        Message::new("/f", (f32::NAN, -0.0_f32, f32::INFINITY, f32::from_bits(0x7f80_0001)))
            .unwrap()
            .to_string(),
        "/f ,ffff nan -0 inf nan:7f800001"
    );
}
