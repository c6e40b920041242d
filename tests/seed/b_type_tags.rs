//! B. The type tags, one after the other: bytes out, values in.

use tokio_osc::packet::{
    ArgRef, ArgsError, ArgsErrorKind, ArgsReader, ArgsWriter, Array, Char, Color, DecodeErrorKind,
    EncodeErrorKind, Impulse, Midi, Nil, OwnedArgs, Rest, Symbol, TypeTag,
};
use tokio_osc::{Arg, Bytes, FromArgs, IntoArgs, Message, TimeTag};

/// Type tags and data of a message to `/a`, and that they read back as the same argument list.
#[track_caller]
fn bytes(args: impl IntoArgs) -> Vec<u8> {
    let message = Message::new("/a", args).unwrap();
    let list: Vec<Arg> = Message::decode(message.as_bytes().clone()).unwrap().parse().unwrap();
    assert_eq!(Message::new("/a", list).unwrap().as_bytes(), message.as_bytes());
    message.as_bytes()[4..].to_vec()
}

/// A message to `/a` of these type tags and data.
fn decode(rest: &[u8]) -> Result<Message, DecodeErrorKind> {
    Message::decode(Bytes::from([b"/a\0\0", rest].concat())).map_err(|error| error.kind())
}

/// Row B01.
#[test]
fn int32_takes_no_other_number_and_gives_only_what_is_whole() {
    assert_eq!(bytes(-2), b",i\0\0\xff\xff\xff\xfe");
    // What osc4py3 truncates or parses, the caller converts.
    let kind = |message: Message| message.parse::<i32>().unwrap_err().kind();
    assert_eq!(kind(Message::new("/a", 1.5).unwrap()), ArgsErrorKind::OutOfRange);
    assert_eq!(kind(Message::new("/a", i64::from(i32::MAX) + 1).unwrap()), ArgsErrorKind::OutOfRange);
    assert_eq!(kind(Message::new("/a", "12").unwrap()), ArgsErrorKind::WrongType);
    assert_eq!(Message::new("/a", (2.0, true)).unwrap().parse::<[i32; 2]>().unwrap(), [2, 1]);
}

/// Row B02.
#[test]
fn float32_keeps_its_bits() {
    assert_eq!(bytes(440.0_f32), b",f\0\0\x43\xdc\0\0");
    for value in [f32::NAN, f32::INFINITY, -0.0, f32::MIN_POSITIVE / 2.0] {
        let message = decode(&bytes(value)).unwrap();
        assert_eq!(message.parse::<f32>().unwrap().to_bits(), value.to_bits());
    }
    let too_large = Message::new("/a", f64::MAX).unwrap().parse::<f32>().unwrap_err();
    assert_eq!(too_large.kind(), ArgsErrorKind::OutOfRange);
}

/// Row B03.
#[test]
fn text_is_padded_and_holds_no_nul() {
    assert_eq!(bytes(""), b",s\0\0\0\0\0\0");
    assert_eq!(bytes("odd"), b",s\0\0odd\0");
    assert_eq!(bytes("even"), b",s\0\0even\0\0\0\0");
    for text in ["a\0b", "\0", "a\0"] {
        let error = Message::new("/a", (1, text)).unwrap_err();
        assert_eq!((error.kind(), error.position()), (EncodeErrorKind::NulInText, 1));
    }
}

/// Row B04.
#[test]
fn a_blob_has_a_size_that_is_not_negative() {
    assert_eq!(bytes(&b""[..]), b",b\0\0\0\0\0\0");
    assert_eq!(bytes(b"odd"), b",b\0\0\0\0\0\x03odd\0");
    assert_eq!(decode(b",b\0\0\xff\xff\xff\xff").unwrap_err(), DecodeErrorKind::NegativeBlobSize);
}

/// Row B05.
#[test]
fn an_int64_is_eight_bytes_big_endian() {
    assert_eq!(bytes(-2_i64), b",h\0\0\xff\xff\xff\xff\xff\xff\xff\xfe");
}

/// Row B06.
#[test]
fn a_time_tag_is_two_words() {
    assert_eq!(bytes(TimeTag::new(1, 2)), b",t\0\0\0\0\0\x01\0\0\0\x02");
    // A number is not a time tag.
    let error = Message::new("/a", 1.5).unwrap().parse::<TimeTag>().unwrap_err();
    assert_eq!(error.kind(), ArgsErrorKind::WrongType);
}

/// Row B07.
#[test]
fn a_float64_is_eight_bytes_big_endian() {
    assert_eq!(bytes(440.0), b",d\0\0\x40\x7b\x80\0\0\0\0\0");
}

/// Row B08.
#[test]
fn a_symbol_is_told_apart_from_a_string() {
    assert_eq!(bytes(Symbol("freq")), b",S\0\0freq\0\0\0\0");
    let message = decode(b",Ss\0freq\0\0\0\0freq\0\0\0\0").unwrap();
    assert_eq!(message.parse::<[&str; 2]>().unwrap(), ["freq"; 2]);
    assert!(matches!(message.args().next(), Some(ArgRef::Symbol(text)) if text == "freq"));
    assert!(message.parse::<(Symbol<&str>, Symbol<&str>)>().is_err());
}

/// Row B09.
#[test]
fn a_character_is_written_as_a_number_and_read_in_either_place() {
    assert_eq!(bytes('A'), b",c\0\0\0\0\0A");
    for data in [&b",c\0\0\0\0\0A"[..], b",c\0\0A\0\0\0"] {
        assert_eq!(decode(data).unwrap().parse::<char>().unwrap(), 'A');
    }
    // The bits are kept: what is relayed stays as it was.
    let osc4py3 = decode(b",c\0\0A\0\0\0").unwrap();
    assert_eq!(bytes(osc4py3.parse::<Char>().unwrap()), b",c\0\0A\0\0\0");
    assert_eq!(bytes('é'), b",c\0\0\0\0\0\xe9");
    assert_eq!(decode(b",c\0\0").unwrap_err(), DecodeErrorKind::Truncated);
}

/// Row B10.
#[test]
fn a_color_is_red_green_blue_alpha() {
    assert_eq!(bytes(Color { red: 1, green: 2, blue: 3, alpha: 4 }), b",r\0\0\x01\x02\x03\x04");
}

/// Row B11.
#[test]
fn a_midi_message_is_port_status_and_two_bytes() {
    assert_eq!(bytes(Midi { port: 1, status: 0x90, data1: 60, data2: 127 }), b",m\0\0\x01\x90\x3c\x7f");
}

/// Row B12.
#[test]
fn true_false_nil_and_impulse_take_no_data() {
    assert_eq!(bytes((true, false, Nil, Impulse, None::<i32>)), b",TFNIN\0\0");
    let message = decode(b",TFNI\0\0\0").unwrap();
    assert_eq!(message.parse::<(bool, bool, Nil, Impulse)>().unwrap(), (true, false, Nil, Impulse));
}

/// Row B13.
/// `OSC_BANG`, `OSC_IMPULSE` and `OSC_INFINITUM` are one value there, and one here.
#[test]
fn bang_impulse_and_infinitum_are_one() {
    assert_eq!(bytes(Impulse), b",I\0\0");
    assert_eq!(decode(b",I\0\0").unwrap().parse::<Vec<Arg>>().unwrap(), [Arg::Impulse]);
}

/// Row B14.
#[test]
fn arrays_nest_and_their_brackets_are_balanced() {
    assert_eq!(bytes((1, Array((2, Array(()))))), b",i[i[]]\0\0\0\0\x01\0\0\0\x02");
    let message = decode(b",[ii]i\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03").unwrap();
    assert_eq!(message.parse::<(Array<[i32; 2]>, i32)>().unwrap(), (Array([1, 2]), 3));
    for tags in [&b",[\0\0"[..], b",]T\0", b",[]]\0\0\0\0"] {
        assert_eq!(decode(tags).unwrap_err(), DecodeErrorKind::UnbalancedBrackets, "{}", tags.escape_ascii());
    }
}

/// Row B17.
#[test]
fn arguments_and_type_tags_cannot_disagree() {
    type Nested<T> = (i32, Array<(i32, Array<T>)>, i32);

    let message = Message::new("/a", (1, Array((2, 3)))).unwrap();
    assert_eq!((message.type_tags(), message.args().count()), (",i[ii]", 2));
    // Asking for fewer, for more, or for an array where there is none, is an error of one kind each.
    let kind = |error: ArgsError| (error.kind(), error.index());
    let two = Message::new("/a", (1, 2)).unwrap();
    assert_eq!(kind(two.parse::<i32>().unwrap_err()), (ArgsErrorKind::TooMany, 1));
    assert_eq!(kind(two.parse::<(i32, i32, i32)>().unwrap_err()), (ArgsErrorKind::Missing, 2));
    assert_eq!(kind(two.parse::<(i32, Array<i32>)>().unwrap_err()), (ArgsErrorKind::WrongType, 1));
    // An array is one argument: what is wrong with its elements is wrong at its place.
    let nested = Message::new("/a", (1, Array((2, Array((3, 4, "five")))), 6)).unwrap();
    assert_eq!(kind(nested.parse::<Nested<Vec<i32>>>().unwrap_err()), (ArgsErrorKind::WrongType, 1));
    assert_eq!(kind(nested.parse::<Nested<[i32; 2]>>().unwrap_err()), (ArgsErrorKind::TooMany, 1));
    let more = nested.parse::<Nested<(i32, i32, &str, i32)>>().unwrap_err();
    assert_eq!(kind(more), (ArgsErrorKind::Missing, 1));
    let behind = nested.parse::<(i32, Array<Rest>, &str)>().unwrap_err();
    assert_eq!(kind(behind), (ArgsErrorKind::WrongType, 2));
}

/// Row B18.
/// A new type is one of your own, made of those that OSC has.
#[test]
fn own_types_are_arguments() {
    #[derive(Debug, PartialEq)]
    struct Position {
        x: f32,
        y: f32,
    }

    impl IntoArgs for Position {
        fn write_args<W: ArgsWriter>(&self, out: &mut W) {
            (self.x, self.y).write_args(out);
        }
    }

    impl<'a> FromArgs<'a> for Position {
        fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
            Ok(Self { x: args.read()?, y: args.read()? })
        }
    }

    impl OwnedArgs for Position {}

    let message = Message::new("/ball", ("red", Position { x: 0.5, y: 1.0 })).unwrap();
    assert_eq!(message.type_tags(), ",sff");
    let (name, position): (String, Position) = message.parse().unwrap();
    assert_eq!((name.as_str(), position), ("red", Position { x: 0.5, y: 1.0 }));
    // The tags are listed for those who read a message by hand.
    assert_eq!(TypeTag::ALL.len(), 17);
}
