//! liblo's form of a message: `TIMETAG ADDRESS TYPES VALUES`, as `oscdump` prints it and
//! `oscsendfile` reads it. The two differ: of MIDI and characters each form is read, and that of
//! `oscsendfile` is written.
//!
//! ```text
//! eeb865e3.703b0c45 /synth/1/freq fs 440.000000 "saw"
//! ```

use std::fmt::Write as _;

use tokio_osc::packet::{ArgRef, Char, Color, MessageRef, Midi, TextBuf};
use tokio_osc::{Arg, Bytes, Message, TimeTag};

/// A message as a line; `None` if `oscsendfile` has no words for it: blobs, time tags, colors, arrays,
/// text with a space or a quote in it, addresses with a space.
pub(super) fn line(time: TimeTag, message: MessageRef<'_>) -> Option<String> {
    let address = word(message.address().to_str().ok()?)?;
    let types = message.type_tags().trim_start_matches(',');
    let mut line = format!("{:08x}.{:08x} {address} {types}", time.seconds(), time.fraction());
    for arg in message.args() {
        match arg {
            ArgRef::Int32(_) | ArgRef::Int64(_) | ArgRef::Float32(_) | ArgRef::Float64(_) => {
                // Writing to a string cannot fail.
                let _ = write!(line, " {arg}");
            }
            ArgRef::String(text) => {
                let _ = write!(line, " \"{}\"", word_or_empty(text.to_str().ok()?)?);
            }
            ArgRef::Symbol(text) => {
                let _ = write!(line, " {}", word(text.to_str().ok()?)?);
            }
            ArgRef::Char(value) => {
                let byte = u8::try_from(value.to_bits()).ok().filter(u8::is_ascii_graphic)?;
                let _ = write!(line, " {}", char::from(byte));
            }
            ArgRef::Midi(_) => {
                let _ = write!(line, " {}", arg.to_string().trim_start_matches("m:"));
            }
            ArgRef::Bool(_) | ArgRef::Nil | ArgRef::Impulse => {}
            _ => return None,
        }
    }
    // A space at the end would be a type tag to `oscsendfile`.
    line.truncate(line.trim_end().len());
    Some(line)
}

fn word(text: &str) -> Option<&str> {
    word_or_empty(text).filter(|text| !text.is_empty())
}

/// Text that `oscsendfile` reads as one word.
fn word_or_empty(text: &str) -> Option<&str> {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '"';
    text.chars().all(is_plain).then_some(text)
}

/// The time tag that begins a line of this form, and the rest.
pub(super) fn time_tag(line: &str) -> Option<(TimeTag, &str)> {
    let (tag, rest) = line.split_once(' ')?;
    let (seconds, fraction) = tag.split_once('.')?;
    let number = |digits: &str| {
        let is_hex = digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    };
    Some((TimeTag::new(number(seconds)?, number(fraction)?), rest))
}

/// The message of a line, without its time tag.
pub(super) fn message(line: &str) -> Result<Message, String> {
    let (address, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (types, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut args: Vec<Arg> = Vec::new();
    for (index, tag) in types.char_indices() {
        let is_last = index + 1 == types.len();
        let value = value(tag, &mut rest, is_last);
        args.push(value.ok_or_else(|| format!("no value of the type tag `{tag}` at `{rest}`"))?);
    }
    if !rest.trim().is_empty() {
        return Err(format!("more than the type tags say: `{rest}`"));
    }
    Message::new(address, args).map_err(|error| error.to_string())
}

/// Takes the value of a type tag off the rest of the line.
fn value(tag: char, rest: &mut &str, is_last: bool) -> Option<Arg> {
    Some(match tag {
        's' => Arg::String(text(rest, is_last)?),
        'S' => {
            let word = take_word(rest)?;
            Arg::Symbol(TextBuf::new(word.strip_prefix('\'').unwrap_or(word).to_owned()))
        }
        'T' => taking("#T", rest, Arg::Bool(true)),
        'F' => taking("#F", rest, Arg::Bool(false)),
        'N' => taking("Nil", rest, Arg::Nil),
        'I' => taking("Infinitum", rest, Arg::Impulse),
        'c' => character(rest)?,
        'm' => Arg::Midi(Midi::from(midi(rest)?)),
        'b' => Arg::Blob(blob(rest)?),
        't' => {
            let word = take_word(rest)?;
            Arg::TimeTag(time_tag(&format!("{word} "))?.0)
        }
        'i' => Arg::Int32(take_word(rest)?.parse().ok()?),
        'h' => Arg::Int64(take_word(rest)?.parse().ok()?),
        'f' => Arg::Float32(take_word(rest)?.parse().ok()?),
        'd' => Arg::Float64(take_word(rest)?.parse().ok()?),
        'r' => Arg::Color(Color::from(hex(take_word(rest)?)?)),
        _ => return None,
    })
}

fn take_word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let trimmed = rest.trim_start_matches(' ');
    let (word, after) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
    *rest = after;
    Some(word).filter(|word| !word.is_empty())
}

/// Types without a value: `oscdump` still prints a word for them.
fn taking(word: &str, rest: &mut &str, arg: Arg) -> Arg {
    let trimmed = rest.trim_start_matches(' ');
    let after = trimmed.strip_prefix(word).filter(|after| after.is_empty() || after.starts_with(' '));
    *rest = after.unwrap_or(rest);
    arg
}

/// `oscdump` escapes nothing: text ends at the last quote of the line, or else at the first one
/// before a space.
fn text(rest: &mut &str, is_last: bool) -> Option<TextBuf> {
    let Some(inner) = rest.trim_start_matches(' ').strip_prefix('"') else {
        return take_word(rest).map(|word| TextBuf::new(word.to_owned()));
    };
    let end = if is_last { inner.rfind('"')? } else { inner.find("\" ")? };
    *rest = inner.get(end + 1..)?;
    Some(TextBuf::new(inner.get(..end)?.to_owned()))
}

/// `'A'` or `A`.
fn character(rest: &mut &str) -> Option<Arg> {
    let trimmed = rest.trim_start_matches(' ');
    let mut characters = trimmed.chars();
    let first = characters.next()?;
    let (value, after) = match (first, characters.next(), characters.next()) {
        ('\'', Some(value), Some('\'')) => (value, characters.as_str()),
        _ => (first, trimmed.get(first.len_utf8()..)?),
    };
    *rest = after;
    Some(Arg::Char(Char::from(value)))
}

/// `MIDI [0x00 0x90 0x3c 0x7f]` or `00903c7f`.
fn midi(rest: &mut &str) -> Option<[u8; 4]> {
    let word = take_word(rest)?;
    if word != "MIDI" {
        return hex(word);
    }
    bracketed(rest)?.map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

/// `[2b 0xff 00]`: the size, and the bytes if they are few.
fn blob(rest: &mut &str) -> Option<Bytes> {
    let mut words = bracketed(rest)?;
    let size: usize = words.next()?.strip_suffix('b')?.parse().ok()?;
    let bytes = words.map(byte).collect::<Option<Vec<u8>>>()?;
    (bytes.len() == size).then(|| bytes.into())
}

fn bracketed<'a>(rest: &mut &'a str) -> Option<impl Iterator<Item = &'a str>> {
    let (inside, after) = rest.trim_start_matches(' ').strip_prefix('[')?.split_once(']')?;
    *rest = after;
    Some(inside.split_ascii_whitespace())
}

fn byte(word: &str) -> Option<u8> {
    u8::from_str_radix(word.strip_prefix("0x").unwrap_or(word), 16).ok()
}

fn hex(digits: &str) -> Option<[u8; 4]> {
    u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 8).map(u32::to_be_bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_oscdump_prints_is_read() {
        for (printed, line) in [
            ("/a/b ifs 1 2.500000 \"he said \"x\" \\ y\"", r#"/a/b ,ifs 1 2.5 "he said \"x\" \\ y""#),
            ("/two ss \"a b\" \"c\"", r#"/two ,ss "a b" "c""#),
            (
                "/tt dhcmTFNIS 1.500000 99999999999 'a' MIDI [0x00 0x90 0x3c 0x7f] #T #F Nil Infinitum 'sym",
                r#"/tt ,dhcmTFNIS 1.5 99999999999 'a' m:00903c7f true false nil impulse "sym""#,
            ),
            ("/e ", "/e ,"),
            ("/blob bt [2b 0xff 00] e9d2b3c4.80000000", "/blob ,bt <ff00> 0xe9d2b3c480000000"),
            ("/n fff nan inf -inf", "/n ,fff nan inf -inf"),
            ("/h cc ''' '-'", "/h ,cc c:27 '-'"),
        ] {
            assert_eq!(message(printed).unwrap().to_string(), line, "{printed}");
        }
        for line in ["/a i x", "/a i", "/a i 1 2", "/b b [100 byte blob]", "/a s \"open", "a i 1", "/a é 1"]
        {
            assert!(message(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_oscsendfile_reads_is_written_and_read_back() {
        let time = TimeTag::new(0xeeb8_65e3, 0x703b_0c45);
        let canonical = r#"/all ,ihfdsScmTFNI 7 -1 0.1 1e-9 "" "sym" 'A' m:00903c7f true false nil impulse"#;
        let written = line(time, canonical.parse::<Message>().unwrap().as_ref()).unwrap();
        assert_eq!(written, "eeb865e3.703b0c45 /all ihfdsScmTFNI 7 -1 0.1 1e-9 \"\" sym A 00903c7f");
        let (tag, rest) = time_tag(&written).unwrap();
        assert_eq!((tag, message(rest).unwrap().to_string().as_str()), (time, canonical));
        for canonical in
            ["/a ,s \"a b\"", "/a ,b <00>", "/a ,[i] [ 1 ]", "\"/a b\" ,", "/a ,t 0x0000000000000001"]
        {
            assert_eq!(line(time, canonical.parse::<Message>().unwrap().as_ref()), None, "{canonical}");
        }
    }
}
