//! Values that OSC has no type for, and lists of numbers: how they are written and read, and the texts
//! of the errors.

use tokio_osc::packet::{
    ArgsError, ArgsErrorKind, ArgsReader, ArgsWriter, Array, EncodeErrorKind, Finite, Rest,
};
use tokio_osc::{Arg, Bundle, FromArgs, IntoArgs, Message, Packet};

fn message(args: impl IntoArgs) -> Message {
    Message::new("/a", args).unwrap()
}

fn refused<T: for<'a> FromArgs<'a>>(args: impl IntoArgs) -> String {
    let message = message(args);
    message.parse::<T>().err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn an_integer_is_written_by_its_type_and_never_by_its_value() {
    assert_eq!(message((1_i8, 1_i16, 1_u8, 1_u16, 1_i32)).type_tags(), ",iiiii");
    assert_eq!(message((1_u32, 1_usize, 1_i64)).type_tags(), ",hhh");
    assert_eq!(message(u32::MAX).parse::<i64>(), Ok(i64::from(u32::MAX)));
    assert_eq!(message((i8::MIN, u16::MAX)).parse::<(i8, u16)>(), Ok((i8::MIN, u16::MAX)));
}

#[test]
fn an_integer_is_read_where_it_fits() {
    let all = message((255, 65_535_i64, 7.0_f32, true, 3, 127, -32_768));
    assert_eq!(all.parse::<(u8, u16, u32, usize, i8, i8, i16)>(), Ok((255, 65_535, 7, 1, 3, 127, i16::MIN)));
    assert_eq!(refused::<u8>(256), "argument 0: the value of an int32 (i) does not fit uint8");
    assert_eq!(refused::<(i32, u16)>((1, -1)), "argument 1: the value of an int32 (i) does not fit uint16");
    assert_eq!(refused::<u32>(-1.0_f32), "argument 0: the value of a float32 (f) does not fit uint32");
    assert_eq!(refused::<i8>("x"), "argument 0: expected int8, found a string (s)");
    assert_eq!(refused::<usize>(()), "argument 0: expected an index, found the end");
    let error = message(-1).parse::<usize>().unwrap_err();
    assert_eq!((error.kind(), error.index()), (ArgsErrorKind::OutOfRange, 0));
}

#[test]
fn an_index_that_no_type_tag_holds_is_an_error() {
    let Ok(large) = usize::try_from(i64::MAX.unsigned_abs() + 1) else { return };
    let error = Message::new("/a", (1, large)).unwrap_err();
    assert_eq!(error.to_string(), "argument 1: an index over the largest int64");
    assert_eq!(error.position(), 1);
    assert!(matches!(error.kind(), EncodeErrorKind::ArgumentRefused(_)));
}

#[test]
fn many_bytes_are_a_blob_and_one_is_a_number() {
    assert_eq!(message([1_u8, 2]).type_tags(), ",b");
    assert_eq!(message(vec![1_u8, 2]).type_tags(), ",b");
    assert_eq!(message(&[1_u8, 2][..]).type_tags(), ",b");
    assert_eq!(message((1_u8, 2_u8)).type_tags(), ",ii");
    assert_eq!(message([[1_u8, 2], [3, 4]]).type_tags(), ",bb");
    assert_eq!(message([1_u8, 2]).parse::<[u8; 2]>(), Ok([1, 2]));
    assert_eq!(message([1_u8, 2]).parse::<Vec<u8>>(), Ok(vec![1, 2]));
    assert_eq!(message([[1_u8, 2], [3, 4]]).parse::<[[u8; 2]; 2]>(), Ok([[1, 2], [3, 4]]));
    assert_eq!(
        refused::<[u8; 3]>([1_u8, 2]),
        "argument 0: the value of a blob (b) does not fit the byte array"
    );
    assert_eq!(refused::<[u8; 2]>((1, 2)), "argument 0: expected a blob, found an int32 (i)");
}

#[test]
fn surplus_arguments_name_the_type_that_takes_them() {
    assert_eq!(
        refused::<f32>((0.5_f32, "more")),
        "argument 1: expected no more, found a string (s): `Rest` takes surplus arguments"
    );
    let rest = message((0.5_f32, "more")).parse::<(f32, Rest)>().unwrap().1;
    assert_eq!(rest.0[0].to_string(), "\"more\"");
}

#[test]
fn finite_accepts_finite_numbers_only() {
    assert!(message(f32::NAN).parse::<f32>().unwrap().is_nan());
    assert_eq!(message(f64::INFINITY).parse::<f64>(), Ok(f64::INFINITY));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let text = "argument 0: the value of a float64 (d) does not fit a finite number";
        assert_eq!(refused::<Finite<f64>>(value), text);
        assert_eq!(refused::<Finite<f32>>(value), text);
    }
    assert_eq!(message((1, 0.5_f32)).parse::<[Finite<f32>; 2]>(), Ok([Finite(1.0), Finite(0.5)]));
    assert_eq!(message((1, 0.5_f32)).parse::<Vec<Finite<f32>>>(), Ok(vec![Finite(1.0), Finite(0.5)]));
}

/// The same values read in one pass and one after the other, for runs that break at every place.
#[test]
fn a_run_of_numbers_is_read_as_one_by_one() {
    for broken in 0..9 {
        let args: Vec<Arg> = (0_u8..8)
            .map(|at| if usize::from(at) == broken { Arg::Int32(at.into()) } else { Arg::Float32(at.into()) })
            .collect();
        let expected: Vec<f32> = (0_u8..8).map(f32::from).collect();
        let message = message(&args);
        assert_eq!(message.parse::<Vec<f32>>().as_ref(), Ok(&expected), "{broken}");
        assert_eq!(message.parse::<[f32; 8]>().unwrap()[..], expected, "{broken}");
        let (first, rest) = message.parse::<([f32; 3], Vec<f64>)>().unwrap();
        assert_eq!((first[2], rest.len(), rest[4]), (2.0, 5, 7.0), "{broken}");
        let error = message.parse::<[f32; 9]>().unwrap_err();
        assert_eq!((error.kind(), error.index()), (ArgsErrorKind::Missing, 8));
        let error = message.parse::<[f32; 7]>().unwrap_err();
        assert_eq!((error.kind(), error.index()), (ArgsErrorKind::TooMany, 7));
    }
}

#[test]
fn a_list_of_numbers_is_written_as_one_by_one() {
    fn check<T: IntoArgs + Copy + Into<Arg>>(list: &[T]) {
        let one_by_one: Vec<Arg> = list.iter().map(|&value| value.into()).collect();
        assert_eq!(message(list).as_bytes(), message(&one_by_one[..]).as_bytes());
    }

    for len in [0, 1, 2, 7, 8, 9, 64] {
        let numbers: Vec<i32> = (-3..).take(len).collect();
        check(&numbers);
        check(&numbers.iter().map(|&number| i64::from(number) << 33).collect::<Vec<_>>());
        check(&numbers.iter().map(|&number| f64::from(number) / 3.0).collect::<Vec<_>>());
        check(&numbers.iter().map(|&number| number as f32 / 3.0).collect::<Vec<_>>());
    }
    assert_eq!(message(("x", Array([1, 2]), [0.5_f32, 1.0])).to_string(), "/a ,s[ii]ff \"x\" [ 1 2 ] 0.5 1");
}

/// Type tags are checked eight at a time where they are equal.
#[test]
fn a_run_with_another_tag_anywhere_takes_the_bytes_of_each() {
    let others = [(b'i', 4), (b'h', 8), (b'N', 0), (b'?', 0)];
    for (tag, size) in [(b'i', 4), (b'd', 8), (b'T', 0)] {
        for (place, len) in (1..20).flat_map(|len| (0..len).map(move |place| (place, len))) {
            for (other, other_size) in others {
                let mut tags = vec![tag; len];
                tags[place] = other;
                let needed = size * (len - 1) + other_size;
                for data in [needed.saturating_sub(4), needed, needed + 4] {
                    let is_valid = data == needed && other != b'?';
                    let decoded = Packet::decode(raw(&tags, data).into());
                    assert_eq!(decoded.is_ok(), is_valid, "{} and {data} bytes", tags.escape_ascii());
                }
            }
        }
    }
}

/// A message with these type tags, and this many bytes of data.
fn raw(tags: &[u8], data: usize) -> Vec<u8> {
    let mut frame = [b"/a\0\0,".as_slice(), tags, b"\0"].concat();
    frame.resize(frame.len().next_multiple_of(4), 0);
    frame.resize(frame.len() + data, 0);
    frame
}

#[test]
fn a_run_ends_with_its_array() {
    let inside = message((Array([1, 2, 3]), 4, 5));
    let (Array(three), two) = inside.parse::<(Array<Vec<i32>>, [i32; 2])>().unwrap();
    assert_eq!((three, two), (vec![1, 2, 3], [4, 5]));
    let error = inside.parse::<(Array<[i32; 4]>, Vec<i32>)>().unwrap_err();
    assert_eq!((error.kind(), error.index()), (ArgsErrorKind::Missing, 0));
    assert_eq!(message(()).parse::<Vec<f32>>(), Ok(vec![]));
    assert_eq!(message(()).parse::<[f32; 0]>(), Ok([]));
}

#[test]
fn a_run_stops_at_what_does_not_convert() {
    let error = message((1.0_f32, 2.0_f32, "three")).parse::<Vec<f32>>().unwrap_err();
    assert_eq!(error.to_string(), "argument 2: expected float32, found a string (s)");
    let error = message((1_i64, 2_i64, 0.5_f64)).parse::<[i64; 3]>().unwrap_err();
    assert_eq!(error.to_string(), "argument 2: the value of a float64 (d) does not fit int64");
}

/// A note of MIDI, which refuses both ways.
#[derive(Debug, PartialEq)]
struct Note(i32);

impl IntoArgs for Note {
    fn write_args<W: ArgsWriter>(&self, out: &mut W) {
        match self.0 {
            0..=127 => out.int32(self.0),
            _ => out.refuse("a note is 0 to 127"),
        }
    }
}

impl<'a> FromArgs<'a> for Note {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        let index = args.index();
        match args.read()? {
            note @ 0..=127 => Ok(Self(note)),
            _ => Err(ArgsError::refused("a note is 0 to 127").at(index)),
        }
    }
}

#[test]
fn a_type_of_the_users_fails_with_its_own_text_both_ways() {
    assert_eq!(message(("piano", Note(60))).parse::<(&str, Note)>(), Ok(("piano", Note(60))));
    let error = message((1, 128)).parse::<[Note; 2]>().unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.kind()),
        ("argument 1: a note is 0 to 127", ArgsErrorKind::Refused)
    );
    assert_eq!((error.expected(), error.found()), ("a note is 0 to 127", None));
    let error = Message::new("/a", ("piano", [Note(1), Note(-1)])).unwrap_err();
    assert_eq!(error.to_string(), "argument 2: a note is 0 to 127");
}

#[test]
fn the_messages_of_a_packet_share_its_buffer() {
    let inner = Bundle::immediately().with(("/b", 2)).with(("/c", 3));
    let packet: Packet = Bundle::immediately().with(("/a", 1)).with(inner).build().unwrap().into();
    let messages: Vec<_> = packet.messages().collect();
    assert_eq!(
        messages.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["/a ,i 1", "/b ,i 2", "/c ,i 3"]
    );
    let whole = packet.as_bytes().as_ptr_range();
    assert!(messages.iter().all(|message| whole.contains(&message.as_bytes().as_ptr())));
    assert_eq!(Packet::from(messages[0].clone()).messages().count(), 1);
}

#[test]
fn an_empty_bundle_is_known_before_it_is_sent() {
    assert!(Bundle::immediately().is_empty());
    assert!(!Bundle::immediately().with(("/a", 1)).is_empty());
    assert!(!Bundle::immediately().with(("no-slash", 1)).is_empty(), "it has an error to report");
}
