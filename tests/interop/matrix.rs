//! Every type with every peer, both ways: what arrives, and what a peer is known to lose.

use std::fmt::Write as _;
use std::io::Write as _;

use tokio_osc::{Array, Char, Color, Impulse, IntoArgs, Message, Midi, Nil, Symbol, TimeTag};

use super::ear::Ear;
use super::liblo::{oscdump_line, oscsend_message, without_time};
use super::peer::{Listener, Speaker};

/// What peers lose: column, row, what becomes of it. All else must arrive as it was sent.
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
const TO_OSCDUMP: &str = "to oscdump";
const FROM_OSCSEND: &str = "from oscsend";
const DROPPED: &str = "dropped";

/// What became of a message: nothing if it arrived as it was sent.
type Loss = Option<String>;

/// The name of a column, and the loss in each row.
type Column = (&'static str, Vec<Loss>);

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

/// What a Python peer prints for each message that we send.
async fn to_python(name: &'static str, mut peer: Listener) -> Column {
    let mut losses = Vec::new();
    for (_, message) in samples() {
        let lines = peer.hear(&message).await;
        let arrived = lines.len() == 1 && lines[0].parse::<Message>().is_ok_and(|heard| heard == message);
        losses.push((!arrived).then(|| printed(&lines)));
    }
    (name, losses)
}

/// What `oscdump` prints for each message that we send.
async fn to_oscdump(mut peer: Listener) -> Column {
    let mut losses = Vec::new();
    for (_, message) in samples() {
        let lines = peer.hear(&message).await;
        let arrived = lines.len() == 1 && without_time(&lines[0]) == oscdump_line(&message);
        losses.push((!arrived).then(|| printed(&lines)));
    }
    (TO_OSCDUMP, losses)
}

fn printed(lines: &[String]) -> String {
    if lines.is_empty() { DROPPED.to_owned() } else { lines.join(" | ") }
}

/// What our handler gets of each message that a peer sends.
async fn from(
    name: &'static str,
    mut ear: Ear,
    mut send: impl AsyncFnMut(&Message) -> Result<(), String>,
) -> Column {
    let mut losses = Vec::new();
    for (_, message) in samples() {
        if let Err(reason) = send(&message).await {
            losses.push(Some(format!("refused: {reason}")));
            continue;
        }
        let heard = ear.next().await.message;
        losses.push((heard != message).then(|| heard.to_string()));
    }
    (name, losses)
}

async fn from_python(name: &'static str, speaker: impl AsyncFn(u16) -> Speaker) -> Column {
    let ear = Ear::open().await;
    let mut peer = speaker(ear.port).await;
    from(name, ear, async |message| peer.send(message).await).await
}

async fn from_oscsend() -> Column {
    let ear = Ear::open().await;
    let port = ear.port;
    from(FROM_OSCSEND, ear, async |message| oscsend_message(port, message).await).await
}

async fn columns() -> [Column; 6] {
    [
        to_python(TO_PYTHON_OSC, Listener::python_osc().await).await,
        from_python(FROM_PYTHON_OSC, Speaker::python_osc).await,
        to_python(TO_OSC4PY3, Listener::osc4py3().await).await,
        from_python(FROM_OSC4PY3, Speaker::osc4py3).await,
        to_oscdump(Listener::oscdump().await).await,
        from_oscsend().await,
    ]
}

#[tokio::test]
#[ignore = "needs liblo-tools, python-osc, osc4py3: bash .ci/install"]
async fn every_type_travels_both_ways_but_for_known_losses() {
    let columns = columns().await;
    let mut table = format!("\n{:12}", "type");
    for (name, _) in &columns {
        write!(table, "{name:17}").unwrap();
    }
    for (row, (kind, _)) in samples().iter().enumerate() {
        write!(table, "\n{kind:12}").unwrap();
        for (_, losses) in &columns {
            write!(table, "{:17}", if losses[row].is_some() { "their loss" } else { "ok" }).unwrap();
        }
    }
    let mut losses = Vec::new();
    for (name, cells) in &columns {
        for ((kind, _), loss) in samples().into_iter().zip(cells) {
            losses.extend(loss.as_deref().map(|loss| (*name, kind, loss)));
        }
    }
    for (name, kind, loss) in &losses {
        write!(table, "\n  {name}, {kind}: {loss}").unwrap();
    }
    // Past the test harness, which shows only what failed.
    std::io::stdout().write_all(format!("{table}\n\n").as_bytes()).unwrap();
    assert_eq!(losses, KNOWN_LOSSES);
}
