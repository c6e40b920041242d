//! The functions of an envelope: those of its user, and those that come with it.

use std::sync::Arc;
use std::{error, fmt};

use super::EnvelopeFault;
use crate::types::Text;
use crate::user_function::{Panicked, caught};

/// A function of an envelope refuses: a token does not fit, data do not decrypt, there is no
/// entropy. It says no more, so that an attacker learns nothing from it.
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

/// Makes and checks the checksums of an [`Envelope`](crate::middleware::Envelope): they show accidents, not
/// intent.
///
/// Called by the task that sends or receives, so it must not wait. An error of it, or a panic, refuses
/// the packet. The same is true of [`Signature`] and [`Cipher`].
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
    /// The name of the protocol, as it travels. Asked for once.
    fn name(&self) -> &str;

    /// The checksum of a packet's bytes.
    ///
    /// # Errors
    /// It cannot be computed: the packet is neither sent nor delivered.
    fn compute(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError>;

    /// Checks the checksum that came with a packet: computes it again, unless this is written.
    ///
    /// # Errors
    /// The checksum is another: the packet is refused as
    /// [`Corrupted`](EnvelopeFault::Corrupted).
    fn verify(&self, plain: &[u8], checksum: &[u8]) -> Result<(), ProtocolError> {
        if self.compute(plain)? == checksum { Ok(()) } else { Err(ProtocolError) }
    }
}

/// Makes and checks the signatures of an [`Envelope`](crate::middleware::Envelope): only who has the key makes
/// one that fits.
///
/// `HmacSha256` (feature `crypto`) is one that is ready.
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
    /// The name of the protocol, as it travels; with a key id in it if there are several keys.
    /// Asked for once.
    fn name(&self) -> &str;

    /// The signature of a packet's bytes.
    ///
    /// # Errors
    /// It cannot be made: the packet is not sent.
    fn sign(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError>;

    /// Checks the signature that came with a packet. Compare in constant time: one that stops at the
    /// first byte that differs tells a forger how far the forgery got.
    ///
    /// # Errors
    /// The signature is another: the packet is refused as
    /// [`InvalidSignature`](EnvelopeFault::InvalidSignature).
    fn verify(&self, plain: &[u8], signature: &[u8]) -> Result<(), ProtocolError>;
}

/// Encrypts and decrypts for an [`Envelope`](crate::middleware::Envelope).
///
/// `ChaCha20Poly1305` (feature `crypto`) is one that is ready.
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
    /// The name of the protocol, as it travels; with a key id in it if there are several keys.
    /// Asked for once.
    fn name(&self) -> &str;

    /// The data that stand for a packet's bytes.
    ///
    /// # Errors
    /// They cannot be made: the packet is not sent.
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError>;

    /// The packet's bytes for which the data stand. They may be any: what comes of it is decoded
    /// like all bytes of a peer.
    ///
    /// # Errors
    /// The data are not what [`seal`](Cipher::seal) makes: the packet is refused as
    /// [`Undecipherable`](EnvelopeFault::Undecipherable).
    fn open(&self, data: &[u8]) -> Result<Vec<u8>, ProtocolError>;

    /// Whether [`open`](Cipher::open) refuses all data that were made or changed without the key: a
    /// [`ReplayWindow`](crate::middleware::ReplayWindow) needs this, or a [`Signature`]. False unless written.
    fn is_authenticated(&self) -> bool {
        false
    }
}

/// The functions of one kind: the one for what is sent, and all that are accepted.
pub(super) struct Protocols<P: ?Sized> {
    pub(super) sending: Option<Named<P>>,
    pub(super) accepted: Vec<Named<P>>,
    absent: EnvelopeFault,
    unknown: EnvelopeFault,
}

/// A function under the name that it had when it was added.
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
    /// None yet, and the faults of a packet that has none and of one that has another.
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

    /// The function for a packet that names this protocol; none where none is configured and the
    /// packet carries nothing.
    pub(super) fn expected(&self, name: Text<'_>, token: &[u8]) -> Result<Option<&P>, EnvelopeFault> {
        if let Some(named) = self.all().find(|named| name == named.name.as_str()) {
            return Ok(Some(&named.protocol));
        }
        let carries_nothing = name == "" && token.is_empty();
        match (carries_nothing, self.sending.is_some()) {
            (false, _) => Err(self.unknown),
            (true, true) => Err(self.absent),
            (true, false) => Ok(None),
        }
    }
}

/// A user's function: its panic refuses the packet, and ends nothing else.
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
