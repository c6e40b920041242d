//! Unix stream sockets.

use std::io;
use std::path::Path;
use std::task::{Context, Poll};

use tokio::net::{UnixListener, UnixStream};

use super::listener::Listener;
use super::options::StreamOptions;
use crate::channel::Channel;
use crate::channel::bind_error::BindError;
use crate::channel::socket::Type;
use crate::channel::unix_path::SocketFile;
use crate::codec::Framing;
use crate::packet::Peer;

impl Channel {
    /// Listens on a Unix stream socket at a path, with the default [`StreamOptions`]; for others, pass a
    /// `UnixListener` to [`listen_on`](Channel::listen_on). A socket file that no program listens on is
    /// replaced.
    ///
    /// # Errors
    /// Returns an error if the path cannot be bound, or is empty.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn unix(path: impl AsRef<Path>, framing: impl Framing) -> Result<Self, BindError> {
        Self::unix_with(path, framing, StreamOptions::default())
    }

    pub(crate) fn unix_with(
        path: impl AsRef<Path>,
        framing: impl Framing,
        options: StreamOptions,
    ) -> Result<Self, BindError> {
        let path = path.as_ref();
        let (listener, file) = SocketFile::bind(path, Type::STREAM, || UnixListener::bind(path))
            .map_err(BindError::cannot(format_args!("listen on unix {}", path.display())))?;
        Ok(Self::listen_on(ListenerAtPath { listener, _file: file }, framing, options))
    }
}

impl Listener for UnixListener {
    type Io = UnixStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, Peer)>> {
        UnixListener::poll_accept(self, cx).map_ok(|(stream, _)| (stream, Peer::LOCAL))
    }
}

/// A listener and its file, which is removed when nothing more is accepted.
struct ListenerAtPath {
    listener: UnixListener,
    _file: SocketFile,
}

impl Listener for ListenerAtPath {
    type Io = UnixStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, Peer)>> {
        Listener::poll_accept(&mut self.listener, cx)
    }
}
