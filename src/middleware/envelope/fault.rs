//! The reasons why an envelope refuses a packet.

use crate::packet::EncodeError;
use crate::types::texts;
use crate::wire::{DecodeError, DecodeErrorKind};

texts! {
    /// The reason why an [`Envelope`](crate::middleware::Envelope) refused a packet.
    ///
    /// Stored as the text of [`DecodeErrorKind::Refused`] or
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
        /// The packet is a bundle, or a message to another address than `/packet`.
        NotAnEnvelope => "not an envelope",
        /// The type tags of the `/packet` are not exactly `,sbsbsb`.
        WrongArguments => "an envelope whose arguments are not ,sbsbsb",
        /// A checksum is required and missing.
        NoChecksum => "an envelope without the required checksum",
        /// A signature is required and missing.
        NoSignature => "an envelope without the required signature",
        /// Encryption is required, and the data are plain.
        NotEncrypted => "an envelope without the required encryption",
        /// The protocol of the checksum is not configured.
        UnknownChecksum => "an envelope with an unknown checksum protocol",
        /// The protocol or key of the signature is not configured.
        UnknownSignature => "an envelope with an unknown signature protocol or key",
        /// The protocol or key of the encryption is not configured.
        UnknownCipher => "an envelope with an unknown encryption protocol or key",
        /// The data cannot be decrypted: they were encrypted with another key, or changed.
        Undecipherable => "an envelope that does not decrypt",
        /// The signature does not match the data: it was made with another key, or one of the two was
        /// changed.
        InvalidSignature => "an envelope with an invalid signature",
        /// The checksum does not match the data.
        Corrupted => "an envelope with a wrong checksum",
        /// The [`ReplayWindow`](crate::middleware::ReplayWindow) requires a stamp, and it is missing.
        NoStamp => "an envelope without the required stamp",
        /// The packet was received before, or is too far behind the newest packet of its sender.
        Replayed => "an envelope received before",
        /// The packet was sent by this envelope.
        Reflected => "an envelope that was sent from here",
        /// By the clock of the receiver, the packet was sent too long ago or in the future.
        Untimely => "an envelope sent too long ago or in the future",
        /// There are more senders than the [`ReplayWindow`](crate::middleware::ReplayWindow) remembers.
        TooManySenders => "an envelope from more senders than the replay window holds",
        /// The checksum could not be computed.
        ChecksumFailed => "no checksum could be computed",
        /// The packet could not be signed.
        SigningFailed => "no signature could be made",
        /// The packet could not be encrypted.
        EncryptionFailed => "the packet could not be encrypted",
    }
}

impl EnvelopeFault {
    /// Returns the fault for which an envelope refused a packet. `None` for any other error.
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
