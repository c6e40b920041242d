//! Where the packets of a client come from.

use std::future::Future;
#[cfg(feature = "net")]
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
#[cfg(feature = "net")]
use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::events::Disconnect;
use super::link::SharedCodec;
use super::throttle::Throttle;
#[cfg(feature = "net")]
use super::udp::UdpPackets;
#[cfg(all(unix, feature = "net"))]
use super::unix_datagram::UnixPackets;
use crate::packet::Packet;
use crate::wire::DecodeError;

/// Bytes that are asked of the transport at a time.
const READ: usize = 8 * 1_024;

pub(super) enum Source {
    #[cfg(feature = "net")]
    Udp {
        packets: UdpPackets,
        /// Who may answer; anybody if it is `None`.
        answers_from: Option<IpAddr>,
    },
    #[cfg(all(unix, feature = "net"))]
    UnixDatagram(UnixPackets),
    Stream(StreamSource),
    /// A task or a channel reads, and delivers.
    Elsewhere,
}

impl Source {
    /// The next packet that is one, from the peer of the client.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Packet, Disconnect>> {
        match self {
            #[cfg(feature = "net")]
            Self::Udp { packets, answers_from } => loop {
                match ready!(packets.poll_next_unpin(cx)) {
                    Some((Ok(packet), meta)) if answers_from.is_none() || meta.peer.ip() == *answers_from => {
                        return Poll::Ready(Ok(packet));
                    }
                    Some(_) => {}
                    None => return Poll::Ready(Err(Disconnect::ByUs)),
                }
            },
            #[cfg(all(unix, feature = "net"))]
            Self::UnixDatagram(packets) => loop {
                if let Some((Ok(packet), _)) = ready!(packets.poll_next_unpin(cx)) {
                    return Poll::Ready(Ok(packet));
                }
            },
            Self::Stream(stream) => stream.poll(cx),
            Self::Elsewhere => Poll::Pending,
        }
    }
}

/// The receiving half of a byte stream.
pub(super) struct StreamSource {
    io: Box<dyn AsyncRead + Send + Unpin>,
    codec: Arc<dyn SharedCodec>,
    input: BytesMut,
    faults: Throttle,
}

impl StreamSource {
    pub(super) fn new(io: Box<dyn AsyncRead + Send + Unpin>, codec: Arc<dyn SharedCodec>) -> Self {
        Self { io, codec, input: BytesMut::new(), faults: Throttle::default() }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Packet, Disconnect>> {
        loop {
            match self.codec.read(&mut self.input) {
                Ok(Some((Ok(packet), _))) => return Poll::Ready(Ok(packet)),
                Ok(Some((Err(error), _))) => self.note_fault(error),
                Ok(None) => {
                    if self.input.capacity() - self.input.len() < READ / 4 {
                        self.input.reserve(READ);
                    }
                    match ready!(pin!(self.io.read_buf(&mut self.input)).poll(cx)) {
                        Ok(0) => match self.codec.read_eof(&mut self.input) {
                            Ok(Some((Ok(packet), _))) => return Poll::Ready(Ok(packet)),
                            Ok(Some((Err(error), _))) => self.note_fault(error),
                            Ok(None) => return Poll::Ready(Err(Disconnect::ByPeer)),
                            Err(error) => return Poll::Ready(Err(error.into())),
                        },
                        Ok(_) => {}
                        Err(error) => return Poll::Ready(Err(error.into())),
                    }
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn note_fault(&self, error: DecodeError) {
        if let Some(suppressed) = self.faults.pass() {
            tracing::debug!(target: "tokio_osc::channel", %error, suppressed, "malformed packet");
        }
    }
}
