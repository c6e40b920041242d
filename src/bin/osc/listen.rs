//! Listening on several URLs, and what is reported of it on stderr: what is bound, malformed packets,
//! connections that fail, datagrams that the kernel dropped.

use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use futures::stream::{SelectAll, select_all};
use tokio_osc::channel::{ConnectionEvent, Disconnect, Events, Scheme, StreamOptions, UdpMonitor};
use tokio_osc::middleware::{Flow, Middleware};
use tokio_osc::packet::{DecodeError, DecodeOptions};
use tokio_osc::{Bytes, Channel, Endpoint, Meta, Packet, Peer};

use crate::failure::{At as _, Failure};
use crate::output::{note, note_passed_over};
use crate::place::Listen;

/// Malformed packets whose bytes are kept until they are shown.
const KEPT: usize = 1_024;

/// The requested receive buffer, for packets that arrive while this program writes. Linux grants at most
/// `net.core.rmem_max`.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Channels that are bound, each with its URL.
pub(crate) struct Listening {
    pub(crate) channels: Vec<(Endpoint, Channel)>,
    pub(crate) drops: Drops,
}

impl Listening {
    /// Binds every URL, and reports each on stderr.
    pub(crate) async fn on(urls: &[Listen], options: &StreamOptions) -> Result<Self, Failure> {
        let mut channels = Vec::new();
        for Listen { url, v6 } in urls {
            let bound = bind(url, options).await.at(url)?;
            // The same port, also where any would do.
            let port = bound.1.local_addr().map_or(0, |address| address.port());
            channels.push(bound);
            let Some(v6) = v6 else { continue };
            match bind(&v6.at((Ipv6Addr::UNSPECIFIED, port).into()), options).await {
                Ok(bound) => channels.push(bound),
                Err(error) => note(format_args!("osc: IPv4 only: {error}")),
            }
        }
        for (url, _) in &channels {
            note(format_args!("listening {url}"));
        }
        let monitors = channels.iter().filter_map(|(url, channel)| Some((url.clone(), channel.monitor()?)));
        let drops = Drops(monitors.collect());
        Ok(Self { channels, drops })
    }

    /// The packets of all channels. Malformed packets and broken connections are reported.
    pub(crate) fn packets(self) -> SelectAll<Channel> {
        tokio::spawn(tell_connections(select_all(self.channels.iter().map(|(_, channel)| channel.events()))));
        self.channels.into_iter().map(|(_, channel)| channel).collect()
    }
}

async fn bind(url: &Endpoint, options: &StreamOptions) -> std::io::Result<(Endpoint, Channel)> {
    let channel = match with_room(url).bind_with(options.clone()).await {
        Ok(channel) => channel,
        // Some systems refuse a buffer of this size. Any other error comes again, for the URL as it was given.
        Err(_) => url.bind_with(options.clone()).await?,
    };
    Ok((channel.local_addr().map_or_else(|_| url.clone(), |address| url.at(address)), channel))
}

/// The URL with a receive buffer for bursts of datagrams, unless it sets one.
fn with_room(url: &Endpoint) -> Endpoint {
    let text = url.to_string();
    if url.scheme() != Scheme::Udp || text.contains("receive_buffer=") {
        return url.clone();
    }
    let mark = if text.contains('?') { '&' } else { '?' };
    format!("{text}{mark}receive_buffer={RECEIVE_BUFFER}").parse().unwrap_or_else(|_| url.clone())
}

/// Prints a line for a malformed packet, and for messages that are not shown.
pub(crate) fn tell_faults(packet: &Result<Packet, DecodeError>, meta: &Meta) {
    note_passed_over(meta.peer, meta.repairs());
    if let Err(error) = packet {
        note(format_args!("osc: {}: {error}", meta.peer));
    }
}

/// Prints a line for each connection that was refused or did not end in order.
pub(crate) async fn tell_connections(mut events: SelectAll<Events<ConnectionEvent>>) {
    while let Some(event) = events.next().await {
        match event {
            ConnectionEvent::Disconnected { reason: Disconnect::ByPeer | Disconnect::ByUs, .. } => {}
            ConnectionEvent::Disconnected { peer, reason } => {
                note(format_args!("osc: {peer}: connection closed: {reason}"));
            }
            ConnectionEvent::Refused { peer, reason } => note(format_args!("osc: {peer}: refused: {reason}")),
            ConnectionEvent::AcceptFailed { error, .. } => note(format_args!("osc: accept failed: {error}")),
            _ => {}
        }
    }
}

/// The sockets that report their losses.
#[derive(Clone)]
pub(crate) struct Drops(Vec<(Endpoint, UdpMonitor)>);

impl Drops {
    /// Datagrams that the kernel dropped so far.
    pub(crate) fn count(&self) -> u64 {
        self.each().map(|(_, drops)| drops).sum()
    }

    /// Prints a line for each socket that has lost datagrams.
    pub(crate) fn tell(&self) {
        for (url, drops) in self.each().filter(|(_, drops)| *drops > 0) {
            note(format_args!(
                "osc: {url}: {drops} datagrams dropped by the kernel: they came faster than they were read; \
                 ?receive_buffer=BYTES makes room"
            ));
        }
    }

    fn each(&self) -> impl Iterator<Item = (&Endpoint, u64)> {
        self.0.iter().map(|(url, monitor)| {
            let drops = monitor.stats().and_then(|stats| stats.kernel_drops);
            (url, drops.unwrap_or_default())
        })
    }
}

/// Keeps the bytes of malformed packets, because a channel yields only their errors.
#[derive(Clone)]
pub(crate) struct Malformed {
    options: DecodeOptions,
    kept: Arc<Mutex<VecDeque<(Peer, DecodeError, Bytes)>>>,
}

impl Malformed {
    pub(crate) fn new(options: DecodeOptions) -> Self {
        Self { options, kept: Arc::default() }
    }

    /// The bytes of the packet that has this error.
    pub(crate) fn take(&self, peer: Peer, error: DecodeError) -> Option<Bytes> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(from, why, _)| *from == peer && *why == error)?;
        kept.remove(at).map(|(_, _, bytes)| bytes)
    }
}

impl Middleware for Malformed {
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        if let Err(error) = Packet::decode_with(frame.clone(), &self.options) {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.truncate(KEPT - 1);
            kept.push_back((meta.peer, error, frame.clone()));
        }
        Ok(Flow::Pass(frame))
    }
}
