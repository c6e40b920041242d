//! What stands for Unix sockets where there are none.

use std::io;
use std::path::Path;

use super::Channel;
use crate::codec::Framing;

impl Channel {
    pub(crate) fn unix(_: impl AsRef<Path>, _: impl Framing) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn unix_datagram(_: impl AsRef<Path>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
