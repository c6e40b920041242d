//! Ready-made protocols for envelopes, from well-maintained crates.

mod chacha20_poly1305;
mod crc32;
mod hmac_sha256;

pub use chacha20_poly1305::ChaCha20Poly1305;
pub use crc32::Crc32;
pub use hmac_sha256::HmacSha256;
