//! What stands for Unix sockets where there are none.

use std::io;
use std::path::Path;

use super::{BindError, Channel};
use crate::codec::Framing;

impl Channel {
    pub(crate) fn unix(_: impl AsRef<Path>, _: impl Framing) -> Result<Self, BindError> {
        Err(unsupported())
    }

    pub(crate) fn unix_datagram(_: impl AsRef<Path>) -> Result<Self, BindError> {
        Err(unsupported())
    }
}

pub(crate) fn unsupported() -> BindError {
    BindError::cannot("open a Unix socket")(io::ErrorKind::Unsupported.into())
}
