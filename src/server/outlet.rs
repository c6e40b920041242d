//! A channel's outlet sends replies.

use futures::FutureExt;
use tokio::task::unconstrained;

use crate::channel::Outlet;
use crate::middleware::Flow;
use crate::packet::{Packet, Peer, SendError, SendErrorKind, SendTo, Sending, Sent};

impl SendTo for Outlet {
    fn send(&self, packet: Packet, peer: Peer) -> Sending<'_> {
        let mut reply = async move { self.reply(packet, peer).await.map(sent) }.boxed();
        match (&mut reply).now_or_never() {
            Some(sent) => Sending::Done(sent),
            None => Sending::Waits(reply),
        }
    }

    fn try_send(&self, packet: Packet, peer: Peer) -> Result<Sent, SendError> {
        let reply = unconstrained(self.reply(packet, peer)).now_or_never();
        reply.unwrap_or_else(|| Err(SendErrorKind::Full.into())).map(sent)
    }
}

fn sent(flow: Flow<()>) -> Sent {
    match flow {
        Flow::Pass(()) => Sent::Sent,
        Flow::Drop => Sent::Filtered,
    }
}
