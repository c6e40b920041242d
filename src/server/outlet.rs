//! A channel sends the replies to the messages it received.

use std::io;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::channel::Outlet;
use crate::dispatch::{Departure, SendBack};
use crate::packet::{Packet, Peer, SendError, SendErrorKind, SendTo, Sending, Sent};

impl SendBack for Outlet {
    fn send(&self, packet: Packet, peer: Peer) -> BoxFuture<'_, io::Result<Departure>> {
        async move {
            let sent = match SendTo::send(self, packet, peer) {
                Sending::Done(sent) => sent,
                Sending::Waits(sending) => sending.await,
            };
            match sent.map_err(into_io)? {
                Sent::Sent => Ok(Departure::Sent),
                Sent::Filtered => Ok(Departure::Filtered),
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
