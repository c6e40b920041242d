//! Each limit of decoding, one test on each side of it.

use tokio_osc::packet::{DecodeErrorKind, DecodeOptions, EncodeErrorKind, PacketRef};
use tokio_osc::{Arg, Bundle, Bytes, Message, TimeTag};

use crate::support::{message_of_tags, nested_arrays, nested_bundles};

fn decode(frame: &[u8], options: &DecodeOptions) -> Result<(), DecodeErrorKind> {
    PacketRef::decode(frame, options).map(drop).map_err(|error| error.kind())
}

/// At the limit it is a packet; one beyond, it is the error; with a limit raised by one, a packet.
fn has_limit(
    kind: DecodeErrorKind,
    make: impl Fn(usize) -> Vec<u8>,
    limit: usize,
    set: impl Fn(usize) -> DecodeOptions,
) {
    let default = DecodeOptions::default();
    assert_eq!(decode(&make(limit), &default), Ok(()), "{limit}");
    assert_eq!(decode(&make(limit + 1), &default), Err(kind), "{limit} + 1");
    assert_eq!(decode(&make(limit + 1), &set(limit + 1)), Ok(()), "{limit} + 1, raised");
    assert_eq!(decode(&make(4), &set(3)), Err(kind), "4, lowered to 3");
    assert_eq!(decode(&make(3), &set(3)), Ok(()), "3, lowered to 3");
}

fn default() -> DecodeOptions {
    DecodeOptions::default()
}

#[test]
fn the_depth_of_bundles_is_limited() {
    has_limit(DecodeErrorKind::BundlesTooDeep, nested_bundles, 32, |limit| default().max_bundle_depth(limit));
}

#[test]
fn bundles_can_be_forbidden() {
    let options = default().max_bundle_depth(0);
    assert_eq!(decode(&nested_bundles(1), &options), Err(DecodeErrorKind::BundlesTooDeep));
    assert_eq!(decode(&message_of_tags(b""), &options), Ok(()));
}

#[test]
fn the_depth_of_bundles_is_limited_beyond_what_needs_no_allocation() {
    for depth in 1..40 {
        let options = default().max_bundle_depth(depth);
        assert_eq!(decode(&nested_bundles(depth), &options), Ok(()), "{depth}");
        assert!(decode(&nested_bundles(depth + 1), &options).is_err(), "{depth}");
    }
}

#[test]
fn the_depth_of_arrays_is_limited() {
    let set = |limit| default().max_array_depth(u8::try_from(limit).unwrap());
    has_limit(DecodeErrorKind::ArraysTooDeep, nested_arrays, 32, set);
}

#[test]
fn the_number_of_arguments_is_limited() {
    let tags = |count| message_of_tags(&vec![b'T'; count]);
    has_limit(DecodeErrorKind::TooManyArgs, tags, 65_536, |limit| default().max_args(limit));
}

#[test]
fn the_number_of_elements_is_limited() {
    let bundle = |count| {
        let element = b"\0\0\0\x08/a\0\0,\0\0\0";
        [&b"#bundle\0\0\0\0\0\0\0\0\x01"[..], &element.repeat(count)].concat()
    };
    has_limit(DecodeErrorKind::TooManyElements, bundle, 16_384, |limit| default().max_elements(limit));
}

#[test]
fn elements_of_inner_bundles_are_counted_apart() {
    let inner = Bundle::immediately().with(("/a", ())).with(("/b", ())).build().unwrap();
    let outer = Bundle::immediately().with(&inner).with(&inner).build().unwrap();
    assert_eq!(decode(outer.as_bytes(), &default().max_elements(2)), Ok(()));
    assert_eq!(decode(outer.as_bytes(), &default().max_elements(1)), Err(DecodeErrorKind::TooManyElements));
}

/// A message whose address has `len` bytes.
fn long_address(len: usize) -> Vec<u8> {
    Message::with_raw_address(format!("/{}", "a".repeat(len - 1)), ()).unwrap().as_bytes().to_vec()
}

#[test]
fn the_length_of_addresses_is_limited() {
    let set = |limit| default().max_address_len(limit);
    has_limit(DecodeErrorKind::AddressTooLong, long_address, 4_096, set);
}

#[test]
fn the_number_of_parts_of_an_address_is_limited() {
    let parts = |count| Message::with_raw_address("/a".repeat(count), ()).unwrap().as_bytes().to_vec();
    has_limit(DecodeErrorKind::TooManyAddressParts, parts, 128, |limit| default().max_address_parts(limit));
}

#[test]
fn arrays_to_encode_nest_at_most_255_deep() {
    let nested = |depth| (0..depth).fold(Arg::Nil, |inner, _| Arg::Array(vec![inner]));
    assert!(Message::new("/a", nested(255)).is_ok());
    assert_eq!(Message::new("/a", nested(256)).unwrap_err().kind(), EncodeErrorKind::ArraysTooDeep);
}

/// Sums of sizes that 32 bits do not hold, too. Nothing is read or written of it.
#[test]
fn the_size_of_what_is_encoded_is_limited() {
    let zeros = Bytes::from(vec![0; 1 << 30]);
    for blobs in [2, 3, 4, 5] {
        let error = Message::new("/a", (vec![&zeros; blobs], 1, 0.5, TimeTag::IMMEDIATELY)).unwrap_err();
        assert_eq!(error.kind(), EncodeErrorKind::TooLarge, "{blobs}");
    }
}
