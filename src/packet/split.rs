//! Splits a bundle that is too large for a datagram.

use super::Bundle;
use crate::wire::{bundle_header, split_bundle, split_element};

impl Bundle {
    /// Splits the bundle into bundles of at most `max_bytes` bytes, for datagrams. The elements keep their order, and each
    /// part has the time tag of this bundle. An element that does not fit is in a bundle of its own, which is larger.
    /// A bundle that fits is the only part; an empty bundle has none.
    ///
    /// The parts no longer take effect as a whole: they can be lost or reordered, and other packets can run between
    /// them. Parts whose time tag is far enough ahead still run at the same time.
    ///
    /// | `max_bytes` | because |
    /// | --- | --- |
    /// | 65,507 | the largest datagram of IPv4 |
    /// | 9,216 | the largest that macOS sends by default (`net.inet.udp.maxdgram`) |
    /// | 1,472 | one Ethernet packet, so that no fragment can be lost |
    ///
    /// ```
    /// use tokio_osc::{Bundle, Channel, Client, TimeTag};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let mut channel = Channel::udp("127.0.0.1:0").await?;
    /// let client = Client::udp(channel.local_addr()?).await?;
    /// let mut scene = Bundle::at(TimeTag::IMMEDIATELY);
    /// for fader in 0..100 {
    ///     scene = scene.with((format!("/fader/{fader}"), 0.5_f32));
    /// }
    /// client.send_all(scene.build()?.split(1_472)).await?;
    ///
    /// let (first, _) = channel.recv().await.expect("the channel is open");
    /// let (second, _) = channel.recv().await.expect("the channel is open");
    /// assert_eq!(first?.messages().count() + second?.messages().count(), 100);
    /// # Ok(()) }
    /// ```
    pub fn split(&self, max_bytes: usize) -> impl Iterator<Item = Self> {
        let header = bundle_header(self.time_tag());
        let room = max_bytes.saturating_sub(header.len());
        let mut rest = split_bundle(self.as_bytes()).map_or(&[][..], |(_, elements)| elements);
        std::iter::from_fn(move || {
            let (part, after) = rest.split_at_checked(fitting(rest, room))?;
            if part.is_empty() {
                return None;
            }
            rest = after;
            Some(Self::from_encoded([header.as_slice(), part].concat().into()))
        })
    }
}

/// Bytes of the first elements that fit, of one at least.
fn fitting(elements: &[u8], room: usize) -> usize {
    let mut taken = 0;
    while let Some((_, rest)) = elements.get(taken..).and_then(split_element) {
        let end = elements.len().saturating_sub(rest.len());
        if taken > 0 && end > room {
            break;
        }
        taken = end;
    }
    taken
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::types::TimeTag;

    /// Elements of 20 bytes, each with its size: `/1`, an integer, and one of 40.
    fn bundle() -> Bundle {
        let tag = TimeTag::from_bits(7);
        let bundle = (0..5).fold(Bundle::at(tag), |bundle, n| bundle.with((format!("/{n}"), n)));
        bundle.with(("/blob", [0_u8; 20])).build().unwrap()
    }

    fn sizes(bundle: &Bundle, max_bytes: usize) -> Vec<usize> {
        bundle.split(max_bytes).map(|part| part.as_bytes().len()).collect()
    }

    #[test]
    fn parts_have_the_elements_in_order_and_the_time_tag() {
        let bundle = bundle();
        for max_bytes in [0, 16, 48, 64, 1_000] {
            let parts: Vec<_> = bundle.split(max_bytes).collect();
            assert!(parts.iter().all(|part| part.time_tag() == bundle.time_tag()));
            let elements: Vec<_> = parts.iter().flat_map(Bundle::elements).collect();
            assert_eq!(elements, bundle.elements().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_part_is_as_large_as_the_limit_allows_except_for_an_element_that_exceeds_it() {
        let bundle = bundle();
        assert_eq!(sizes(&bundle, 16 + 32), [48, 48, 32, 56]);
        assert_eq!(sizes(&bundle, 16 + 31), [32, 32, 32, 32, 32, 56]);
        assert_eq!(sizes(&bundle, 16 + 48), [64, 48, 56]);
        assert_eq!(sizes(&bundle, bundle.as_bytes().len()), [bundle.as_bytes().len()]);
        assert_eq!(sizes(&Bundle::immediately().build().unwrap(), 100), [0; 0]);
    }
}
