//! Packets as JSON and back, structs as argument lists and back.
#![cfg(feature = "serde")]

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tokio_osc::packet::{DecodeOptions, Symbol, from_args, to_args};
use tokio_osc::{Arg, Bundle, Message, Packet};

use crate::support::{bytes, deep, name, strategies, valid};

#[test]
fn json_has_the_documented_form() {
    let message = Message::new("/s_new", ("saw", 7, true, 0.5_f32, f32::NAN, Symbol("x"))).unwrap();
    let json =
        r#"{"address":"/s_new","args":[{"s":"saw"},{"i":7},{"T":null},{"f":0.5},{"f":"nan"},{"S":"x"}]}"#;
    assert_eq!(serde_json::to_string(&message).unwrap(), json);
    assert_eq!(serde_json::from_str::<Message>(json).unwrap(), message);

    let bundle = Bundle::immediately().with(("/a", b"blob")).build().unwrap();
    let json =
        r#"{"time_tag":"0x0000000000000001","elements":[{"address":"/a","args":[{"b":"<626c6f62>"}]}]}"#;
    assert_eq!(serde_json::to_string(&bundle).unwrap(), json);
    assert_eq!(serde_json::from_str::<Packet>(json).unwrap(), bundle.into());
}

#[test]
fn values_that_are_not_a_packet_are_errors() {
    for json in [
        r#"{"address":"a\u0000","args":[]}"#,
        r#"{"address":"/a","args":[{"f":"fast"}]}"#,
        r#"{"address":"/a","args":[{"z":1}]}"#,
        r#"{"address":"/a","args":[{"i":2147483648}]}"#,
        r#"{"address":"/a","args":[],"untyped":"<2c000000>"}"#,
        r#"{"address":"/a","args":[{"i":1}],"untyped":"<>"}"#,
        // As bytes it would be "/abc".
        r#"{"address":795959907,"args":[]}"#,
        r#"{"address":16777216,"args":[]}"#,
        r#"{"time_tag":"soon","elements":[]}"#,
    ] {
        assert!(serde_json::from_str::<Packet>(json).is_err(), "{json}");
    }
}

#[test]
fn vectors_survive_json() {
    let lenient = DecodeOptions::lenient().accept_bare_addresses(true);
    let odd: [&[u8]; 4] = [b"/info\0\0\0", b"/v\0\0\0\0\0\x07", b"\0\0\0\x0b,\0\0\0", b"freq\0\0\0\0,\0\0\0"];
    let frames =
        valid().into_iter().filter(|vector| !name(vector).contains("depth64")).map(|vector| bytes(&vector));
    for frame in frames.chain(odd.map(bytes_of)) {
        let options = if Packet::decode(frame.clone()).is_ok() { deep() } else { lenient.clone() };
        let (packet, _) = Packet::decode_with(frame.clone(), &options).unwrap();
        let json = serde_json::to_string(&packet).unwrap();
        assert_eq!(serde_json::from_str::<Packet>(&json).unwrap().as_bytes(), &frame, "{json}");
    }
}

fn bytes_of(frame: &[u8]) -> tokio_osc::Bytes {
    frame.to_vec().into()
}

proptest! {
    #[test]
    fn json_loses_nothing(packet in strategies::packet()) {
        let json = serde_json::to_string(&packet).unwrap();
        let read: Packet = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read.as_bytes(), packet.as_bytes(), "{}", json);
    }
}

/// Between two float64 of which the nearer one lies half way to the next float32.
#[test]
fn a_float32_is_not_rounded_twice() {
    for value in [7.038_531e-26_f32, -7.038_531e-26, f32::MAX, f32::MIN_POSITIVE, 1e-45, -0.0, 0.1] {
        let json = serde_json::to_string(&Arg::from(value)).unwrap();
        assert_eq!(serde_json::from_str::<Arg>(&json).unwrap(), Arg::from(value), "{json}");
    }
    assert_eq!(serde_json::to_string(&Arg::from(0.1_f32)).unwrap(), r#"{"f":0.1}"#);
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Wave {
    Saw,
    Sine,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Voice {
    id: u32,
    wave: Wave,
    gain: Option<f32>,
    partials: Vec<(u8, f64)>,
    muted: bool,
}

#[test]
fn structs_are_argument_lists() {
    let voice =
        Voice { id: 7, wave: Wave::Saw, gain: None, partials: vec![(1, 0.5), (2, 0.25)], muted: true };
    let message = Message::new("/voice", to_args(&voice).unwrap()).unwrap();
    assert_eq!(message.to_string(), r#"/voice ,hsN[[id][id]]T 7 "Saw" nil [ [ 1 0.5 ] [ 2 0.25 ] ] true"#);
    assert_eq!(from_args::<Voice>(&message).unwrap(), voice);
    // Numbers of another width will do, as long as they fit.
    let line = r#"/voice ,isf[]F 7 "Sine" 0.5 [ ] false"#;
    let read: Voice = from_args(&line.parse().unwrap()).unwrap();
    assert_eq!(read, Voice { id: 7, wave: Wave::Sine, gain: Some(0.5), partials: vec![], muted: false });
}

#[test]
fn lists_tuples_and_single_values_are_argument_lists() {
    let message = |args: Vec<Arg>| Message::new("/a", args).unwrap();
    assert_eq!(
        from_args::<(i32, String)>(&message(to_args(&(1, "x")).unwrap())).unwrap(),
        (1, "x".to_owned())
    );
    assert_eq!(from_args::<Vec<f32>>(&message(to_args(&[0.5_f32, 1.0]).unwrap())).unwrap(), [0.5, 1.0]);
    assert_eq!(from_args::<f64>(&message(to_args(&0.5_f64).unwrap())).unwrap().to_bits(), 0.5_f64.to_bits());
    assert_eq!(from_args::<Option<i32>>(&message(vec![])).unwrap(), None);
    let list = Some((1, "x".to_owned()));
    assert_eq!(from_args::<Option<(i32, String)>>(&message(to_args(&list).unwrap())).unwrap(), list);
    let list = Some(vec![1, 2]);
    assert_eq!(from_args::<Option<Vec<i32>>>(&message(to_args(&list).unwrap())).unwrap(), list);
    assert_eq!(from_args::<Option<Vec<i32>>>(&message(to_args(&None::<Vec<i32>>).unwrap())).unwrap(), None);
    assert!(from_args::<(i32, i32)>(&message(to_args(&(1, 2, 3)).unwrap())).is_err());
    assert!(from_args::<u8>(&message(to_args(&256).unwrap())).is_err());
    for value in [f32::INFINITY, f32::MIN] {
        let read: f32 = from_args(&message(to_args(&f64::from(value)).unwrap())).unwrap();
        assert_eq!(read.to_bits(), value.to_bits());
    }
    assert!(from_args::<f32>(&message(to_args(&1e300).unwrap())).is_err());
    assert!(from_args::<(i32, f32)>(&message(to_args(&(1, -1e300)).unwrap())).is_err());
    assert!(to_args(&u64::MAX).is_err());
    assert!(to_args(&std::collections::BTreeMap::from([(1, 2)])).is_err());
}
