//! UDP as a stream: the datagrams of each source are joined and split into frames.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};

use super::recent::Recent;
use crate::codec::{Codec, FrameErrorKind, Framing, ReadPacket};
use crate::lock::lock;
use crate::middleware::Chain;
use crate::packet::{Meta, SendError};
use crate::wire::{DecodeError, DecodeErrorKind, DecodeOptions};

/// The framing of a socket.
#[derive(Clone)]
pub(crate) struct FramedOptions {
    /// `None` if each datagram is one packet.
    framing: Option<Arc<dyn AnyFraming>>,
    pub(crate) max_sources: usize,
    pub(crate) max_unfinished: usize,
}

/// A type-erased framing.
trait AnyFraming: Send + Sync {
    fn frame(&self, packet: Bytes, dst: &mut BytesMut) -> Result<(), SendError>;
    fn sources(&self, options: &FramedOptions, decode: DecodeOptions, chain: Chain) -> Box<dyn Sources>;
}

/// The sources of a socket, with the received parts of their frames.
pub(crate) trait Sources: Send {
    /// Adds a datagram. Returns `false` if an unfinished frame was dropped for it.
    fn push(&mut self, datagram: &[u8], from: SocketAddr) -> bool;

    /// Returns the next packet of the source of the last datagram.
    fn next(&mut self) -> Option<ReadPacket>;
}

impl Default for FramedOptions {
    fn default() -> Self {
        Self { framing: None, max_sources: 500, max_unfinished: 64 * 1_024 }
    }
}

impl FramedOptions {
    pub(crate) fn set_framing(&mut self, framing: impl Framing) {
        self.framing = Some(Arc::new(Mutex::new(framing)));
    }

    /// Encodes the datagram of a packet.
    pub(crate) fn frame<'a>(&self, packet: &'a [u8]) -> Result<Cow<'a, [u8]>, SendError> {
        let Some(framing) = &self.framing else { return Ok(Cow::Borrowed(packet)) };
        let mut datagram = BytesMut::new();
        framing.frame(Bytes::copy_from_slice(packet), &mut datagram)?;
        Ok(Cow::Owned(datagram.into()))
    }

    pub(crate) fn sources(&self, decode: &DecodeOptions, chain: &Chain) -> Option<Box<dyn Sources>> {
        self.framing.as_ref().map(|framing| framing.sources(self, decode.clone(), chain.clone()))
    }
}

impl fmt::Debug for FramedOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FramedOptions")
            .field("framing", &self.framing.is_some())
            .field("max_sources", &self.max_sources)
            .field("max_unfinished", &self.max_unfinished)
            .finish()
    }
}

impl<F: Framing> AnyFraming for Mutex<F> {
    fn frame(&self, packet: Bytes, dst: &mut BytesMut) -> Result<(), SendError> {
        lock(self).encode(packet, dst).map_err(Into::into)
    }

    fn sources(&self, options: &FramedOptions, decode: DecodeOptions, chain: Chain) -> Box<dyn Sources> {
        let framing = lock(self).clone();
        Box::new(Joined {
            codec: Codec::with_options(framing, decode).chain(chain),
            sources: Recent::new(options.max_sources),
            max_unfinished: options.max_unfinished,
            reading: None,
        })
    }
}

struct Joined<F> {
    /// The framing that is cloned for each source.
    codec: Codec<F>,
    sources: Recent<SocketAddr, SourceStream<F>>,
    max_unfinished: usize,
    /// The source that may have more packets.
    reading: Option<SocketAddr>,
}

struct SourceStream<F> {
    codec: Codec<F>,
    unfinished: BytesMut,
}

impl<F: Framing> Sources for Joined<F> {
    fn push(&mut self, datagram: &[u8], from: SocketAddr) -> bool {
        let make =
            || SourceStream { codec: self.codec.clone().peer(from.into()), unfinished: BytesMut::new() };
        let gone = self.sources.touch(&from, make);
        if let Some(source) = self.sources.get_mut(&from) {
            source.unfinished.extend_from_slice(datagram);
        }
        self.reading = Some(from);
        gone.is_none_or(|source| source.unfinished.is_empty())
    }

    fn next(&mut self) -> Option<ReadPacket> {
        let from = self.reading?;
        let source = self.sources.get_mut(&from)?;
        // At the limit, as the framings of streams have it.
        let (kind, at) = match source.codec.read(&mut source.unfinished) {
            Ok(Some(packet)) => return Some(packet),
            Ok(None) if source.unfinished.len() <= self.max_unfinished => {
                if source.unfinished.is_empty() {
                    source.unfinished = BytesMut::new();
                }
                self.reading = None;
                return None;
            }
            Ok(None) => (DecodeErrorKind::FrameTooLong, self.max_unfinished),
            Err(error) => match error.kind() {
                FrameErrorKind::BadLength { limit, .. } => (DecodeErrorKind::FrameTooLong, *limit),
                _ => (DecodeErrorKind::NotAPacket, 0),
            },
        };
        // The start of the next frame is unknown, so the source starts again with its next datagram.
        self.sources.remove(&from);
        self.reading = None;
        Some((Err(DecodeError::new(kind, at)), Meta::from_peer(from.into())))
    }
}
