//! HMAC-SHA-256 signatures.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::middleware::{ProtocolError, Signature};

/// HMAC with SHA-256 (RFC 2104), 32 bytes, compared in constant time.
///
/// The name is `hmac-sha256`, or `hmac-sha256:ID` with a [`key_id`](Self::key_id).
///
/// The key is wiped from memory on drop, and `Debug` does not print it.
///
/// ```
/// use tokio_osc::middleware::{Envelope, HmacSha256};
///
/// let key = [7; 32];      // of a key file; 32 random bytes, not a password
/// let envelope = Envelope::builder().signature(HmacSha256::new(&key)).build()?;
/// # Ok::<(), tokio_osc::middleware::EnvelopeError>(())
/// ```
pub struct HmacSha256 {
    name: String,
    keyed: Hmac<Sha256>,
}

impl HmacSha256 {
    const NAME: &str = "hmac-sha256";

    /// Creates a signature with a key of any length. Use 32 random bytes: a shorter key is weaker, a longer
    /// one no stronger.
    pub fn new(key: impl AsRef<[u8]>) -> Self {
        let keyed =
            KeyInit::new_from_slice(key.as_ref()).unwrap_or_else(|_| unreachable!("any length will do"));
        Self { name: Self::NAME.to_owned(), keyed }
    }

    /// Names the key, for receivers with several keys. The id is sent unencrypted.
    pub fn key_id(mut self, id: impl fmt::Display) -> Self {
        self.name = format!("{}:{id}", Self::NAME);
        self
    }

    fn of(&self, plain: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(plain);
        mac
    }
}

impl Signature for HmacSha256 {
    fn name(&self) -> &str {
        &self.name
    }

    fn sign(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        Ok(self.of(plain).finalize().into_bytes().to_vec())
    }

    fn verify(&self, plain: &[u8], signature: &[u8]) -> Result<(), ProtocolError> {
        self.of(plain).verify_slice(signature).map_err(|_| ProtocolError)
    }
}

impl fmt::Debug for HmacSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacSha256").field("name", &self.name).finish_non_exhaustive()
    }
}
