//! A wrapper of a destination that catches its panics.

use std::io;
use std::sync::Arc;

use crate::node::{Destination, SendOutcome};
use crate::user_function::{Panicked, UserFunction};
use crate::{Packet, Peer};

pub(super) struct Guarded {
    destination: Box<dyn Destination>,
    function: Arc<UserFunction>,
}

impl Guarded {
    pub(super) fn new(destination: impl Destination, name: &'static str) -> Self {
        Self { destination: Box::new(destination), function: Arc::new(UserFunction::new(name)) }
    }

    /// Sends a packet. A panic of the destination counts as a failure.
    pub(super) async fn send(&self, packet: &Packet) -> SendOutcome {
        // Also the call that makes the future may panic.
        let sending = async { self.destination.send(packet).await };
        self.function.wait(sending).await.unwrap_or_else(|Panicked| {
            SendOutcome::Failed(io::Error::other("the destination panicked").into())
        })
    }

    pub(super) fn is_peer(&self, peer: Peer) -> bool {
        self.function.call(|| self.destination.is_peer(peer)).unwrap_or(false)
    }

    /// Returns the counter of panics, which outlives the destination.
    pub(super) fn function(&self) -> &Arc<UserFunction> {
        &self.function
    }
}
