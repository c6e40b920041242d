//! SLIP on any bytes and any limit: every split gives the same frames, no frame is empty or over the
//! limit, the buffer is bounded, and what is encoded is read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio_osc::bytes::BytesMut;
use tokio_osc::packet::DecodeErrorKind;
use tokio_osc::{Bytes, Slip};
use tokio_util::codec::{Decoder, Encoder};

type Frames = Vec<Result<Bytes, DecodeErrorKind>>;

fn feed(mut slip: Slip, limit: usize, reads: &mut dyn Iterator<Item = &[u8]>) -> Frames {
    let (mut frames, mut src) = (Frames::new(), BytesMut::new());
    for read in reads {
        src.extend_from_slice(read);
        while let Some(frame) = slip.decode(&mut src).expect("SLIP never fails") {
            frames.push(frame.map_err(|error| error.kind()));
        }
        assert!(src.len() <= 2 * limit + 2 + read.len());
    }
    frames
}

fuzz_target!(|data: &[u8]| {
    let Some((&limit, wire)) = data.split_first() else { return };
    let limit = usize::from(limit);
    let slip = Slip::new().max_frame(limit);
    let whole = feed(slip.clone(), limit, &mut std::iter::once(wire));
    assert_eq!(feed(slip.clone(), limit, &mut wire.chunks(1)), whole);
    assert_eq!(feed(slip, limit, &mut wire.chunks(1 + limit % 7)), whole);
    assert!(whole.iter().flatten().all(|frame| !frame.is_empty() && frame.len() <= limit));

    let mut encoded = BytesMut::new();
    let mut slip = Slip::new().flag_at_start(limit % 2 == 0);
    slip.encode(Bytes::copy_from_slice(wire), &mut encoded).expect("it fits");
    let expected = (!wire.is_empty()).then(|| Ok(Bytes::copy_from_slice(wire)));
    assert_eq!(slip.decode(&mut encoded).expect("SLIP never fails"), expected);
});
