//! The clock offset of a channel, which may change while a server runs, and what a packet's own
//! time options make of the channel's.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::channel::Outlet;
use crate::dispatch::{Departure, SendBack};
use crate::packet::{Packet, Peer, TimeOverrides};
use crate::schedule::TimeOptions;
use crate::types::ClockOffset;

/// What counts for one packet: the options of its channel, but where it has its own.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) honor_time_tags: bool,
    pub(super) clock_offset: ClockOffset,
    pub(super) delay: Duration,
    pub(super) check_inner_time_tags: bool,
}

impl Times {
    pub(super) fn of(options: &TimeOptions, offset: &SharedOffset, own: &TimeOverrides) -> Self {
        Self {
            honor_time_tags: own.honor_time_tags.unwrap_or(options.honor_time_tags),
            clock_offset: own.clock_offset.unwrap_or_else(|| offset.get()),
            delay: options.delay,
            check_inner_time_tags: own.check_inner_time_tags.unwrap_or(options.check_inner_time_tags),
        }
    }
}

/// The clock offset of a channel.
#[derive(Debug)]
pub(super) struct SharedOffset(AtomicI64);

impl SharedOffset {
    pub(super) fn new(offset: ClockOffset) -> Self {
        Self(AtomicI64::new(offset.as_nanos()))
    }

    pub(super) fn get(&self) -> ClockOffset {
        ClockOffset::from_nanos(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn set(&self, offset: ClockOffset) {
        self.0.store(offset.as_nanos(), Ordering::Relaxed);
    }
}

/// A way back on which the tags of bundles are moved to the peer's clock.
pub(super) struct ToPeersClock {
    pub(super) back: Outlet,
    pub(super) offset: Arc<SharedOffset>,
}

impl SendBack for ToPeersClock {
    fn send(&self, packet: Packet, peer: Peer) -> BoxFuture<'_, io::Result<Departure>> {
        match packet {
            Packet::Message(_) => self.back.send(packet, peer),
            Packet::Bundle(bundle) => {
                let bundle = self.offset.get().bundle_to_peer(&bundle);
                self.back.send(bundle.into(), peer).boxed()
            }
        }
    }
}
