//! The framings of byte streams against wire vectors (made by running osc4py3 and python-osc), fed
//! whole, byte by byte and cut in two at every place, with and without a lowered limit.

use serde_json::Value;
use tokio_osc::codec::{Codec, Detect, FrameError, FrameErrorKind, IntoFrame, LikelyCause};
use tokio_osc::packet::{DecodeErrorKind, SendError};
use tokio_osc::{Bytes, LengthPrefix, Slip};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

/// What a decoder made of a stream: its frames, and how the stream ended if it did.
#[derive(Clone, Debug, Default, PartialEq)]
struct Outcome {
    frames: Vec<Result<Bytes, DecodeErrorKind>>,
    ended: Option<String>,
}

fn feed<D>(mut decoder: D, chunks: &[&[u8]]) -> Outcome
where
    D: Decoder<Item: IntoFrame, Error = FrameError>,
{
    let mut outcome = Outcome::default();
    let mut src = BytesMut::new();
    for chunk in chunks {
        src.extend_from_slice(chunk);
        loop {
            match decoder.decode(&mut src) {
                Ok(Some(frame)) => outcome.frames.push(frame.into_frame().map_err(|error| error.kind())),
                Ok(None) => break,
                Err(error) => {
                    outcome.ended = Some(error.to_string());
                    return outcome;
                }
            }
        }
    }
    outcome
}

/// Feeds the stream whole, byte by byte, and in two parts at every place; all must agree.
fn feed_in_every_way<D>(decoder: &D, wire: &[u8], name: &str) -> Outcome
where
    D: Decoder<Item: IntoFrame, Error = FrameError> + Clone,
{
    let whole = feed(decoder.clone(), &[wire]);
    assert_eq!(feed(decoder.clone(), &wire.chunks(1).collect::<Vec<_>>()), whole, "{name}, byte by byte");
    // The one long vector is cut at each of 257 places only: its bytes are all alike.
    for at in (0..=wire.len()).step_by(1 + wire.len() / 4_096 * 15) {
        let (first, second) = wire.split_at(at);
        assert_eq!(feed(decoder.clone(), &[first, second]), whole, "{name}, cut at {at}");
    }
    whole
}

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn hex(value: &Value) -> Bytes {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn wire(vector: &Value) -> Vec<u8> {
    vector["chunks_hex"].as_array().unwrap().iter().flat_map(hex).collect()
}

fn packets(vector: &Value) -> Vec<Result<Bytes, DecodeErrorKind>> {
    vector["packets_hex"].as_array().unwrap().iter().map(|packet| Ok(hex(packet))).collect()
}

fn encoded(mut framing: impl Encoder<Bytes, Error = SendError>, frame: &Bytes) -> Bytes {
    let mut wire = BytesMut::new();
    framing.encode(frame.clone(), &mut wire).unwrap();
    wire.freeze()
}

#[test]
fn slip_vectors_are_written_and_read_back() {
    for vector in vectors(include_str!("../vectors/slip.json")) {
        let name = vector["name"].as_str().unwrap();
        let (frame, double, single) =
            (hex(&vector["payload_hex"]), hex(&vector["hex_double_end"]), hex(&vector["hex_single_end"]));
        assert_eq!(encoded(Slip::new(), &frame), double, "{name}");
        assert_eq!(encoded(Slip::new().flag_at_start(false), &frame), single, "{name}");
        let expected: Vec<_> = (!frame.is_empty()).then_some(Ok(frame)).into_iter().collect();
        assert_eq!(feed_in_every_way(&Slip::new(), &double, name).frames, expected);
        assert_eq!(feed_in_every_way(&Slip::new(), &single, name).frames, expected);
    }
}

/// Threat 26.
#[test]
fn slip_streams_give_the_same_frames_however_they_are_cut() {
    for vector in vectors(include_str!("../vectors/slip_stream.json")) {
        let name = vector["name"].as_str().unwrap();
        let expected = match name {
            // osc4py3 keeps the bytes of an escape that escapes nothing; here the frame is dropped.
            "slipstream_bad_escape" | "slipstream_esc_before_end" => {
                vec![Err(DecodeErrorKind::Refused(Slip::BAD_ESCAPE))]
            }
            _ => packets(&vector),
        };
        let outcome = feed_in_every_way(&Slip::new(), &wire(&vector), name);
        assert_eq!(outcome, Outcome { frames: expected, ended: None }, "{name}");
    }
}

#[test]
fn a_lowered_limit_turns_longer_slip_frames_into_one_error_each() {
    for limit in [1, 8, 12, 15] {
        for vector in vectors(include_str!("../vectors/slip_stream.json")) {
            let name = vector["name"].as_str().unwrap();
            let framing = Slip::new().max_frame(limit);
            let outcome = feed_in_every_way(&framing, &wire(&vector), name);
            let mut expected: Vec<_> = match name {
                // The two bytes before the ESC are over a limit of one.
                "slipstream_esc_before_end" if limit < 2 => vec![Err(DecodeErrorKind::FrameTooLong)],
                "slipstream_bad_escape" | "slipstream_esc_before_end" => {
                    vec![Err(DecodeErrorKind::Refused(Slip::BAD_ESCAPE))]
                }
                // What has no end yet is over the limit already.
                "slipstream_large_unterminated_64k" => vec![Err(DecodeErrorKind::FrameTooLong)],
                "slipstream_no_end_yet" if limit < 12 => vec![Err(DecodeErrorKind::FrameTooLong)],
                _ => packets(&vector),
            };
            for frame in &mut expected {
                if frame.as_ref().is_ok_and(|frame| frame.len() > limit) {
                    *frame = Err(DecodeErrorKind::FrameTooLong);
                }
            }
            assert_eq!(outcome, Outcome { frames: expected, ended: None }, "{name}, limit {limit}");
        }
    }
}

#[test]
fn length_prefix_vectors_are_written_and_read_back() {
    for vector in vectors(include_str!("../vectors/length_prefix.json")) {
        let name = vector["name"].as_str().unwrap();
        let (frame, wire) = (hex(&vector["payload_hex"]), hex(&vector["hex"]));
        assert_eq!(encoded(LengthPrefix::new(), &frame), wire, "{name}");
        assert_eq!(feed_in_every_way(&LengthPrefix::new(), &wire, name).frames, [Ok(frame)]);
    }
}

/// The framing that a vector asks for.
fn length_prefix(name: &str) -> LengthPrefix {
    let framing = LengthPrefix::new();
    match name {
        "lenstream_over_limit_16" => framing.max_frame(16),
        "lenstream_custom_u16be" => framing.width(2).unsigned(),
        "lenstream_custom_u32le" => framing.little_endian().unsigned(),
        "lenstream_custom_magic_then_size" => framing.offset(2).width(2).unsigned(),
        _ => framing,
    }
}

/// The vector's own reader in Python, as a framing of the user's: two bytes of noise, then a
/// 16-bit length.
#[derive(Clone)]
struct SkipNoise;

impl Decoder for SkipNoise {
    type Item = Bytes;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        let Some(start) = src.windows(2).position(|pair| pair == [1, 0x0c]) else { return Ok(None) };
        if src.len() < start + 14 {
            return Ok(None);
        }
        let _noise_and_header = src.split_to(start + 2);
        Ok(Some(src.split_to(12).freeze()))
    }
}

/// Threat 26.
#[test]
fn length_prefix_streams_give_the_same_frames_however_they_are_cut() {
    for vector in vectors(include_str!("../vectors/length_prefix_stream.json")) {
        let name = vector["name"].as_str().unwrap();
        let wire = wire(&vector);
        let outcome = match name {
            "lenstream_slip_and_header_both" => feed_in_every_way(&Slip::new(), &wire, name),
            "lenstream_function_skip_garbage" => feed_in_every_way(&SkipNoise, &wire, name),
            _ => feed_in_every_way(&length_prefix(name), &wire, name),
        };
        let ended = match name {
            "lenstream_over_1mib" => Some("a frame of 1048577 bytes, over the limit of 1048576"),
            "lenstream_over_limit_16" => Some("a frame of 20 bytes, over the limit of 16"),
            // osc4py3 takes a limit of 0 as none at all; here there is always one.
            "lenstream_limit_zero_is_unlimited" => Some("a frame of -1 bytes"),
            _ => None,
        };
        let mut frames = packets(&vector);
        if name == "lenstream_zero_length_then_packet" {
            // It is the codec of packets that passes it over.
            frames.insert(0, Ok(Bytes::new()));
        }
        assert_eq!(outcome, Outcome { frames, ended: ended.map(str::to_owned) }, "{name}");
        assert_eq!(vector["error"].is_null(), ended.is_none() || name.ends_with("unlimited"), "{name}");
    }
}

#[test]
fn a_lowered_limit_ends_a_length_prefix_stream_at_the_first_longer_frame() {
    for limit in [1, 11, 12, 15] {
        for vector in vectors(include_str!("../vectors/length_prefix_stream.json")) {
            let name = vector["name"].as_str().unwrap();
            if name.contains("custom") || matches!(name, "lenstream_one" | "lenstream_two") {
                let outcome = feed_in_every_way(&length_prefix(name).max_frame(limit), &wire(&vector), name);
                let mut frames = packets(&vector);
                let fits = frames.iter().take_while(|frame| frame.as_ref().unwrap().len() <= limit).count();
                assert_eq!(outcome.ended.is_some(), fits < frames.len(), "{name}, limit {limit}");
                frames.truncate(fits);
                assert_eq!(outcome.frames, frames, "{name}, limit {limit}");
            }
        }
    }
}

#[test]
fn detection_reads_what_the_framing_itself_reads() {
    let read = |text: &str, framing: &str| {
        for vector in vectors(text) {
            let name = vector["name"].as_str().unwrap();
            let wire = wire(&vector);
            let known = matches!(wire.first(), Some(0 | 0xc0 | b'/' | b'#'));
            if !known || name.contains("custom") {
                continue;
            }
            let expected = match wire.first() {
                Some(0) => feed(LengthPrefix::new(), &[&wire]),
                _ => feed(Slip::new(), &[&wire]),
            };
            let outcome = feed_in_every_way(&Detect::new(), &wire, name);
            assert_eq!(outcome, expected, "{name} of {framing}");
        }
    };
    read(include_str!("../vectors/slip_stream.json"), "SLIP");
    read(include_str!("../vectors/length_prefix_stream.json"), "length prefix");
}

/// Threat 29.
#[test]
fn what_begins_no_framing_ends_the_stream_with_the_likely_cause() {
    let cases: [(&[u8], Option<LikelyCause>); 4] = [
        (b"GET / HTTP/1.1\r\n", Some(LikelyCause::Http)),
        (b"\x16\x03\x01", Some(LikelyCause::Tls)),
        (b"SSH-2.0-", None),
        (b"\xff", None),
    ];
    for (wire, cause) in cases {
        let error = Detect::new().decode(&mut BytesMut::from(wire)).unwrap_err();
        assert_eq!(error.likely_cause(), cause);
        assert!(matches!(error.kind(), FrameErrorKind::UnknownFraming { first, .. } if *first == wire[0]));
    }
}

#[test]
fn detection_answers_as_it_was_spoken_to() {
    let frame = Bytes::from_static(b"/a\0\0,\0\0\0");
    let framings: [&mut dyn FnMut(&mut BytesMut); 3] = [
        &mut |wire| Slip::new().encode(frame.clone(), wire).unwrap(),
        &mut |wire| Slip::new().flag_at_start(false).encode(frame.clone(), wire).unwrap(),
        &mut |wire| LengthPrefix::new().encode(frame.clone(), wire).unwrap(),
    ];
    for write in framings {
        let mut wire = BytesMut::new();
        write(&mut wire);
        let sent = wire.clone().freeze();
        let mut framing = Detect::new();
        assert_eq!(framing.decode(&mut wire).unwrap(), Some(Ok(frame.clone())));
        assert_eq!(encoded(framing, &frame), sent);
    }
}

fn read<F: tokio_osc::codec::Framing>(
    framing: F,
    src: &mut BytesMut,
) -> Vec<Result<String, DecodeErrorKind>> {
    let mut codec = Codec::new(framing);
    let items = std::iter::from_fn(|| codec.decode(src).unwrap());
    items.map(|item| item.map(|packet| packet.to_string()).map_err(|error| error.kind())).collect()
}

/// Threat 28. Three packets, the middle one malformed: two are delivered, one is an error item, and the stream
/// goes on.
#[test]
fn a_malformed_packet_is_an_item_between_two_good_ones() {
    let good = Bytes::from_static(b"/a\0\0,i\0\0\0\0\0\x07");
    let bad = Bytes::from_static(b"/a\0\0,i\0\0\0\0");
    let (mut slip, mut prefix) = (BytesMut::new(), BytesMut::new());
    for frame in [&good, &bad, &good] {
        Slip::new().encode(frame.clone(), &mut slip).unwrap();
        LengthPrefix::new().encode(frame.clone(), &mut prefix).unwrap();
    }
    let expected = [Ok("/a ,i 7".to_owned()), Err(DecodeErrorKind::Unaligned), Ok("/a ,i 7".to_owned())];
    assert_eq!(read(Slip::new(), &mut slip), expected);
    assert_eq!(read(LengthPrefix::new(), &mut prefix), expected);
}

/// Threat 24. The escapes that other implementations read wrong: an ESC before any other byte drops that
/// frame, and the next one is whole.
#[test]
fn the_frame_after_a_bad_escape_is_whole() {
    for escaped in (0..=255).filter(|byte| !matches!(byte, 0xdc | 0xdd)) {
        for before in [&b""[..], b"/a\0\0", b"\xdb\xdc"] {
            let mut wire = vec![0xc0];
            wire.extend_from_slice(before);
            wire.extend_from_slice(&[0xdb, escaped]);
            if escaped != 0xc0 {
                wire.extend_from_slice(b"rest\xdb\xff\xc0");
            }
            wire.extend_from_slice(b"\xc0next\xc0");
            let outcome = feed_in_every_way(&Slip::new(), &wire, "bad escape");
            let expected = [Err(DecodeErrorKind::Refused(Slip::BAD_ESCAPE)), Ok(Bytes::from_static(b"next"))];
            assert_eq!(outcome.frames, expected, "{wire:02x?}");
        }
    }
}
