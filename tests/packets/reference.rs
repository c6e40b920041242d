//! A second decoder, slow and obvious, written from the specification: it recurses, copies and
//! indexes. The real one must agree with it on mutated packets.

use tokio_osc::packet::{DecodeOptions, PacketRef};
use tokio_osc::{Bytes, Packet};

use crate::support::{bytes, raw_decode, valid};

#[derive(Debug, PartialEq)]
enum Value {
    Number(char, Vec<u8>),
    Text(char, Vec<u8>),
    Array(Vec<Value>),
}

#[derive(Debug, PartialEq)]
enum Tree {
    Message(Vec<u8>, Vec<Value>),
    Bundle(Vec<u8>, Vec<Tree>),
}

enum Bad {
    Packet,
    /// Costs its message only, in a bundle.
    UnknownTag,
}

fn packet(data: &[u8], strict: bool, depth: usize) -> Result<Tree, Bad> {
    if data.is_empty() || data.len() % 4 != 0 || depth > 32 {
        return Err(Bad::Packet);
    }
    if data[0] == b'/' {
        return message(data, strict);
    }
    if data.len() < 16 || &data[..8] != b"#bundle\0" {
        return Err(Bad::Packet);
    }
    let mut elements = Vec::new();
    let mut at = 16;
    while at < data.len() {
        let size = i32::from_be_bytes(data[at..at + 4].try_into().unwrap());
        if size <= 0 || size % 4 != 0 || size as usize > data.len() - at - 4 {
            return Err(Bad::Packet);
        }
        let end = at + 4 + size as usize;
        match packet(&data[at + 4..end], strict, depth + 1) {
            Ok(element) => elements.push(element),
            Err(Bad::UnknownTag) => {}
            Err(Bad::Packet) => return Err(Bad::Packet),
        }
        at = end;
    }
    Ok(Tree::Bundle(data[8..16].to_vec(), elements))
}

fn message(data: &[u8], strict: bool) -> Result<Tree, Bad> {
    let mut at = 0;
    let address = text(data, &mut at, strict)?;
    let legal = |byte: &u8| (0x21..=0x7e).contains(byte) && *byte != b'#';
    if strict && !address.iter().all(legal) {
        return Err(Bad::Packet);
    }
    if at == data.len() && !strict {
        return Ok(Tree::Message(address, Vec::new()));
    }
    if data.get(at) != Some(&b',') {
        return Err(Bad::Packet);
    }
    // A tag outside ASCII is an unknown one, whatever the text policy.
    let tags = padded_text(data, &mut at, strict)?;
    let mut open = vec![Vec::new()];
    for &tag in &tags[1..] {
        let value = match tag {
            b'i' | b'f' | b'c' | b'r' | b'm' => Value::Number(tag.into(), take(data, &mut at, 4)?),
            b'h' | b't' | b'd' => Value::Number(tag.into(), take(data, &mut at, 8)?),
            b's' | b'S' => Value::Text(tag.into(), text(data, &mut at, strict)?),
            b'b' => {
                let size = i32::from_be_bytes(take(data, &mut at, 4)?.try_into().unwrap());
                let blob = take(data, &mut at, usize::try_from(size).map_err(|_| Bad::Packet)?)?;
                while at % 4 != 0 {
                    if take(data, &mut at, 1)? != [0] && strict {
                        return Err(Bad::Packet);
                    }
                }
                Value::Number('b', blob)
            }
            b'T' | b'F' | b'N' | b'I' => Value::Number(tag.into(), Vec::new()),
            b'[' if open.len() <= 32 => {
                open.push(Vec::new());
                continue;
            }
            b']' if open.len() > 1 => Value::Array(open.pop().unwrap()),
            b'[' | b']' => return Err(Bad::Packet),
            _ => return Err(Bad::UnknownTag),
        };
        open.last_mut().unwrap().push(value);
    }
    if open.len() > 1 || at != data.len() {
        return Err(Bad::Packet);
    }
    Ok(Tree::Message(address, open.pop().unwrap()))
}

fn take(data: &[u8], at: &mut usize, size: usize) -> Result<Vec<u8>, Bad> {
    let taken = data[*at..].iter().take(size).copied().collect::<Vec<_>>();
    *at += taken.len();
    if taken.len() == size { Ok(taken) } else { Err(Bad::Packet) }
}

fn text(data: &[u8], at: &mut usize, strict: bool) -> Result<Vec<u8>, Bad> {
    let text = padded_text(data, at, strict)?;
    if strict && !text.is_ascii() { Err(Bad::Packet) } else { Ok(text) }
}

fn padded_text(data: &[u8], at: &mut usize, strict: bool) -> Result<Vec<u8>, Bad> {
    let mut text = Vec::new();
    loop {
        match take(data, at, 1)?[0] {
            0 => break,
            byte => text.push(byte),
        }
    }
    while *at % 4 != 0 {
        if take(data, at, 1)? != [0] && strict {
            return Err(Bad::Packet);
        }
    }
    Ok(text)
}

/// The tree that the real decoder found.
fn tree(packet: PacketRef<'_>) -> Tree {
    match packet {
        PacketRef::Message(message) => {
            Tree::Message(message.address().as_bytes().to_vec(), message.args().map(value).collect())
        }
        PacketRef::Bundle(bundle) => {
            let time_tag = bundle.time_tag().to_bits().to_be_bytes().to_vec();
            Tree::Bundle(time_tag, bundle.elements().map(tree).collect())
        }
    }
}

fn value(arg: tokio_osc::packet::ArgRef<'_>) -> Value {
    use tokio_osc::packet::ArgRef;
    let tag = char::from(arg.type_tag().as_byte());
    match arg {
        ArgRef::Int32(value) => Value::Number(tag, value.to_be_bytes().to_vec()),
        ArgRef::Float32(value) => Value::Number(tag, value.to_be_bytes().to_vec()),
        ArgRef::Int64(value) => Value::Number(tag, value.to_be_bytes().to_vec()),
        ArgRef::Float64(value) => Value::Number(tag, value.to_be_bytes().to_vec()),
        ArgRef::TimeTag(value) => Value::Number(tag, value.to_bits().to_be_bytes().to_vec()),
        ArgRef::Char(value) => Value::Number(tag, value.to_bits().to_be_bytes().to_vec()),
        ArgRef::Color(value) => Value::Number(tag, <[u8; 4]>::from(value).to_vec()),
        ArgRef::Midi(value) => Value::Number(tag, <[u8; 4]>::from(value).to_vec()),
        ArgRef::Blob(value) => Value::Number(tag, value.to_vec()),
        ArgRef::String(text) | ArgRef::Symbol(text) => Value::Text(tag, text.as_bytes().to_vec()),
        ArgRef::Array(array) => Value::Array(array.iter().map(value).collect()),
        _ => Value::Number(tag, Vec::new()),
    }
}

/// A small generator, so that the cases are the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize
    }

    fn mutate(&mut self, frame: &mut Vec<u8>) {
        const BYTES: &[u8] = b"\0\0\0\x01\x04\x08\xff\x80/#,ifsbhtdScrmTFNI[]az\x7f\xc3\xa9 ";
        for _ in 0..=self.next() % 3 {
            let at = self.next() % (frame.len() + 1);
            let byte = BYTES[self.next() % BYTES.len()];
            match self.next() % 8 {
                0..=3 if at < frame.len() => frame[at] = byte,
                4 => frame.truncate(at / 4 * 4),
                5 => frame.extend_from_slice(&[byte; 4]),
                6 => drop(frame.splice(at / 4 * 4..at / 4 * 4, [byte, 0, 0, 0])),
                _ if at + 4 <= frame.len() => drop(frame.drain(at / 4 * 4..at / 4 * 4 + 4)),
                _ => {}
            }
        }
    }
}

#[test]
fn both_decoders_agree_on_100_000_mutated_packets() {
    let seeds: Vec<Bytes> =
        valid().iter().chain(&raw_decode()).map(bytes).filter(|frame| frame.len() <= 512).collect();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut accepted = 0;
    for case in 0..100_000 {
        let mut frame = seeds[random.next() % seeds.len()].to_vec();
        random.mutate(&mut frame);
        let strict = case % 2 == 0;
        let options = if strict { DecodeOptions::strict() } else { DecodeOptions::default() };
        let expected = packet(&frame, strict, 1).ok();
        let found = Packet::decode_with(frame.clone().into(), &options).map(|(packet, _)| packet);
        let found_tree = found.as_ref().ok().map(|packet| tree(packet.as_ref()));
        assert_eq!(found_tree, expected, "{found:?} of {}", frame.escape_ascii());
        accepted += usize::from(expected.is_some());
    }
    println!("{accepted} of 100,000 mutated packets are packets");
    assert!((10_000..80_000).contains(&accepted), "{accepted}: the mutations are too mild or too wild");
}
