//! `osc send`, heard by `osc dump`.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use tokio_osc::codec::{Codec, Framing};
use tokio_osc::{LengthPrefix, Message, Packet, Slip, TimeTag};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use crate::run::{Dump, osc};

/// What a message on the command line arrives as.
fn sent(args: &[&str]) -> String {
    let dump = Dump::start(&["-n", "1"]);
    dump.send(args);
    dump.end().stdout()
}

#[test]
fn every_type_tag_is_sent() {
    let args = [
        "/all",
        "ihfdsSbtcrmTFNI",
        "-7",
        "9223372036854775807",
        "0.1",
        "-1e300",
        "two words",
        "symbol",
        "00fF",
        "0x83aa7e8080000000",
        "A",
        "ff8000ff",
        "00903c7f",
    ];
    let line = "/all ,ihfdsSbtcrmTFNI -7 9223372036854775807 0.1 -1e300 \"two words\" \"symbol\" <00ff> \
                0x83aa7e8080000000 'A' #ff8000ff m:00903c7f true false nil impulse\n";
    assert_eq!(sent(&args), line);
}

#[test]
fn each_type_has_its_ways_to_be_written() {
    for (types, value, token) in [
        ("f", "-inf", "-inf"),
        ("d", "nan", "nan"),
        ("s", "", "\"\""),
        ("s", "-n", "\"-n\""),
        ("s", "é\"\n", "\"é\\\"\\n\""),
        ("b", "", "<>"),
        ("t", "now", "0x0000000000000001"),
        ("c", "-", "'-'"),
        ("c", "é", "c:e9"),
        ("r", "#FF8000ff", "#ff8000ff"),
        ("m", "m:00903c7f", "m:00903c7f"),
    ] {
        assert_eq!(sent(&["/a", types, value]), format!("/a ,{types} {token}\n"));
    }
}

#[test]
fn addresses_hold_what_real_programs_name_things() {
    for (address, line) in [
        ("/surfaces/Quad 1/opacity", "\"/surfaces/Quad 1/opacity\""),
        ("/avatar/parameters/Öhr", "/avatar/parameters/Öhr"),
        ("/my,thing/x", "/my,thing/x"),
        ("/track/#1/vol", "/track/#1/vol"),
        ("/fx/50%/mix", "/fx/50%/mix"),
        ("/灯/明るさ", "/灯/明るさ"),
        ("/[a,b]", "/[a,b]"),
    ] {
        assert_eq!(sent(&[address, "i", "7"]), format!("{line} ,i 7\n"));
    }
}

#[test]
fn messages_may_have_no_arguments_and_arrays() {
    assert_eq!(sent(&["/stop"]), "/stop ,\n");
    assert_eq!(sent(&["/synth/*/{freq,gain}"]), "/synth/*/{freq,gain} ,\n");
    assert_eq!(sent(&["/a", ",i[f[T]]s", "1", "2", "x"]), "/a ,i[f[T]]s 1 [ 2 [ true ] ] \"x\"\n");
}

#[test]
fn values_that_do_not_fit_their_tags_are_refused() {
    for (args, complaint) in [
        (&["i", "1.5"][..], "/a: `1.5` is not a valid value of the type tag `i`"),
        (&["i", "2147483648"], "/a: `2147483648` is not a valid value of the type tag `i`"),
        (&["f", "loud"], "/a: `loud` is not a valid value of the type tag `f`"),
        (&["b", "123"], "/a: `123` is not a valid value of the type tag `b`"),
        (&["b", "+1"], "/a: `+1` is not a valid value of the type tag `b`"),
        (&["c", "AB"], "/a: `AB` is not a valid value of the type tag `c`"),
        (&["r", "ff8000"], "/a: `ff8000` is not a valid value of the type tag `r`"),
        (&["t", "1"], "/a: `1` is not a valid value of the type tag `t`"),
        (&["if", "1"], "/a: no value for the type tag `f`"),
        (&["iT", "1", "1"], "/a: the type tags `iT` leave no place for the value `1`"),
        (&["iu", "1", "1"], "/a: unknown type tag `u`"),
        (&["[i", "1"], "/a: `[` without `]` in the type tags"),
        (&["i]", "1"], "/a: `]` without `[` in the type tags"),
    ] {
        let args = [&["send", "127.0.0.1:9", "/a"], args].concat();
        assert_eq!(osc(&args, "").complaint(), complaint);
    }
}

#[test]
fn arrays_nest_255_deep() {
    let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let url = receiver.local_addr().unwrap().to_string();
    osc(&["send", &url, "/a", &nested(255)], "").stdout();
    let mut buffer = [0; 1_024];
    assert_eq!(receiver.recv(&mut buffer).unwrap(), 4 + (1 + 510_usize).next_multiple_of(4));

    let complaint = osc(&["send", &url, "/a", &nested(256)], "").complaint();
    assert_eq!(complaint, "/a: arrays nest deeper than 255");
}

#[test]
fn at_wraps_the_message_in_a_bundle() {
    let tagged = sent(&["--at", "0x83aa7e8080000000", "/a", "i", "1"]);
    assert_eq!(tagged, "#bundle 0x83aa7e8080000000\n/a ,i 1\n#end\n");
    assert_eq!(sent(&["--at", "now", "/a"]), "#bundle 0x0000000000000001\n/a ,\n#end\n");

    for (at, offset) in [("+1.5s", 1.5), ("+200ms", 0.2), ("-3", -3.0)] {
        let before = TimeTag::now().to_unix_seconds();
        let packet: Packet = sent(&["--at", at, "/a"]).parse().unwrap();
        let after = TimeTag::now().to_unix_seconds();
        let Packet::Bundle(bundle) = packet else { panic!("no bundle: {packet}") };
        let tag = bundle.time_tag().to_unix_seconds() - offset;
        assert!((before - 1e-6..=after + 1e-6).contains(&tag), "{at}: {before} {tag} {after}");
    }
}

#[test]
fn lines_from_stdin_are_packets() {
    let dump = Dump::start(&["-n", "4"]);
    let lines =
        "# a comment\n/a ,i 1\n\n#bundle 0x83aa7e8080000000\n/b ,\n#bundle now\n/c ,\n#end\n#end\n/d ,\n";
    dump.send_lines(lines);
    let expected =
        "/a ,i 1\n#bundle 0x83aa7e8080000000\n/b ,\n#bundle 0x0000000000000001\n/c ,\n#end\n#end\n/d ,\n";
    assert_eq!(dump.end().stdout(), expected);
}

#[test]
fn lines_are_sent_up_to_the_first_bad_one() {
    let dump = Dump::start(&["-n", "1"]);
    for (lines, complaint) in [
        ("/a ,\n/b ,i x\n/c ,\n", "stdin: line 2, column 7: not the argument of the type tag 'i'"),
        ("#sleep soon\n/a ,\n", "stdin: line 1: #sleep takes milliseconds, not `soon`"),
        ("#bundle now\n/a ,\n", "stdin: line 3, column 1: #bundle without #end"),
    ] {
        assert_eq!(osc(&["send", dump.url(), "-"], lines).complaint(), complaint);
    }
    assert_eq!(dump.end().stdout(), "/a ,\n");
}

#[test]
fn pauses_between_packets_are_kept() {
    let dump = Dump::start(&["-n", "6"]);
    let begin = Instant::now();
    osc(&["send", dump.url(), "-", "--gap", "50ms"], "/1 ,\n/2 ,\n/3 ,\n").stdout();
    assert!(begin.elapsed() >= Duration::from_millis(100));

    let begin = Instant::now();
    dump.send_lines("/4 ,\n#sleep 60\n/5 ,\n#sleep 40.5\n/6 ,\n");
    assert!(begin.elapsed() >= Duration::from_millis(100));
    assert_eq!(dump.end().stdout(), "/1 ,\n/2 ,\n/3 ,\n/4 ,\n/5 ,\n/6 ,\n");
}

#[test]
fn datagrams_have_a_largest_size() {
    let blob = |size: usize| format!("/a ,b <{}>\n", "00".repeat(size));
    let largest = 65_507_usize.next_multiple_of(4) - 4 - 12;
    let dump = Dump::start(&["-n", "1"]);
    dump.send_lines(&blob(largest));
    assert_eq!(dump.end().stdout(), blob(largest));
    let complaint = osc(&["send", "127.0.0.1:9", "-"], blob(largest + 1)).complaint();
    assert!(complaint.starts_with("stdin: line 1: "), "{complaint}");
}

#[test]
fn a_host_may_have_a_name() {
    let dump = Dump::listen(&["localhost:0"], &["-n", "1"]);
    dump.send(&["/a"]);
    assert_eq!(dump.end().stdout(), "/a ,\n");
}

#[test]
fn ipv6_addresses_are_written_in_brackets() {
    if UdpSocket::bind("[::1]:0").is_err() {
        eprintln!("this machine has no IPv6");
        return;
    }
    let dump = Dump::listen(&["osc.udp://[::1]:0/"], &["-n", "1"]);
    assert!(dump.url().starts_with("osc.udp://[::1]:"), "{}", dump.url());
    dump.send(&["/a"]);
    assert_eq!(dump.end().stdout(), "/a ,\n");
}

/// Reads to the end and pushes all the while, so that the sender has unread input when it closes. Gives the
/// packets that have arrived.
fn pushing_peer<F: Framing>(listener: &TcpListener, framing: F) -> usize {
    let (mut stream, _) = listener.accept().unwrap();
    let mut pushed = BytesMut::new();
    let push = Packet::from(Message::new("/meters", [0.5_f32; 64].to_vec()).unwrap());
    Codec::new(framing.clone()).encode(&push, &mut pushed).unwrap();
    stream.write_all(&pushed).unwrap();
    let mut writing = stream.try_clone().unwrap();
    let pushing = thread::spawn(move || while writing.write_all(&pushed).is_ok() {});
    let mut codec = Codec::new(framing);
    let (mut received, mut packets) = (BytesMut::new(), 0);
    let mut chunk = [0; 64];
    loop {
        match stream.read(&mut chunk) {
            Ok(read) if read > 0 => received.extend_from_slice(&chunk[..read]),
            _ => break,
        }
        while codec.decode(&mut received).unwrap().is_some() {
            packets += 1;
        }
    }
    // The end of this side ends the pushes.
    stream.shutdown(Shutdown::Both).ok();
    pushing.join().unwrap();
    packets
}

fn fifty_lines_arrive<F: Framing + Sync>(scheme: &str, framing: &F) {
    let lines: Vec<_> = (0..50).map(|n| format!("/n ,i {n}\n")).collect();
    let lines = lines.concat();
    for round in 0..20 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let arrived = thread::scope(|scope| {
            let framing = framing.clone();
            let peer = scope.spawn(move || pushing_peer(&listener, framing));
            osc(&["send", &url, "-"], &lines).stdout();
            peer.join().unwrap()
        });
        assert_eq!(arrived, 50, "round {round} of {scheme}");
    }
}

#[test]
fn fifty_lines_to_a_peer_that_pushes_all_arrive_twenty_times_in_a_row() {
    fifty_lines_arrive("osc.tcp+slip", &Slip::new());
    fifty_lines_arrive("osc.tcp", &LengthPrefix::new());
}
