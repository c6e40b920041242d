//! Recognises the protocol of bytes that do not fit a framing.

use std::fmt;

/// The protocol that the peer seems to speak, if its bytes do not fit the framing.
///
/// ```
/// use bytes::BytesMut;
/// use tokio_osc::codec::{Codec, FrameErrorKind, LikelyCause};
/// use tokio_osc::LengthPrefix;
/// use tokio_util::codec::Decoder;
///
/// let mut codec = Codec::new(LengthPrefix::new());
/// let error = codec.decode(&mut BytesMut::from("GET / HTTP/1.1")).unwrap_err();
/// let FrameErrorKind::BadLength { cause, .. } = error.kind() else { unreachable!() };
/// assert_eq!(*cause, Some(LikelyCause::Http));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LikelyCause {
    /// SLIP frames instead of a length.
    Slip,
    /// OSC without framing, or SLIP with a single END, instead of a length.
    Unframed,
    /// A length in the other byte order.
    WrongEndian,
    /// An HTTP request or response.
    Http,
    /// A TLS handshake.
    Tls,
}

impl LikelyCause {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        const HTTP: [&[u8]; 8] = [b"GET ", b"POST", b"PUT ", b"HEAD", b"OPTI", b"HTTP", b"CONN", b"PRI "];
        match bytes {
            [0xc0, ..] => Some(Self::Slip),
            [b'/' | b'#', ..] => Some(Self::Unframed),
            [0x16, 0x03, ..] => Some(Self::Tls),
            _ => HTTP.iter().any(|start| bytes.starts_with(start)).then_some(Self::Http),
        }
    }
}

impl fmt::Display for LikelyCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slip => "SLIP",
            Self::Unframed => "OSC without a length",
            Self::WrongEndian => "a length in the other byte order",
            Self::Http => "HTTP",
            Self::Tls => "TLS",
        })
    }
}
