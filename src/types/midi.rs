//! The 4-byte MIDI message of the type tag `m`.

/// A MIDI message, type tag `m`: port id, status byte and two data bytes, in wire order (OSC 1.0).
///
/// ```
/// use tokio_osc::packet::Midi;
/// use tokio_osc::Message;
///
/// let note_on = Midi { port: 0, status: 0x90, data1: 60, data2: 127 };
/// let message = Message::new("/keys", note_on)?;
/// assert_eq!(message.parse::<Midi>()?, note_on);
/// assert_eq!(message.to_string(), "/keys ,m m:00903c7f");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Midi {
    /// The port number. Both sides must agree on its meaning.
    pub port: u8,
    /// The status byte, for example `0x90`: note on, channel 1.
    pub status: u8,
    /// The first data byte.
    pub data1: u8,
    /// The second data byte.
    pub data2: u8,
}

impl From<[u8; 4]> for Midi {
    fn from([port, status, data1, data2]: [u8; 4]) -> Self {
        Self { port, status, data1, data2 }
    }
}

impl From<Midi> for [u8; 4] {
    fn from(midi: Midi) -> Self {
        [midi.port, midi.status, midi.data1, midi.data2]
    }
}
