//! Clients over Unix sockets, on systems without them: an error.

use std::future::{Future, ready};
use std::path::Path;

use super::Client;
use crate::channel::unix_datagram::{DatagramOptions, unsupported};
use crate::channel::{BindError, StreamOptions};
use crate::codec::Framing;

impl Client {
    pub(crate) fn unix_with(
        _: impl AsRef<Path>,
        _: impl Framing,
        _: StreamOptions,
    ) -> impl Future<Output = Result<Self, BindError>> {
        ready(Err(unsupported()))
    }

    pub(crate) fn unix_datagram_with(_: impl AsRef<Path>, _: DatagramOptions) -> Result<Self, BindError> {
        Err(unsupported())
    }
}
