//! `osc dump`: what it prints, and how it ends.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_osc::Message;
use tokio_osc::packet::HexDump;

use crate::run::{Dump, osc};

fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

#[test]
fn json_is_one_object_per_packet() {
    let dump = Dump::start(&["--json", "-n", "7"]);
    dump.send_lines(
        "/all ,ihfdsSbtcrmTFNI[i[]] 1 9007199254740993 0.1 -1e300 \"é\" \"b\" <00ff> 0x0000000000000001 'A' \
         #ff8000ff m:00903c7f true false nil impulse [ 2 [ ] ]\n\
         /odd ,ffdscc inf -inf nan x\"e9\" c:e9 c:110000\n\
         \"/Küche links\" ,\n\
         /untagged\n\
         #bundle 0x83aa7e8080000000\n/a ,i 1\n#bundle now\n#end\n/b ,\n#end\n",
    );
    dump.send(&["/last"]);
    let printed = dump.end().stdout();
    let objects: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        objects[..],
        [
            json!({"address": "/all", "args": [
                {"i": 1}, {"h": "9007199254740993"}, {"f": 0.1}, {"d": -1e300}, {"s": "é"}, {"S": "b"},
                {"b": "<00ff>"}, {"t": "0x0000000000000001"}, {"c": "'A'"}, {"r": "#ff8000ff"},
                {"m": "m:00903c7f"}, {"T": null}, {"F": null}, {"N": null}, {"I": null},
                {"[": [{"i": 2}, {"[": []}]}
            ]}),
            json!({"address": "/odd", "args": [
                {"f": "inf"}, {"f": "-inf"}, {"d": "nan"}, {"s": {"hex": "e9"}}, {"c": "c:e9"}, {"c": "c:110000"}
            ]}),
            json!({"address": "/Küche links", "args": []}),
            json!({"address": "/untagged", "args": [], "untyped": "<>"}),
            json!({"time_tag": "0x83aa7e8080000000", "elements": [
                {"address": "/a", "args": [{"i": 1}]},
                {"time_tag": "0x0000000000000001", "elements": []},
                {"address": "/b", "args": []},
            ]}),
            json!({"address": "/last", "args": []}),
        ]
    );
    assert!(printed.starts_with(r#"{"address":"/all","args":"#), "keys in reading order: {printed}");
}

#[test]
fn what_json_prints_is_sent_and_read_back() {
    let lines = "/all ,ihfdsSbtcrmTFNI[i[]] 1 9007199254740993 0.1 -1e300 \"é\" \"b\" <00ff> 0x0000000000000001 'A' \
                 #ff8000ff m:00903c7f true false nil impulse [ 2 [ ] ]\n\
                 /odd ,ffdsc nan:ffc00000 nan nan:fff8000000000000 x\"e9\" c:e9\n\
                 #bundle 0x83aa7e8080000000\n/a ,i 1\n#bundle 0x0000000000000001\n#end\n#end\n";
    let dump = Dump::start(&["--json", "--time", "--peer", "-n", "3"]);
    dump.send_lines(lines);
    let json = dump.end().stdout();
    let dump = Dump::start(&["-n", "3"]);
    osc(&["send", "--json", dump.url(), "-"], &json).stdout();
    assert_eq!(dump.end().stdout(), lines);
}

#[test]
fn json_of_osc_js_is_sent() {
    let dump = Dump::start(&["-n", "3"]);
    let json = r#"# a comment
{"address":"/js","args":[{"type":"f","value":440},{"value":"saw","type":"s"},{"type":"T"},{"type":"c","value":"A"},{"type":"h","value":"-1"}]}
{"address":"/plain","args":[1,0.5,"x",true,null,[2,3000000000]]}
{"timeTag":{"raw":[2208988800,2147483648]},"packets":[{"address":"/a"}]}
"#;
    osc(&["send", "--json", dump.url(), "-"], json).stdout();
    assert_eq!(
        dump.end().stdout(),
        "/js ,fsTch 440 \"saw\" true 'A' -1\n/plain ,ifsTN[ih] 1 0.5 \"x\" true nil [ 2 3000000000 ]\n\
         #bundle 0x83aa7e8080000000\n/a ,\n#end\n"
    );
}

#[test]
fn json_that_is_not_a_packet_is_refused_and_says_where() {
    for (json, complaint) in [
        (
            "{\"address\":\"/a\",\"args\":[{\"i\":1.5}]}",
            ", column 33: 1.5 is not a valid argument of the type tag `i`",
        ),
        ("{\"address\":\"/a\",\"args\":[{\"z\":1}]}", ", column 31: unknown type tag `z`"),
        ("{\"args\":[]}", ": neither a message, with `address`, nor a bundle, with `elements`"),
        ("{\"address\":\"/a\"", ", column 15: EOF while parsing an object"),
    ] {
        let said = osc(&["send", "--json", "127.0.0.1:9", "-"], format!("\n{json}\n")).complaint();
        assert!(said.starts_with(&format!("stdin: line 2{complaint}")), "{said}");
    }
}

#[test]
fn raw_shows_malformed_packets_too() {
    let peer = socket();
    let dump = Dump::start(&["--raw", "-n", "1"]);
    dump.send_from(&peer, b"junkjunk");
    dump.send_from(&peer, b"/a\0\0,\0\0\0");
    let ended = dump.end();
    assert_eq!(ended.stdout, format!("{}{}", HexDump(b"junkjunk"), HexDump(b"/a\0\0,\0\0\0")));
    let peer = peer.local_addr().unwrap();
    assert_eq!(ended.stderr, format!("osc: {peer}: neither a message nor a bundle, at byte 0\n"));
}

#[test]
fn what_is_accepted_can_be_chosen() {
    let packets: [&[u8]; 3] = [b"/info\0\0\0", b"/a\0\0i\0\0\0\0\0\0\x07", b"node\0\0\0\0,\0\0\0"];
    for (option, printed) in [
        (None, "/info\n/last ,\n"),
        (Some("--strict"), "/last ,\n"),
        (Some("--lenient"), "/info\n/a ,i 7\n/last ,\n"),
        (Some("--bare"), "/info\n\"node\" ,\n/last ,\n"),
    ] {
        let count = printed.lines().count().to_string();
        let options: Vec<&str> = ["-n", &count].into_iter().chain(option).collect();
        let dump = Dump::start(&options);
        for packet in packets {
            dump.send_from(&socket(), packet);
        }
        dump.send(&["/last"]);
        assert_eq!(dump.end().stdout, printed, "{option:?}");
    }
}

#[test]
fn a_connection_whose_framing_breaks_is_reported_with_the_likely_cause() {
    use std::io::Write as _;
    let dump = Dump::listen(&["osc.tcp://127.0.0.1:0/"], &["--timeout", "10", "-n", "1"]);
    let address = dump.url().trim_start_matches("osc.tcp://").trim_end_matches('/').to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let peer = stream.local_addr().unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    // The listener closes it.
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
    dump.send(&["/a"]);
    let ended = dump.end();
    assert!(
        ended.stderr.starts_with(&format!("osc: {peer}#1: connection closed: a frame of ")),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("this looks like "), "{}", ended.stderr);
}

#[test]
fn only_what_the_filter_matches_is_printed() {
    let dump = Dump::start(&["--filter", "/synth/*", "-n", "2"]);
    dump.send_lines("/mixer/1 ,\n/synth/1 ,\n#bundle now\n/mixer/2 ,\n/synth/2 ,\n#end\n");
    let printed = dump.end().stdout();
    assert_eq!(printed, "/synth/1 ,\n#bundle 0x0000000000000001\n/mixer/2 ,\n/synth/2 ,\n#end\n");
}

#[test]
fn stats_are_a_line_each_second() {
    let dump = Dump::start(&["--stats", "--timeout", "1.5"]);
    dump.send_lines("/a ,\n/b ,\n");
    let printed = dump.end().stdout();
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(printed.ends_with("16 bytes/s   total 2 malformed 0 dropped 0\n"), "{printed}");
}

#[test]
fn a_port_alone_is_heard_by_ipv4_and_ipv6() {
    if UdpSocket::bind("[::1]:0").is_err() {
        eprintln!("this machine has no IPv6");
        return;
    }
    let mut dump = Dump::listen(&["0"], &["-n", "2", "--timeout", "10"]);
    let v6 = dump.next_url();
    let port = dump.url().trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    assert_eq!(
        (dump.url(), &*v6),
        (&*format!("osc.udp://0.0.0.0:{port}/"), &*format!("osc.udp://[::]:{port}/"))
    );
    osc(&["send", &port, "/v4"], "").stdout();
    osc(&["send", &format!("[::1]:{port}"), "/v6"], "").stdout();
    let printed = dump.end().stdout();
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/v4 ,", "/v6 ,"]);
}

#[test]
fn raw_is_a_hex_dump() {
    let message = Message::new("/synth/1/freq", (440.0_f32, "saw")).unwrap();
    let dump = Dump::start(&["--raw", "-n", "1"]);
    dump.send_from(&socket(), message.as_bytes());
    assert_eq!(dump.end().stdout(), HexDump(message.as_bytes()).to_string());
}

#[test]
fn peer_and_time_precede_each_line() {
    let peer = socket();
    let bundle = b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0";
    let dump = Dump::start(&["--peer", "--time", "-n", "1"]);
    dump.send_from(&peer, bundle);
    let printed = dump.end().stdout();
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.splitn(3, ' ').collect()).collect();
    let texts: Vec<&str> = lines.iter().map(|line| line[2]).collect();
    assert_eq!(texts, ["#bundle 0x0000000000000001", "/a ,", "#end"]);
    for line in &lines {
        assert_eq!(line[1], peer.local_addr().unwrap().to_string());
        assert_eq!(line[0], lines[0][0], "one time for one packet");
        let shape: String = line[0].chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000000Z");
    }

    let dump = Dump::start(&["--json", "--peer", "--time", "-n", "1"]);
    dump.send_from(&peer, b"/a\0\0,\0\0\0");
    let object: Value = serde_json::from_str(&dump.end().stdout()).unwrap();
    assert_eq!(object["peer"], peer.local_addr().unwrap().to_string());
    assert!(object["time"].as_str().unwrap() > lines[0][0], "time goes on: {object}");
}

#[test]
fn a_packet_is_printed_whole() {
    let dump = Dump::start(&["-n", "2"]);
    dump.send_lines("/1 ,\n#bundle now\n/2 ,\n/3 ,\n#end\n/4 ,\n");
    assert_eq!(dump.end().stdout(), "/1 ,\n#bundle 0x0000000000000001\n/2 ,\n/3 ,\n#end\n");
}

#[test]
fn the_timeout_is_an_answer_only_to_a_question() {
    let begin = Instant::now();
    let ended = Dump::start(&["--timeout", "0.2"]).end();
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));

    let dump = Dump::start(&["--timeout", "1500ms", "-n", "2"]);
    dump.send(&["/a"]);
    let ended = dump.end();
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(1), "/a ,\n", ""));
}

#[test]
fn timed_bundles_are_held_until_they_are_due() {
    let dump = Dump::start(&["--schedule", "-n", "6"]);
    let begin = Instant::now();
    dump.send_lines(
        "#bundle +1.0\n/late/1 ,\n/late/2 ,\n#end\n#bundle +0.5\n/early ,\n#end\n\
         #bundle now\n/now/1 ,\n/now/2 ,\n#end\n/plain ,\n",
    );
    let printed = dump.end().stdout();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(printed, "/now/1 ,\n/now/2 ,\n/plain ,\n/early ,\n/late/1 ,\n/late/2 ,\n");
}

#[test]
fn bundles_that_are_not_due_at_the_end_are_counted() {
    let dump = Dump::start(&["--schedule", "-n", "1"]);
    dump.send_lines("#bundle +60\n/late ,\n#end\n/plain ,\n");
    let ended = dump.end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "/plain ,\n"));
    assert_eq!(ended.stderr, "osc: timed bundles that were not due yet: 1\n");
}

#[test]
fn a_malformed_datagram_is_reported_and_skipped() {
    let peer = socket();
    let dump = Dump::start(&["-n", "2"]);
    dump.send_from(&peer, b"/good/1\0,\0\0\0");
    dump.send_from(&peer, b"/bad\0\0\0\0,i\0\0\0\0");
    dump.send_from(&peer, b"/bad\0\0\0\0,i\0\0");
    dump.send_from(&peer, b"");
    dump.send_from(&peer, b"/good/2\0,\0\0\0");
    let ended = dump.end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "/good/1 ,\n/good/2 ,\n"));
    let peer = peer.local_addr().unwrap();
    let complaints = format!(
        "osc: {peer}: a length that is not a multiple of 4, at byte 14\n\
         osc: {peer}: truncated, at byte 12\n\
         osc: {peer}: an empty packet, at byte 0\n"
    );
    assert_eq!(ended.stderr, complaints);
}

#[test]
fn several_urls_are_heard() {
    let dump = Dump::listen(&["127.0.0.1:0", "127.0.0.1:0"], &["-n", "2"]);
    for (number, url) in dump.urls.iter().enumerate() {
        osc(&["send", url, "/a", "i", &number.to_string()], "").stdout();
    }
    let printed = dump.end().stdout();
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/a ,i 0", "/a ,i 1"]);
}

#[test]
fn connections_are_heard_like_datagrams() {
    let urls = [
        "osc.tcp://127.0.0.1:0/",
        "osc.tcp+slip://127.0.0.1:0/",
        "osc.tcp+slip://127.0.0.1:0/?end=single",
        "osc.udp://127.0.0.1:0/?receive_buffer=65536",
    ];
    for url in urls {
        let dump = Dump::listen(&[url], &["-n", "2"]);
        dump.send_lines("/a ,s \"saw\"\n#bundle now\n/b ,i 1\n#end\n");
        let printed = dump.end().stdout();
        assert_eq!(printed, "/a ,s \"saw\"\n#bundle 0x0000000000000001\n/b ,i 1\n#end\n", "{url}");
    }
}

#[test]
#[cfg(unix)]
fn unix_sockets_are_heard_too() {
    let path = format!("{}/cli-dump.socket", env!("CARGO_TARGET_TMPDIR"));
    for scheme in ["osc.unix", "osc.unix+slip"] {
        let dump = Dump::listen(&[&format!("{scheme}://{path}")], &["-n", "1"]);
        dump.send(&["/a", "i", "7"]);
        assert_eq!(dump.end().stdout(), "/a ,i 7\n");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = socket();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = osc(&["dump", "127.0.0.1:0", &address], "").complaint();
    assert!(complaint.starts_with(&format!("osc.udp://{address}/: ")), "{complaint}");
}

#[test]
#[cfg(unix)]
fn ctrl_c_is_a_good_end() {
    let dump = Dump::start(&["-n", "5"]);
    dump.interrupt();
    let ended = dump.end();
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
}

/// Not always at the first message: for a moment, any other process that this one starts meanwhile
/// has the reading end, too.
#[test]
fn dump_ends_quietly_when_its_stdout_is_closed() {
    let mut dump = Dump::start(&["--timeout", "3600"]);
    dump.close_stdout();
    let (peer, begin) = (socket(), Instant::now());
    while !dump.has_ended() {
        assert!(begin.elapsed() < Duration::from_secs(60), "it goes on");
        dump.send_from(&peer, b"/a\0\0,\0\0\0");
        std::thread::yield_now();
    }
    let ended = dump.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}
