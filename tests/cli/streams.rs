//! `osc decode --framing` and `osc encode --framing`.

use crate::run::{osc, osc_bytes};

const A: &[u8] = b"/a\0\0,i\0\0\0\0\0\xc0";
const B: &[u8] = b"/b\0\0,\0\0\0";
const C: &[u8] = b"/c\0\0,i\0\0\0\0\0\x07";

fn slip(frames: &[&[u8]]) -> Vec<u8> {
    frames.iter().flat_map(|frame| [b"\xc0", *frame, b"\xc0"].concat()).collect()
}

fn prefixed(frames: &[&[u8]]) -> Vec<u8> {
    let prefixed = |frame: &&[u8]| [&u32::try_from(frame.len()).unwrap().to_be_bytes(), *frame].concat();
    frames.iter().flat_map(prefixed).collect()
}

#[test]
fn every_packet_of_a_stream_is_printed_and_encoded_again() {
    let lines = "/a ,i 192\n#bundle 0x0000000000000001\n/b ,\n#end\n/c ,s \"x\"\n";
    for framing in ["slip", "length"] {
        let (code, stream, stderr) = osc_bytes(&["encode", "--framing", framing], lines.as_bytes());
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert_eq!(osc(&["decode", "--framing", framing], stream).stdout(), lines);
    }
    let (_, stream, _) = osc_bytes(&["encode", "--framing", "slip"], b"/a ,i 192\n/b ,\n");
    assert_eq!(stream, slip(&[b"/a\0\0,i\0\0\0\0\0\xdb\xdc", B]));
    let (_, stream, _) = osc_bytes(&["encode", "--framing", "length"], b"/a ,i 192\n/b ,\n");
    assert_eq!(stream, prefixed(&[A, B]));
}

#[test]
fn a_bad_frame_is_reported_and_decoding_goes_on() {
    let stream = slip(&[B, b"/a\0\0,i\0\0", b"\xdb\x41", B]);
    let ended = osc(&["decode", "--framing", "slip"], stream);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), "/b ,\n/b ,\n"));
    assert_eq!(ended.stderr, "frame 2: truncated, at byte 8\nframe 3: a SLIP escape that escapes nothing\n");

    let stream = prefixed(&[B, b"/a\0\0,i\0\0", B]);
    let ended = osc(&["decode", "--framing", "length"], stream);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), "/b ,\n/b ,\n"));
    assert_eq!(ended.stderr, "frame 2: truncated, at byte 8\n");
}

#[test]
fn where_frames_can_no_longer_be_told_apart_it_ends() {
    let stream = [&prefixed(&[B]), &b"\xff\xff\xff\xff"[..], &prefixed(&[B])].concat();
    let ended = osc(&["decode", "--framing", "length"], stream);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), "/b ,\n"));
    assert!(ended.stderr.starts_with("frame 2: ") && ended.stderr.lines().count() == 1, "{}", ended.stderr);

    for (framing, stream) in [("slip", &slip(&[B])[..9]), ("length", &prefixed(&[B])[..11])] {
        let ended = osc(&["decode", "--framing", framing], stream);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        assert!(ended.stderr.starts_with("frame 1: "), "{}", ended.stderr);
    }
}

#[test]
fn frames_have_a_largest_size() {
    let over = slip(&[C, B]);
    assert_eq!(osc(&["decode", "--framing", "slip", "--max-frame", "12"], &over).stdout(), "/c ,i 7\n/b ,\n");
    let ended = osc(&["decode", "--framing", "slip", "--max-frame", "11"], &over);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), "/b ,\n"));
    assert!(ended.stderr.starts_with("frame 1: "), "{}", ended.stderr);

    let ended = osc(&["decode", "--framing", "length", "--max-frame", "8"], prefixed(&[B, A, B]));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), "/b ,\n"));
    assert!(ended.stderr.starts_with("frame 2: "), "{}", ended.stderr);

    for framing in ["slip", "length"] {
        let encode = |limit| osc_bytes(&["encode", "--framing", framing, "--max-frame", limit], b"/b ,\n");
        assert_eq!(encode("8").0, Some(0));
        let (code, bytes, stderr) = encode("7");
        assert_eq!((code, bytes.len()), (Some(2), 0));
        assert!(stderr.starts_with("osc: stdin: line 1: "), "{stderr}");
    }
    assert_eq!(osc(&["decode", "--max-frame", "8"], B).code, Some(2), "it is for streams");
}

#[test]
fn a_stream_may_be_long_and_empty() {
    let many = slip(&vec![B; 50_000]);
    assert_eq!(osc(&["decode", "--framing", "slip"], many).stdout().lines().count(), 50_000);
    assert_eq!(osc(&["decode", "--framing", "length"], "").stdout(), "");
}

#[test]
fn a_stream_tells_of_messages_it_passes_over() {
    let bundle = b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,u\0\0";
    let ended = osc(&["decode", "--framing", "length"], prefixed(&[B, bundle]));
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stderr, "osc: stdin: frame 2: passed over a message with an unknown type tag\n");
}
