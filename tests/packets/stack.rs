//! Nothing uses stack in proportion to a packet: all of it runs on 128 KiB.

use tokio_osc::packet::{AnnotatedDump, DecodeErrorKind, DecodeOptions};
use tokio_osc::{Arg, Message, Packet};

use crate::support::{message_of_tags, nested_arrays, nested_bundles, on_a_small_stack, rebuild};

/// Everything that can be done with a packet.
fn use_up(frame: Vec<u8>, options: &DecodeOptions) -> Result<(), DecodeErrorKind> {
    let (packet, _) = Packet::decode_with(frame.into(), options).map_err(|error| error.kind())?;
    let copy = packet.as_ref().to_owned();
    assert_eq!(packet, copy);
    assert!(format!("{packet:?}").len() < 4_096);
    let lines = packet.to_string();
    assert_eq!(lines.parse::<Packet>().unwrap(), packet);
    assert!(!AnnotatedDump(packet.as_bytes()).to_string().is_empty());
    if let Packet::Message(message) = &packet {
        let args: Vec<Arg> = message.parse().unwrap();
        let clone = args.clone();
        assert_eq!(args, clone);
        assert!(format!("{args:?}").len() < 65_536 * 16);
        assert_eq!(Message::new("/a", args).unwrap(), *message);
    }
    Ok(())
}

#[test]
fn the_deepest_packets_that_limits_allow_fit_a_small_stack() {
    on_a_small_stack(|| {
        use_up(nested_bundles(32), &DecodeOptions::default()).unwrap();
        use_up(nested_arrays(32), &DecodeOptions::default()).unwrap();
        use_up(nested_arrays(255), &DecodeOptions::default().max_array_depth(255)).unwrap();
        use_up(nested_bundles(1_000), &DecodeOptions::default().max_bundle_depth(1_000)).unwrap();
    });
}

#[test]
fn rebuilding_at_the_default_depth_fits_a_small_stack() {
    on_a_small_stack(|| {
        let packet = Packet::decode(nested_bundles(32).into()).unwrap();
        assert_eq!(rebuild(packet.as_ref()), packet);
    });
}

#[test]
fn hostile_depth_fits_a_small_stack() {
    on_a_small_stack(|| {
        for options in [DecodeOptions::strict(), DecodeOptions::default(), DecodeOptions::lenient()] {
            let deep_bundle = use_up(nested_bundles(100_000), &options);
            assert_eq!(deep_bundle, Err(DecodeErrorKind::BundlesTooDeep));
            let deep_array = use_up(message_of_tags(&vec![b'['; 50_000]), &options);
            assert_eq!(deep_array, Err(DecodeErrorKind::ArraysTooDeep));
        }
        let unlimited = DecodeOptions::default().max_bundle_depth(usize::MAX);
        use_up_without_lines(nested_bundles(100_000), &unlimited);
    });
}

/// Lines are read back only to a depth of 1,024.
fn use_up_without_lines(frame: Vec<u8>, options: &DecodeOptions) {
    let (packet, _) = Packet::decode_with(frame.into(), options).unwrap();
    assert_eq!(packet, packet.as_ref().to_owned());
    assert_eq!(packet.to_string().lines().count(), 200_000);
    assert!(format!("{packet:?}").len() < 4_096);
}
