//! `osc record`, `replay`, `relay`, `ping` and `flood`, and `osc send --reply`.

use std::fs;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::ports::unused_port;
use crate::run::{Dump, osc};

const LINES: &str = "/a ,ifs 1 0.1 \"x y\"\n#bundle 0x83aa7e8080000000\n/b ,bt <00ff> 0x0000000000000001\n\
                     #bundle 0x0000000000000001\n/c ,\n#end\n#end\n/d ,f nan:ffc00000\n";

fn file(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"))
}

/// A peer that sends every datagram back.
fn echo() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut buffer = [0; 2_048];
        while let Ok((size, peer)) = socket.recv_from(&mut buffer) {
            if socket.send_to(&buffer[..size], peer).is_err() {
                return;
            }
        }
    });
    address
}

#[test]
fn what_was_recorded_is_replayed_unchanged() {
    let recording = file("cli-recording.osc");
    let record = Dump::command("record", &["127.0.0.1:0"], &[&recording, "-n", "3", "--timeout", "10"]);
    record.send_lines(LINES);
    let ended = record.end();
    assert_eq!((ended.code, ended.stderr), (Some(0), format!("osc: 3 packets in {recording}\n")));
    let text = fs::read_to_string(&recording).unwrap();
    assert!(text.starts_with("# osc record 2") && text.contains("\n#time 0.000000\n/a ,ifs"), "{text}");

    let dump = Dump::start(&["-n", "8"]);
    let replayed = osc(&["replay", &recording, dump.url(), "--loop=2"], "");
    assert_eq!((replayed.code, replayed.stderr), (Some(0), format!("osc: 6 packets of {recording} sent\n")));
    assert_eq!(dump.end().stdout(), LINES.repeat(2));
}

#[test]
fn a_replay_keeps_the_times_scaled_and_cut() {
    let recording = file("cli-times.osc");
    fs::write(&recording, "#time 0\n/0 ,\n#time 0.4\n/1 ,\n#time 0.8\n/2 ,\n#time 30\n/3 ,\n").unwrap();
    for (options, printed, least) in [
        (&["--speed", "4", "--to", "1"][..], "/0 ,\n/1 ,\n/2 ,\n", 200),
        (&["--from", "400ms", "--to", "0.8"], "/1 ,\n/2 ,\n", 400),
        (&["--speed", "inf"], "/0 ,\n/1 ,\n/2 ,\n/3 ,\n", 0),
    ] {
        let dump = Dump::start(&["-n", &printed.lines().count().to_string()]);
        let begin = Instant::now();
        assert_eq!(osc(&[&["replay", &recording, dump.url()], options].concat(), "").code, Some(0));
        let elapsed = begin.elapsed();
        assert!(elapsed >= Duration::from_millis(least) && elapsed < Duration::from_secs(20), "{elapsed:?}");
        assert_eq!(dump.end().stdout(), printed);
    }
}

#[test]
fn a_recording_of_liblo_is_written_and_replayed() {
    let recording = file("cli-oscdump.txt");
    fs::write(
        &recording,
        "eeb865e3.00000000 /a/b ifs 1 2.500000 \"he said \"x\"\"\neeb865e3.10000000 /m m MIDI [0x00 0x90 0x3c 0x7f]\n\
         eeb865e3.10000000 /e \n",
    )
    .unwrap();
    let again = file("cli-oscdump-again.txt");
    let options = ["-n", "3", "--timeout", "10", "--format", "oscdump"];
    let record = Dump::command("record", &["127.0.0.1:0"], &[&[&*again][..], &options].concat());
    assert_eq!(osc(&["replay", &recording, record.url()], "").code, Some(0));
    let ended = record.end();
    assert!(
        ended.stderr.ends_with("osc: 1 messages left out: liblo's form has no words for them\n"),
        "{}",
        ended.stderr
    );
    let lines: Vec<String> =
        fs::read_to_string(&again).unwrap().lines().map(|line| line[18..].to_owned()).collect();
    assert_eq!(lines, ["/m m 00903c7f", "/e"]);
}

#[test]
fn an_invalid_recording_is_refused_with_the_line() {
    let recording = file("cli-bad.osc");
    for (text, complaint) in [
        ("/a ,\n/b ,i x\n", "line 2, column 7: not the argument of the type tag 'i'"),
        ("#time soon\n", "line 1: #time takes seconds, not `soon`"),
        ("eeb865e3.00000000 /a i x\n", "line 1: no value of the type tag `i`"),
    ] {
        fs::write(&recording, text).unwrap();
        let ended = osc(&["replay", &recording, "127.0.0.1:9"], "");
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(&format!("osc: {recording}: {complaint}")), "{}", ended.stderr);
    }
}

#[test]
fn a_recording_to_a_reader_that_has_gone_ends_quietly() {
    let mut record = Dump::command("record", &["127.0.0.1:0"], &["-", "--timeout", "3600"]);
    record.close_stdout();
    let (peer, begin) = (UdpSocket::bind("127.0.0.1:0").unwrap(), Instant::now());
    while !record.has_ended() {
        assert!(begin.elapsed() < Duration::from_secs(60), "it goes on");
        record.send_from(&peer, b"/a\0\0,\0\0\0");
        std::thread::yield_now();
    }
    let ended = record.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_relay_changes_nothing_between_transports() {
    let dump = Dump::start(&["-n", "6"]);
    let back =
        Dump::command("relay", &["osc.tcp+slip://127.0.0.1:0/"], &["--to", dump.url(), "--timeout", "60"]);
    let there = Dump::command("relay", &["127.0.0.1:0"], &["--to", back.url(), "--timeout", "60"]);
    there.send_lines(LINES);
    there.send_lines("/e ,\n/f ,\n");
    assert_eq!(dump.end().stdout(), format!("{LINES}/e ,\n/f ,\n"));
    #[cfg(unix)]
    {
        there.interrupt();
        let ended = there.end();
        let counts = format!(
            "osc: 5 received, 0 malformed, 0 filtered\nosc: to {}: 5 sent, 0 failed, 0 dropped\n",
            back.url()
        );
        assert_eq!((ended.code, ended.stderr), (Some(0), counts));
    }
}

#[test]
fn ping_prints_round_trips() {
    let url = echo();
    let printed = osc(&["ping", &url, "-c", "3", "-i", "10ms"], "").stdout();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], format!("PING osc.udp://{url}/ /ping ,i 0"));
    assert!(lines[3].starts_with("/ping ,i 2: seq=2 time=") && lines[3].ends_with(" ms"), "{printed}");
    assert!(lines[6].starts_with("3 sent, 3 answered, 0% lost, time "), "{printed}");
    assert!(lines[7].starts_with("rtt min/median/p99/max = "), "{printed}");

    // As scsynth's `/status.reply`, which begins with a number that is not that of the message.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        while let Ok((_, peer)) = socket.recv_from(&mut [0; 64]) {
            socket.send_to(b"/status.reply\0\0\0,i\0\0\0\0\0\x01", peer).unwrap();
        }
    });
    let printed = osc(&["ping", &url, "/status", "-c", "3", "-i", "10ms"], "").stdout();
    assert!(printed.contains("3 sent, 3 answered"), "{printed}");

    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let ended = osc(&["ping", &silent.local_addr().unwrap().to_string(), "-c", "1", "-W", "50ms"], "");
    assert!(ended.code == Some(1) && ended.stdout.contains("no answer: seq=0\n"), "{}", ended.stdout);
}

#[test]
fn flood_is_bounded_and_counts_answers() {
    let ended = osc(&["flood", &echo(), "-n", "50", "--rate", "1000", "--reply"], "");
    assert!(ended.stdout.starts_with("50 messages, 800 bytes in 0.0"), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("50 answers, 0 lost (0%)\n"), "{}", ended.stdout);
    let ended = osc(&["flood", "127.0.0.1:9", "/a", "s", "x", "-n"], "");
    assert_eq!(ended.code, Some(2), "words after the first value are values");
    let ended = osc(&["flood", "-n", "3", "--reply", "--timeout", "50ms", "127.0.0.1:9"], "");
    assert_eq!(ended.code, Some(1));
}

#[test]
fn send_prints_the_answer_to_its_own_port() {
    let url = echo();
    assert_eq!(osc(&["send", "--reply", &url, "/a", "i", "7"], "").stdout(), "/a ,i 7\n");
    let ended = osc(&["send", "--reply=/b", "--timeout", "50ms", &url, "/a"], "");
    assert_eq!(
        (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
        (Some(1), "", "osc: no answer within 0.05 s\n")
    );

    let port = unused_port();
    let dump = Dump::start(&["--peer", "-n", "1"]);
    osc(&["send", &format!("{}?local={port}", dump.url()), "/a"], "").stdout();
    assert_eq!(dump.end().stdout(), format!("127.0.0.1:{port} /a ,\n"));
}

#[test]
fn host_and_port_may_be_two_words_and_a_port_is_one_of_this_host() {
    let dump = Dump::start(&["-n", "4"]);
    let port = dump.url().trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    for args in [
        &["send", "127.0.0.1", &port, "/a", "i", "-1"][..],
        &["send", &port, "/b"],
        &["send", "--bare", &format!("osc.udp://:{port}"), "/c"],
    ] {
        osc(args, "").stdout();
    }
    osc(&["send", "127.0.0.1", &port, "-"], "/d ,\n").stdout();
    assert_eq!(dump.end().stdout(), "/a ,i -1\n/b ,\n/c ,\n/d ,\n");
}
