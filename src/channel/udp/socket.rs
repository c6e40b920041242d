//! A UDP socket that sends to any peer, with its errors told apart and counted.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Context;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::task::AtomicWaker;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::framed::FramedOptions;
use super::late_replies::LateReplies;
use super::offload::{self, DatagramRun};
use super::shared_clients::SharedClients;
use crate::channel::address::host_port::require_link;
use crate::channel::socket::{SockAddr, failed, send_now, try_io_now};
use crate::channel::transport::{Taken, Transport};
use crate::middleware::Chain;
use crate::packet::{Peer, SendError, SendErrorKind};

/// The most bytes that UDP carries over IPv4 and IPv6.
pub(crate) const MAX_V4: usize = 65_507;
const MAX_V6: usize = 65_527;

/// A connected socket reports the error of an earlier datagram when the next one is sent; that one
/// is then tried again, up to this number of times.
const TRIES: usize = 4;

/// A bound socket and its options. The transport of channels and of clients.
#[derive(Debug)]
pub(crate) struct UdpSocketState {
    pub(crate) socket: UdpSocket,
    pub(crate) local: SocketAddr,
    /// The one peer of a connected socket.
    connected: Option<SocketAddr>,
    pub(super) broadcast: bool,
    pub(super) reply_to: ReplyTo,
    pub(super) chain: Chain,
    pub(super) framed: FramedOptions,
    /// Whether runs of datagrams are sent and received in one call.
    runs: bool,
    /// Whether each datagram comes with the address of this host that it was sent to.
    knows_local_ip: bool,
    pub(super) counters: UdpCounters,
    /// The clients that send by this socket, which a channel reads.
    pub(crate) clients: SharedClients,
    /// Replies that the task that reads the channel sends when there is room.
    late: LateReplies,
    /// That task.
    reader: AtomicWaker,
}

/// Where replies go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ReplyTo {
    /// To the address and port that a packet came from.
    #[default]
    Source,
    /// To the address that it came from, at this port.
    Port(u16),
    /// To this address, whatever the peer.
    Address(SocketAddr),
}

/// The counters of a socket.
#[derive(Debug, Default)]
pub(super) struct UdpCounters {
    pub(super) oversized: AtomicU64,
    pub(super) unfinished: AtomicU64,
    pub(super) receive_errors: AtomicU64,
    pub(super) sent_again: AtomicU64,
    pub(super) send_errors: AtomicU64,
    /// Of the errors received and sent again: the host of the peer reported that no program listens there.
    refused: AtomicU64,
}

impl UdpCounters {
    /// Notes an error of a datagram sent earlier, which the system reports at a later call.
    pub(super) fn note_earlier(&self, error: &io::Error, counter: &AtomicU64) {
        count(counter);
        if error.kind() == io::ErrorKind::ConnectionRefused {
            count(&self.refused);
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl UdpSocketState {
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let local = socket.local_addr()?;
        Ok(Self {
            socket,
            local,
            connected: None,
            broadcast: false,
            reply_to: ReplyTo::default(),
            chain: Chain::default(),
            framed: FramedOptions::default(),
            runs: false,
            knows_local_ip: false,
            counters: UdpCounters::default(),
            clients: SharedClients::default(),
            late: LateReplies::default(),
            reader: AtomicWaker::new(),
        })
    }

    /// Connects the socket to its one peer.
    pub(crate) async fn connect(&mut self, peer: SocketAddr) -> io::Result<()> {
        self.socket.connect(peer).await.map_err(|error| failed(&error, format!("to {peer}")))?;
        self.connected = Some(peer);
        self.local = self.socket.local_addr()?;
        Ok(())
    }

    /// How often the system has reported that no program listens where a datagram was sent: of connected
    /// sockets only.
    pub(crate) fn refusals(&self) -> u64 {
        // An error alone wakes no reader: it waits in the socket for the next call.
        if let (Some(_), Ok(Some(error))) = (self.connected, self.socket.take_error()) {
            self.counters.note_earlier(&error, &self.counters.receive_errors);
        }
        self.counters.refused.load(Relaxed)
    }

    /// Enables sending and receiving runs in one call, if the kernel supports it.
    pub(super) fn take_runs(&mut self) {
        self.runs = true;
        if let Err(error) = offload::enable_runs(&self.socket) {
            tracing::debug!(target: "tokio_osc::channel", %error, "datagrams are received one by one");
        }
    }

    /// Makes replies leave from the address that the packet was sent to. A socket bound to one address does so anyway.
    pub(super) fn answer_from_asked(&mut self) {
        if !self.local.ip().is_unspecified() {
            return;
        }
        match offload::enable_local_ip(&self.socket, self.local.is_ipv6()) {
            Ok(()) => self.knows_local_ip = true,
            Err(error) => {
                tracing::debug!(target: "tokio_osc::channel", %error, "the system chooses the address of answers");
            }
        }
    }

    pub(crate) fn takes_runs(&self) -> bool {
        self.runs
    }

    /// The next datagram, or a run of them. Does not wait.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<DatagramRun> {
        if self.runs || self.knows_local_ip {
            return offload::receive(&self.socket, buffer);
        }
        self.socket.try_recv_from(buffer).map(DatagramRun::of_one)
    }

    fn try_send_datagram(&self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        let address = self.target(to).map(SockAddr::from);
        for tries in 1.. {
            let send = || send_now(&self.socket, datagram, address.as_ref());
            match try_io_now(|op| self.socket.try_io(Interest::WRITABLE, op), send) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(SendErrorKind::Full.into());
                }
                Err(error) if address.is_none() && tries < TRIES => {
                    self.counters.note_earlier(&error, &self.counters.sent_again);
                }
                Err(error) => return Err(self.explain(&error, to).into()),
            }
        }
        Ok(())
    }

    /// Sends a datagram from an address of this host if the socket has space for it. `false` if the system refuses,
    /// as when the host has lost the address; then nothing was sent.
    fn try_send_from(&self, from: IpAddr, datagram: &[u8], to: SocketAddr) -> Result<bool, SendError> {
        let send = || offload::send_from(&self.socket, datagram, from, to);
        match try_io_now(|op| self.socket.try_io(Interest::WRITABLE, op), send) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(SendErrorKind::Full.into()),
            done => Ok(done.is_ok()),
        }
    }

    /// Sends datagrams of `size` bytes if the socket has space. `false` if they cannot be sent as one;
    /// then none was sent.
    pub(crate) fn try_send_run(&self, run: &[u8], size: usize, to: SocketAddr) -> Result<bool, SendError> {
        if run.len() <= size {
            return self.try_send_datagram(run, to).map(|()| true);
        }
        let send = || offload::send(&self.socket, run, size, self.target(to));
        match try_io_now(|op| self.socket.try_io(Interest::WRITABLE, op), send) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(SendErrorKind::Full.into()),
            Err(error) if offload::refuses(&error) => Ok(false),
            Err(error) => Err(self.explain(&error, to).into()),
        }
    }

    /// Sends the replies that wait, as far as the socket has space.
    fn try_send_late(&self) {
        self.late.send(|frame, to| !is_full(&self.try_send(frame, to)));
    }

    /// Same as [`try_send_late`](Self::try_send_late), and wakes the task when the socket has more space.
    pub(super) fn send_late(&self, cx: &mut Context<'_>) {
        if self.late.is_empty() {
            return;
        }
        // Each is sent, or refused, which is counted.
        self.late.send(|frame, to| {
            while is_full(&self.try_send(frame, to)) {
                // The attempt has told the runtime that there is no space: this waits for some, unless it has
                // come in between.
                if self.socket.poll_send_ready(cx).is_pending() {
                    return false;
                }
            }
            true
        });
    }

    /// The task that reads the channel: woken for replies that wait, and for requests.
    pub(super) fn register_reader(&self, cx: &Context<'_>) {
        self.reader.register(cx.waker());
    }

    /// A client that sends by this socket waits for a reply: the channel must be read even if there is no room for
    /// packets.
    pub(crate) fn wake_reader(&self) {
        self.reader.wake();
    }

    /// Sends the bytes of a packet to these addresses of one family, up to the first that would wait or is refused.
    /// Returns the number of addresses. 0 if the system cannot send to many in one call.
    pub(crate) fn try_send_to_each(&self, packet: &[u8], to: &[SocketAddr]) -> usize {
        let Some(Ok(datagram)) = to.first().map(|first| self.frame(packet, *first)) else { return 0 };
        let send = || offload::send_to_each(&self.socket, &datagram, to);
        // The error is not lost: the caller sends to its address by itself next.
        try_io_now(|op| self.socket.try_io(Interest::WRITABLE, op), send).unwrap_or(0)
    }

    /// Waits until the socket has space. Each caller has a waker of its own, unlike with `poll_send_ready`.
    pub(crate) fn writable(&self) -> BoxFuture<'_, Result<(), SendError>> {
        async { Ok(self.socket.writable().await?) }.boxed()
    }

    /// The address for the system, which knows the peer of a connected socket.
    fn target(&self, to: SocketAddr) -> Option<SocketAddr> {
        (self.connected != Some(to)).then_some(to)
    }

    /// Returns the datagram for the bytes of a packet, or an error if no datagram can hold them.
    pub(crate) fn frame<'a>(&self, packet: &'a [u8], to: SocketAddr) -> Result<Cow<'a, [u8]>, SendError> {
        let frame = self.framed.frame(packet)?;
        let limit = if to.is_ipv4() { MAX_V4 } else { MAX_V6 };
        if frame.len() > limit {
            return Err(SendError::too_large_for_datagram(frame.len(), limit));
        }
        Ok(frame)
    }

    /// Counts an error of sending, and adds the remedy if there is one.
    fn explain(&self, error: &io::Error, to: SocketAddr) -> io::Error {
        count(&self.counters.send_errors);
        let denied = error.kind() == io::ErrorKind::PermissionDenied;
        if let (true, false, IpAddr::V4(address)) = (denied, self.broadcast, to.ip()) {
            let text = format!(
                "{address} is a broadcast address: send with `Broadcast`, `osc.udp://{to}/?broadcast=true`"
            );
            return failed(error, text);
        }
        failed(error, format!("to {to}"))
    }
}

fn is_full(sent: &Result<Taken, SendError>) -> bool {
    sent.as_ref().is_err_and(|error| error.kind() == SendErrorKind::Full)
}

impl Transport for UdpSocketState {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn try_send(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        let address = to.address().ok_or(SendErrorKind::Closed)?;
        let datagram = self.frame(frame, address)?;
        // A peer may come from another channel: a socket that is bound to one address sends from that.
        if let Some(local) = to.local_ip().filter(|_| self.knows_local_ip) {
            if self.try_send_from(local, &datagram, address)? {
                return Ok(Taken::Done);
            }
        }
        self.try_send_datagram(&datagram, address).map(|()| Taken::Done)
    }

    fn ready<'a>(&'a self, _frame: &'a Bytes, _to: Peer) -> BoxFuture<'a, Result<(), SendError>> {
        self.writable()
    }

    fn try_reply(&self, frame: &Bytes, to: Peer) -> Result<Taken, SendError> {
        // Replies that wait already go first.
        self.try_send_late();
        if self.late.is_empty() {
            let sent = self.try_send(frame, to);
            if !is_full(&sent) {
                return sent;
            }
        }
        // Refused now, or not at all: later there is no caller to tell.
        self.frame(frame, to.address().ok_or(SendErrorKind::Closed)?)?;
        if !self.late.push(frame, to) {
            return Err(SendErrorKind::Full.into());
        }
        self.wake_reader();
        Ok(Taken::Done)
    }

    fn end_replies(&self) -> usize {
        self.try_send_late();
        self.late.end()
    }

    fn poll_unread(&self, cx: &mut Context<'_>) -> bool {
        // Before the look: a request that is sent after it is a wake.
        self.register_reader(cx);
        self.send_late(cx);
        self.clients.await_reply()
    }

    fn reply_peer(&self, peer: Peer) -> Peer {
        match (self.reply_to, peer.address()) {
            (ReplyTo::Port(port), Some(mut source)) => {
                source.set_port(port);
                Peer::from(source).with_local_ip(peer.local_ip())
            }
            (ReplyTo::Address(address), Some(_)) => address.into(),
            _ => peer,
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        Some(self.local)
    }
}

/// Refuses a peer to which nothing could be sent.
pub(crate) fn check_peer(local: SocketAddr, peer: SocketAddr) -> io::Result<()> {
    if local.is_ipv4() != peer.is_ipv4() {
        let text = format!("the socket at {local} does not reach {peer}: one is IPv4, the other IPv6");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    require_link(peer)
}
