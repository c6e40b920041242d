//! Why an envelope is not opened, or not closed.

use crate::packet::EncodeError;
use crate::types::texts;
use crate::wire::{DecodeError, DecodeErrorKind};

texts! {
    /// Why an [`Envelope`](crate::middleware::Envelope) refuses a packet.
    ///
    /// It travels as the text of a refusal, [`DecodeErrorKind::Refused`] or
    /// [`EncodeErrorKind::Refused`](crate::packet::EncodeErrorKind::Refused).
    ///
    /// ```
    /// use tokio_osc::middleware::EnvelopeFault;
    /// use tokio_osc::packet::DecodeError;
    ///
    /// fn is_attack(error: &DecodeError) -> bool {
    ///     use EnvelopeFault::{InvalidSignature, Reflected, Replayed};
    ///     matches!(EnvelopeFault::of(error), Some(InvalidSignature | Reflected | Replayed))
    /// }
    /// assert!(is_attack(&EnvelopeFault::Replayed.into()));
    /// assert!(!is_attack(&EnvelopeFault::NoStamp.into()));
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum EnvelopeFault {
        /// A bundle, or a message to another address than `/packet`.
        NotAnEnvelope => "no envelope",
        /// A `/packet` whose arguments are not exactly `,sbsbsb`.
        WrongArguments => "an envelope whose arguments are not ,sbsbsb",
        /// No checksum, but one is required.
        NoChecksum => "an envelope without the required checksum",
        /// No signature, but one is required.
        NoSignature => "an envelope without the required signature",
        /// Plain data, but encryption is required.
        NotEncrypted => "an envelope without the required encryption",
        /// A checksum by a protocol that is not configured.
        UnknownChecksum => "an envelope with an unknown checksum protocol",
        /// A signature by a protocol, or by a key, that is not configured.
        UnknownSignature => "an envelope with an unknown signature protocol or key",
        /// Data encrypted by a protocol, or with a key, that is not configured.
        UnknownCipher => "an envelope with an unknown encryption protocol or key",
        /// The data do not decrypt: another key, or they were changed.
        Undecipherable => "an envelope that does not decrypt",
        /// The signature is not that of the data: another key, or one of the two was changed.
        InvalidSignature => "an envelope with an invalid signature",
        /// The checksum is not that of the data.
        Corrupted => "an envelope with a wrong checksum",
        /// No stamp, but the [`ReplayWindow`](crate::middleware::ReplayWindow) requires one.
        NoStamp => "an envelope without the required stamp",
        /// A packet that was received before, or one too far behind the newest of its sender.
        Replayed => "an envelope received before",
        /// A packet that this same envelope has sent.
        Reflected => "an envelope that was sent from here",
        /// Sent too long ago, or in the future, by the receiver's clock.
        Untimely => "an envelope sent too long ago or in the future",
        /// More senders than the [`ReplayWindow`](crate::middleware::ReplayWindow) remembers.
        TooManySenders => "an envelope of one sender too many",
        /// The checksum was not computed: the function refused.
        ChecksumFailed => "no checksum could be computed",
        /// The packet was not signed: the function refused.
        SigningFailed => "no signature could be made",
        /// The packet was not encrypted: the function refused.
        EncryptionFailed => "the packet could not be encrypted",
    }
}

impl EnvelopeFault {
    /// The fault for which an envelope has refused a packet; `None` for any other error.
    pub fn of(error: &DecodeError) -> Option<Self> {
        let DecodeErrorKind::Refused(why) = error.kind() else { return None };
        Self::ALL.iter().copied().find(|fault| fault.text() == why)
    }
}

impl From<EnvelopeFault> for DecodeError {
    fn from(fault: EnvelopeFault) -> Self {
        Self::refused(fault.text())
    }
}

impl From<EnvelopeFault> for EncodeError {
    fn from(fault: EnvelopeFault) -> Self {
        Self::refused(fault.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_found_by_its_text_and_no_other_refusal_is() {
        for &fault in EnvelopeFault::ALL {
            assert_eq!(EnvelopeFault::of(&fault.into()), Some(fault));
        }
        assert_eq!(EnvelopeFault::of(&DecodeError::refused("the token is not ours")), None);
        assert_eq!(EnvelopeFault::of(&DecodeError::new(DecodeErrorKind::Empty, 0)), None);
    }
}
