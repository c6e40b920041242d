//! Why an envelope is not opened, or not closed.

use std::fmt;

/// Why an [`Envelope`](crate::Envelope) refuses a packet.
///
/// ```
/// use tokio_osc::{DecodeErrorKind, EnvelopeFault};
///
/// fn is_attack(kind: DecodeErrorKind) -> bool {
///     use EnvelopeFault::{InvalidSignature, Reflected, Replayed};
///     matches!(kind, DecodeErrorKind::Envelope(InvalidSignature | Reflected | Replayed))
/// }
/// assert!(is_attack(DecodeErrorKind::Envelope(EnvelopeFault::Replayed)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EnvelopeFault {
    /// A bundle, or a message to another address than `/packet`.
    NotAnEnvelope,
    /// A `/packet` whose arguments are not exactly `,sbsbsb`.
    WrongArguments,
    /// No checksum, but one is required.
    NoChecksum,
    /// No signature, but one is required.
    NoSignature,
    /// Plain data, but encryption is required.
    NotEncrypted,
    /// A checksum by a protocol that is not configured.
    UnknownChecksum,
    /// A signature by a protocol, or by a key, that is not configured.
    UnknownSignature,
    /// Data encrypted by a protocol, or with a key, that is not configured.
    UnknownCipher,
    /// The data do not decrypt: another key, or they were changed.
    Undecipherable,
    /// The signature is not that of the data: another key, or one of the two was changed.
    InvalidSignature,
    /// The checksum is not that of the data.
    Corrupted,
    /// No stamp, but the [`ReplayWindow`](crate::ReplayWindow) requires one.
    NoStamp,
    /// A packet that was received before, or one too far behind the newest of its sender.
    Replayed,
    /// A packet that this same envelope has sent.
    Reflected,
    /// Sent too long ago, or in the future, by the receiver's clock.
    Untimely,
    /// More senders than the [`ReplayWindow`](crate::ReplayWindow) remembers.
    TooManySenders,
    /// The checksum was not computed: the function refused.
    ChecksumFailed,
    /// The packet was not signed: the function refused.
    SigningFailed,
    /// The packet was not encrypted: the function refused.
    EncryptionFailed,
}

impl fmt::Display for EnvelopeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnEnvelope => "no envelope",
            Self::WrongArguments => "an envelope whose arguments are not ,sbsbsb",
            Self::NoChecksum => "an envelope without the required checksum",
            Self::NoSignature => "an envelope without the required signature",
            Self::NotEncrypted => "an envelope without the required encryption",
            Self::UnknownChecksum => "an envelope with an unknown checksum protocol",
            Self::UnknownSignature => "an envelope with an unknown signature protocol or key",
            Self::UnknownCipher => "an envelope with an unknown encryption protocol or key",
            Self::Undecipherable => "an envelope that does not decrypt",
            Self::InvalidSignature => "an envelope with an invalid signature",
            Self::Corrupted => "an envelope with a wrong checksum",
            Self::NoStamp => "an envelope without the required stamp",
            Self::Replayed => "an envelope received before",
            Self::Reflected => "an envelope that was sent from here",
            Self::Untimely => "an envelope sent too long ago or in the future",
            Self::TooManySenders => "an envelope of one sender too many",
            Self::ChecksumFailed => "no checksum could be computed",
            Self::SigningFailed => "no signature could be made",
            Self::EncryptionFailed => "the packet could not be encrypted",
        })
    }
}
