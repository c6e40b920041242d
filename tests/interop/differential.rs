//! The vectors to four decoders: ours, rosc's, python-osc's and liblo's. A table says who differs
//! where; it is compared with one that is kept, so that every change shows, theirs and ours.
//!
//! The reasons behind the rows: rosc knows no `S`, no characters but in the last of their four bytes, and
//! ends a bundle without an error where it cannot go on. python-osc passes over `S`, `c`, `I` and all
//! that it does not know, and misreads the rest; accepts negative sizes; and has the
//! time of a bundle as a float. liblo, too, reads only the last byte of a character; it knows no `r`
//! and no arrays, requires zeros for padding, and has run the first messages of a bundle when it comes to
//! a bad one. All but liblo let bytes be left over.

use std::fmt::Write as _;
use std::io::Write as _;

use tokio::process::Command;
use tokio_osc::packet::PacketRef;
use tokio_osc::{Bytes, Packet};

use super::program::{Program, compiled_with_liblo, python};
use crate::support::rosc::same_packet;
use crate::support::{bytes, deep, name, raw_decode, rebuild, valid};

/// rosc recurses, for each level of a bundle.
const STACK_OF_ROSC: usize = 256 * 1_024 * 1_024;

/// What a peer makes of bytes that we take, or do not.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    /// The same values, or an error as we do.
    Same,
    /// Values, where we have others, or an error.
    Otherwise,
    /// An error, where we have values.
    Refuses,
    /// An error, after some of its messages have been handled.
    InPart,
    /// It has not come back after 0.3 s of work.
    Hangs,
    /// Its process ended.
    Crashes,
}

impl Answer {
    fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Otherwise => "otherwise",
            Self::Refuses => "refuses",
            Self::InPart => "in part",
            Self::Hangs => "hangs",
            Self::Crashes => "crashes",
        }
    }
}

/// The name of a vector and its bytes.
type Sample = (String, Bytes);

fn decoded(frame: &Bytes) -> Option<Packet> {
    Packet::decode_with(frame.clone(), &deep()).ok().map(|(packet, _)| packet)
}

/// What rosc says, on a thread of its own.
fn rosc(samples: &[Sample]) -> Vec<Answer> {
    let answers = || samples.iter().map(|(_, frame)| answer_of_rosc(frame)).collect();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_OF_ROSC).spawn_scoped(scope, answers);
        thread.unwrap().join().unwrap()
    })
}

fn answer_of_rosc(frame: &[u8]) -> Answer {
    match (PacketRef::decode(frame, &deep()), rosc::decoder::decode_udp(frame)) {
        (Ok((ours, _)), Ok((_, theirs))) if same_packet(ours, &theirs) => Answer::Same,
        (Err(_), Err(_)) => Answer::Same,
        (Ok(_), Err(_)) => Answer::Refuses,
        (_, Ok(_)) => Answer::Otherwise,
    }
}

/// What a program says that reads lines of digits and answers each with lines of text.
async fn program(command: Command, samples: &[Sample]) -> Vec<Answer> {
    let mut program = Program::start(command);
    let mut answers = Vec::new();
    for (_, frame) in samples {
        let digits = frame.iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").unwrap();
            digits
        });
        program.tell(&digits).await;
        let (ours, mut lines) = (decoded(frame), Vec::new());
        answers.push(loop {
            match (program.line().await.as_str(), &ours) {
                ("#done", Some(ours)) if is(ours, &lines.join("\n")) => break Answer::Same,
                ("#done", _) => break Answer::Otherwise,
                ("#refused", _) if lines.iter().any(|line: &String| !line.starts_with('#')) => {
                    break Answer::InPart;
                }
                ("#refused", None) => break Answer::Same,
                ("#refused", Some(_)) => break Answer::Refuses,
                ("#hangs", _) => break Answer::Hangs,
                ("#crashes", _) => break Answer::Crashes,
                (line, _) => lines.push(line.to_owned()),
            }
        });
    }
    answers
}

/// Their lines are our packet: compared as lines of ours, in which a NaN is itself.
fn is(ours: &Packet, theirs: &str) -> bool {
    theirs.parse::<Packet>().is_ok_and(|theirs| theirs.to_string() == ours.to_string())
}

/// One line for each sample with which someone differs.
async fn table(samples: &[Sample]) -> String {
    let mut python_osc = python("python_osc_peer.py");
    python_osc.arg("decode");
    let liblo = compiled_with_liblo("liblo_decode").await;
    let columns = [rosc(samples), program(python_osc, samples).await, program(liblo, samples).await];

    let mut table = format!("{:38} ours    rosc       python-osc liblo\n", "vector");
    for (row, (name, frame)) in samples.iter().enumerate() {
        let answers = columns.each_ref().map(|column| column[row]);
        if answers != [Answer::Same; 3] {
            let ours = if decoded(frame).is_some() { "takes" } else { "refuses" };
            let [rosc, python_osc, liblo] = answers.map(Answer::word);
            writeln!(table, "{name:38} {ours:7} {rosc:10} {python_osc:10} {liblo}").unwrap();
        }
    }
    // Past the test harness, which shows only what failed.
    std::io::stdout().write_all(format!("\n{table}\n").as_bytes()).unwrap();
    table
}

fn assert_same_table(found: &str, kept: &str) {
    let difference = |these: &str, those: &str| {
        let lines = these.lines().filter(|line| !those.lines().any(|other| other == *line));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (new, gone) = (difference(found, kept), difference(kept, found));
    assert!(found == kept, "new: {new:#?}, gone: {gone:#?}");
}

#[tokio::test]
#[ignore = "needs python-osc, liblo-dev and a C compiler: bash .ci/install"]
async fn every_vector_gives_the_same_values_except_for_known_differences() {
    let vectors = valid().into_iter().chain(raw_decode());
    let samples: Vec<Sample> = vectors.map(|vector| (name(&vector).to_owned(), bytes(&vector))).collect();
    assert_same_table(&table(&samples).await, include_str!("differences_reading.txt"));
}

/// What we write for the values of a vector: without the mistakes that some vectors hold.
#[tokio::test]
#[ignore = "needs python-osc, liblo-dev and a C compiler: bash .ci/install"]
async fn our_packets_are_read_with_the_same_values_except_for_known_differences() {
    let vectors = valid().into_iter().chain(raw_decode());
    let samples: Vec<Sample> = vectors
        .filter_map(|vector| {
            let packet = decoded(&bytes(&vector))?;
            Some((name(&vector).to_owned(), rebuild(packet.as_ref()).as_bytes().clone()))
        })
        .collect();
    assert_same_table(&table(&samples).await, include_str!("differences_writing.txt"));
}
