//! What stands for clients over Unix sockets where there are none.

use std::future::{Future, ready};
use std::path::Path;

use super::Client;
use crate::channel::BindError;
use crate::channel::unix_datagram::unsupported;
use crate::codec::Framing;

impl Client {
    pub(crate) fn unix(
        _: impl AsRef<Path>,
        _: impl Framing,
    ) -> impl Future<Output = Result<Self, BindError>> {
        ready(Err(unsupported()))
    }

    pub(crate) fn unix_datagram(_: impl AsRef<Path>) -> Result<Self, BindError> {
        Err(unsupported())
    }
}
