//! liblo's two programs: the words that `oscsend` takes, and the line that `oscdump` prints; and the
//! digits in which `liblo_peer.c` talks.

use std::fmt::Write as _;

use tokio::process::Command;
use tokio_osc::packet::ArgRef;
use tokio_osc::{Message, Packet};

use super::program::run;
use super::transport::Transport;

/// Runs `oscsend` over UDP with the words after the host and the port.
///
/// # Errors
/// Returns its error output.
pub(crate) async fn oscsend(port: u16, words: &[&str]) -> Result<(), String> {
    oscsend_over(Transport::Udp, port, words).await
}

async fn oscsend_over(transport: Transport, port: u16, words: &[&str]) -> Result<(), String> {
    let mut command = Command::new("oscsend");
    command.arg(transport.liblo_url(port)).args(words);
    let output = run(command).await;
    let said = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
    if output.status.success() && said.is_empty() { Ok(()) } else { Err(said) }
}

/// Sends a message with `oscsend`.
///
/// # Errors
/// Returns its error output.
pub(crate) async fn oscsend_message(
    transport: Transport,
    port: u16,
    message: &Message,
) -> Result<(), String> {
    let address = message.address().to_string();
    let values: Vec<String> = message.args().filter_map(oscsend_word).collect();
    let mut words = vec![address.as_str(), message.type_tags().trim_start_matches(',')];
    words.extend(values.iter().map(String::as_str));
    oscsend_over(transport, port, &words).await
}

/// The word for a value; types without a value have none.
fn oscsend_word(arg: ArgRef<'_>) -> Option<String> {
    match arg {
        ArgRef::Bool(_) | ArgRef::Nil | ArgRef::Impulse => None,
        ArgRef::String(text) | ArgRef::Symbol(text) => Some(text.to_string()),
        ArgRef::Char(character) => character.to_char().map(String::from),
        ArgRef::Midi(_) => Some(arg.to_string().replace("m:", "")),
        other => Some(other.to_string()),
    }
}

/// A line of `oscdump` without the time that it begins with.
pub(crate) fn without_time(line: &str) -> &str {
    line.split_once(' ').unwrap().1.trim_end()
}

/// What `oscdump` prints for a message behind the time. Floats have six decimals there.
pub(crate) fn oscdump_line(message: &Message) -> String {
    let tags = message.type_tags().trim_start_matches(',');
    let values: Vec<String> = message.args().map(oscdump_word).collect();
    format!("{} {tags} {}", message.address(), values.join(" ")).trim_end().to_owned()
}

fn oscdump_word(arg: ArgRef<'_>) -> String {
    match arg {
        ArgRef::Float32(value) => format!("{value:.6}"),
        ArgRef::Float64(value) => format!("{value:.6}"),
        ArgRef::String(text) => format!("\"{text}\""),
        ArgRef::Symbol(text) => format!("'{text}"),
        ArgRef::Blob(blob) => {
            let byte = |&byte| if byte == 0 { "00".to_owned() } else { format!("{byte:#x}") };
            let bytes: Vec<String> = blob.iter().map(byte).collect();
            format!("[{}b {}]", blob.len(), bytes.join(" "))
        }
        ArgRef::Midi(midi) => {
            let bytes = <[u8; 4]>::from(midi).map(|byte| format!("{byte:#04x}"));
            format!("MIDI [{}]", bytes.join(" "))
        }
        ArgRef::TimeTag(tag) => format!("{:08x}.{:08x}", tag.seconds(), tag.fraction()),
        ArgRef::Bool(value) => if value { "#T" } else { "#F" }.to_owned(),
        ArgRef::Nil => "Nil".to_owned(),
        ArgRef::Impulse => "Infinitum".to_owned(),
        other => other.to_string(),
    }
}

/// The words for a packet: the digits of a message, or `#bundle TIMETAG`, its elements and `#end`.
pub(crate) fn to_hex(packet: &Packet) -> String {
    match packet {
        Packet::Message(message) => message.as_bytes().iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").unwrap();
            digits
        }),
        Packet::Bundle(bundle) => {
            let elements: Vec<String> = bundle.elements().map(|element| to_hex(&element)).collect();
            format!("#bundle {:016x} {} #end", bundle.time_tag().to_bits(), elements.join(" "))
        }
    }
}

/// The canonical line of a message in digits; other lines as they are.
pub(crate) fn from_hex(line: &str) -> String {
    if line.starts_with('#') {
        return line.to_owned();
    }
    let digit = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..line.len()).step_by(2).map(digit).collect();
    Packet::decode(bytes.into()).unwrap().to_string()
}
