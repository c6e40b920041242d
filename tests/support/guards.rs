//! The parts of envelopes that other programs and the vectors have.

use tokio_osc::middleware::{Checksum, Cipher, Crc32, ProtocolError};

/// The cipher of the vectors and of the peer: each byte XOR 0x5a.
pub struct Xor5a;

impl Cipher for Xor5a {
    fn name(&self) -> &'static str {
        "xor5a"
    }

    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        Ok(plain.iter().map(|byte| byte ^ 0x5a).collect())
    }

    fn open(&self, data: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        self.seal(data)
    }
}

/// Makes the checksum of something else, under the right name; checks as it should.
pub struct WrongSum;

impl Checksum for WrongSum {
    fn name(&self) -> &'static str {
        "crc32"
    }

    fn compute(&self, _: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        Crc32.compute(b"something else")
    }

    fn verify(&self, plain: &[u8], checksum: &[u8]) -> Result<(), ProtocolError> {
        Crc32.verify(plain, checksum)
    }
}
