//! The time options of every channel, and the clock offsets that may change while a server runs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::dispatch::{SendBack, WayBack};
use crate::packet::{Packet, Peer};
use crate::schedule::{ClockOffset, TimeOptions};

/// The options of each channel, by its index.
#[derive(Debug)]
pub(super) struct Times {
    channels: Vec<Channel>,
    /// For an index that there is none of.
    default: Channel,
}

#[derive(Debug)]
struct Channel {
    name: Arc<str>,
    options: TimeOptions,
    offset: Arc<SharedOffset>,
}

impl Channel {
    fn new((name, options): (Arc<str>, TimeOptions)) -> Self {
        let offset = Arc::new(SharedOffset::new(options.clock_offset));
        Self { name, options, offset }
    }
}

impl Times {
    pub(super) fn new(channels: impl IntoIterator<Item = (Arc<str>, TimeOptions)>) -> Self {
        let channels = channels.into_iter().map(Channel::new).collect();
        Self { channels, default: Channel::new((Arc::default(), TimeOptions::new())) }
    }

    pub(super) fn options(&self, source: usize) -> &TimeOptions {
        &self.channel(source).options
    }

    pub(super) fn offset(&self, source: usize) -> &Arc<SharedOffset> {
        &self.channel(source).offset
    }

    pub(super) fn offsets_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a SharedOffset> {
        self.channels.iter().filter(move |channel| *channel.name == *name).map(|channel| &*channel.offset)
    }

    fn channel(&self, source: usize) -> &Channel {
        self.channels.get(source).unwrap_or(&self.default)
    }
}

/// The clock offset of a channel.
#[derive(Debug)]
pub(super) struct SharedOffset(AtomicI64);

impl SharedOffset {
    fn new(offset: ClockOffset) -> Self {
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
pub(super) fn with_offset(back: WayBack, offset: &Arc<SharedOffset>) -> WayBack {
    let offset = Arc::clone(offset);
    back.map(|back| Arc::new(ToPeersClock { back, offset }) as Arc<dyn SendBack>)
}

struct ToPeersClock {
    back: Arc<dyn SendBack>,
    offset: Arc<SharedOffset>,
}

impl SendBack for ToPeersClock {
    fn send(&self, packet: Packet, peer: Peer) -> BoxFuture<'_, io::Result<()>> {
        match packet {
            Packet::Message(_) => self.back.send(packet, peer),
            Packet::Bundle(bundle) => {
                let bundle = self.offset.get().bundle_to_peer(&bundle);
                self.back.send(bundle.into(), peer).boxed()
            }
        }
    }
}
