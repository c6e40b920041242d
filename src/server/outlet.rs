//! A channel is the way back of the messages it received.

use std::io;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::channel::Outlet;
use crate::dispatch::{Departure, SendBack};
use crate::middleware::Flow;
use crate::packet::{Packet, Peer, SendError, SendErrorKind};

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

fn into_io(error: SendError) -> io::Error {
    let kind = match error.kind() {
        SendErrorKind::Io(kind) => kind,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
