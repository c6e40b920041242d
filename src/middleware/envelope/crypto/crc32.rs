//! The checksum of Ethernet and zlib.

use crate::middleware::{Checksum, ProtocolError};

/// CRC-32 as in zlib: 4 bytes, most significant byte first. The name is `crc32`.
///
/// ```
/// use tokio_osc::middleware::{Checksum, Crc32};
///
/// assert_eq!(Crc32.compute(b"123456789")?, [0xcb, 0xf4, 0x39, 0x26]);
/// # Ok::<(), tokio_osc::middleware::ProtocolError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Crc32;

impl Checksum for Crc32 {
    fn name(&self) -> &'static str {
        "crc32"
    }

    fn compute(&self, plain: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        Ok(crc32fast::hash(plain).to_be_bytes().into())
    }
}
