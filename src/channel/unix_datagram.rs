//! Unix datagram sockets: liblo's `osc.unix`. Each datagram is one packet; who has a path of its own
//! can be answered.

use std::io;
use std::os::unix::net::UnixDatagram as StdSocket;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use tokio::net::UnixDatagram;

use super::drain::Drain;
use super::recent::Recent;
use super::socket::{SockAddr, send_now};
use super::unix::replacing_abandoned;
use crate::codec::{Datagram, MAX_DATAGRAM, ReadPacket};
use crate::lock::lock;
use crate::middleware::{Chain, Filtered, Flow, Middleware};
use crate::packet::{ConnectionId, Meta, Packet, Peer, SendError, SendErrorKind};
use crate::wire::{DecodeError, DecodeErrorKind, DecodeOptions};

/// Peers that can be answered at a time: who was silent longest is forgotten.
const PEERS: usize = 500;

/// Options of a Unix datagram socket: [`Channel::unix_datagram_with`](crate::Channel::unix_datagram_with),
/// [`Client::unix_datagram_with`](crate::Client::unix_datagram_with).
///
/// ```
/// use tokio_osc::{AllowedTypeTags, Channel, DecodeOptions, TypeTagSet, UnixDatagramOptions};
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
    /// What is accepted as a packet.
    pub decode: DecodeOptions,
    chain: Chain,
}

impl UnixDatagramOptions {
    /// Sets [`decode`](Self#structfield.decode).
    pub fn decode(mut self, options: DecodeOptions) -> Self {
        self.decode = options;
        self
    }

    /// Adds a layer between datagrams and packets, both ways; the first one is next to the wire.
    /// Default: none. See [`Middleware`].
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.chain.push(layer);
        self
    }
}

/// A socket at a path, and who has sent to it.
pub(super) struct UnixLink {
    socket: UnixDatagram,
    path: PathBuf,
    options: UnixDatagramOptions,
    peers: Mutex<Peers>,
}

/// The peers that have paths, by numbers that stand in their place.
struct Peers {
    numbers: Recent<PathBuf, ConnectionId>,
    paths: Recent<ConnectionId, PathBuf>,
    next: ConnectionId,
}

impl UnixLink {
    /// A socket at a path; one there that nobody listens on is replaced.
    pub(super) fn bind(path: &Path, mut options: UnixDatagramOptions) -> io::Result<Self> {
        options.chain = options.chain.counting_anew();
        let connect = || StdSocket::unbound()?.connect(path);
        let socket = replacing_abandoned(path, || UnixDatagram::bind(path), connect)?;
        let peers =
            Peers { numbers: Recent::new(PEERS), paths: Recent::new(PEERS), next: ConnectionId::FIRST };
        Ok(Self { socket, path: path.to_owned(), options, peers: Mutex::new(peers) })
    }

    /// Sends a packet through the middleware to a peer that has sent one, and tells whether it has
    /// left. Never waits: a peer whose queue is full misses it.
    pub(super) fn send_to(&self, packet: Packet, peer: Peer) -> Result<Flow<()>, SendError> {
        let path = peer.connection().and_then(|id| self.peers().paths.get_mut(&id).cloned());
        let path = path.ok_or(SendErrorKind::Closed)?;
        let Some(frame) = self.frame(packet, peer)? else { return Ok(Flow::Drop) };
        sent(send_now(&self.socket, &frame, Some(&SockAddr::unix(path)?))).map(Flow::Pass)
    }

    /// The datagram for a packet; `None` if the middleware has dropped it.
    fn frame(&self, packet: Packet, peer: Peer) -> Result<Option<Bytes>, SendError> {
        match self.chain().write(packet, peer)? {
            Some(frame) if frame.len() > MAX_DATAGRAM => {
                Err(SendErrorKind::TooLarge { size: frame.len(), limit: MAX_DATAGRAM }.into())
            }
            frame => Ok(frame),
        }
    }

    pub(super) fn chain(&self) -> &Chain {
        &self.options.chain
    }

    /// Who has this path; a number is given to who has none yet.
    fn peer(&self, path: Option<&Path>) -> Peer {
        let Some(path) = path else { return Peer::LOCAL };
        let path = path.to_owned();
        let mut peers = self.peers();
        let Peers { numbers, paths, next } = &mut *peers;
        numbers.touch(&path, || {
            let id = *next;
            *next = id.next();
            id
        });
        let Some(id) = numbers.get_mut(&path).copied() else { return Peer::LOCAL };
        paths.touch(&id, || path);
        Peer::LOCAL.with_connection(id)
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        lock(&self.peers)
    }
}

/// The file of a socket goes with it.
impl Drop for UnixLink {
    fn drop(&mut self) {
        // Somebody else may have removed it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The packets of a Unix datagram socket.
pub(super) struct UnixPackets {
    link: Arc<UnixLink>,
    codec: Datagram,
    /// One byte more than the largest datagram: a larger one shows.
    buffer: Box<[u8]>,
    drain: Drain,
}

impl UnixPackets {
    pub(super) fn new(link: Arc<UnixLink>) -> Self {
        let buffer = vec![0; MAX_DATAGRAM + 1].into_boxed_slice();
        let UnixDatagramOptions { decode, chain } = link.options.clone();
        let codec = Datagram::with_options(decode).chain(chain);
        Self { link, codec, buffer, drain: Drain::new() }
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
            let socket = &this.link.socket;
            let receive = || socket.try_recv_from(&mut this.buffer);
            if let Ok((len, from)) = ready!(this.drain.poll(cx, receive, |cx| socket.poll_recv_ready(cx))) {
                let peer = this.link.peer(from.as_pathname());
                if let Some(item) = this.decode(len, peer) {
                    return Poll::Ready(Some(item));
                }
            }
        }
    }
}

/// Sends to one path, from a path of its own in the directory for temporary files, so that it can be
/// answered.
pub(super) struct UnixSender {
    link: Arc<UnixLink>,
    peer: PathBuf,
}

impl UnixSender {
    pub(super) fn connect(peer: &Path, options: UnixDatagramOptions) -> io::Result<Self> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static COUNT: AtomicU64 = AtomicU64::new(0);

        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let own = std::env::temp_dir().join(format!("tokio-osc-{}-{number}", std::process::id()));
        let link = UnixLink::bind(&own, options)?;
        // Connected, the socket is woken when the peer has read, and hears nobody else.
        link.socket.connect(peer)?;
        Ok(Self { link: Arc::new(link), peer: peer.to_owned() })
    }

    pub(super) fn packets(&self) -> UnixPackets {
        UnixPackets::new(Arc::clone(&self.link))
    }

    pub(super) fn filtered(&self) -> Filtered {
        self.link.chain().filtered()
    }

    pub(super) fn peer(&self) -> &Path {
        &self.peer
    }

    /// Sends a packet, waiting while the peer's queue is full. A peer that has been started anew at
    /// the same path is found again.
    pub(super) async fn send(&self, packet: Packet) -> Result<(), SendError> {
        let Some(frame) = self.link.frame(packet, Peer::LOCAL)? else { return Ok(()) };
        match self.link.socket.send(&frame).await {
            Err(error) if is_gone(&error) => {
                self.link.socket.connect(&self.peer)?;
                sent(self.link.socket.send(&frame).await)
            }
            result => sent(result),
        }
    }

    pub(super) fn try_send(&self, packet: Packet) -> Result<(), SendError> {
        let Some(frame) = self.link.frame(packet, Peer::LOCAL)? else { return Ok(()) };
        match send_now(&self.link.socket, &frame, None) {
            Err(error) if is_gone(&error) => {
                self.link.socket.connect(&self.peer)?;
                sent(send_now(&self.link.socket, &frame, None))
            }
            result => sent(result),
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | NotConnected)
}

fn sent(result: io::Result<usize>) -> Result<(), SendError> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(SendErrorKind::Full.into()),
        Err(error) => Err(error.into()),
    }
}
