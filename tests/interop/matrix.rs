//! Every type with every peer, both ways: the values that arrive, and those that a peer is known to lose.

use std::fmt::Write as _;
use std::io::Write as _;

use tokio_osc::packet::{Array, Char, Color, Impulse, Midi, Nil, Symbol};
use tokio_osc::{IntoArgs, Message, TimeTag};

use super::ear::Ear;
use super::liblo::{oscdump_line, oscsend_message, without_time};
use super::peer::{Listener, Speaker};
use super::transport::Transport;

/// What peers lose, whatever the transport: direction, type, result. All else must arrive
/// as it was sent.
const KNOWN_LOSSES: &[(&str, &str, &str)] = &[
    // It passes over type tags that it does not know.
    (TO_PYTHON_OSC, "S", "#lost ,S []"),
    (TO_PYTHON_OSC, "c", "#lost ,c []"),
    (TO_PYTHON_OSC, "I", "#lost ,I []"),
    // Its builder has no such types, and no empty blob.
    (FROM_PYTHON_OSC, "b empty", "refused: BuildError"),
    (FROM_PYTHON_OSC, "t", "refused: ValueError"),
    (FROM_PYTHON_OSC, "S", "refused: ValueError"),
    (FROM_PYTHON_OSC, "c", "refused: ValueError"),
    (FROM_PYTHON_OSC, "I", "refused: ValueError"),
    // It takes ASCII only, and has a character in the first of its four bytes.
    (TO_OSC4PY3, "s not ASCII", DROPPED),
    (TO_OSC4PY3, "c", "/interop/type ,c c:00000000"),
    (FROM_OSC4PY3, "s not ASCII", "refused: UnicodeEncodeError"),
    (FROM_OSC4PY3, "c", "/interop/type ,c c:41000000"),
    // liblo knows no colors and no arrays.
    (TO_LIBLO, "r", DROPPED),
    (TO_LIBLO, "[ ]", DROPPED),
    (TO_LIBLO, "[ [ ] ]", DROPPED),
    (FROM_LIBLO, "r", "refused: by liblo"),
    (FROM_LIBLO, "[ ]", "refused: by liblo"),
    (FROM_LIBLO, "[ [ ] ]", "refused: by liblo"),
    (TO_OSCDUMP, "r", DROPPED),
    (TO_OSCDUMP, "[ ]", DROPPED),
    (TO_OSCDUMP, "[ [ ] ]", DROPPED),
    // The command line takes no blobs and no time tags either.
    (FROM_OSCSEND, "b", "refused: Type 'b' is not supported or invalid."),
    (FROM_OSCSEND, "b empty", "refused: Type 'b' is not supported or invalid."),
    (FROM_OSCSEND, "t", "refused: Type 't' is not supported or invalid."),
    (FROM_OSCSEND, "r", "refused: Type 'r' is not supported or invalid."),
    (FROM_OSCSEND, "[ ]", "refused: Type '[' is not supported or invalid."),
    (FROM_OSCSEND, "[ [ ] ]", "refused: Type '[' is not supported or invalid."),
];

const TO_PYTHON_OSC: &str = "to python-osc";
const FROM_PYTHON_OSC: &str = "from python-osc";
const TO_OSC4PY3: &str = "to osc4py3";
const FROM_OSC4PY3: &str = "from osc4py3";
const TO_LIBLO: &str = "to liblo";
const FROM_LIBLO: &str = "from liblo";
const TO_OSCDUMP: &str = "to oscdump";
const FROM_OSCSEND: &str = "from oscsend";
const DROPPED: &str = "dropped";

/// The result of a message: nothing if it arrived as it was sent.
type Loss = Option<String>;

/// The result of each sample in one direction.
struct Trip {
    direction: &'static str,
    transport: Transport,
    losses: Vec<Loss>,
}

/// One message for each type, by the type's name.
fn samples() -> Vec<(&'static str, Message)> {
    let chord = Array((Array([60, 64]), "major"));
    vec![
        ("i", sample(-2_147_483_648)),
        ("f", sample(440.5_f32)),
        ("s", sample("saw")),
        ("s not ASCII", sample("Küche")),
        ("b", sample([0_u8, 1, 0xff, 0x7f, 5])),
        ("b empty", sample(Vec::<u8>::new())),
        ("h", sample(-9_007_199_254_740_993_i64)),
        ("t", sample(TimeTag::new(0xeead_7ad4, 0x8000_0000))),
        ("d", sample(-0.015_625)),
        ("S", sample(Symbol("freq"))),
        ("c", sample(Char::from('A'))),
        ("r", sample(Color { red: 255, green: 128, blue: 1, alpha: 2 })),
        ("m", sample(Midi { port: 1, status: 0x90, data1: 60, data2: 127 })),
        ("T", sample(true)),
        ("F", sample(false)),
        ("N", sample(Nil)),
        ("I", sample(Impulse)),
        ("[ ]", sample((1, Array((0.5_f32, "x")), 2))),
        ("[ [ ] ]", sample(chord)),
        ("none", sample(())),
        ("ifsTFN", sample((7, 0.25_f32, "x", true, false, Nil))),
    ]
}

fn sample(args: impl IntoArgs) -> Message {
    Message::new("/interop/type", args).unwrap()
}

/// What a peer prints for each message that we send, as canonical lines.
async fn to(direction: &'static str, transport: Transport, mut peer: Listener) -> Trip {
    let mut losses = Vec::new();
    for (_, message) in samples() {
        let lines = peer.hear(&message).await;
        let arrived = lines.len() == 1 && lines[0].parse::<Message>().is_ok_and(|heard| heard == message);
        losses.push((!arrived).then(|| printed(&lines)));
    }
    Trip { direction, transport, losses }
}

/// What `oscdump` prints for each message that we send.
async fn to_oscdump(transport: Transport) -> Trip {
    let mut peer = Listener::oscdump(transport).await;
    let mut losses = Vec::new();
    for (_, message) in samples() {
        let lines = peer.hear(&message).await;
        let arrived = lines.len() == 1 && without_time(&lines[0]) == oscdump_line(&message);
        losses.push((!arrived).then(|| printed(&lines)));
    }
    Trip { direction: TO_OSCDUMP, transport, losses }
}

fn printed(lines: &[String]) -> String {
    let lines: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| !line.starts_with("#error")).collect();
    if lines.is_empty() { DROPPED.to_owned() } else { lines.join(" | ") }
}

/// What our handler gets of each message that a peer sends.
async fn from(direction: &'static str, transport: Transport, send: impl AsyncFn(u16) -> Speaker) -> Trip {
    let ear = Ear::over(transport).await;
    let mut peer = send(ear.port).await;
    heard_from(direction, transport, ear, async |message| peer.send(message).await).await
}

async fn from_oscsend(transport: Transport) -> Trip {
    let ear = Ear::over(transport).await;
    let port = ear.port;
    let send = async |message: &Message| oscsend_message(transport, port, message).await;
    heard_from(FROM_OSCSEND, transport, ear, send).await
}

async fn heard_from(
    direction: &'static str,
    transport: Transport,
    mut ear: Ear,
    mut send: impl AsyncFnMut(&Message) -> Result<(), String>,
) -> Trip {
    let mut losses = Vec::new();
    for (_, message) in samples() {
        if let Err(reason) = send(&message).await {
            losses.push(Some(format!("refused: {reason}")));
            continue;
        }
        let heard = ear.next().await.message;
        losses.push((heard != message).then(|| heard.to_string()));
    }
    Trip { direction, transport, losses }
}

/// Each peer by each transport that it has, there and back.
async fn trips() -> Vec<(&'static str, Trip, Trip)> {
    use Transport::{Length, Slip, SlipSingleEnd, Udp, Unix};
    let mut trips = Vec::new();
    for transport in [Udp, Length, Slip] {
        let there = to(TO_PYTHON_OSC, transport, Listener::python_osc(transport).await).await;
        let back = from(FROM_PYTHON_OSC, transport, |port| Speaker::python_osc(transport, port)).await;
        trips.push(("python-osc", there, back));
    }
    let there = to(TO_OSC4PY3, Udp, Listener::osc4py3().await).await;
    trips.push(("osc4py3", there, from(FROM_OSC4PY3, Udp, Speaker::osc4py3).await));
    for transport in [Udp, Length, Slip, SlipSingleEnd, Unix] {
        let there = to(TO_LIBLO, transport, Listener::liblo(transport).await).await;
        let back = from(FROM_LIBLO, transport, |port| Speaker::liblo(transport, port)).await;
        trips.push(("liblo", there, back));
    }
    for transport in [Udp, Length] {
        trips.push(("oscdump, oscsend", to_oscdump(transport).await, from_oscsend(transport).await));
    }
    trips
}

/// A cell: how many types arrive, and which do not.
fn cell(trip: &Trip) -> String {
    let samples = samples();
    let lost = samples.iter().zip(&trip.losses).filter(|(_, loss)| loss.is_some());
    let lost: Vec<String> = lost.map(|((kind, _), _)| format!("`{kind}`")).collect();
    let arrived = samples.len() - lost.len();
    match lost.as_slice() {
        [] => format!("all {arrived}"),
        lost => format!("{arrived} of {}, not {}", samples.len(), lost.join(" ")),
    }
}

#[tokio::test]
#[ignore = "needs liblo-tools, liblo-dev, python-osc, osc4py3: bash .ci/install"]
async fn every_type_travels_both_ways_except_for_known_losses() {
    let trips = trips().await;
    let mut table = String::from("| peer | by | to it | from it |\n| --- | --- | --- | --- |\n");
    for (peer, there, back) in &trips {
        let by = there.transport.name();
        writeln!(table, "| {peer} | {by} | {} | {} |", cell(there), cell(back)).unwrap();
    }
    // Past the test harness, which shows only what failed.
    std::io::stdout().write_all(format!("\n{table}\n").as_bytes()).unwrap();
    for trip in trips.iter().flat_map(|(_, there, back)| [there, back]) {
        let samples = samples();
        let losses = samples.iter().zip(&trip.losses);
        let losses: Vec<_> =
            losses.filter_map(|((kind, _), loss)| Some((trip.direction, *kind, loss.as_deref()?))).collect();
        let known = KNOWN_LOSSES.iter().filter(|(direction, ..)| *direction == trip.direction);
        assert_eq!(losses, known.copied().collect::<Vec<_>>(), "{}", trip.transport.name());
    }
    assert!(include_str!("../../docs/interop.md").contains(&table), "docs/interop.md has another table");
}
