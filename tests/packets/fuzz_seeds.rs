//! The seeds of the fuzz targets for streams are the stream vectors, each behind the bytes that the
//! target reads first. `WRITE_SEEDS=1` writes them.

use std::fs;
use std::path::Path;

use serde_json::Value;

const SLIP: [&str; 2] = [include_str!("../vectors/slip.json"), include_str!("../vectors/slip_stream.json")];
const LENGTH: [&str; 2] =
    [include_str!("../vectors/length_prefix.json"), include_str!("../vectors/length_prefix_stream.json")];

/// The streams that vectors hold, by name.
fn streams(files: [&str; 2]) -> Vec<(String, Vec<u8>)> {
    let vectors = files.into_iter().flat_map(|file| serde_json::from_str::<Vec<Value>>(file).unwrap());
    vectors.map(|vector| (vector["name"].as_str().unwrap().to_owned(), stream(&vector))).collect()
}

fn stream(vector: &Value) -> Vec<u8> {
    let whole = vector["hex_double_end"].as_str().or(vector["hex"].as_str());
    let chunks = vector["chunks_hex"].as_array();
    let digits = match (whole, chunks) {
        (Some(digits), _) => digits.to_owned(),
        (_, Some(chunks)) => chunks.iter().map(|chunk| chunk.as_str().unwrap()).collect(),
        _ => panic!("a vector without bytes"),
    };
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn check(target: &str, first: &[u8], streams: &[(String, Vec<u8>)]) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    assert!(streams.len() > 10);
    for (name, stream) in streams {
        let (file, seed) = (directory.join(name), [first, stream].concat());
        if std::env::var_os("WRITE_SEEDS").is_some() {
            fs::create_dir_all(&directory).unwrap();
            fs::write(&file, &seed).unwrap();
        }
        assert!(fs::read(&file).is_ok_and(|written| written == seed), "{}: WRITE_SEEDS=1", file.display());
    }
}

#[test]
fn streams_are_seeds() {
    let (slip, length) = (streams(SLIP), streams(LENGTH));
    // A limit of 255 bytes.
    check("slip", &[0xff], &slip);
    // Four bytes, big-endian, signed; frames of at most 4,080 bytes.
    check("length_prefix", &[3, 0xff, 0, 0], &length);
    // Reads of 1, 2 and 5 bytes.
    check("stream_split", &[3, 0, 1, 4], &[slip, length].concat());
}
