//! A channel is the way back of the messages it received.

use std::io;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::channel::Outlet;
use crate::codec::{FrameError, FrameErrorKind};
use crate::dispatch::{Departure, SendBack};
use crate::middleware::Flow;
use crate::packet::{Packet, Peer};

impl SendBack for Outlet {
    fn send(&self, packet: Packet, peer: Peer) -> BoxFuture<'_, io::Result<Departure>> {
        async move {
            match self.reply(packet, peer).await.map_err(into_io)? {
                Flow::Pass(()) => Ok(Departure::Sent),
                Flow::Drop => Ok(Departure::Filtered),
            }
        }
        .boxed()
    }
}

fn into_io(error: FrameError) -> io::Error {
    match error.into_kind() {
        FrameErrorKind::Io(error) => error,
        other => io::Error::other(FrameError::from(other)),
    }
}
