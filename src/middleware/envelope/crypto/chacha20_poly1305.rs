//! Authenticated encryption.

use std::fmt;
use std::sync::Mutex;

use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305 as Algorithm, KeyInit};

use crate::lock::lock;
use crate::middleware::{Cipher, ProtocolError};

/// ChaCha20-Poly1305 (RFC 8439). Without the key, packets cannot be read, changed or created.
///
/// The name is `chacha20-poly1305`, or `chacha20-poly1305:ID` with a [`key_id`](Self::key_id). The data
/// consist of the nonce, the ciphertext and the tag. There is no associated data:
///
/// ```text
/// | nonce, 12 bytes | as many bytes as the packet has | tag, 16 bytes |
/// ```
///
/// A nonce is 8 random bytes and a 4-byte counter. The random bytes are drawn from the operating system for
/// the first packet, and again after every 2<sup>32</sup> packets. One value therefore never uses a nonce
/// twice. Two values with the same key use a nonce twice only if they draw the same 8 bytes: after a million
/// starts of senders with one key, the probability is 1 in 37 million. A value that is copied with its whole
/// process (a restored virtual machine, a fork) repeats nonces.
///
/// The key is wiped from memory on drop, and `Debug` does not print it.
///
/// ```
/// use tokio_osc::middleware::{ChaCha20Poly1305, Cipher};
///
/// let cipher = ChaCha20Poly1305::new(&[7; 32]);
/// let data = cipher.seal(b"secret")?;
/// assert_eq!(data.len(), 12 + 6 + 16);
/// assert_eq!(cipher.open(&data)?, b"secret");
/// # Ok::<(), tokio_osc::middleware::ProtocolError>(())
/// ```
pub struct ChaCha20Poly1305 {
    name: String,
    keyed: Algorithm,
    nonces: Mutex<Nonces>,
}

impl ChaCha20Poly1305 {
    const NAME: &str = "chacha20-poly1305";

    /// Creates a cipher with this key: 32 random bytes, not a password.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { name: Self::NAME.to_owned(), keyed: Algorithm::new(key.into()), nonces: Mutex::default() }
    }

    /// Names the key, for receivers with several keys. The id is sent unencrypted.
    pub fn key_id(mut self, id: impl fmt::Display) -> Self {
        self.name = format!("{}:{id}", Self::NAME);
        self
    }
}

impl Cipher for ChaCha20Poly1305 {
    fn name(&self) -> &str {
        &self.name
    }

    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        let nonce = lock(&self.nonces).next()?;
        let sealed = self.keyed.encrypt(&nonce.into(), plain).map_err(|_| ProtocolError)?;
        Ok([&nonce[..], &sealed].concat())
    }

    fn open(&self, data: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        let (&nonce, sealed) = data.split_first_chunk::<NONCE>().ok_or(ProtocolError)?;
        self.keyed.decrypt(&nonce.into(), sealed).map_err(|_| ProtocolError)
    }

    fn is_authenticated(&self) -> bool {
        true
    }
}

impl fmt::Debug for ChaCha20Poly1305 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChaCha20Poly1305").field("name", &self.name).finish_non_exhaustive()
    }
}

const NONCE: usize = 12;

/// Generates nonces.
#[derive(Default)]
struct Nonces {
    prefix: [u8; 8],
    /// The next counter value. `None` if a new prefix must be drawn.
    next: Option<u32>,
}

impl Nonces {
    fn next(&mut self) -> Result<[u8; NONCE], ProtocolError> {
        let count = match self.next {
            Some(count) => count,
            None => self.draw()?,
        };
        // `None` after the last count: the next packet draws a new prefix instead of repeating a nonce.
        self.next = count.checked_add(1);
        let mut nonce = [0; NONCE];
        nonce[..8].copy_from_slice(&self.prefix);
        nonce[8..].copy_from_slice(&count.to_be_bytes());
        Ok(nonce)
    }

    /// The first counter value after a new prefix.
    fn draw(&mut self) -> Result<u32, ProtocolError> {
        // Without entropy nothing is sent: a predictable prefix could repeat one of an earlier start.
        getrandom::fill(&mut self.prefix).map_err(|_| ProtocolError)?;
        Ok(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_nonce_comes_twice_and_a_prefix_is_drawn_when_its_counts_are_used() {
        let mut nonces = Nonces::default();
        let first = nonces.next().unwrap();
        let second = nonces.next().unwrap();
        assert_eq!((first[..8].to_vec(), &first[8..]), (second[..8].to_vec(), &[0; 4][..]));
        assert_eq!(second[8..], [0, 0, 0, 1]);

        nonces.next = Some(u32::MAX);
        assert_eq!(nonces.next().unwrap()[..8], first[..8]);
        let next = nonces.next().unwrap();
        assert_ne!(next[..8], first[..8]);
        assert_eq!(next[8..], [0; 4]);
    }

    /// Made by pyca/cryptography (OpenSSL) from the key 0 to 31 and the nonce 100 to 111.
    #[test]
    fn data_of_another_implementation_are_opened() {
        let key: Vec<u8> = (0..32).collect();
        let data = [
            &b"defghijklmno"[..],
            b"\x1b\x76\xda\xa3\xf6\xa5\x76\x52\xd7\xb8\x15\x7f\xcd\x89\xd8\x93",
            b"\xd2\xfa\xb8\x16\x0a\x07\x87\x5b\xf1\x25\xa7\x95\x93\xb0\xe1\x83",
        ];
        let cipher = ChaCha20Poly1305::new(&key.try_into().unwrap());
        assert_eq!(cipher.open(&data.concat()).unwrap(), b"/gain\0\0\0,f\0\0\x3f\0\0\0");
    }

    #[test]
    fn data_too_short_for_a_nonce_and_a_tag_are_refused() {
        let cipher = ChaCha20Poly1305::new(&[7; 32]);
        for len in 0..28 {
            assert_eq!(cipher.open(&vec![0; len]), Err(ProtocolError), "{len}");
        }
        assert_eq!(cipher.open(&cipher.seal(b"").unwrap()).unwrap(), b"");
    }
}
