//! The protocols of an envelope: the user's and the built-in ones.

use std::sync::Arc;
use std::{error, fmt};

use super::EnvelopeFault;
use crate::types::Text;
use crate::user_function::{Panicked, caught};

/// A protocol of an envelope failed: a token does not match, data cannot be decrypted, or there is no
/// entropy. It contains no details, so that an attacker learns nothing from it.
///
/// ```
/// use tokio_osc::middleware::ProtocolError;
///
/// fn check(token: &[u8], expected: &[u8]) -> Result<(), ProtocolError> {
///     if token == expected { Ok(()) } else { Err(ProtocolError) }
/// }
/// assert_eq!(check(b"1", b"2"), Err(ProtocolError));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ProtocolError;

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the protocol of an envelope refuses")
    }
}

readable! { struct ProtocolError {} }

impl error::Error for ProtocolError {}

/// Computes and checks the checksums of an [`Envelope`](crate::middleware::Envelope). A checksum detects
/// accidental changes, not intended ones.
///
/// Called by the task that sends or receives, so it must not block. An error or a panic refuses the packet.
/// This also applies to [`Signature`] and [`Cipher`].
///
/// ```
/// use tokio_osc::middleware::{Checksum, ProtocolError};
///
/// struct Sum;
///
/// impl Checksum for Sum {
///     fn name(&self) -> &str {
///         "sum32"
///     }
///
///     fn compute(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError> {
///         let sum = plain.iter().fold(0_u32, |sum, &byte| sum.wrapping_add(byte.into()));
///         Ok(sum.to_be_bytes().into())
///     }
/// }
/// ```
pub trait Checksum: Send + Sync + 'static {
    /// The name of the protocol on the wire. Called once.
    fn name(&self) -> &str;

    /// Computes the checksum of the bytes of a packet.
    ///
    /// # Errors
    /// Returns an error if the checksum cannot be computed. The packet is neither sent nor delivered.
    fn compute(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError>;

    /// Checks the checksum of a received packet. The default computes it again and compares.
    ///
    /// # Errors
    /// Returns an error if the checksum does not match. The packet is refused as
    /// [`Corrupted`](EnvelopeFault::Corrupted).
    fn verify(&self, plain: &[u8], checksum: &[u8]) -> Result<(), ProtocolError> {
        if self.compute(plain)? == checksum { Ok(()) } else { Err(ProtocolError) }
    }
}

/// Creates and checks the signatures of an [`Envelope`](crate::middleware::Envelope). Only holders of the key
/// can create a valid signature.
///
/// `HmacSha256` (feature `crypto`) is a ready-made implementation.
///
/// ```
/// use tokio_osc::middleware::{Envelope, ProtocolError, Signature};
///
/// /// A token that both sides know. It travels in the clear: no protection on an open network.
/// struct Token(&'static [u8]);
///
/// impl Signature for Token {
///     fn name(&self) -> &str {
///         "token"
///     }
///
///     fn sign(&self, _plain: &[u8]) -> Result<Vec<u8>, ProtocolError> {
///         Ok(self.0.to_vec())
///     }
///
///     fn verify(&self, _plain: &[u8], signature: &[u8]) -> Result<(), ProtocolError> {
///         let differ = self.0.iter().zip(signature).fold(0, |differ, (a, b)| differ | (a ^ b));
///         if signature.len() == self.0.len() && differ == 0 { Ok(()) } else { Err(ProtocolError) }
///     }
/// }
///
/// let envelope = Envelope::builder().signature(Token(b"open sesame")).build()?;
/// # Ok::<(), tokio_osc::middleware::EnvelopeError>(())
/// ```
pub trait Signature: Send + Sync + 'static {
    /// The name of the protocol on the wire, with a key id if there are several keys. Called once.
    fn name(&self) -> &str;

    /// Signs the bytes of a packet.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be signed. It is not sent.
    fn sign(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError>;

    /// Checks the signature of a received packet. Compare in constant time: a comparison that stops at the
    /// first different byte tells a forger how many bytes were right.
    ///
    /// # Errors
    /// Returns an error if the signature does not match. The packet is refused as
    /// [`InvalidSignature`](EnvelopeFault::InvalidSignature).
    fn verify(&self, plain: &[u8], signature: &[u8]) -> Result<(), ProtocolError>;
}

/// Encrypts and decrypts for an [`Envelope`](crate::middleware::Envelope).
///
/// `ChaCha20Poly1305` (feature `crypto`) is a ready-made implementation.
///
/// ```
/// use tokio_osc::middleware::{Cipher, Envelope, ProtocolError};
///
/// /// Shows the shape, and hides nothing.
/// struct Flip;
///
/// impl Cipher for Flip {
///     fn name(&self) -> &str {
///         "flip"
///     }
///
///     fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError> {
///         Ok(plain.iter().map(|byte| !byte).collect())
///     }
///
///     fn open(&self, data: &[u8]) -> Result<Vec<u8>, ProtocolError> {
///         self.seal(data)
///     }
/// }
///
/// let envelope = Envelope::builder().cipher(Flip).build()?;
/// # Ok::<(), tokio_osc::middleware::EnvelopeError>(())
/// ```
pub trait Cipher: Send + Sync + 'static {
    /// The name of the protocol on the wire, with a key id if there are several keys. Called once.
    fn name(&self) -> &str;

    /// Encrypts the bytes of a packet.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encrypted. It is not sent.
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError>;

    /// Decrypts the bytes of a packet. The result may be any bytes: it is decoded like every input from a
    /// peer.
    ///
    /// # Errors
    /// Returns an error if [`seal`](Cipher::seal) did not create the data. The packet is refused as
    /// [`Undecipherable`](EnvelopeFault::Undecipherable).
    fn open(&self, data: &[u8]) -> Result<Vec<u8>, ProtocolError>;

    /// Returns `true` if [`open`](Cipher::open) refuses all data that were created or changed without the
    /// key. A [`ReplayWindow`](crate::middleware::ReplayWindow) requires this, or a [`Signature`]. Default
    /// `false`.
    fn is_authenticated(&self) -> bool {
        false
    }
}

/// The protocols of one kind: the one for sending, and all that are accepted.
pub(super) struct Protocols<P: ?Sized> {
    pub(super) sending: Option<Named<P>>,
    pub(super) accepted: Vec<Named<P>>,
    absent: EnvelopeFault,
    unknown: EnvelopeFault,
}

/// A protocol and its name at the time it was added.
pub(super) struct Named<P: ?Sized> {
    pub(super) name: String,
    pub(super) protocol: Arc<P>,
}

impl<P: ?Sized> Clone for Named<P> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), protocol: Arc::clone(&self.protocol) }
    }
}

impl<P: ?Sized> Protocols<P> {
    /// Creates an empty set, with the faults for a missing and for an unknown protocol.
    pub(super) fn new(absent: EnvelopeFault, unknown: EnvelopeFault) -> Self {
        Self { sending: None, accepted: Vec::new(), absent, unknown }
    }

    pub(super) fn send(&mut self, name: String, protocol: Arc<P>) {
        self.sending = Some(Named { name, protocol });
    }

    pub(super) fn accept(&mut self, name: String, protocol: Arc<P>) {
        self.accepted.push(Named { name, protocol });
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Named<P>> {
        self.sending.iter().chain(&self.accepted)
    }

    /// The protocol that a packet names. `None` if none is configured and the packet carries nothing.
    pub(super) fn expected(&self, name: Text<'_>, token: &[u8]) -> Result<Option<&P>, EnvelopeFault> {
        // A list: an envelope has one or two names of a kind, and the names are not secret.
        if let Some(named) = self.all().find(|named| name == named.name.as_str()) {
            return Ok(Some(&named.protocol));
        }
        // A token without a name counts as an unknown protocol, or it would pass unchecked.
        let carries_nothing = name == "" && token.is_empty();
        match (carries_nothing, self.sending.is_some()) {
            (false, _) => Err(self.unknown),
            (true, true) => Err(self.absent),
            (true, false) => Ok(None),
        }
    }
}

/// Calls a user's function. A panic refuses the packet and has no other effect.
pub(super) fn call<T>(
    function: impl FnOnce() -> Result<T, ProtocolError>,
    fault: EnvelopeFault,
) -> Result<T, EnvelopeFault> {
    match caught(function) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(ProtocolError)) | Err(Panicked) => Err(fault),
    }
}

impl<P: ?Sized> fmt::Debug for Protocols<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().map(|named| &named.name)).finish()
    }
}
