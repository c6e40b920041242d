//! What moves with every packet is small.

use tokio_osc::packet::{DecodeError, EncodeError};
use tokio_osc::{Meta, Packet, Peer};

#[test]
fn what_moves_with_a_packet_is_small() {
    assert!(size_of::<Peer>() <= 40, "{}", size_of::<Peer>());
    assert!(size_of::<Meta>() <= 128, "{}", size_of::<Meta>());
    let packet = size_of::<Result<Packet, DecodeError>>();
    assert!(packet <= 48, "{packet}");
    let item = size_of::<(Result<Packet, DecodeError>, Meta)>();
    assert!(item <= 176, "{item}");
}

#[test]
fn errors_of_packets_are_small_and_copied() {
    fn copied<T: Copy>() -> usize {
        size_of::<T>()
    }

    assert!(copied::<DecodeError>() <= 32, "{}", copied::<DecodeError>());
    assert!(copied::<EncodeError>() <= 40, "{}", copied::<EncodeError>());
}
