//! Unix datagram sockets, as liblo's `osc.unix`. Each datagram is one packet. A peer with its own path can
//! get replies.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use futures::future::{BoxFuture, FutureExt, ready as at_once};
use futures::stream::StreamExt;
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use super::socket::{SockAddr, Type, send_now, try_io_now};
use super::transport::{Packets, Taken, Transport};
use super::udp::receive_loop::ReceiveLoop;
use super::udp::recent::Recent;
use super::unix_path::SocketFile;
use super::{BindError, Channel, Outlet, StreamOptions};
use crate::codec::{Datagram, MAX_DATAGRAM, ReadPacket};
use crate::lock::lock;
use crate::middleware::{Chain, Middleware};
use crate::packet::{ConnectionId, Meta, Peer, SendError, SendErrorKind};
use crate::wire::{DecodeError, DecodeErrorKind, DecodeOptions};

/// Maximum number of peers that can get replies. The one that was silent longest is evicted first.
const PEERS: usize = 500;

/// Options of a Unix datagram socket, for [`Channel::unix_datagram_with`](crate::Channel::unix_datagram_with) and
/// [`Client::unix_datagram_with`](crate::Client::unix_datagram_with).
///
/// ```
/// use tokio_osc::channel::UnixDatagramOptions;
/// use tokio_osc::middleware::AllowedTypeTags;
/// use tokio_osc::packet::{DecodeOptions, TypeTagSet};
/// use tokio_osc::Channel;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("tokio-osc-doc-options-{}", std::process::id()));
/// let plain = TypeTagSet::of("ifsb").expect("four type tags");
/// let options = UnixDatagramOptions::default()
///     .decode(DecodeOptions::strict())
///     .middleware(AllowedTypeTags::new(plain));
/// let channel = Channel::unix_datagram_with(&path, options)?;
/// # drop(channel);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct UnixDatagramOptions {
    /// The limits and tolerance of decoding.
    pub decode: DecodeOptions,
    chain: Chain,
}

impl UnixDatagramOptions {
    /// Sets [`decode`](Self#structfield.decode).
    pub fn decode(mut self, options: DecodeOptions) -> Self {
        self.decode = options;
        self
    }

    /// Adds a middleware layer in both directions. The first layer is next to the wire. Default: none. See
    /// [`Middleware`].
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.chain.push(layer);
        self
    }
}

/// The options common to datagrams and streams.
impl From<StreamOptions> for UnixDatagramOptions {
    fn from(options: StreamOptions) -> Self {
        Self { decode: options.decode, chain: options.chain }
    }
}

impl Channel {
    /// Binds a Unix datagram socket to a path, as liblo's `osc.unix` does: each datagram is one packet
    /// of at most 65,535 bytes. A socket file that no program listens on is replaced. The file is removed when the
    /// channel and its outlets are dropped.
    ///
    /// A peer with its own path can get replies, and has a number like a connection ([`Peer::connection`]). A peer
    /// without a path is [`Peer::LOCAL`], and replies to it are lost. The last 500 peers are remembered. Replies never
    /// wait: a peer that does not read misses them. Unread replies count against this socket's send buffer, and while
    /// that is full, no peer gets replies: restrict access by the permissions of the directory.
    ///
    /// ```
    /// use tokio_osc::{Args, Channel, Client, Router, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("tokio-osc-doc-{}", std::process::id()));
    /// let channel = Channel::unix_datagram(&path)?;
    /// let client = Client::unix_datagram(&path)?;
    /// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    /// let server = Server::new(router).listen("unix", channel).spawn();
    ///
    /// assert_eq!(client.request(("/ping", 7), "/pong").await?.parse::<i32>()?, 7);
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the path cannot be bound, or is empty.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram(path: impl AsRef<Path>) -> Result<Self, BindError> {
        Self::unix_datagram_with(path, UnixDatagramOptions::default())
    }

    /// Same as [`unix_datagram`](Channel::unix_datagram), with options.
    ///
    /// # Errors
    /// Same as [`unix_datagram`](Channel::unix_datagram).
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    pub fn unix_datagram_with(
        path: impl AsRef<Path>,
        options: UnixDatagramOptions,
    ) -> Result<Self, BindError> {
        let path = path.as_ref();
        let state = UnixSocketState::bind(path, options)
            .map_err(BindError::cannot(format_args!("listen on unix {}", path.display())))?;
        let state = Arc::new(state);
        Ok(Self::new(UnixPackets::new(Arc::clone(&state)).boxed(), Outlet::new(state, None)))
    }
}

/// A socket at a path, and its peers. The transport of a channel.
struct UnixSocketState {
    socket: UnixDatagram,
    _file: SocketFile,
    options: UnixDatagramOptions,
    peers: Mutex<UnixPeers>,
}

/// The peers with paths, by their numbers.
struct UnixPeers {
    numbers: Recent<PathBuf, ConnectionId>,
    paths: Recent<ConnectionId, PathBuf>,
    next: ConnectionId,
}

impl UnixSocketState {
    fn bind(path: &Path, mut options: UnixDatagramOptions) -> io::Result<Self> {
        options.chain = options.chain.counting_anew();
        let (socket, file) = SocketFile::bind(path, Type::DGRAM, || UnixDatagram::bind(path))?;
        let peers =
            UnixPeers { numbers: Recent::new(PEERS), paths: Recent::new(PEERS), next: ConnectionId::FIRST };
        Ok(Self { socket, _file: file, options, peers: Mutex::new(peers) })
    }

    /// Sends a datagram to an address, or to where the socket is connected.
    fn try_send_to(&self, datagram: &[u8], to: Option<&SockAddr>) -> io::Result<()> {
        let send = || send_now(&self.socket, datagram, to);
        try_io_now(|op| self.socket.try_io(Interest::WRITABLE, op), send).map(drop)
    }

    /// Returns the peer with this path. A new one gets a number.
    fn peer(&self, path: Option<&Path>) -> Peer {
        let Some(path) = path else { return Peer::LOCAL };
        let path = path.to_owned();
        let mut peers = self.peers();
        let UnixPeers { numbers, paths, next } = &mut *peers;
        numbers.touch(&path, || {
            let id = *next;
            *next = id.next();
            id
        });
        let Some(id) = numbers.get_mut(&path).copied() else { return Peer::LOCAL };
        paths.touch(&id, || path);
        Peer::LOCAL.with_connection(id)
    }

    fn peers(&self) -> MutexGuard<'_, UnixPeers> {
        lock(&self.peers)
    }
}

impl Transport for UnixSocketState {
    fn chain(&self) -> &Chain {
        &self.options.chain
    }

    fn try_send(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        let path = to.connection().and_then(|id| self.peers().paths.get_mut(&id).cloned());
        let path = path.ok_or(SendErrorKind::Closed)?;
        check_size(frame)?;
        self.try_send_to(frame, Some(&SockAddr::unix(path)?))?;
        Ok(Taken::Done)
    }

    /// A peer whose queue is full misses the packet: waiting for one would hold up all others.
    fn ready<'a>(&'a self, _frame: &'a Bytes, _to: Peer) -> BoxFuture<'a, Result<(), SendError>> {
        at_once(Err(SendErrorKind::Full.into())).boxed()
    }
}

fn check_size(frame: &[u8]) -> Result<(), SendError> {
    if frame.len() > MAX_DATAGRAM {
        return Err(SendError::too_large_for_datagram(frame.len(), MAX_DATAGRAM));
    }
    Ok(())
}

/// The packets of a Unix datagram socket.
struct UnixPackets {
    state: Arc<UnixSocketState>,
    codec: Datagram,
    /// One byte more than the largest datagram, so that a larger one is detected.
    buffer: Box<[u8]>,
    receive_loop: ReceiveLoop,
}

impl UnixPackets {
    fn new(state: Arc<UnixSocketState>) -> Self {
        let buffer = vec![0; MAX_DATAGRAM + 1].into_boxed_slice();
        let UnixDatagramOptions { decode, chain } = state.options.clone();
        let codec = Datagram::with_options(decode).chain(chain);
        Self { state, codec, buffer, receive_loop: ReceiveLoop::new() }
    }

    fn decode(&mut self, len: usize, peer: Peer) -> Option<ReadPacket> {
        let mut meta = Meta::from_peer(peer);
        let Some(datagram) = self.buffer.get(..len).filter(|datagram| datagram.len() <= MAX_DATAGRAM) else {
            return Some((Err(DecodeError::new(DecodeErrorKind::Truncated, MAX_DATAGRAM)), meta));
        };
        let packet = self.codec.read(datagram, &mut meta).transpose()?;
        Some((packet, meta))
    }
}

impl Stream for UnixPackets {
    type Item = ReadPacket;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ReadPacket>> {
        let this = &mut *self;
        loop {
            let socket = &this.state.socket;
            let receive = || socket.try_recv_from(&mut this.buffer);
            if let Ok((len, from)) =
                ready!(this.receive_loop.poll(cx, receive, |cx| socket.poll_recv_ready(cx)))
            {
                let peer = this.state.peer(from.as_pathname());
                if let Some(item) = this.decode(len, peer) {
                    return Poll::Ready(Some(item));
                }
            }
        }
    }
}

/// The transport of a client: connected to one path, with its own path in the directory for temporary files,
/// so that it can receive replies.
pub(crate) struct UnixClient {
    state: Arc<UnixSocketState>,
    peer: PathBuf,
}

impl UnixClient {
    pub(crate) fn connect(peer: &Path, options: UnixDatagramOptions) -> io::Result<(Self, Packets)> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static COUNT: AtomicU64 = AtomicU64::new(0);

        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let own = std::env::temp_dir().join(format!("tokio-osc-{}-{number}", std::process::id()));
        let state = Arc::new(UnixSocketState::bind(&own, options)?);
        // A connected socket is woken when the peer has read, and receives from no other.
        state.socket.connect(peer)?;
        let packets = UnixPackets::new(Arc::clone(&state)).boxed();
        Ok((Self { state, peer: peer.to_owned() }, packets))
    }
}

impl Transport for UnixClient {
    fn chain(&self) -> &Chain {
        self.state.chain()
    }

    /// Finds a peer that was restarted at the same path.
    fn try_send(&self, frame: &Bytes, _to: Peer) -> Result<Taken, SendError> {
        check_size(frame)?;
        match self.state.try_send_to(frame, None) {
            Err(error) if is_gone(&error) => {
                self.state.socket.connect(&self.peer)?;
                self.state.try_send_to(frame, None)?;
            }
            sent => sent?,
        }
        Ok(Taken::Done)
    }

    fn ready<'a>(&'a self, _frame: &'a Bytes, _to: Peer) -> BoxFuture<'a, Result<(), SendError>> {
        async { Ok(self.state.socket.writable().await?) }.boxed()
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | NotConnected)
}
