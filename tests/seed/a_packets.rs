//! A. Packets, messages and bundles as bytes.

use std::cell::Cell;

use tokio_osc::bytes::BytesMut;
use tokio_osc::packet::{
    AddressPolicy, AnnotatedDump, ArgsWriter, DecodeErrorKind, EncodeErrorKind, HexDump, IntoPacket,
};
use tokio_osc::{Address, Bundle, Bytes, IntoArgs, Message, Packet, TimeTag};

fn refused(frame: &'static [u8]) -> DecodeErrorKind {
    Packet::decode(Bytes::from_static(frame)).unwrap_err().kind()
}

/// Row A01.
#[test]
fn messages_and_bundles_are_appended_to_a_buffer() {
    let mut buffer = BytesMut::new();
    ("/a", "odd").encode(&mut buffer).unwrap();
    assert_eq!(&buffer[..], b"/a\0\0,s\0\0odd\0");
    let message = buffer.len();
    Bundle::immediately().with(("/b", (1, "four"))).encode(&mut buffer).unwrap();
    assert_eq!(buffer.len() % 4, 0);
    let bundle = Packet::decode(buffer.split_off(message).freeze()).unwrap();
    assert!(matches!(bundle, Packet::Bundle(_)));
}

/// Row A02.
#[test]
fn bytes_are_one_message_or_one_bundle_or_an_error() {
    let message = Packet::decode(Bytes::from_static(b"/a\0\0,\0\0\0")).unwrap();
    assert!(matches!(message, Packet::Message(_)));
    let bundle = Packet::decode(Bytes::from_static(b"#bundle\0\0\0\0\0\0\0\0\x01")).unwrap();
    assert!(matches!(bundle, Packet::Bundle(_)));

    assert_eq!(refused(b""), DecodeErrorKind::Empty);
    assert_eq!(refused(b"/a\0\0,\0\0\0\0"), DecodeErrorKind::Unaligned);
    assert_eq!(refused(b"a\0\0\0,\0\0\0"), DecodeErrorKind::NotAPacket);
    assert_eq!(refused(b"#bundel\0\0\0\0\0\0\0\0\x01"), DecodeErrorKind::NotAPacket);
    assert_eq!(refused(b"/a\0\0,\0\0\0\0\0\0\0"), DecodeErrorKind::TrailingBytes);
}

/// Row A04.
#[test]
fn type_tags_follow_from_the_arguments() {
    let message = Message::new("/mixed", (1, 2.0_f32, "three")).unwrap();
    assert_eq!(message.address(), "/mixed");
    assert_eq!(message.type_tags(), ",ifs");
    assert_eq!(message.parse::<(i32, f32, &str)>().unwrap(), (1, 2.0, "three"));
}

/// Row A05.
#[test]
fn an_address_begins_with_a_slash_and_holds_no_nul() {
    let kind = |address: &str| Message::with_raw_address(address, ()).map(drop).map_err(|error| error.kind());
    assert_eq!(kind("a"), Err(EncodeErrorKind::Address));
    assert_eq!(kind(""), Err(EncodeErrorKind::Address));
    assert_eq!(kind("/a\0b"), Err(EncodeErrorKind::Address));
    for address in ["/a b", "/#", "/a*", "//a", "/a/", "/"] {
        assert_eq!(kind(address), Ok(()), "{address}");
    }
    // A plain address is checked when it is made.
    assert!(Address::new("/a/b").is_some());
    for address in ["/a*", "/[a]", "/a]", "/{a}", "/?", "a", "/a\0", ""] {
        assert!(Address::new(address).is_none(), "{address}");
    }
    for address in ["/a b", "/#"] {
        assert!(Message::new(address, ()).is_ok() && Address::new(address).is_some(), "{address}");
        assert!(!AddressPolicy::Literal.accepts(address), "{address}");
    }
}

/// Row A07.
#[test]
fn a_message_without_arguments_still_has_type_tags() {
    assert_eq!(&Message::new("/a", ()).unwrap().as_bytes()[..], b"/a\0\0,\0\0\0");
}

/// Row A10.
#[test]
fn a_bundle_is_a_time_tag_and_elements_with_their_sizes() {
    let empty = Bundle::at(TimeTag::new(1, 2)).build().unwrap();
    assert_eq!(&empty.as_bytes()[..], b"#bundle\0\0\0\0\x01\0\0\0\x02");

    let inner = Bundle::immediately().with(("/b", ())).build().unwrap();
    let outer = Bundle::immediately().with(("/a", ())).with(&inner).build().unwrap();
    let expected = b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0\0\0\0\x1c#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/b\0\0,\0\0\0";
    assert_eq!(&outer.as_bytes()[..], expected);
    let elements: Vec<Packet> = outer.elements().collect();
    assert_eq!(elements, [("/a", ()).into_packet().unwrap(), inner.into()]);
}

/// Row A13.
#[test]
fn time_tags_of_inner_bundles_are_not_checked_by_the_codec() {
    let earlier = Bundle::at(TimeTag::new(10, 0)).with(("/a", ()));
    let bundle = Bundle::at(TimeTag::new(20, 0)).with(earlier).build().unwrap();
    assert!(Packet::decode(bundle.as_bytes().clone()).is_ok());
}

/// Row A14.
#[test]
fn an_encode_error_leaves_the_buffer_unchanged() {
    let mut buffer = BytesMut::from(&b"before"[..]);
    assert!(("/a", ("fine", "not\0fine")).encode(&mut buffer).is_err());
    assert!(Bundle::immediately().with(("/a", 1)).with(("no slash", 1)).encode(&mut buffer).is_err());
    assert_eq!(&buffer[..], b"before");
}

/// Row A14.
/// The fault shows when a part of the message, or of the bundle, is written already.
#[test]
fn what_fails_halfway_leaves_the_buffer_as_it_was() {
    /// Writes one number more each time that it is asked, so that what was measured is too short.
    struct Growing(Cell<i32>);

    impl IntoArgs for Growing {
        fn write_args<W: ArgsWriter>(&self, out: &mut W) {
            self.0.set(self.0.get() + 1);
            (0..self.0.get()).for_each(|number| number.write_args(out));
        }
    }

    let mut buffer = BytesMut::from(&b"before"[..]);
    let error = ("/a", Growing(Cell::new(0))).encode(&mut buffer).unwrap_err();
    assert_eq!((error.kind(), &buffer[..]), (EncodeErrorKind::Unstable, &b"before"[..]));

    let elements = [("/a", "fine"), ("/b", "not\0fine")];
    let error = Bundle::of(TimeTag::IMMEDIATELY, &elements).encode(&mut buffer).unwrap_err();
    assert_eq!((error.kind(), &buffer[..]), (EncodeErrorKind::NulInText, &b"before"[..]));
}

/// Row A15.
#[test]
fn elements_may_be_encoded_already() {
    let stored = Message::new("/a", 1).unwrap();
    let bundle = Bundle::immediately().push_encoded(stored.as_bytes()).with(("/b", 2)).build().unwrap();
    let plain = Bundle::immediately().with(&stored).with(("/b", 2)).build().unwrap();
    assert_eq!(bundle.as_bytes(), plain.as_bytes());
    let error = Bundle::immediately().push_encoded(b"/cut").build().unwrap_err();
    assert!(matches!(error.kind(), EncodeErrorKind::NotAPacket(_)));
}

/// Row A16.
/// The form of `dumphex_buffer`: offset, groups of four bytes, the same as text.
#[test]
fn bytes_are_dumped_as_hexadecimal_digits_and_text() {
    let message = Message::new("/test/hex", (1, "Å")).unwrap();
    assert_eq!(
        HexDump(message.as_bytes()).to_string(),
        "000:2f746573 742f6865 78000000 2c697300     /tes t/he x... ,is.\n\
         016:00000001 c3850000                       .... ....\n"
    );
    // And what the bytes mean.
    let annotated = AnnotatedDump(message.as_bytes()).to_string();
    assert!(annotated.contains("address /test/hex") && annotated.contains("i 1"), "{annotated}");
}
