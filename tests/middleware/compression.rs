//! Numbers in place of addresses: the vectors of osc4py3, hostile bytes, and a live channel.

use proptest::prelude::*;
use serde_json::Value;
use tokio_osc::middleware::{AddressTable, AddressTableErrorKind, Flow, Middleware};
use tokio_osc::packet::{DecodeError, DecodeErrorKind, DecodeOptions, EncodeError, EncodeErrorKind};
use tokio_osc::{Bundle, Bytes, Message, Meta, Packet, Peer};

use super::marks::encoded;
use crate::support::{bytes, group, name, nested_bundles, strategies, unhex};

fn meta() -> Meta {
    Meta::from_peer(Peer::LOCAL)
}

fn expand(table: &AddressTable, frame: impl Into<Bytes>) -> Result<Bytes, DecodeError> {
    match table.frame_in(frame.into(), &mut meta())? {
        Flow::Pass(frame) => Ok(frame),
        Flow::Drop => panic!("a table drops nothing"),
    }
}

fn compress(table: &AddressTable, frame: impl Into<Bytes>) -> Result<Bytes, EncodeError> {
    match table.frame_out(frame.into(), &mut meta())? {
        Flow::Pass(frame) => Ok(frame),
        Flow::Drop => panic!("a table drops nothing"),
    }
}

fn decode(table: &AddressTable, frame: Bytes) -> Result<Packet, DecodeError> {
    Packet::decode(expand(table, frame)?)
}

fn table_of(vector: &Value) -> AddressTable {
    let map = vector["map"].as_object().unwrap().iter();
    let code = |code: &Value| i32::try_from(code.as_i64().unwrap()).unwrap();
    AddressTable::new(map.map(|(address, number)| (address, code(number)))).unwrap()
}

fn foo() -> AddressTable {
    AddressTable::new([("/foo", 42), ("/bar/baz", 7)]).unwrap()
}

fn vectors() -> Vec<Value> {
    group(include_str!("../vectors/compression.json"))
}

#[test]
fn vectors_are_compressed_to_the_same_bytes() {
    for vector in vectors() {
        let name = name(&vector);
        let Some(plain) = vector["plain_hex"].as_str() else { continue };
        let compressed = compress(&table_of(&vector), unhex(plain));
        match name {
            // osc4py3 sends it, and cannot read it.
            "compress_plain_slash_address" => {
                assert_eq!(
                    compressed.unwrap_err().kind(),
                    EncodeErrorKind::Refused(AddressTable::RESERVED_ADDRESS),
                    "{name}"
                );
            }
            _ => assert_eq!(compressed.unwrap(), bytes(&vector), "{name}"),
        }
    }
}

#[test]
fn vectors_are_read_or_refused_as_decided() {
    for vector in vectors() {
        let name = name(&vector);
        let read = decode(&table_of(&vector), bytes(&vector));
        let is_ok = match name {
            // A missing type tag string at the end of the packet means no arguments, unless strict.
            "decompress_key_only_no_tags" => {
                let plain = expand(&table_of(&vector), bytes(&vector)).unwrap();
                assert!(Packet::decode_with(plain, &DecodeOptions::strict()).is_err());
                true
            }
            _ => vector["decoded"]["result"] == "ok",
        };
        assert_eq!(read.is_ok(), is_ok, "{name}: {read:?}");
        if let (Ok(read), Some(plain)) = (read, vector["plain_hex"].as_str()) {
            assert_eq!(read, Packet::decode(unhex(plain).into()).unwrap(), "{name}");
        }
    }
}

#[test]
fn vectors_without_a_table_read_as_plain_packets() {
    for vector in vectors() {
        let name = name(&vector);
        let Some(result) = vector["decoded_without_map"]["result"].as_str() else { continue };
        assert_eq!(Packet::decode(bytes(&vector)).is_ok(), result == "ok", "{name}");
        let empty = AddressTable::new(std::iter::empty::<(&str, i32)>()).unwrap();
        assert_eq!(expand(&empty, bytes(&vector)).unwrap(), bytes(&vector), "an empty table is off");
        assert_eq!(compress(&empty, bytes(&vector)).unwrap(), bytes(&vector), "an empty table is off");
    }
}

#[test]
fn errors_stand_where_the_number_is() {
    let unknown = decode(&foo(), encoded(Bundle::immediately().push_encoded(b"/\0\0\0\0\0\0\x09")));
    let unknown = unknown.unwrap_err();
    assert_eq!(
        (unknown.kind(), unknown.offset()),
        (DecodeErrorKind::Refused(AddressTable::UNKNOWN_CODE), 24)
    );
    let cut = decode(&foo(), Bytes::from_static(b"/\0\0\0")).unwrap_err();
    assert_eq!((cut.kind(), cut.offset()), (DecodeErrorKind::Truncated, 4));
    let slash = Message::new("/", 1).unwrap();
    let refused = compress(&foo(), encoded(Bundle::immediately().with(("/foo", 1)).with(slash))).unwrap_err();
    assert_eq!(
        (refused.kind(), refused.position()),
        (EncodeErrorKind::Refused(AddressTable::RESERVED_ADDRESS), 40)
    );
}

/// Threat 71, with the unknown number above.
#[test]
fn a_number_that_reads_as_type_tags_is_refused_when_the_table_is_built() {
    let kind = |code| AddressTable::new([("/foo", code)]).map_err(|error| error.kind()).err();
    assert_eq!(kind(0x2bff_ffff), None);
    assert_eq!(kind(0x2c00_0000), Some(AddressTableErrorKind::ReservedCode));
    assert_eq!(kind(0x2cff_ffff), Some(AddressTableErrorKind::ReservedCode));
    assert_eq!(kind(0x2d00_0000), None);
    assert_eq!(kind(i32::MIN), None);
}

#[test]
fn a_table_with_a_wrong_entry_is_refused() {
    let kind = |entries: [(&str, i32); 2]| AddressTable::new(entries).unwrap_err().kind();
    assert_eq!(kind([("/a", 1), ("/b", 1)]), AddressTableErrorKind::DuplicateCode);
    assert_eq!(kind([("/a", 1), ("/a", 2)]), AddressTableErrorKind::DuplicateAddress);
    for address in ["", "a", "/", "/a\0b"] {
        assert_eq!(kind([("/z", 1), (address, 2)]), AddressTableErrorKind::Address, "{address:?}");
    }
    assert_eq!(AddressTable::new([("/", 2)]).unwrap_err().code(), 2);
}

#[test]
fn a_packet_grows_to_the_limit_and_no_further() {
    let long = format!("/{}", "a".repeat(2_001));
    let frame = encoded(Bundle::immediately().with((&long, ())).with((&long, ())));
    // 2,002 characters take 2,004 bytes on the wire, a number and its mark 8.
    let growth = 2 * (2_004 - 8);
    let table = |limit| AddressTable::new([(&long, 1)]).unwrap().max_growth(limit);
    let compressed = compress(&table(0), frame.clone()).unwrap();
    assert_eq!(compressed.len(), frame.len() - growth);
    assert_eq!(expand(&table(growth), compressed.clone()).unwrap(), frame);
    assert_eq!(expand(&table(growth - 1), compressed).unwrap_err().kind(), DecodeErrorKind::FrameTooLong);
}

#[test]
fn few_bytes_do_not_become_many() {
    let long = format!("/{}", "a".repeat(4_000));
    let mut frame = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
    for _ in 0..50_000 {
        frame.extend_from_slice(b"\0\0\0\x0c/\0\0\0\0\0\0\x01,\0\0\0");
    }
    let table = AddressTable::new([(long, 1)]).unwrap();
    let error = expand(&table, frame).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::FrameTooLong);
    assert!(error.offset() < 16 * 264, "it stops at 1 MiB, {error}");
}

#[test]
fn depth_is_limited_by_the_options_and_costs_no_stack() {
    let depth = |depth| Packet::decode(expand(&foo(), nested_bundles(depth)).unwrap());
    assert!(depth(32).is_ok());
    assert_eq!(depth(33).unwrap_err().kind(), DecodeErrorKind::BundlesTooDeep);
    let deep = nested_bundles(50_000);
    assert_eq!(expand(&foo(), deep.clone()).unwrap(), deep);
}

#[test]
fn each_direction_may_have_its_own_table() {
    let theirs = AddressTable::new([("/meter", 1)]).unwrap().only_in();
    let ours = AddressTable::new([("/fader", 1)]).unwrap().only_out();
    let frame = encoded(("/fader", 1));
    let passed = |flow| match flow {
        Flow::Pass(frame) => frame,
        Flow::Drop => panic!("a table drops nothing"),
    };
    let sent = passed(theirs.frame_out(frame, &mut meta()).unwrap());
    let sent = passed(ours.frame_out(sent, &mut meta()).unwrap());
    assert_eq!(sent, &b"/\0\0\0\0\0\0\x01,i\0\0\0\0\0\x01"[..]);
    let read = passed(ours.frame_in(sent, &mut meta()).unwrap());
    let read = passed(theirs.frame_in(read, &mut meta()).unwrap());
    assert_eq!(Packet::decode(read).unwrap().to_string(), "/meter ,i 1");
}

#[cfg(feature = "net")]
#[tokio::test]
async fn an_unknown_number_is_an_error_item_and_the_channel_goes_on() {
    use futures::StreamExt;
    use tokio_osc::{Client, Udp};

    let mut channel = Udp::new("127.0.0.1:0").middleware(foo()).bind().await.unwrap();
    let address = channel.local_addr().unwrap();
    let other = AddressTable::new([("/other", 9)]).unwrap();
    Udp::new(address).middleware(other).client().await.unwrap().send(("/other", 1)).await.unwrap();
    assert_eq!(
        channel.next().await.unwrap().0.unwrap_err().kind(),
        DecodeErrorKind::Refused(AddressTable::UNKNOWN_CODE)
    );
    Client::udp(address).await.unwrap().send(("/foo", 1)).await.unwrap();
    assert_eq!(channel.next().await.unwrap().0.unwrap().to_string(), "/foo ,i 1", "sent in full");
    assert_eq!(channel.outlet().filtered().refused_in, 1);
}

fn mixed_table() -> AddressTable {
    AddressTable::new([("/a", 0), ("/foo", 1), ("/x/y/z", -1), ("/a*", 16)]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_compressed_expands_to_itself(packet in strategies::packet()) {
        let frame = packet.as_bytes().clone();
        match compress(&mixed_table(), frame.clone()) {
            Ok(compressed) => prop_assert_eq!(expand(&mixed_table(), compressed).unwrap(), frame),
            Err(error) => prop_assert_eq!(error.kind(), EncodeErrorKind::Refused(AddressTable::RESERVED_ADDRESS)),
        }
    }

    #[test]
    fn hostile_bytes_neither_panic_nor_grow_beyond_the_table(
        packet in strategies::packet(),
        marks in prop::collection::vec((any::<prop::sample::Index>(), 0_i32..3), 0..4),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut frame = packet.as_bytes().to_vec();
        for (at, code) in marks {
            let at = at.index(frame.len()) / 4 * 4;
            let mark = [*b"/\0\0\0", code.to_be_bytes()].concat();
            frame.splice(at..(at + 8).min(frame.len()), mark);
        }
        for (at, byte) in flips {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        let size = frame.len();
        if let Ok(plain) = expand(&mixed_table(), frame) {
            // Each mark stands for at most 8 bytes, which is as long as it is.
            prop_assert!(plain.len() <= size);
            let _ = Packet::decode_with(plain, &DecodeOptions::lenient());
        }
    }
}
