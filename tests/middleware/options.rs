//! The out-of-band options of osc4py3, vector by vector: what each result is here.
//!
//! Where this library gives another result than osc4py3, the vector's name is in a match with
//! the reason.

use serde_json::Value;
use tokio_osc::middleware::{AllowedTypeTags, Flow, Middleware};
use tokio_osc::packet::{
    AddressPolicy, Array, DecodeOptions, HexDump, IntoPacket, MissingTypeTags, TypeTagSet,
};
use tokio_osc::{Bundle, Bytes, Message, Meta, Packet, Peer};

use crate::support::{group, name, unhex};

fn vectors(prefix: &str) -> Vec<Value> {
    let all = group(include_str!("../vectors/oob.json"));
    let of_group: Vec<_> = all.into_iter().filter(|vector| name(vector).starts_with(prefix)).collect();
    assert!(!of_group.is_empty(), "{prefix}");
    of_group
}

fn is_ok(vector: &Value) -> bool {
    vector["result"] == "ok"
}

#[test]
fn every_vector_belongs_to_a_test() {
    let tests = [
        "oob_restrict_",
        "oob_check_addr_",
        "oob_force_typ",
        "oob_str_",
        "oob_char_",
        "oob_decode_packet_dump",
        "oob_encode_packet_dump",
        "oob_dump_decoded_values",
        "dumphex_buffer",
    ];
    for vector in vectors("") {
        assert_eq!(
            tests.iter().filter(|test| name(&vector).starts_with(**test)).count(),
            1,
            "{}",
            name(&vector)
        );
    }
}

// --- type restriction --------------------------------------------------------------------------

fn passes_out(layer: &AllowedTypeTags, packet: Packet) -> bool {
    matches!(layer.packet_out(packet, &mut Meta::from_peer(Peer::LOCAL)), Ok(Flow::Pass(_)))
}

fn passes_in(layer: &AllowedTypeTags, packet: Packet) -> bool {
    matches!(layer.packet_in(packet, &mut Meta::from_peer(Peer::LOCAL)), Ok(Flow::Pass(_)))
}

#[test]
fn type_tags_can_be_restricted() {
    for vector in vectors("oob_restrict_") {
        let name = name(&vector);
        let (what, tags) =
            name.trim_start_matches("oob_restrict_").split_once('_').unwrap_or(("array", "is"));
        let layer = match tags {
            // The empty text is "off" in osc4py3; here there is no layer then, or one that allows all.
            "" => AllowedTypeTags::new(TypeTagSet::ALL),
            tags => AllowedTypeTags::new(TypeTagSet::of(tags).unwrap()),
        };
        let message = Message::new("/a", 1).unwrap();
        let passes = match what {
            "enc" => passes_out(&layer, message.into()),
            "dec" => passes_in(&layer, message.into()),
            "bundle" => passes_out(&layer, Bundle::immediately().with(message).into_packet().unwrap()),
            "array" => passes_out(&layer, Message::new("/a", Array((1,))).unwrap().into()),
            other => panic!("{other} is new"),
        };
        let expected = match name {
            // Arguments only are restricted: an address is not a string, and the time of a bundle not a time tag.
            "oob_restrict_enc_i"
            | "oob_restrict_dec_i"
            | "oob_restrict_bundle_i"
            | "oob_restrict_bundle_is"
            | "oob_restrict_bundle_ifs" => true,
            // Brackets are type tags like others.
            "oob_restrict_array" => false,
            _ => is_ok(&vector),
        };
        assert_eq!(passes, expected, "{name}");
    }
}

#[test]
fn brackets_may_be_allowed() {
    let layer = AllowedTypeTags::new(TypeTagSet::of("i[]").unwrap());
    assert!(passes_out(&layer, Message::new("/a", Array((1,))).unwrap().into()));
}

#[test]
fn restriction_refuses_no_packet_for_anything_else() {
    let layer = AllowedTypeTags::new(TypeTagSet::of("i").unwrap());
    let options = DecodeOptions::lenient().accept_bare_addresses(true).max_bundle_depth(100);
    let odd: [&[u8]; 4] =
        [b"/a\0\0", b"/a\0\0\0\0\0\x01", b"bare\0\0\0\0,i\0\0\0\0\0\x01", b"\0\0\0\x09,i\0\0\0\0\0\x01"];
    for frame in odd {
        let (packet, _) = Packet::decode_with(Bytes::from_static(frame), &options).unwrap();
        assert!(passes_in(&layer, packet.clone()), "{packet}");
        assert!(passes_out(&layer, packet.clone()), "{packet}");
    }
}

// --- addresses ---------------------------------------------------------------------------------

#[test]
fn addresses_can_be_checked() {
    let literal = DecodeOptions::default().address_policy(AddressPolicy::Literal);
    for vector in vectors("oob_check_addr_") {
        let name = name(&vector);
        let (way, address) = name.trim_start_matches("oob_check_addr_").split_at(4);
        let address = address.replace("\\x7f", "\x7f").replace("\\x01", "\x01");
        let message = Message::with_raw_address(address, ()).unwrap();
        let passes = match way {
            "enc_" => Packet::from(message).check(&literal).is_ok(),
            "dec_" => Packet::decode_with(message.into_bytes(), &literal).is_ok(),
            other => panic!("{other} is new"),
        };
        assert_eq!(passes, is_ok(&vector), "{name}");
    }
}

#[test]
fn type_tags_can_be_forced() {
    let forced = DecodeOptions::default().missing_type_tags(MissingTypeTags::Reject);
    let not_forced = DecodeOptions::default().missing_type_tags(MissingTypeTags::NoArguments);
    for vector in vectors("oob_force_typ") {
        let name = name(&vector);
        let (frame, options): (&'static [u8], _) = match name {
            // The second is the manual's name for the option, which the code does not know.
            "oob_force_typetags_True" | "oob_force_typedtags_False" => (b"/foo\0\0\0\0", &forced),
            "oob_force_typetags_False" => (b"/foo\0\0\0\0", &not_forced),
            "oob_force_typetags_False_with_data" => (b"/foo\0\0\0\0\0\0\0\x01", &not_forced),
            other => panic!("{other} is new"),
        };
        let read = Packet::decode_with(Bytes::from_static(frame), options);
        assert_eq!(read.is_ok(), is_ok(&vector), "{name}");
    }
}

// --- text --------------------------------------------------------------------------------------

#[cfg(feature = "encoding")]
#[test]
fn text_of_other_charsets_is_read_and_written() {
    use tokio_osc::middleware::Transcode;
    use tokio_osc::packet::OnUnmappable;
    use tokio_osc::packet::encoding_rs::{UTF_8, WINDOWS_1252};

    for vector in vectors("oob_str_") {
        let name = name(&vector);
        let unmappable = match name.rsplit('_').next().unwrap() {
            "strict" => OnUnmappable::Strict,
            "replace" => OnUnmappable::Replace,
            "ignore" => OnUnmappable::Ignore,
            other => panic!("{other} is new"),
        };
        let layer = match name.split('_').nth(3).unwrap() {
            "utf-8" => Transcode::new(UTF_8, unmappable),
            "latin-1" => Transcode::new(WINDOWS_1252, unmappable),
            "ascii" => Transcode::ascii(unmappable),
            other => panic!("{other} is new"),
        };
        let frame = Message::new("/a", "é").unwrap().into_bytes();
        let meta = &mut Meta::from_peer(Peer::LOCAL);
        if name.starts_with("oob_str_encode_") {
            let expected = unhex(vector["value"].as_str().unwrap());
            assert_eq!(layer.frame_out(frame, meta).unwrap(), Flow::Pass(expected.into()), "{name}");
        } else {
            let expected = vector["value"]["message"]["args"][0]["s"].as_str().unwrap();
            let expected = Message::new("/a", expected).unwrap().into_bytes();
            assert_eq!(layer.frame_in(frame, meta).unwrap(), Flow::Pass(expected), "{name}");
        }
    }
}

#[test]
fn characters_are_read_in_either_place() {
    for vector in vectors("oob_char_") {
        match name(&vector) {
            // There is no option: a character has 32 bits, and its charset is Unicode.
            "oob_char_encode_tuple" => {}
            // The same character, as a number and not in the first byte.
            "oob_char_encode_str" => {
                let message = Message::new("/a", 'é').unwrap();
                assert_eq!(message.as_bytes(), &unhex("2f6100002c630000000000e9"));
            }
            "oob_char_decode_str" => {
                let message = Message::decode(unhex("2f6100002c630000e9000000").into()).unwrap();
                assert_eq!(message.parse::<char>().unwrap(), 'é');
            }
            other => panic!("{other} is new"),
        }
    }
}

// --- dumps -------------------------------------------------------------------------------------

#[test]
fn a_dump_shows_hexadecimal_digits() {
    for vector in vectors("dumphex_buffer") {
        let bytes: Vec<u8> = (0x20..=0x44).collect();
        assert_eq!(HexDump(&bytes).to_string(), vector["value"].as_str().unwrap());
    }
}

#[test]
fn a_dump_shows_each_vector() {
    use super::dump::shown;

    for vector in vectors("oob_").iter().filter(|vector| name(vector).contains("dump")) {
        let name = name(vector);
        let (encoded, decoded) = shown(|dump| match name {
            "oob_decode_packet_dumpraw" => dump.raw_in(),
            "oob_encode_packet_dumpraw" => dump.raw_out(),
            // The manual's names, which the code does not know, and the code's: one option here.
            "oob_decode_packet_dumppacket" | "oob_decode_packet_dumpacket" => dump.packets_in(),
            "oob_encode_packet_dumppacket" | "oob_encode_packet_dumpacket" => dump.packets_out(),
            "oob_dump_decoded_values" => dump.values_in(),
            other => panic!("{other} is new"),
        });
        let expected = match name {
            // Packets are shown as canonical lines, values by the names of OSC.
            "oob_decode_packet_dumppacket" | "oob_decode_packet_dumpacket" => {
                (String::new(), "OSC decoded packet:\n/a ,i 1\n".to_owned())
            }
            "oob_encode_packet_dumppacket" | "oob_encode_packet_dumpacket" => {
                ("OSC encoding packet:\n/a ,i 1\n".to_owned(), String::new())
            }
            "oob_dump_decoded_values" => {
                let values = "Decoded string: \"/a\"\nDecoded string: \",i\"\nDecoded int32: 1\n";
                (String::new(), values.to_owned())
            }
            _ => {
                let text = |field: &str| vector[field].as_str().unwrap().to_owned();
                (text("encode_output"), text("decode_output"))
            }
        };
        assert_eq!((encoded, decoded), expected, "{name}");
    }
}
