//! The configuration of an envelope.

use std::sync::Arc;

use super::Envelope;
use super::fault::EnvelopeFault;
use super::protocol::{Checksum, Cipher, Protocols, Signature};
use super::replay::{Replay, ReplayWindow};
use crate::types::texts;
use crate::wire::DecodeOptions;

/// Configures an [`Envelope`], whose documentation says what each part protects.
///
/// Every part that is configured is required: a packet without it, or with another name in it, is refused.
/// Parts that are not configured must be absent.
///
/// # New keys
///
/// Each packet carries the names of its protocols, which identify the keys. To replace a key without an
/// interruption, first let all ends accept the new key, then send with the new key and accept the old one,
/// then remove the old one:
///
#[cfg_attr(feature = "crypto", doc = "```")]
#[cfg_attr(not(feature = "crypto"), doc = "```ignore")]
/// use tokio_osc::middleware::{Envelope, HmacSha256};
///
/// # fn main() -> Result<(), tokio_osc::middleware::EnvelopeError> {
/// # let (old_key, new_key) = ([1; 32], [2; 32]);
/// let old = || HmacSha256::new(old_key).key_id("2025");
/// let new = || HmacSha256::new(new_key).key_id("2026");
///
/// let first = Envelope::builder().signature(old()).accept_signature(new()).build()?;
/// let second = Envelope::builder().signature(new()).accept_signature(old()).build()?;
/// let third = Envelope::builder().signature(new()).build()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct EnvelopeBuilder {
    pub(super) checksums: Protocols<dyn Checksum>,
    pub(super) signatures: Protocols<dyn Signature>,
    pub(super) ciphers: Protocols<dyn Cipher>,
    pub(super) accept_unchecked: bool,
    pub(super) options: DecodeOptions,
    window: Option<ReplayWindow>,
}

impl EnvelopeBuilder {
    pub(super) fn new() -> Self {
        Self {
            checksums: Protocols::new(EnvelopeFault::NoChecksum, EnvelopeFault::UnknownChecksum),
            signatures: Protocols::new(EnvelopeFault::NoSignature, EnvelopeFault::UnknownSignature),
            ciphers: Protocols::new(EnvelopeFault::NotEncrypted, EnvelopeFault::UnknownCipher),
            accept_unchecked: false,
            options: DecodeOptions::default(),
            window: None,
        }
    }

    /// Sends with this checksum, and requires a checksum on incoming packets. The last call counts. This also
    /// applies to [`signature`](Self::signature) and [`cipher`](Self::cipher).
    pub fn checksum(mut self, checksum: impl Checksum) -> Self {
        self.checksums.send(checksum.name().to_owned(), Arc::new(checksum));
        self
    }

    /// Signs outgoing packets, and requires a signature on incoming packets.
    pub fn signature(mut self, signature: impl Signature) -> Self {
        self.signatures.send(signature.name().to_owned(), Arc::new(signature));
        self
    }

    /// Encrypts outgoing packets, and requires encryption of incoming packets.
    pub fn cipher(mut self, cipher: impl Cipher) -> Self {
        self.ciphers.send(cipher.name().to_owned(), Arc::new(cipher));
        self
    }

    /// Also accepts this checksum.
    pub fn accept_checksum(mut self, checksum: impl Checksum) -> Self {
        self.checksums.accept(checksum.name().to_owned(), Arc::new(checksum));
        self
    }

    /// Also accepts this signature: another key or another algorithm.
    pub fn accept_signature(mut self, signature: impl Signature) -> Self {
        self.signatures.accept(signature.name().to_owned(), Arc::new(signature));
        self
    }

    /// Also accepts this cipher: another key or another algorithm.
    pub fn accept_cipher(mut self, cipher: impl Cipher) -> Self {
        self.ciphers.accept(cipher.name().to_owned(), Arc::new(cipher));
        self
    }

    /// Sets whether checksums and signatures of a kind that is not configured are accepted without a check,
    /// as osc4py3 does. Default false.
    pub fn accept_unchecked(mut self, accept: bool) -> Self {
        self.accept_unchecked = accept;
        self
    }

    /// Stamps outgoing packets, and requires a stamp that was not received before. Both ends must configure
    /// it. It needs a signature or an authenticated cipher, which protects the stamp. Default none.
    pub fn replay_window(mut self, window: ReplayWindow) -> Self {
        self.window = Some(window);
        self
    }

    /// Sets the limits and tolerance for the packet in the envelope. The envelope itself is decoded with the
    /// options of its channel.
    pub fn decode_options(mut self, options: DecodeOptions) -> Self {
        self.options = options;
        self
    }

    /// Builds the envelope.
    ///
    /// # Errors
    /// Returns an error if the configuration protects nothing, or less than it seems to.
    pub fn build(self) -> Result<Envelope, EnvelopeError> {
        check(&self.checksums)?;
        check(&self.signatures)?;
        check(&self.ciphers)?;
        if self.checksums.sending.is_none() && !self.is_keyed() {
            return Err(EnvelopeError::Unprotected);
        }
        if self.window.is_some() && !self.is_authenticated() {
            return Err(EnvelopeError::ReplayUnauthenticated);
        }
        Ok(self.into_envelope())
    }

    pub(super) fn into_envelope(mut self) -> Envelope {
        let replay = self.window.take().map(Replay::new);
        Envelope { config: Arc::new(self), replay: replay.map(Arc::new) }
    }

    fn is_keyed(&self) -> bool {
        self.signatures.sending.is_some() || self.ciphers.sending.is_some()
    }

    /// Returns `true` if only holders of a key can create accepted packets.
    fn is_authenticated(&self) -> bool {
        self.signatures.sending.is_some()
            || self.ciphers.sending.is_some()
                && self.ciphers.all().all(|cipher| cipher.protocol.is_authenticated())
    }
}

/// Maximum length of the name of a protocol, in bytes.
const MAX_NAME: usize = 255;

fn check<P: ?Sized>(protocols: &Protocols<P>) -> Result<(), EnvelopeError> {
    if protocols.sending.is_none() && !protocols.accepted.is_empty() {
        return Err(EnvelopeError::AcceptedOnly);
    }
    let names: Vec<&str> = protocols.all().map(|named| named.name.as_str()).collect();
    if names.iter().any(|name| name.contains('\0') || name.len() > MAX_NAME) {
        return Err(EnvelopeError::IllegalName);
    }
    let is_repeated = |(at, name)| names.iter().take(at).any(|other| other == name);
    if names.iter().enumerate().any(is_repeated) {
        return Err(EnvelopeError::RepeatedName);
    }
    Ok(())
}

texts! {
    /// The reason why an [`Envelope`] cannot be built.
    ///
    /// ```
    /// use tokio_osc::middleware::{Envelope, EnvelopeError};
    ///
    /// assert_eq!(Envelope::builder().build().unwrap_err(), EnvelopeError::Unprotected);
    /// ```
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum EnvelopeError {
        /// Neither a checksum nor a signature nor a cipher is configured. [`Envelope::plain`] creates an
        /// envelope without protection.
        Unprotected => "the envelope protects nothing",
        /// A checksum, signature or cipher is accepted, but outgoing packets have none.
        AcceptedOnly => "the envelope accepts a protection that it does not send with",
        /// The name of a protocol contains a NUL or has more than 255 bytes.
        IllegalName => "the name of a protocol holds a NUL or is too long",
        /// Two protocols of one kind have the same name. Give their keys ids.
        RepeatedName => "two protocols of an envelope have the same name",
        /// A replay window is configured without a signature or an authenticated cipher, so any sender could
        /// write the stamps.
        ReplayUnauthenticated => "a replay window needs a signature or an authenticated encryption",
    }
}

readable! { enum EnvelopeError { Unprotected, AcceptedOnly, IllegalName, RepeatedName, ReplayUnauthenticated } }

impl std::error::Error for EnvelopeError {}
