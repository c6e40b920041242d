//! The source of a channel's connections.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use super::options::StreamOptions;
use crate::packet::Peer;

/// The source of a channel's connections. Implemented for Tokio's `TcpListener` and
/// `UnixListener`; implement it to wrap each connection in TLS, to count them, or for a transport of
/// your own.
///
/// ```
/// use std::task::{Context, Poll};
/// use tokio::io::DuplexStream;
/// use tokio::sync::mpsc;
/// use tokio_osc::channel::{Listener, StreamOptions};
/// use tokio_osc::{Channel, Client, Peer, Slip};
///
/// /// Connections within the process.
/// struct Dialled(mpsc::Receiver<DuplexStream>);
///
/// impl Listener for Dialled {
///     type Io = DuplexStream;
///
///     fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<(DuplexStream, Peer)>> {
///         match self.0.poll_recv(cx) {
///             Poll::Ready(Some(stream)) => Poll::Ready(Ok((stream, Peer::LOCAL))),
///             _ => Poll::Pending,
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (dial, dialled) = mpsc::channel(8);
/// let mut channel = Channel::listen_on(Dialled(dialled), Slip::new(), StreamOptions::default());
///
/// let (here, there) = tokio::io::duplex(64);
/// dial.send(there).await?;
/// Client::io(here, Slip::new()).send(("/ping", ())).await?;
/// assert_eq!(channel.recv().await.expect("the channel is open").0?.to_string(), "/ping ,");
/// # Ok(()) }
/// ```
pub trait Listener: Send + Unpin + 'static {
    /// The type of a connection.
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Polls for the next connection and its peer.
    ///
    /// # Errors
    /// Return an error if no connection can be accepted now. The channel tries again after 10 ms, then after twice
    /// that time, up to 1 s. It tries again at once if only this connection was lost (`ConnectionAborted`,
    /// `ConnectionReset`, `ConnectionRefused`, `Interrupted`).
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Io, Peer)>>;

    /// Returns the local address.
    ///
    /// # Errors
    /// Returns an error if the listener has no IP address, which is the default.
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this listener has no IP address"))
    }

    /// Sets options on an accepted connection. By default it does nothing.
    fn tune(&self, _io: &Self::Io, _options: &StreamOptions) {}
}
