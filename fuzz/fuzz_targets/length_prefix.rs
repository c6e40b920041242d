//! Length prefixes of every shape on any bytes: every split gives the same frames and the same end,
//! no frame is over the limit, and what is encoded is read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio_osc::bytes::BytesMut;
use tokio_osc::{Bytes, LengthPrefix};
use tokio_util::codec::{Decoder, Encoder};

fn feed(mut framing: LengthPrefix, reads: &mut dyn Iterator<Item = &[u8]>) -> (Vec<Bytes>, Option<String>) {
    let (mut frames, mut src) = (Vec::new(), BytesMut::new());
    for read in reads {
        src.extend_from_slice(read);
        loop {
            match framing.decode(&mut src) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                // The bytes that give the likely cause may differ; the length does not.
                Err(error) => {
                    let error = error.to_string();
                    return (frames, error.split(':').next().map(str::to_owned));
                }
            }
        }
    }
    (frames, None)
}

fuzz_target!(|data: &[u8]| {
    let Some((shape, wire)) = data.split_first_chunk::<4>() else { return };
    let limit = usize::from(shape[1]) * 16;
    let mut framing = LengthPrefix::new()
        .width(1 + usize::from(shape[0] % 8))
        .offset(usize::from(shape[2] % 65))
        .adjustment(i32::from(shape[3] as i8))
        .max_frame(limit);
    if shape[0] & 16 != 0 {
        framing = framing.little_endian();
    }
    if shape[0] & 32 != 0 {
        framing = framing.unsigned();
    }
    let whole = feed(framing.clone(), &mut std::iter::once(wire));
    assert_eq!(feed(framing.clone(), &mut wire.chunks(1)), whole);
    assert_eq!(feed(framing.clone(), &mut wire.chunks(1 + limit % 7)), whole);
    assert!(whole.0.iter().all(|frame| frame.len() <= limit));

    let mut encoded = BytesMut::new();
    let frame = Bytes::copy_from_slice(wire);
    if framing.encode(frame.clone(), &mut encoded).is_ok() {
        assert_eq!(framing.decode(&mut encoded).expect("its own length"), Some(frame));
    } else if frame.len() > limit {
        assert!(encoded.is_empty());
    }
});
