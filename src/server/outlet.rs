//! A channel's socket is the way back of the messages it received.

use std::io;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::channel::Outlet;
use crate::dispatch::SendBack;
use crate::packet::{Packet, Peer};

impl SendBack for Outlet {
    fn send(&self, packet: Packet, peer: Peer) -> BoxFuture<'_, io::Result<()>> {
        async move { Outlet::send(self, &packet, peer).await }.boxed()
    }
}
