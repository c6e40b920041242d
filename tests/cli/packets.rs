//! `osc decode`, `osc encode` and `osc match`.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tokio_osc::packet::{DecodeOptions, HexDump};
use tokio_osc::{Bytes, Packet};

use crate::run::{decode_unread, osc, osc_bytes};

fn vectors(json: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
    let vectors: Vec<Value> = serde_json::from_str(json).unwrap();
    vectors.into_iter().map(|vector| {
        let digits = vector["hex"].as_str().unwrap();
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        (vector["name"].as_str().unwrap().to_owned(), (0..digits.len()).step_by(2).map(byte).collect())
    })
}

#[test]
fn decode_and_encode_give_the_bytes_back() {
    for (name, packet) in vectors(include_str!("../vectors/valid.json")) {
        let lines = osc(&["decode"], &packet).stdout();
        let (code, bytes, stderr) = osc_bytes(&["encode"], lines.as_bytes());
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{name}: {lines}");
        assert!(bytes == packet, "{name}: {lines}\n{}\n{}", HexDump(&packet), HexDump(&bytes));
    }
}

#[test]
fn decode_refuses_invalid_packets_with_the_offset() {
    let options = DecodeOptions::default().max_bundle_depth(1_000).max_array_depth(255);
    let mut refused = 0;
    for (name, packet) in vectors(include_str!("../vectors/raw_decode.json")) {
        match Packet::decode_with(Bytes::from(packet.clone()), &options) {
            Ok((expected, _)) => {
                assert_eq!(osc(&["decode"], packet).stdout, format!("{expected}\n"), "{name}");
            }
            Err(error) => {
                assert_eq!(osc(&["decode"], packet).complaint(), format!("stdin: {error}"), "{name}");
                refused += 1;
            }
        }
    }
    assert!(refused > 40, "{refused} vectors refused");
    assert_eq!(osc(&["decode"], b"/a\0\0,i\0\0").complaint(), "stdin: truncated, at byte 8");
}

#[test]
fn decode_reads_files_and_names_them() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (good, bad) = (directory.join("cli-good.osc"), directory.join("cli-bad.osc"));
    fs::write(&good, b"/a\0\0,i\0\0\0\0\0\x07").unwrap();
    fs::write(&bad, b"/a\0\0,i\0\0\0\0\0").unwrap();
    assert_eq!(osc(&["decode", good.to_str().unwrap()], "").stdout(), "/a ,i 7\n");
    let bad = bad.to_str().unwrap();
    let expected = format!("{bad}: a length that is not a multiple of 4, at byte 11");
    assert_eq!(osc(&["decode", bad], "").complaint(), expected);
    assert!(osc(&["decode", "/no/such/file"], "").complaint().starts_with("/no/such/file: "));
}

#[test]
fn decode_prints_bundles_as_lines() {
    let bundle = b"#bundle\0\0\0\0\0\0\0\0\x01\
        \0\0\0\x0c/a\0\0,i\0\0\0\0\0\x07\0\0\0\x10#bundle\0\x83\xaa\x7e\x80\x80\0\0\0";
    let lines = "#bundle 0x0000000000000001\n/a ,i 7\n#bundle 0x83aa7e8080000000\n#end\n#end\n";
    assert_eq!(osc(&["decode"], bundle).stdout(), lines);
}

#[test]
fn decode_strict_takes_osc_1_0_to_the_letter() {
    assert_eq!(osc(&["decode"], b"/info\0\0\0").stdout(), "/info\n");
    let complaint = osc(&["decode", "--strict"], b"/info\0\0\0").complaint();
    assert_eq!(complaint, "stdin: no type tag string, at byte 8");
    assert_eq!(osc(&["decode", "--strict"], b"/a\0\0,\0\0\0").stdout(), "/a ,\n");
}

#[test]
fn decode_lenient_repairs_what_it_can() {
    let no_comma = b"/a\0\0i\0\0\0\0\0\0\x07";
    assert_eq!(osc(&["decode", "--lenient"], no_comma).stdout(), "/a ,i 7\n");
    assert_eq!(osc(&["decode"], no_comma).code, Some(2));
    assert_eq!(osc(&["decode", "--lenient", "--strict"], no_comma).code, Some(2));
}

#[test]
fn decode_takes_deep_nesting_up_to_its_limit() {
    let nested = |depth: usize| {
        let mut packet = Vec::new();
        for level in (0..depth).rev() {
            packet.extend_from_slice(b"#bundle\0\0\0\0\0\0\0\0\x01");
            if level > 0 {
                packet.extend(u32::try_from(level * 20 - 4).unwrap().to_be_bytes());
            }
        }
        packet
    };
    assert_eq!(osc(&["decode"], nested(1_000)).stdout().lines().count(), 2_000);
    assert!(osc(&["decode"], nested(1_001)).complaint().contains("bundles nested over the limit"));

    let array = |depth: usize| [b"/a\0\0,", &b"[".repeat(depth)[..], &b"]".repeat(depth), b"\0"].concat();
    let padded = |mut packet: Vec<u8>| {
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet
    };
    assert_eq!(osc(&["decode"], padded(array(255))).stdout().split(' ').count(), 2 + 510);
    assert!(osc(&["decode"], padded(array(256))).complaint().contains("arrays nested over the limit"));
}

#[test]
fn decode_tells_of_messages_it_passes_over() {
    let bundle = b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,u\0\0\0\0\0\x08/b\0\0,T\0\0";
    let decoded = osc(&["decode"], bundle);
    assert_eq!(decoded.code, Some(0));
    assert_eq!(decoded.stdout, "#bundle 0x0000000000000001\n/b ,T true\n#end\n");
    assert_eq!(decoded.stderr, "osc: stdin: passed over a message with an unknown type tag\n");
}

#[test]
fn decode_ends_quietly_when_its_stdout_is_closed() {
    let ended = decode_unread(b"/a\0\0,\0\0\0");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn time_tags_of_bundles_have_units() {
    for tag in ["+1s", "-1", "+200ms", "now"] {
        assert_eq!(osc_bytes(&["encode"], format!("#bundle {tag}\n#end\n").as_bytes()).1.len(), 16, "{tag}");
    }
    let complaint = osc(&["encode"], "#bundle soon\n").complaint();
    assert!(complaint.starts_with("stdin: line 1, column 9: not a time tag"), "{complaint}");
}

#[test]
fn decode_of_mutated_packets_ends_with_a_line_or_a_place() {
    let valid: Vec<_> = vectors(include_str!("../vectors/valid.json")).collect();
    for number in 0..500_usize {
        let (name, mut packet) = valid[number % valid.len()].clone();
        // A small fixed sequence: the same mutants in every run.
        let at = number.wrapping_mul(2_654_435_761) >> 7;
        if !packet.is_empty() {
            let at = at % packet.len();
            packet[at] ^= u8::try_from(1 + number % 255).unwrap();
            packet.truncate(packet.len() - number % 3);
        }
        let ended = osc(&["decode"], packet);
        if ended.code == Some(0) {
            assert!(ended.stdout.ends_with('\n'), "{name} {number}: {}", ended.stdout);
            continue;
        }
        // Exit code 2, nothing on stdout, and one line with the kind and the offset.
        let complaint = ended.complaint();
        let (kind, offset) = complaint.rsplit_once(", at byte ").unwrap_or_default();
        let is_place = kind.starts_with("stdin: ") && offset.parse::<usize>().is_ok();
        assert!(is_place, "{name} {number}: {complaint}");
    }
}

#[test]
fn encode_passes_over_comments_and_blank_lines() {
    let (code, bytes, stderr) = osc_bytes(&["encode"], b"# a comment\n\n#time 7\r\n/a ,i 7\r\n\n");
    assert_eq!((code, &bytes[..], stderr.as_str()), (Some(0), &b"/a\0\0,i\0\0\0\0\0\x07"[..], ""));
}

#[test]
fn encode_refuses_invalid_lines_with_their_number() {
    for (lines, complaint) in [
        ("", "stdin: no packet"),
        ("# only a comment\n", "stdin: no packet"),
        ("a ,i 1\n", "stdin: line 1, column 1: not an address"),
        ("/a i 1\n", "stdin: line 1, column 4: not a type tag string"),
        ("\n/a ,i one\n", "stdin: line 2, column 7: not the argument of the type tag 'i'"),
        ("/a ,i 1 2\n", "stdin: line 1, column 9: more than the type tags say"),
        ("#bundle now\n/a ,\n", "stdin: line 3, column 1: #bundle without #end"),
        ("/a ,\n#end\n", "stdin: line 2, column 1: #end without #bundle"),
        ("/a ,\n/b ,\n", "stdin: line 2: a second packet, only one can be written"),
    ] {
        assert_eq!(osc(&["encode"], lines).complaint(), complaint, "{lines:?}");
    }
    let not_utf8 = osc(&["encode"], b"/a ,\n/b ,s \"\xff\"\n").complaint();
    assert!(not_utf8.starts_with("stdin: line 2: "), "{not_utf8}");
}

#[test]
fn match_answers_for_each_address() {
    let answers = osc(&["match", "/a/*", "/a/b", "/a/b/c"], "");
    assert_eq!(answers.stdout(), "yes /a/b\nno /a/b/c\n");
    let answers = osc(&["match", "//{freq,gain}", "/synth/1/freq", "/freq", "/pan"], "");
    assert_eq!(answers.stdout(), "yes /synth/1/freq\nyes /freq\nno /pan\n");
}

#[test]
fn match_takes_the_names_of_real_programs() {
    for name in [
        "/surfaces/Quad 1/opacity",
        "/avatar/parameters/Öhr",
        "/my,thing/x",
        "/track/#1/vol",
        "/fx/50%/mix",
        "/灯/明るさ",
    ] {
        for pattern in [name, "//", &name.replace(['1', 'h', 'y', '5', '灯'], "*")] {
            assert_eq!(osc(&["match", pattern, name], "").stdout(), format!("yes {name}\n"), "{pattern}");
        }
    }
    assert_eq!(osc(&["match", "/[a,b]", "/a", "/,", "/c"], "").stdout(), "yes /a\nyes /,\nno /c\n");
}

#[test]
fn match_fails_if_no_address_matches() {
    let ended = osc(&["match", "/a/[!b-d]", "/a/b", "/a/d"], "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    assert_eq!(ended.stdout, "no /a/b\nno /a/d\n");
}

#[test]
fn match_refuses_illegal_patterns_and_addresses() {
    let complaint = osc(&["match", "/mixer/[1-", "/mixer/1"], "").complaint();
    assert_eq!(complaint, "/mixer/[1-: `[` without `]` in its part, at byte 7");
    let complaint = osc(&["match", "mixer", "/mixer"], "").complaint();
    assert!(complaint.ends_with("at byte 0"), "{complaint}");
    assert_eq!(osc(&["match", "/a", "/a", "/b*"], "").complaint(), "/b*: not an address");
}

#[test]
fn match_quotes_addresses_that_would_break_the_line() {
    let ended = osc(&["match", "/a/*", "/a/b\n\u{1b}31m", "/a/\"b\""], "");
    assert_eq!(ended.stdout(), "yes \"/a/b\\n\\u001b31m\"\nyes /a/\"b\"\n");
}
