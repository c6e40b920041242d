//! A UDP socket that sends: to any peer, with its errors told apart and counted.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::framed::FramedOptions;
use super::monitor::Counters;
use super::offload::{self, Run};
use crate::channel::host::require_link;
use crate::channel::socket::{SockAddr, failed, send_now};
use crate::middleware::{Chain, Flow};
use crate::packet::{Packet, Peer, SendError, SendErrorKind};

/// The most bytes that UDP carries over IPv4 and IPv6.
pub(super) const MAX_V4: usize = 65_507;
const MAX_V6: usize = 65_527;

/// A connected socket reports the error of an earlier datagram when the next one is sent; that one
/// is then tried again, so often at most.
const TRIES: usize = 4;

/// A bound socket, and what is known of it.
#[derive(Debug)]
pub(in crate::channel) struct Link {
    pub(super) socket: UdpSocket,
    pub(super) local: SocketAddr,
    /// The one peer of a connected socket.
    pub(super) connected: Option<SocketAddr>,
    pub(super) broadcast: bool,
    pub(super) reply_to: ReplyTo,
    pub(super) chain: Chain,
    pub(super) framed: FramedOptions,
    /// Whether runs of datagrams pass the kernel in one call.
    pub(super) runs: bool,
    pub(super) counters: Counters,
}

/// Where answers go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ReplyTo {
    /// To the address and port that a packet came from.
    #[default]
    Source,
    /// To the address that it came from, at this port.
    Port(u16),
    /// To this address, whoever asks.
    Address(SocketAddr),
}

impl Link {
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
            counters: Counters::default(),
        })
    }

    pub(in crate::channel) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(in crate::channel) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Sends a packet through the middleware, waiting while the socket's buffer is full. Tells whether
    /// it has left.
    pub(in crate::channel) async fn send_packet(
        &self,
        packet: Packet,
        to: SocketAddr,
    ) -> Result<Flow<()>, SendError> {
        match self.chain.write(packet, to.into())? {
            Some(frame) => self.send(&frame, to).await.map(Flow::Pass),
            None => Ok(Flow::Drop),
        }
    }

    /// Sends the bytes of a packet, waiting while the socket's buffer is full.
    pub(in crate::channel) async fn send(&self, packet: &[u8], to: SocketAddr) -> Result<(), SendError> {
        self.send_datagram(&self.frame(packet, to)?, to).await
    }

    async fn send_datagram(&self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        if self.connected == Some(to) {
            return self.send_connected(datagram).await;
        }
        match self.socket.send_to(datagram, to).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(&error, to).into()),
        }
    }

    /// Sends the bytes of a packet if the socket has space for it.
    pub(in crate::channel) fn try_send(&self, packet: &[u8], to: SocketAddr) -> Result<(), SendError> {
        self.try_send_datagram(&self.frame(packet, to)?, to)
    }

    fn try_send_datagram(&self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        let address = self.target(to).map(SockAddr::from);
        for tries in 1.. {
            match send_now(&self.socket, datagram, address.as_ref()) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(SendErrorKind::Full.into());
                }
                Err(_) if address.is_none() && tries < TRIES => self.counters.send_again(),
                Err(error) => return Err(self.explain(&error, to).into()),
            }
        }
        Ok(())
    }

    /// Lets runs of datagrams pass the kernel in one call, as far as it can.
    pub(super) fn take_runs(&mut self) {
        self.runs = true;
        if let Err(error) = offload::enable(&self.socket) {
            tracing::debug!(target: "tokio_osc::channel", %error, "datagrams are received one by one");
        }
    }

    /// What has arrived: a datagram, or a run of them.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Run> {
        if self.runs {
            return offload::receive(&self.socket, buffer);
        }
        self.socket.try_recv_from(buffer).map(Run::of_one)
    }

    /// Sends datagrams of `size` bytes, waiting while the socket's buffer is full. `false` if they
    /// cannot be sent as one; then none was sent.
    pub(super) async fn send_run(&self, run: &[u8], size: usize, to: SocketAddr) -> Result<bool, SendError> {
        if run.len() <= size {
            return self.send_datagram(run, to).await.map(|()| true);
        }
        let send = || offload::send(&self.socket, run, size, self.target(to));
        self.settle_run(self.socket.async_io(Interest::WRITABLE, send).await, to)
    }

    /// As `send_run`, if the socket has space.
    pub(super) fn try_send_run(&self, run: &[u8], size: usize, to: SocketAddr) -> Result<bool, SendError> {
        if run.len() <= size {
            return self.try_send_datagram(run, to).map(|()| true);
        }
        match offload::send(&self.socket, run, size, self.target(to)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(SendErrorKind::Full.into()),
            sent => self.settle_run(sent, to),
        }
    }

    fn settle_run(&self, sent: io::Result<()>, to: SocketAddr) -> Result<bool, SendError> {
        match sent {
            Ok(()) => Ok(true),
            Err(error) if offload::refuses(&error) => Ok(false),
            Err(error) => Err(self.explain(&error, to).into()),
        }
    }

    /// The address for the system, which knows the peer of a connected socket.
    fn target(&self, to: SocketAddr) -> Option<SocketAddr> {
        (self.connected != Some(to)).then_some(to)
    }

    /// Sends an answer to where answers go.
    pub(in crate::channel) async fn reply(&self, packet: Packet, peer: Peer) -> Result<Flow<()>, SendError> {
        let source = peer.address().ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
        let to = match self.reply_to {
            ReplyTo::Source => source,
            ReplyTo::Port(port) => {
                let mut to = source;
                to.set_port(port);
                to
            }
            ReplyTo::Address(address) => address,
        };
        self.send_packet(packet, to).await
    }

    /// The datagram for the bytes of a packet. Refuses what no datagram can hold, before the system is
    /// asked.
    pub(super) fn frame<'a>(&self, packet: &'a [u8], to: SocketAddr) -> Result<Cow<'a, [u8]>, SendError> {
        let frame = self.framed.frame(packet)?;
        let limit = if to.is_ipv4() { MAX_V4 } else { MAX_V6 };
        if frame.len() > limit {
            Err(SendErrorKind::TooLarge { size: frame.len(), limit }.into())
        } else {
            Ok(frame)
        }
    }

    async fn send_connected(&self, frame: &[u8]) -> Result<(), SendError> {
        let mut tries = 1;
        loop {
            match self.socket.send(frame).await {
                Ok(_) => return Ok(()),
                Err(_) if tries < TRIES => self.counters.send_again(),
                Err(error) => return Err(self.explain(&error, self.connected.unwrap_or(self.local)).into()),
            }
            tries += 1;
        }
    }

    /// Counts an error of sending, and names the remedy where there is one.
    fn explain(&self, error: &io::Error, to: SocketAddr) -> io::Error {
        self.counters.send_failed();
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

/// Refuses a peer to which nothing could be sent.
pub(in crate::channel) fn check_peer(local: SocketAddr, peer: SocketAddr) -> io::Result<()> {
    if local.is_ipv4() != peer.is_ipv4() {
        let text = format!("the socket at {local} does not reach {peer}: one is IPv4, the other IPv6");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    require_link(peer)
}
