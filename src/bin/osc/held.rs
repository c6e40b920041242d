//! Timed bundles that wait until they are due.
//!
//! A bundle is one entry. When it is due its elements are judged in turn: messages are released, an
//! inner bundle waits for its own time tag, so none is released before the bundle it stands in.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;
use tokio_osc::{Message, Meta, Packet, TimeTag};

/// The most bundles that may wait.
const MAX_BUNDLES: usize = 65_536;
/// The most bytes that may wait.
const MAX_BYTES: usize = 64 << 20;
/// A time tag further away is no schedule but a sender's private clock: such a bundle is due.
const HORIZON: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// After this time the clock is looked at again: it may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The bundles that wait, by the time at which they are due, and by arrival among equals.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bundles: BTreeMap<(SystemTime, u64), (Packet, Meta)>,
    arrivals: u64,
    bytes: usize,
}

/// What became of a packet.
#[derive(Debug)]
pub(crate) struct Released {
    /// What is known of the packet.
    pub(crate) meta: Meta,
    /// Its messages that are due, in order.
    pub(crate) messages: Vec<Message>,
    /// Its bundles that could not wait because too much waits already.
    pub(crate) dropped: usize,
}

impl Held {
    /// Takes a packet; gives back what is due of it.
    pub(crate) fn admit(&mut self, packet: Packet, meta: Meta, now: SystemTime) -> Released {
        let mut released = Released { meta, messages: Vec::new(), dropped: 0 };
        let mut rest = vec![packet];
        while let Some(packet) = rest.pop() {
            match packet {
                Packet::Message(message) => released.messages.push(message),
                Packet::Bundle(bundle) => match due_later(bundle.time_tag(), now) {
                    Some(due) if self.has_room(bundle.as_bytes().len()) => {
                        self.hold(due, bundle.as_ref().to_owned().into(), released.meta.clone());
                    }
                    Some(_) => released.dropped += 1,
                    None => {
                        let elements: Vec<Packet> = bundle.elements().collect();
                        rest.extend(elements.into_iter().rev());
                    }
                },
            }
        }
        released
    }

    /// The first bundle that has become due.
    pub(crate) fn release(&mut self, now: SystemTime) -> Option<Released> {
        let first = self.bundles.first_entry().filter(|first| first.key().0 <= now)?;
        let (packet, meta) = first.remove();
        self.bytes -= packet.as_bytes().len();
        Some(self.admit(packet, meta, now))
    }

    /// Sleeps until a bundle may be due; for ever if none waits. Cancel safe.
    pub(crate) async fn due(&self) {
        match self.bundles.first_key_value() {
            Some(((due, _), _)) => {
                let ahead = due.duration_since(SystemTime::now()).unwrap_or_default();
                sleep(ahead.min(LONGEST_SLEEP)).await;
            }
            None => pending().await,
        }
    }

    /// How many bundles wait.
    pub(crate) fn len(&self) -> usize {
        self.bundles.len()
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.bundles.len() < MAX_BUNDLES && self.bytes + bytes <= MAX_BYTES
    }

    fn hold(&mut self, due: SystemTime, packet: Packet, meta: Meta) {
        self.bytes += packet.as_bytes().len();
        self.bundles.insert((due, self.arrivals), (packet, meta));
        self.arrivals += 1;
    }
}

/// When a bundle is due, if it is to wait.
fn due_later(time_tag: TimeTag, now: SystemTime) -> Option<SystemTime> {
    if time_tag.is_immediately() || time_tag.to_bits() == 0 {
        return None;
    }
    let due = time_tag.near(now);
    let ahead = due.duration_since(now).ok()?;
    (ahead > Duration::ZERO && ahead <= HORIZON).then_some(due)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio_osc::{Bundle, BundleBuilder, IntoPacket, Peer};

    fn admit(held: &mut Held, packet: impl IntoPacket, now: SystemTime) -> Vec<String> {
        let meta = Meta::from_peer(Peer::LOCAL);
        let released = held.admit(packet.into_packet().unwrap(), meta, now);
        assert_eq!(released.dropped, 0);
        lines(&released)
    }

    fn lines(released: &Released) -> Vec<String> {
        released.messages.iter().map(ToString::to_string).collect()
    }

    fn bundle(due: SystemTime) -> BundleBuilder {
        Bundle::at(TimeTag::at(due))
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_due_is_released_in_order() {
        let (mut held, now) = (Held::default(), SystemTime::now());
        let inner = bundle(now - SECOND).with(("/2", ()));
        let packet = bundle(now).with(("/1", ())).with(inner).with(("/3", ()));
        assert_eq!(admit(&mut held, packet, now), ["/1 ,", "/2 ,", "/3 ,"]);
        assert_eq!(admit(&mut held, Bundle::immediately().with(("/4", ())), now), ["/4 ,"]);
        assert_eq!(admit(&mut held, Bundle::at(TimeTag::from_bits(0)).with(("/5", ())), now), ["/5 ,"]);
        assert_eq!(held.len(), 0);
    }

    #[test]
    fn an_inner_bundle_waits_for_itself_and_for_its_parent() {
        let (mut held, now) = (Held::default(), SystemTime::now());
        let early = bundle(now + SECOND).with(("/early", ()));
        let late = bundle(now + SECOND * 3).with(("/late", ()));
        let packet = bundle(now + SECOND * 2).with(early).with(late).with(("/outer", ()));
        assert!(admit(&mut held, packet, now).is_empty());
        assert!(held.release(now + SECOND).is_none());
        assert_eq!(lines(&held.release(now + SECOND * 2).unwrap()), ["/early ,", "/outer ,"]);
        assert!(held.release(now + SECOND * 2).is_none());
        assert_eq!(lines(&held.release(now + SECOND * 3).unwrap()), ["/late ,"]);
        assert_eq!((held.len(), held.bytes), (0, 0));
    }

    #[test]
    fn equal_times_are_released_in_order_of_arrival() {
        let (mut held, now) = (Held::default(), SystemTime::now());
        for address in ["/1", "/2", "/3"] {
            assert!(admit(&mut held, bundle(now + SECOND).with((address, ())), now).is_empty());
        }
        let later = now + SECOND;
        let released: Vec<_> = std::iter::from_fn(|| held.release(later)).flat_map(|r| lines(&r)).collect();
        assert_eq!(released, ["/1 ,", "/2 ,", "/3 ,"]);
    }

    #[test]
    fn the_horizon_is_a_week() {
        let (mut held, now) = (Held::default(), SystemTime::now());
        assert!(admit(&mut held, bundle(now + HORIZON - SECOND).with(("/near", ())), now).is_empty());
        assert_eq!(admit(&mut held, bundle(now + HORIZON + SECOND).with(("/far", ())), now), ["/far ,"]);
    }

    #[test]
    fn no_more_than_so_many_bundles_wait() {
        let (mut held, now) = (Held::default(), SystemTime::now());
        for _ in 0..MAX_BUNDLES {
            assert!(admit(&mut held, bundle(now + SECOND), now).is_empty());
        }
        let one_more = bundle(now + SECOND).into_packet().unwrap();
        let released = held.admit(one_more, Meta::from_peer(Peer::LOCAL), now);
        assert_eq!((released.dropped, held.len()), (1, MAX_BUNDLES));
    }

    #[test]
    fn no_more_than_so_many_bytes_wait() {
        let (mut held, now) = (Held::default(), SystemTime::now());
        let meg = vec![0_u8; (1 << 20) - 32];
        let megabyte = bundle(now + SECOND).with(("/a", &meg)).into_packet().unwrap();
        assert_eq!(megabyte.as_bytes().len(), 1 << 20);
        let dropped =
            |held: &mut Held| held.admit(megabyte.clone(), Meta::from_peer(Peer::LOCAL), now).dropped;
        assert_eq!((0..64).map(|_| dropped(&mut held)).sum::<usize>(), 0);
        assert_eq!((dropped(&mut held), held.len()), (1, 64));
    }
}
