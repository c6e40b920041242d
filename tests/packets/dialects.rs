//! Each switch of `DecodeOptions` on its own: what it accepts, what it counts, and that nothing is
//! accepted without it.

use tokio_osc::packet::{
    AddressPolicy, DecodeError, DecodeErrorKind, DecodeOptions, MissingTypeTags, PacketRef, Repairs,
    TextPolicy,
};
use tokio_osc::{Bytes, Message, Packet, TimeTag};

fn decode(frame: &[u8], options: &DecodeOptions) -> Result<(Packet, Repairs), DecodeError> {
    let decoded = Packet::decode_with(Bytes::copy_from_slice(frame), options)?;
    let (again, _) = PacketRef::decode(decoded.0.as_bytes(), options).unwrap();
    assert_eq!(again, decoded.0.as_ref());
    Ok(decoded)
}

fn kind(frame: &[u8], options: &DecodeOptions) -> DecodeErrorKind {
    decode(frame, options).unwrap_err().kind()
}

/// The line of what a switch accepts; without the switch it is not a valid packet.
#[track_caller]
fn line(frame: &[u8], options: &DecodeOptions, repaired: impl Fn(&mut Repairs)) -> String {
    assert!(decode(frame, &DecodeOptions::default()).is_err(), "accepted without the switch");
    let (packet, repairs) = decode(frame, options).unwrap();
    let mut expected = Repairs::default();
    repaired(&mut expected);
    assert_eq!(repairs, expected, "{packet}");
    packet.to_string()
}

/// A bundle of these elements, their sizes before them.
fn bundle(elements: &[&[u8]]) -> Vec<u8> {
    let mut frame = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
    for element in elements {
        frame.extend_from_slice(&u32::try_from(element.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(element);
    }
    frame
}

#[test]
fn the_profiles_are_their_table() {
    let (strict, default, lenient) =
        (DecodeOptions::strict(), DecodeOptions::default(), DecodeOptions::lenient());
    assert_eq!(strict.missing_type_tags, MissingTypeTags::Reject);
    assert_eq!(default.missing_type_tags, MissingTypeTags::NoArguments);
    assert_eq!(lenient.missing_type_tags, MissingTypeTags::Untyped);
    assert_eq!((strict.text_policy, default.text_policy), (TextPolicy::Ascii, TextPolicy::Any));
    assert_eq!((strict.address_policy, default.address_policy), (AddressPolicy::Pattern, AddressPolicy::Any));
    let switches = |options: &DecodeOptions| {
        [
            options.accept_nonzero_padding,
            options.accept_zero_time_tags,
            options.accept_missing_padding,
            options.accept_missing_comma,
            options.accept_zero_tail,
            options.accept_bare_addresses,
        ]
    };
    assert_eq!(switches(&strict), [false; 6]);
    assert_eq!(switches(&default), [true, true, false, false, false, false]);
    assert_eq!(switches(&lenient), [true, true, true, true, true, false]);
}

#[test]
fn missing_type_tags_need_their_switch() {
    let options = DecodeOptions::default();
    let (packet, repairs) = decode(b"/info\0\0\0", &options).unwrap();
    assert_eq!((packet.to_string().as_str(), repairs.missing_type_tags), ("/info", 1));
    assert_eq!(kind(b"/info\0\0\0", &DecodeOptions::strict()), DecodeErrorKind::MissingTypeTags);
    assert_eq!(kind(b"/vol\0\0\0\0\0\0\0\x07", &options), DecodeErrorKind::MissingTypeTags);
    let untyped = options.missing_type_tags(MissingTypeTags::Untyped);
    let line = line(b"/vol\0\0\0\0\0\0\0\x07", &untyped, |repairs| repairs.untyped = 1);
    assert_eq!(line, "/vol <00000007>");
}

#[test]
fn untyped_messages_are_equal_by_their_bytes() {
    let decode = |frame| Message::try_from(decode(frame, &DecodeOptions::lenient()).unwrap().0).unwrap();
    let seven = decode(b"/vol\0\0\0\0\0\0\0\x07");
    assert_eq!(seven, decode(b"/vol\0\xff\0\0\0\0\0\x07"));
    assert_ne!(seven, decode(b"/vol\0\0\0\0\0\0\0\x08"));
    assert_ne!(seven, decode(b"/vol\0\0\0\0"));
    assert_eq!((seven.type_tags(), seven.args().count()), ("", 0));
}

#[test]
fn a_missing_comma_needs_its_switch() {
    let options = DecodeOptions::default().accept_missing_comma(true);
    let commas = |repairs: &mut Repairs| repairs.missing_commas = 1;
    assert_eq!(line(b"/a\0\0if\0\0\0\0\0\x07\x43\xdc\0\0", &options, commas), "/a ,if 7 440");
    assert_eq!(line(b"/a\0\0iTTT\0\0\0\0\0\0\0\x07", &options, commas), "/a ,iTTT 7 true true true");
    assert_eq!(line(b"/a\0\0TFN\0", &options, commas), "/a ,TFN true false nil");
    let in_bundle = bundle(&[b"/a\0\0TFN\0", b"/b\0\0,i\0\0\0\0\0\x01"]);
    assert_eq!(
        line(&in_bundle, &options, commas),
        "#bundle 0x0000000000000001\n/a ,TFN true false nil\n/b ,i 1\n#end"
    );
    // One unknown character, one byte too many, a stray bracket: no type tags.
    for not_tags in
        [&b"/a\0\0iz\0\0\0\0\0\x07"[..], b"/a\0\0if\0\0\0\0\0\x07", b"/a\0\0T]\0\0", b"/a\0\0\0\0\0\0"]
    {
        assert_eq!(kind(not_tags, &options), DecodeErrorKind::MissingTypeTags);
        let (packet, repairs) = decode(not_tags, &DecodeOptions::lenient()).unwrap();
        assert_eq!((repairs.untyped, repairs.missing_commas), (1, 0), "{packet}");
    }
}

#[test]
fn missing_padding_needs_its_switch() {
    let options = DecodeOptions::default().accept_missing_padding(true);
    let padding = |repairs: &mut Repairs| repairs.missing_padding = 1;
    for frame in [&b"/a\0\0,s\0\0cello\0\0"[..], b"/a\0\0,s\0\0cello\0", b"/a\0\0,s\0\0cello"] {
        assert_eq!(line(frame, &options, padding), r#"/a ,s "cello""#);
    }
    assert_eq!(line(b"/a\0\0,s\0\0horn", &options, padding), r#"/a ,s "horn""#);
    assert_eq!(line(b"/a\0\0,b\0\0\0\0\0\x01\x07", &options, padding), "/a ,b <07>");
    assert_eq!(line(b"/a\0\0,TTT", &options, padding), "/a ,TTT true true true");
    // The missing tag string is counted as well.
    let (packet, repairs) = decode(b"/info", &options).unwrap();
    assert_eq!(
        (packet.to_string().as_str(), repairs.missing_padding, repairs.missing_type_tags),
        ("/info", 1, 1)
    );
    // Other types have no padding, and an absent string is absent.
    for cut in
        [&b"/a\0\0,i\0\0\0\0\0"[..], b"/a\0\0,b\0\0\0\0\0\x02\x07", b"/a\0\0,ss\0abcd", b"/a\0\0,s\0\0"]
    {
        assert!(decode(cut, &options).is_err(), "{}", cut.escape_ascii());
    }
    // In a bundle the element has its size.
    let in_bundle = bundle(&[b"/a\0\0,s\0\0horn", b"/b\0\0,\0\0\0"]);
    assert_eq!(line(&in_bundle, &options, padding), "#bundle 0x0000000000000001\n/a ,s \"horn\"\n/b ,\n#end");
    assert_eq!(kind(&bundle(&[b"/a\0\0,s\0\0cello"]), &options), DecodeErrorKind::Unaligned);
    let odd = bundle(&[b"/a\0\0,s\0\0cello", b"/b\0\0,s\0\0abc"]);
    assert_eq!(kind(&odd, &options), DecodeErrorKind::ElementSize);
}

#[test]
fn a_tail_of_zeros_needs_its_switch() {
    let options = DecodeOptions::default().accept_zero_tail(true);
    let tail = |repairs: &mut Repairs| repairs.zero_tails = 1;
    for zeros in [1, 3, 4, 5, 100] {
        let message = [&b"/a\0\0,i\0\0\0\0\0\x07"[..], &vec![0; zeros]].concat();
        assert_eq!(line(&message, &options, tail), "/a ,i 7");
        let bundle = [bundle(&[b"/a\0\0,\0\0\0"]), vec![0; zeros]].concat();
        assert_eq!(line(&bundle, &options, tail), "#bundle 0x0000000000000001\n/a ,\n#end");
    }
    let inner = [bundle(&[b"/a\0\0,\0\0\0"]), vec![0; 8]].concat();
    let outer = bundle(&[&inner, b"/b\0\0,\0\0\0"]);
    let (packet, repairs) = decode(&outer, &options).unwrap();
    assert_eq!(repairs.zero_tails, 1);
    assert_eq!(packet.as_bytes(), &bundle(&[&bundle(&[b"/a\0\0,\0\0\0"]), b"/b\0\0,\0\0\0"]));
    // A zero-sized element in the middle stays an error.
    let middle = [bundle(&[b""]), bundle(&[b"/a\0\0,\0\0\0"])[16..].to_vec()].concat();
    assert_eq!(kind(&middle, &DecodeOptions::lenient()), DecodeErrorKind::ElementSize);
}

#[test]
fn padding_that_is_not_zero_needs_its_switch() {
    for (frame, at) in [
        (&b"/a\0\x01,\0\0\0"[..], 3),
        (b"/a\0\0,\0\x01\0", 6),
        (b"/a\0\0,s\0\0a\0\x01\0", 10),
        (b"/a\0\0,b\0\0\0\0\0\x01ab\0\0", 13),
    ] {
        let (_, repairs) = decode(frame, &DecodeOptions::default()).unwrap();
        assert_eq!(repairs.nonzero_padding, 1);
        let error = decode(frame, &DecodeOptions::strict()).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::NonzeroPadding, at));
    }
}

#[test]
fn text_follows_its_policy() {
    let latin1 = b"/a\0\0,s\0\0caf\xe9\0\0\0\0";
    let utf8 = b"/a\0\0,s\0\0caf\xc3\xa9\0\0\0";
    let control = b"/a\0\0,s\0\0a\x07\x7f\0";
    let with = |policy| DecodeOptions::default().text_policy(policy);
    assert_eq!(decode(latin1, &with(TextPolicy::Any)).unwrap().1.not_utf8, 1);
    assert_eq!(decode(utf8, &with(TextPolicy::Any)).unwrap().1, Repairs::default());
    let error = decode(latin1, &with(TextPolicy::Utf8)).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::IllegalCharacter, 11));
    assert!(decode(utf8, &with(TextPolicy::Utf8)).is_ok());
    for frame in [&latin1[..], utf8] {
        let error = decode(frame, &with(TextPolicy::Ascii)).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::IllegalCharacter, 11));
    }
    assert!(decode(control, &with(TextPolicy::Ascii)).is_ok());
    let address = b"/\xc3\xa9\0,\0\0\0";
    assert!(decode(address, &with(TextPolicy::Utf8)).is_ok());
    assert_eq!(decode(address, &with(TextPolicy::Ascii)).unwrap_err().offset(), 1);
}

#[test]
fn addresses_follow_their_policy() {
    let with = |policy| DecodeOptions::default().address_policy(policy);
    let message = |address: &str| Message::with_raw_address(address, ()).unwrap().as_bytes().to_vec();
    for (address, pattern, literal) in [
        ("/a/b", true, true),
        ("/a/", true, true),
        ("//a", true, true),
        ("/a*", true, false),
        ("/{a,b}", true, false),
        ("/[", true, false),
        ("/a b", false, false),
        ("/a#", false, false),
        ("/\u{7f}", false, false),
        ("/é", false, false),
    ] {
        assert!(decode(&message(address), &with(AddressPolicy::Any)).is_ok(), "{address}");
        assert_eq!(decode(&message(address), &with(AddressPolicy::Pattern)).is_ok(), pattern, "{address}");
        assert_eq!(decode(&message(address), &with(AddressPolicy::Literal)).is_ok(), literal, "{address}");
    }
}

#[test]
fn bare_addresses_need_their_switch() {
    let options = DecodeOptions::default().accept_bare_addresses(true);
    let bare = |repairs: &mut Repairs| repairs.bare_addresses = 1;
    assert_eq!(line(b"freq\0\0\0\0,i\0\0\0\0\0\x07", &options, bare), r#""freq" ,i 7"#);
    assert_eq!(line(b"#reply\0\0,\0\0\0", &options, bare), r##""#reply" ,"##);
    assert_eq!(line(b"#bundled\0\0\0\0,\0\0\0", &options, bare), r##""#bundled" ,"##);
    assert_eq!(line(b"\0\0\0\x0b,i\0\0\0\0\0\x07", &options, bare), r#"x"0000000b" ,i 7"#);
    let in_bundle = bundle(&[b"\0\0\0\x0b,\0\0\0", b"/b\0\0,\0\0\0"]);
    assert_eq!(line(&in_bundle, &options, bare), "#bundle 0x0000000000000001\nx\"0000000b\" ,\n/b ,\n#end");
    assert_eq!(kind(b"#bundle\0", &options), DecodeErrorKind::Truncated);

    let number = Message::try_from(decode(b"\0\0\0\x0b,\0\0\0", &options).unwrap().0).unwrap();
    assert_eq!((number.numeric_address(), number.address().as_bytes()), (Some(11), &b""[..]));
    assert_eq!(number, Message::with_numeric_address(11, ()).unwrap());
    assert_ne!(number, Message::with_numeric_address(12, ()).unwrap());
    assert!(Message::with_numeric_address(1 << 24, ()).is_err());
    let name = Message::with_bare_address("freq", 7).unwrap();
    assert_eq!(decode(name.as_bytes(), &options).unwrap().0, name.into());
    for impossible in ["", "#bundle", "a\0b"] {
        assert!(Message::with_bare_address(impossible, ()).is_err(), "{impossible:?}");
    }
}

#[test]
fn a_time_tag_of_zero_follows_its_switch() {
    let frame = b"#bundle\0\0\0\0\0\0\0\0\0";
    let (packet, repairs) = decode(frame, &DecodeOptions::default()).unwrap();
    let Packet::Bundle(bundle) = packet else { unreachable!() };
    assert_eq!((bundle.time_tag(), repairs.zero_time_tags), (TimeTag::from_bits(0), 1));
    assert_eq!(decode(frame, &DecodeOptions::strict()).unwrap().1, Repairs::default());
}

#[test]
fn all_repairs_of_a_packet_are_counted() {
    let frame = [
        bundle(&[
            b"/a\0\xff,s\0\0\xff\0\0\0",
            b"/b\0\0",
            b"/c\0\0\0\0\0\x07",
            b"/d\0\0TF\0\0",
            b"/e\0\0,z\0\0\0\0\0\0",
            b"/f\0\0,s\0\0horn",
        ]),
        vec![0; 8],
    ]
    .concat();
    let (packet, repairs) = decode(&frame, &DecodeOptions::lenient()).unwrap();
    let mut expected = Repairs::default();
    expected.nonzero_padding = 1;
    expected.not_utf8 = 1;
    expected.missing_type_tags = 1;
    expected.untyped = 1;
    expected.missing_commas = 1;
    expected.unknown_type_tags = 1;
    expected.missing_padding = 1;
    expected.zero_tails = 1;
    assert_eq!(repairs, expected);
    let Packet::Bundle(bundle) = packet else { unreachable!() };
    assert_eq!(bundle.elements().count(), 5);
}

#[test]
fn strict_default_and_lenient_contain_each_other_in_what_they_read() {
    let frame = b"/a\0\0,if\0\0\0\0\x07\x43\xdc\0\0";
    let lines: Vec<String> = [DecodeOptions::strict(), DecodeOptions::default(), DecodeOptions::lenient()]
        .iter()
        .map(|options| decode(frame, options).unwrap().0.to_string())
        .collect();
    assert_eq!(lines, ["/a ,if 7 440"; 3]);
}
