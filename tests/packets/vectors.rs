//! Wire vectors made by running real encoders (osc4py3, python-osc, liblo), each with the result
//! that this library gives it.

use serde_json::Value;
use tokio_osc::packet::{
    ArgRef, Array, Color, DecodeOptions, EncodeErrorKind, Impulse, Midi, Nil, PacketRef, TypeTag, TypeTagSet,
};
use tokio_osc::{Message, Packet, TimeTag};

use crate::support::{bytes, deep, group, name, raw_decode, rebuild, unhex, valid};

#[test]
fn valid_vectors_decode_to_the_stated_values() {
    for vector in valid() {
        let (packet, _) = Packet::decode_with(bytes(&vector), &deep()).unwrap();
        let name = name(&vector);
        match (name, vector.get("decoded")) {
            (_, Some(decoded)) => assert_packet(packet.as_ref(), decoded, name),
            // Nested deeper than the JSON parser goes: compared as bytes by the tests below.
            ("array_depth64" | "bundle_depth64", None) => {}
            (other, None) => panic!("{other} has no values"),
        }
    }
}

#[test]
fn valid_vectors_survive_the_canonical_line() {
    for vector in valid() {
        let name = name(&vector);
        let frame = bytes(&vector);
        let (packet, _) = Packet::decode_with(frame.clone(), &deep()).unwrap();
        let read_back: Packet = packet.to_string().parse().unwrap();
        assert_eq!(read_back.as_bytes(), &frame, "{name}: {packet}");
    }
}

#[test]
fn valid_vectors_re_encode_to_the_same_bytes() {
    for vector in valid() {
        let frame = bytes(&vector);
        let (packet, _) = Packet::decode_with(frame.clone(), &deep()).unwrap();
        assert_eq!(rebuild(packet.as_ref()).as_bytes(), &frame, "{}", name(&vector));
    }
}

/// What each profile makes of the raw vectors that are not plainly valid or invalid, and of those
/// where this library differs from the label.
#[test]
fn raw_vectors_are_accepted_or_refused_as_decided() {
    for vector in raw_decode() {
        let name = name(&vector);
        let label = vector["valid"].as_bool();
        let (strict, default, lenient) = match name {
            // A request without arguments from a sender that knows no type tags.
            "raw_msg_address_only" | "raw_msg_address_only_slash" => (false, true, true),
            // Argument bytes of unknown types: kept for `Message::untyped`.
            "raw_msg_no_typetag_with_int" | "raw_msg_no_typetag_with_text" => (false, false, true),
            // A name where the type tags belong is such bytes, too.
            "raw_bundle_in_message_position" => (false, false, true),
            // Owned arguments are a tree: arrays nest 255 deep at most.
            "raw_array_depth_300" | "raw_array_depth_1200" => (false, false, false),
            // The two forms of a character are both 32 bits.
            "raw_char_first_byte" | "raw_char_high" => (true, true, true),
            // The end is missing, or zeros follow it: only lenient options guess.
            "raw_len1"
            | "raw_len5"
            | "raw_bundle_elem_size_zero"
            | "raw_bundle_trailing_4"
            | "raw_msg_address_unterminated"
            | "raw_msg_address_unterminated8"
            | "raw_string_unterminated"
            | "raw_trailing_4" => (false, false, true),
            _ => match label {
                Some(valid) => (valid, valid, valid),
                // Padding other than NUL, text outside ASCII: kept, counted.
                None => (false, true, true),
            },
        };
        let accepted = |options: DecodeOptions| {
            let options = options.max_bundle_depth(1_000).max_array_depth(255);
            Packet::decode_with(bytes(&vector), &options).is_ok()
        };
        let found = (
            accepted(DecodeOptions::strict()),
            accepted(DecodeOptions::default()),
            accepted(DecodeOptions::lenient()),
        );
        assert_eq!(found, (strict, default, lenient), "{name}: {}", vector["why"]);
    }
}

/// Values that osc4py3 refuses, coerces or accepts, and how they are handled here. Most cannot be
/// written in Rust: the type refuses them.
#[test]
fn encode_errors_are_errors_here_or_cannot_be_written() {
    let refused = |message: Result<Message, tokio_osc::packet::EncodeError>| message.unwrap_err().kind();
    for vector in group(include_str!("../vectors/encode_errors.json")) {
        let name = name(&vector);
        let hex = vector["hex"].as_str();
        match name {
            // The parameter's type is i32, f32, u8, u32, TimeTag or a packet, and nothing converts silently.
            "enc_int32_overflow" | "enc_int32_underflow" | "enc_int64_overflow" | "enc_float32_overflow"
            | "enc_int_from_bad_str" | "enc_int_from_none" | "enc_rgba_256" | "enc_rgba_three" | "enc_midi_neg"
            | "enc_timetag_sec_overflow" | "enc_timetag_frac_overflow" | "enc_timetag_from_float"
            | "enc_char_two" | "enc_char_empty" | "enc_char_memoryview" | "enc_auto_dict" | "enc_auto_set"
            | "enc_auto_complex" | "enc_bundle_bad_element" | "enc_bundle_time_float" | "enc_bundle_time_none"
            | "enc_not_a_packet_str" | "enc_not_a_packet_list"
            // The type tags follow the values: they cannot disagree.
            | "enc_too_many_args" | "enc_too_few_args" | "enc_const_needs_placeholder" | "enc_unknown_tag"
            | "enc_typetags_no_comma" | "enc_array_scalar" | "enc_array_unclosed" | "enc_array_stray_close"
            | "enc_array_wrong_inner_count" | "enc_manual_typetags_without_comma"
            // osc4py3 converts floats and text to int32 and int32 to text; in Rust the caller does.
            | "enc_int_from_float" | "enc_int_from_negative_float" | "enc_int_from_str" | "enc_float_from_str"
            | "enc_string_from_int" | "enc_int_from_bool" | "enc_float_from_int" | "enc_manual_bundle_ifii" => {}
            // What does not fit int32 is int64 by its type.
            "enc_int32_auto_overflow" => {
                assert_eq!(Message::new("/a", 2_147_483_648_i64).unwrap().type_tags(), ",h");
            }
            "enc_typetags_empty_with_args" => {
                assert_eq!(Message::new("/a", 1).unwrap().as_bytes(), &unhex(hex.unwrap()), "{name}");
            }
            // ASCII is an option of the channel.
            "enc_string_nonascii" | "enc_address_nonascii" => {
                let message = match name {
                    "enc_string_nonascii" => Message::new("/a", "é"),
                    _ => Message::with_raw_address("/é", ()),
                };
                let ascii = DecodeOptions::default().text_policy(tokio_osc::packet::TextPolicy::Ascii);
                let packet = Packet::from(message.unwrap());
                assert!(packet.check(&DecodeOptions::default()).is_ok());
                assert!(matches!(packet.check(&ascii).unwrap_err().kind(), EncodeErrorKind::NotAccepted(_)));
            }
            // A NUL in text is refused everywhere, also where osc4py3 does not look.
            "enc_string_inner_nul_str" | "enc_string_inner_nul_bytes" => {
                assert_eq!(refused(Message::new("/a", "a\0b")), EncodeErrorKind::NulInText);
            }
            "enc_string_nul_first_bytes" => {
                assert_eq!(refused(Message::new("/a", "\0b")), EncodeErrorKind::NulInText);
            }
            "enc_string_final_nul_bytes" => {
                assert_eq!(refused(Message::new("/a", "ab\0")), EncodeErrorKind::NulInText);
            }
            "enc_address_inner_nul" => {
                assert_eq!(refused(Message::with_raw_address("/a\0b", ())), EncodeErrorKind::Address);
            }
            // osc4py3 fails on empty bytes; the empty string is legal.
            "enc_string_empty_bytes" => assert_eq!(Message::new("/a", "").unwrap().parse::<&str>().unwrap(), ""),
            // A character has 32 bits here.
            "enc_char_256" => assert!(Message::new("/a", tokio_osc::packet::Char::from_bits(256)).is_ok()),
            "enc_char_nonascii" => assert_eq!(Message::new("/a", 'é').unwrap().parse::<char>().unwrap(), 'é'),
            "enc_address_no_slash" => assert_eq!(refused(Message::new("a", 1)), EncodeErrorKind::Address),
            "enc_address_empty" => assert_eq!(refused(Message::new("", 1)), EncodeErrorKind::Address),
            other => panic!("{other} is new"),
        }
    }
}

#[test]
fn type_tags_follow_the_values_as_in_osc4py3() {
    for vector in group(include_str!("../vectors/auto_typetags.json")) {
        let name = name(&vector);
        let message = match name {
            "auto_none" => Message::new("/auto", None::<i32>),
            "auto_true" => Message::new("/auto", true),
            "auto_false" => Message::new("/auto", false),
            "auto_int" => Message::new("/auto", 1),
            "auto_negint" => Message::new("/auto", -5),
            // A Rust float literal is f64 and becomes `d`; `f` needs a suffix.
            "auto_float" => Message::new("/auto", 1.5_f32),
            "auto_str" => Message::new("/auto", "x"),
            "auto_bytes" => Message::new("/auto", b"x"),
            "auto_bytearray" => Message::new("/auto", vec![b'x']),
            "auto_memoryview" => Message::new("/auto", &b"x"[..]),
            "auto_rgba" => Message::new("/auto", Color { red: 1, green: 2, blue: 3, alpha: 4 }),
            "auto_midi" => Message::new("/auto", Midi { port: 1, status: 2, data1: 3, data2: 4 }),
            "auto_bang" => Message::new("/auto", Impulse),
            "auto_timetag" => Message::new("/auto", TimeTag::new(1, 2)),
            "auto_list" => Message::new("/auto", Array([1, 2])),
            "auto_tuple" => Message::new("/auto", Array((1, "a"))),
            "auto_empty_list" => Message::new("/auto", Array(())),
            "auto_nested" => Message::new("/auto", (1, Array((2.0_f32, Array(("x", Array(true))))), Nil)),
            "auto_plain4tuple" => Message::new("/auto", Array((1, 2, 3, 4))),
            "auto_empty" => Message::new("/auto", ()),
            "auto_bool_in_list" => Message::new("/auto", Array((true, false, Nil))),
            other => panic!("{other} is new"),
        };
        let message = message.unwrap();
        assert_eq!(message.type_tags(), vector["typetags"].as_str().unwrap(), "{name}");
        assert_eq!(message.as_bytes(), &bytes(&vector), "{name}");
    }
}

#[test]
fn time_tags_convert_as_in_osc4py3() {
    for vector in group(include_str!("../vectors/timetag.json")) {
        let name = name(&vector);
        let bits = u64::from_str_radix(vector["hex"].as_str().unwrap(), 16).unwrap();
        let tag = TimeTag::from_bits(bits);
        assert_eq!(u64::from(tag.seconds()), vector["sec"].as_u64().unwrap(), "{name}");
        assert_eq!(u64::from(tag.fraction()), vector["frac"].as_u64().unwrap(), "{name}");
        assert_eq!(tag, TimeTag::new(tag.seconds(), tag.fraction()), "{name}");
        assert_eq!(
            tag.to_ntp_seconds().to_bits(),
            vector["timetag2float"].as_f64().unwrap().to_bits(),
            "{name}"
        );
        let unix = vector["timetag2unixtime"].as_f64().unwrap();
        assert!((tag.to_unix_seconds() - unix).abs() <= 1e-6, "{name}: {} {unix}", tag.to_unix_seconds());
    }
}

#[test]
fn seconds_convert_as_in_osc4py3_where_that_makes_sense() {
    for vector in group(include_str!("../vectors/time_conversion.json")) {
        let name = name(&vector);
        let found = match (vector["unix"].as_f64(), vector["seconds_since_1900"].as_f64()) {
            (Some(unix), _) => TimeTag::from_unix_seconds(unix),
            (None, Some(ntp)) => TimeTag::from_ntp_seconds(ntp),
            (None, None) => panic!("{name} has no input"),
        };
        let half = |index: usize| vector["osc4py3"][index].as_i64().unwrap();
        let expected = match name {
            // The second era: osc4py3 cannot pack it.
            "unix_2085978496.0" => TimeTag::new(0, 0),
            // Before 1900: the end of the era before.
            "unix_-2208988801.0" => TimeTag::new(u32::MAX, 0),
            // osc4py3's fraction reaches 2^32: the second is carried.
            "float2timetag_0.9999999999" => TimeTag::new(1, 0),
            "float2timetag_1.9999999999" => TimeTag::new(2, 0),
            // osc4py3's fraction is negative.
            "float2timetag_-0.5" => TimeTag::new(u32::MAX, 1 << 31),
            // osc4py3 goes through an f64 since 1900, which has steps of half a microsecond.
            "unix_1533600000.123456" | "unix_1533600000.999999" => {
                let near = TimeTag::new(half(0).try_into().unwrap(), half(1).try_into().unwrap());
                assert!(found.signed_difference(near).abs() < 2_100, "{name}: {found} {near}");
                found
            }
            _ => TimeTag::new(half(0).try_into().unwrap(), half(1).try_into().unwrap()),
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_set_of_type_tags_is_checked_both_ways() {
    let options = DecodeOptions::default().allowed_type_tags(TypeTagSet::of("ifs").unwrap());
    for vector in valid() {
        let (packet, _) = Packet::decode_with(bytes(&vector), &deep()).unwrap();
        let allowed = tags_of(packet.as_ref()).bytes().all(|tag| b",ifs".contains(&tag));
        let options = options.clone().max_bundle_depth(1_000).max_array_depth(255);
        assert_eq!(packet.check(&options).is_ok(), allowed, "{}", name(&vector));
        assert_eq!(Packet::decode_with(bytes(&vector), &options).is_ok(), allowed, "{}", name(&vector));
    }
}

fn tags_of(packet: PacketRef<'_>) -> String {
    match packet {
        PacketRef::Message(message) => message.type_tags().to_owned(),
        PacketRef::Bundle(bundle) => bundle.elements().map(tags_of).collect(),
    }
}

fn assert_packet(packet: PacketRef<'_>, expected: &Value, name: &str) {
    match packet {
        PacketRef::Message(message) => {
            let expected = &expected["message"];
            assert_eq!(message.address(), expected["address"].as_str().unwrap(), "{name}");
            assert_eq!(message.type_tags(), expected["typetags"].as_str().unwrap(), "{name}");
            assert_args(message.args(), &expected["args"], name);
        }
        PacketRef::Bundle(bundle) => {
            let expected = &expected["bundle"];
            let time_tag = bundle.time_tag();
            assert_eq!(
                expected["timetag"],
                serde_json::json!([time_tag.seconds(), time_tag.fraction()]),
                "{name}"
            );
            let elements: Vec<_> = bundle.elements().collect();
            let expected = expected["elements"].as_array().unwrap();
            assert_eq!(elements.len(), expected.len(), "{name}");
            for (element, expected) in elements.into_iter().zip(expected) {
                assert_packet(element, expected, name);
            }
        }
    }
}

fn assert_args<'a>(args: impl Iterator<Item = ArgRef<'a>>, expected: &Value, name: &str) {
    let args: Vec<_> = args.collect();
    let expected = expected.as_array().unwrap();
    assert_eq!(args.len(), expected.len(), "{name}");
    for (arg, expected) in args.into_iter().zip(expected) {
        let members = expected.as_object().unwrap();
        let (tag, value) = members.iter().find(|(key, _)| *key != "bits").unwrap();
        let tag = if tag == "array" { b'[' } else { tag.as_bytes()[0] };
        assert_eq!(arg.type_tag(), TypeTag::from_byte(tag).unwrap(), "{name}");
        assert_value(arg, value, expected, name);
    }
}

fn assert_value(arg: ArgRef<'_>, value: &Value, whole: &Value, name: &str) {
    match arg {
        ArgRef::Int32(number) => assert_eq!(value.as_i64(), Some(number.into()), "{name}"),
        ArgRef::Int64(number) => assert_eq!(value.as_str(), Some(number.to_string().as_str()), "{name}"),
        ArgRef::Float32(number) => {
            assert_eq!(whole["bits"].as_str().unwrap(), format!("{:08x}", number.to_bits()), "{name}");
        }
        ArgRef::Float64(number) => {
            assert_eq!(whole["bits"].as_str().unwrap(), format!("{:016x}", number.to_bits()), "{name}");
        }
        ArgRef::String(text) | ArgRef::Symbol(text) => assert_eq!(text, value.as_str().unwrap(), "{name}"),
        ArgRef::Array(array) => assert_args(array.iter(), value, name),
        ArgRef::Blob(blob) => {
            let digits: String = blob.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(value.as_str(), Some(digits.as_str()), "{name}");
        }
        // The values of the other types are compared as bytes by the re-encoding test.
        _ => {}
    }
}
