//! Detects peers with a wrong clock, because their bundles would silently run late or never.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use crate::lock::lock;

/// The distance from now at which time tags indicate a wrong clock.
const FAR: Duration = Duration::from_secs(30 * 60);
/// The number of far tags in a row. One alone may be meant: a cue of the evening.
const IN_A_ROW: u32 = 8;

/// Counts the distant time tags of a peer in a row. It remembers one peer: the last one with such a time tag.
#[derive(Debug, Default)]
pub(super) struct ClockWatch {
    suspect: Mutex<Option<(Option<IpAddr>, u32)>>,
}

impl ClockWatch {
    /// Records the distance of a time tag. Returns `true` once in a row, when a warning is due.
    pub(super) fn is_off(&self, peer: Option<IpAddr>, apart: Duration) -> bool {
        let mut suspect = lock(&self.suspect);
        let is_same = suspect.is_some_and(|(known, _)| known == peer);
        if apart < FAR {
            // A near time tag resets only its own peer.
            if is_same {
                *suspect = None;
            }
            return false;
        }
        let count = suspect.filter(|_| is_same).map_or(1, |(_, count)| count.saturating_add(1));
        *suspect = Some((peer, count));
        count == IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_peer_is_named_once_when_all_its_tags_are_far_off() {
        let (watch, peer) = (ClockWatch::default(), Some(IpAddr::from([10, 0, 0, 7])));
        let named: Vec<_> = (0..100).filter(|_| watch.is_off(peer, HOUR)).collect();
        assert_eq!(named, [7]);
    }

    #[test]
    fn a_near_tag_acquits_its_own_peer_alone() {
        let (watch, [one, two]) = (ClockWatch::default(), [7, 8].map(|n| Some(IpAddr::from([10, 0, 0, n]))));
        for _ in 0..100 {
            assert!((0..7).all(|_| !watch.is_off(one, HOUR)));
            assert!(!watch.is_off(one, Duration::ZERO));
        }
        let named = (0..8).filter(|_| watch.is_off(one, HOUR) | watch.is_off(two, Duration::ZERO)).count();
        assert_eq!(named, 1);
    }
}
