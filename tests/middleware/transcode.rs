//! Text of other charsets: its places, unmappable characters, and hostile bytes.

use proptest::prelude::*;
use tokio_osc::codec::Datagram;
use tokio_osc::middleware::{Flow, Middleware, Transcode};
use tokio_osc::packet::encoding_rs::{
    Encoding, GB18030, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16LE, WINDOWS_1252,
};
use tokio_osc::packet::{
    Array, Char, DecodeError, DecodeErrorKind, DecodeOptions, EncodeErrorKind, OnUnmappable, Symbol, TextBuf,
    TextPolicy,
};
use tokio_osc::{Bundle, Bytes, Message, Meta, Packet, Peer};

use super::marks::encoded;
use crate::support::strategies;

fn meta() -> Meta {
    Meta::from_peer(Peer::LOCAL)
}

fn passed(flow: Flow<Bytes>) -> Bytes {
    match flow {
        Flow::Pass(frame) => frame,
        Flow::Drop => panic!("transcoding drops nothing"),
    }
}

fn out(layer: Transcode, frame: Bytes) -> Result<Bytes, EncodeErrorKind> {
    layer.frame_out(frame, &mut meta()).map(passed).map_err(|error| error.kind())
}

fn back(layer: Transcode, frame: Bytes) -> Result<Bytes, DecodeError> {
    layer.frame_in(frame, &mut meta()).map(passed)
}

fn strict(charset: &'static Encoding) -> Transcode {
    Transcode::new(charset, OnUnmappable::Strict)
}

#[test]
fn addresses_strings_and_symbols_are_turned_at_any_depth() {
    let args = (1, "Küche", Array((Symbol("Straße"), 0.5_f64, vec![0xc3_u8, 0xbc])), true, "plain");
    let message = Message::with_raw_address("/Türe", args).unwrap();
    let bundle = Bundle::immediately().with(Bundle::immediately().with(message)).with(("/plain", 'ü'));
    let frame = encoded(bundle);
    let wire = out(strict(WINDOWS_1252), frame.clone()).unwrap();
    let text = Packet::decode(wire.clone()).unwrap().to_string();
    assert!(
        text.contains(r#"x"2f54fc7265" ,is[Sdb]Ts 1 x"4bfc636865" [ x"53747261df65" 0.5 <c3bc> ]"#),
        "{text}"
    );
    assert_eq!(back(strict(WINDOWS_1252), wire).unwrap(), frame);
}

/// The number of a character on the wire, and what it is read back as.
fn on_the_wire(layer: Transcode, character: impl Into<Char>) -> Result<(u32, Packet), EncodeErrorKind> {
    let wire = out(layer, encoded(("/c", (character.into(), 1))))?;
    let number = u32::from_be_bytes(wire[8..12].try_into().unwrap());
    Ok((number, Packet::decode(back(layer, wire).unwrap()).unwrap()))
}

#[test]
fn characters_are_turned_by_their_number() {
    for (charset, character, number) in [
        (WINDOWS_1252, 'A', 0x41),
        (WINDOWS_1252, '€', 0x80),
        (SHIFT_JIS, '音', 0x89b9),
        (GB18030, 'é', 0xa8a6),
    ] {
        let (wire, read) = on_the_wire(strict(charset), character).unwrap();
        assert_eq!(wire, number, "{character}");
        assert_eq!(read.to_string(), Packet::from(Message::new("/c", (character, 1)).unwrap()).to_string());
    }
    assert!(on_the_wire(strict(WINDOWS_1252), '音').is_err());
    let replaced = Transcode::new(WINDOWS_1252, OnUnmappable::Replace);
    assert_eq!(on_the_wire(replaced, '音').unwrap().0, u32::from('?'));
    // Bits that are not one character stay.
    for bits in [0, 0x4142_0000] {
        assert_eq!(on_the_wire(strict(SHIFT_JIS), Char::from_bits(bits)).unwrap().0, bits);
    }
    // In the first byte, as osc4py3 writes it.
    let written_first = encoded(("/c", Char::from_bits(0xfc00_0000)));
    let read = Packet::decode(back(strict(WINDOWS_1252), written_first).unwrap()).unwrap();
    assert_eq!(read.to_string(), Packet::from(Message::new("/c", 'ü').unwrap()).to_string());
}

#[test]
fn charsets_that_share_no_bytes_with_ascii_are_turned_too() {
    let frame = encoded(("/name", "a音b"));
    for charset in [SHIFT_JIS, ISO_2022_JP, GB18030, UTF_8] {
        let wire = out(strict(charset), frame.clone()).unwrap();
        assert_eq!(back(strict(charset), wire).unwrap(), frame, "{}", charset.name());
    }
    assert_eq!(out(strict(UTF_16LE), frame.clone()).unwrap(), frame, "UTF-8 is used instead");
    assert_eq!(back(strict(UTF_16LE), frame.clone()).unwrap(), frame);
}

#[test]
fn what_one_side_does_not_have_is_an_error_or_replaced_or_left_out() {
    let frame = || encoded(("/n", ("ok", "a音b")));
    let not_accepted = EncodeErrorKind::NotAccepted(DecodeErrorKind::IllegalCharacter);
    assert_eq!(out(strict(WINDOWS_1252), frame()), Err(not_accepted));
    let replace = Transcode::new(WINDOWS_1252, OnUnmappable::Replace);
    assert_eq!(out(replace, frame()).unwrap(), encoded(("/n", ("ok", "a?b"))));
    let ignore = Transcode::new(WINDOWS_1252, OnUnmappable::Ignore);
    assert_eq!(out(ignore, frame()).unwrap(), encoded(("/n", ("ok", "ab"))));

    let wire = || encoded(("/n", ("ok", TextBuf::new(&b"a\x89"[..]))));
    let error = back(strict(SHIFT_JIS), wire()).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::IllegalCharacter, 12));
    let replace = Transcode::new(SHIFT_JIS, OnUnmappable::Replace);
    assert_eq!(back(replace, wire()).unwrap(), encoded(("/n", ("ok", "a\u{fffd}"))));
    let ignore = Transcode::new(SHIFT_JIS, OnUnmappable::Ignore);
    assert_eq!(back(ignore, wire()).unwrap(), encoded(("/n", ("ok", "a"))));
}

/// ISO-2022-JP switches between sets of characters: an omitted character leaves no switch behind.
#[test]
fn a_charset_with_states_is_read_back_without_what_was_left_out() {
    let ignore = Transcode::new(ISO_2022_JP, OnUnmappable::Ignore);
    for (text, left) in [("音😀音", "音音"), ("😀", ""), ("a😀", "a"), ("音😀b", "音b"), ("¥😀\\", "¥\\")]
    {
        let wire = out(ignore, encoded(("/n", text))).unwrap();
        assert_eq!(back(strict(ISO_2022_JP), wire).unwrap(), encoded(("/n", left)), "{text}");
    }
}

#[test]
fn ascii_refuses_replaces_or_leaves_out_all_else() {
    let ascii = |unmappable| Transcode::ascii(unmappable);
    let frame = || encoded(("/n", "aéb"));
    assert!(out(ascii(OnUnmappable::Strict), frame()).is_err());
    assert!(back(ascii(OnUnmappable::Strict), frame()).is_err());
    assert!(out(ascii(OnUnmappable::Strict), encoded(("/n", "plain"))).is_ok());
    assert_eq!(out(ascii(OnUnmappable::Replace), frame()).unwrap(), encoded(("/n", "a?b")));
    assert_eq!(back(ascii(OnUnmappable::Ignore), frame()).unwrap(), encoded(("/n", "ab")));
}

#[test]
fn text_that_is_not_utf8_cannot_be_sent_strictly() {
    let frame = || encoded(("/n", TextBuf::new(&b"a\xffb"[..])));
    assert!(out(strict(UTF_8), frame()).is_err());
    let replace = Transcode::new(UTF_8, OnUnmappable::Replace);
    assert_eq!(out(replace, frame()).unwrap(), encoded(("/n", "a\u{fffd}b")));
    let ignore = Transcode::new(UTF_8, OnUnmappable::Ignore);
    assert_eq!(out(ignore, frame()).unwrap(), encoded(("/n", "ab")));
}

#[test]
fn the_text_policy_of_the_channel_sees_utf8() {
    let options = DecodeOptions::default().text_policy(TextPolicy::Utf8);
    let mut codec = Datagram::with_options(options).middleware(strict(WINDOWS_1252));
    let wire = encoded(("/n", TextBuf::new(&b"K\xfcche"[..])));
    let packet = codec.read(&wire, &mut meta()).unwrap().unwrap();
    assert_eq!(packet.to_string(), r#"/n ,s "Küche""#);
}

#[test]
fn bytes_that_are_not_a_message_are_left_to_the_decoder() {
    let odd: [&[u8]; 8] = [
        b"",
        b"/\xfc",
        b"/\xfc\0\0,s\0\0\xfc",
        b"/\xfc\0\0,b\0\0\x7f\xff\xff\xff\xfc\0\0\0",
        b"/\xfc\0\0,z\0\0\xfc\0\0\0",
        b"/\xfc\0\0,",
        b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x06/\xfc\0\0\0\0",
        b"#bundle\0",
    ];
    for frame in odd {
        let frame = Bytes::from_static(frame);
        assert_eq!(back(strict(WINDOWS_1252), frame.clone()).unwrap(), frame, "{frame:?}");
    }
}

#[test]
fn numbers_in_place_of_an_address_stay() {
    let wire = Bytes::from_static(b"\0\0\0\x09,s\0\0\xfc\0\0\0");
    let read = back(strict(WINDOWS_1252), wire).unwrap();
    assert_eq!(read, &b"\0\0\0\x09,s\0\0\xc3\xbc\0\0"[..]);
}

#[cfg(feature = "net")]
#[tokio::test]
async fn text_is_turned_both_ways_on_live_channels() {
    use tokio_osc::channel::StreamOptions;
    use tokio_osc::{Args, Channel, Client, Router, Server, Slip, Udp};

    let router = || Router::new().route("/echo", |Args(text): Args<String>| ("/said", format!("{text}!")));
    let udp = Udp::new("127.0.0.1:0").middleware(strict(WINDOWS_1252)).bind().await.unwrap();
    let options = StreamOptions::default().middleware(strict(WINDOWS_1252));
    let tcp = Channel::tcp_with("127.0.0.1:0", Slip::new(), options).await.unwrap();
    let clients = [
        Client::udp(udp.local_addr().unwrap()).await.unwrap(),
        Client::tcp(tcp.local_addr().unwrap(), Slip::new()).await.unwrap(),
    ];
    let server = Server::new(router()).listen("udp", udp).listen("tcp", tcp).spawn();
    for client in clients {
        let reply = client.request(("/echo", TextBuf::new(&b"K\xfcche"[..])), "/said").await.unwrap();
        assert_eq!(reply.parse::<TextBuf>().unwrap().as_bytes(), b"K\xfcche!");
    }
    server.shutdown().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hostile_bytes_neither_panic_nor_grow_without_bound(
        packet in strategies::packet(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut frame = packet.as_bytes().to_vec();
        for (at, byte) in flips {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        for charset in [WINDOWS_1252, SHIFT_JIS, ISO_2022_JP] {
            let layer = Transcode::new(charset, OnUnmappable::Replace);
            let read = back(layer, frame.clone().into()).unwrap();
            prop_assert!(read.len() <= 4 * frame.len());
            let _ = Packet::decode(read);
            out(layer, frame.clone().into()).unwrap();
        }
    }

    #[test]
    fn whatever_is_a_packet_stays_one(packet in strategies::packet()) {
        let layer = Transcode::new(SHIFT_JIS, OnUnmappable::Replace);
        let read = Packet::decode(back(layer, packet.as_bytes().clone()).unwrap());
        prop_assert!(read.is_ok(), "{packet} {read:?}");
    }
}
