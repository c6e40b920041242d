//! What stands for clients over Unix sockets where there are none.

use std::future::{Future, ready};
use std::io;
use std::path::Path;

use super::Client;
use crate::codec::Framing;

impl Client {
    pub(crate) fn unix(_: impl AsRef<Path>, _: impl Framing) -> impl Future<Output = io::Result<Self>> {
        ready(Err(io::ErrorKind::Unsupported.into()))
    }

    pub(crate) fn unix_datagram(_: impl AsRef<Path>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
