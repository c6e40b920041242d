//! Unix stream sockets. A socket file that no program listens on is replaced.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::Path;
use std::task::{Context, Poll};

use tokio::net::{UnixListener, UnixStream};

use super::listener::Listener;
use super::options::StreamOptions;
use crate::channel::Channel;
use crate::channel::bind_error::BindError;
use crate::codec::Framing;
use crate::packet::Peer;

impl Channel {
    /// Listens on a Unix stream socket at a path, with the default [`StreamOptions`]; for others,
    /// give a `UnixListener` to [`listen_on`](Channel::listen_on). A socket that a program has left
    /// there, and that no program listens on, is replaced.
    ///
    /// # Errors
    /// The path cannot be bound.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn unix(path: impl AsRef<Path>, framing: impl Framing) -> Result<Self, BindError> {
        Self::unix_with(path, framing, StreamOptions::default())
    }

    pub(crate) fn unix_with(
        path: impl AsRef<Path>,
        framing: impl Framing,
        options: StreamOptions,
    ) -> Result<Self, BindError> {
        let path = path.as_ref();
        let listener =
            bind(path).map_err(BindError::cannot(format_args!("listen on unix {}", path.display())))?;
        Ok(Self::listen_on(listener, framing, options))
    }
}

impl Listener for UnixListener {
    type Io = UnixStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, Peer)>> {
        UnixListener::poll_accept(self, cx).map_ok(|(stream, _)| (stream, Peer::LOCAL))
    }
}

/// A listener at a path; a socket there that no program listens on is replaced.
fn bind(path: &Path) -> io::Result<UnixListener> {
    replacing_abandoned(path, || UnixListener::bind(path), || StdStream::connect(path).map(drop))
}

/// Binds a socket at a path; a socket file there that refuses to be connected to is replaced.
pub(crate) fn replacing_abandoned<S>(
    path: &Path,
    bind: impl Fn() -> io::Result<S>,
    connect: impl FnOnce() -> io::Result<()>,
) -> io::Result<S> {
    match bind() {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let is_socket = std::fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
            let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
            if !is_socket || !connect().is_err_and(refused) {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            bind()
        }
        bound => bound,
    }
}
