//! Placeholders for Unix sockets on other systems.

use std::io;
use std::path::Path;

use super::{BindError, Channel, StreamOptions};
use crate::codec::Framing;

impl Channel {
    pub(crate) fn unix_with(
        _: impl AsRef<Path>,
        _: impl Framing,
        _: StreamOptions,
    ) -> Result<Self, BindError> {
        Err(unsupported())
    }

    pub(crate) fn unix_datagram_with(_: impl AsRef<Path>, _: DatagramOptions) -> Result<Self, BindError> {
        Err(unsupported())
    }
}

/// The options that datagram sockets would take.
pub(crate) struct DatagramOptions;

impl From<StreamOptions> for DatagramOptions {
    fn from(_: StreamOptions) -> Self {
        Self
    }
}

pub(crate) fn unsupported() -> BindError {
    BindError::cannot("open a Unix socket")(io::ErrorKind::Unsupported.into())
}
