//! Wrong usage: exit code 2, nothing on stdout, and one line that names the mistake.

use crate::run::osc;

#[test]
fn usage_errors_are_one_line() {
    const URL: &str = "osc.udp://127.0.0.1:9/";
    let cases: &[(&[&str], &str)] = &[
        (&["match", "/a\n[b", "/a"], "/a\u{fffd}[b: `[` without `]` in its part, at byte 3"),
        (&["play"], "unrecognized subcommand 'play'"),
        (&["decode", "--loose"], "unexpected argument '--loose'"),
        (&["decode", "a", "b"], "unexpected argument 'b'"),
        (&["match", "/a"], "<ADDRESS>"),
        (&["dump"], "<URL>"),
        (&["dump", URL, "-n", "0"], "invalid value '0' for '--count <N>'"),
        (&["dump", URL, "-n", "many"], "invalid value 'many' for '--count <N>'"),
        (&["dump", URL, "--timeout", "soon"], "`soon` is not a valid duration"),
        (&["dump", URL, "--json", "--raw"], "'--json' cannot be used with '--raw'"),
        (&["dump", "osc.tcp://127.0.0.1/"], "`127.0.0.1` has no port"),
        (&["dump", "osc.udp://239.7.7.7:9/?interfaces=lo"], "`interfaces` is not an option of osc.udp"),
        (&["dump", "127.0.0.1"], "has no port"),
        (&["send"], "<URL> <ADDRESS>"),
        (&["send", URL], "<ADDRESS>"),
        (&["send", "http://127.0.0.1:9/", "/a"], "`http` is none of osc.udp, osc.tcp"),
        (&["send", URL, "a"], "a: an address begins with `/`; --bare sends it as it is"),
        (&["send", URL, "/a[1"], "/a[1: the address is not a valid OSC address pattern, at byte 2"),
        (&["send", "--at", "soon", URL, "/a"], "`soon` is not a valid time tag"),
        (&["send", "--at", "+1s", URL, "-"], "--at: packets from stdin carry their time"),
        (&["send", "--gap", "1ms", URL, "/a"], "--gap: only packets from stdin"),
        (&["send", URL, "-", "i", "1"], "-: messages from stdin take no type tags and values"),
    ];
    for (args, expected) in cases {
        let complaint = osc(args, "").complaint();
        assert!(complaint.contains(expected), "{args:?}: {complaint}");
    }
}

#[test]
fn osc_alone_shows_three_commands_to_begin_with() {
    let shown = osc(&[], "").stdout();
    assert_eq!(shown.lines().filter(|line| line.starts_with("  osc ")).count(), 3, "{shown}");
}

#[test]
fn completions_and_man_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = osc(&["completions", shell], "").stdout();
        assert!(script.contains("replay") && script.contains("flood"), "{script}");
    }
    assert!(osc(&["man"], "").stdout().contains("osc\\-relay"));
    assert!(osc(&["man", "send"], "").stdout().contains(".TH osc-send 1"));
    assert!(osc(&["man", "play"], "").complaint().starts_with("play: not a command of osc"));
}

#[test]
fn help_and_version_go_to_stdout() {
    assert!(osc(&["--version"], "").stdout().starts_with("osc "));
    let help = osc(&["--help"], "").stdout();
    for command in ["send", "dump", "decode", "encode", "match", "record", "replay", "relay", "ping", "flood"]
    {
        assert!(help.contains(command), "{help}");
        assert!(osc(&[command, "--help"], "").stdout().contains("Usage: osc "));
    }
}

#[test]
fn an_unknown_host_is_named_in_the_error() {
    // A label of over 63 characters: no name server is asked.
    let host = "x".repeat(64);
    let complaint = osc(&["send", &format!("{host}:9"), "/a"], "").complaint();
    assert!(complaint.starts_with(&format!("osc.udp://{host}:9/: ")), "{complaint}");
}
