//! The stamp that a replay window reads: the id of the sender, the sequence number and the send time.

use bytes::{BufMut, Bytes, BytesMut};

use crate::types::TimeTag;

/// Precedes the packet. The signature or cipher covers both:
///
/// ```text
///  0  "#bundle\0"
///  8  00 00 00 00 00 00 00 01     immediately
/// 16  00 00 00 30                 48 bytes follow
/// 20  "/packet/stamp\0\0\0"
/// 36  ",hht\0\0\0\0"
/// 44  sender, 8 bytes
/// 52  sequence number, 8 bytes
/// 60  time, 8 bytes
/// 68  size of the packet, 4 bytes
/// 72  the packet
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) sender: u64,
    pub(super) sequence: u64,
    pub(super) time: TimeTag,
}

/// All up to the sender.
const HEAD: &[u8; 44] = b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x30/packet/stamp\0\0\0,hht\0\0\0\0";
const SIZE: usize = HEAD.len() + 28;

impl Stamp {
    /// The stamp and the packet after it. `None` if that would be more than 2<sup>31</sup> - 1 bytes.
    pub(super) fn before(self, packet: &[u8]) -> Option<Bytes> {
        let size = i32::try_from(packet.len()).ok()?;
        let mut stamped = BytesMut::with_capacity(SIZE + packet.len());
        stamped.put_slice(HEAD);
        stamped.put_u64(self.sender);
        stamped.put_u64(self.sequence);
        stamped.put_u64(self.time.to_bits());
        stamped.put_i32(size);
        stamped.put_slice(packet);
        Some(stamped.freeze())
    }

    /// Splits a stamp from the packet after it. `None` if there is no stamp in exactly this form.
    pub(super) fn split(stamped: &Bytes) -> Option<(Self, Bytes)> {
        let rest = stamped.strip_prefix(HEAD)?;
        let (&sender, rest) = rest.split_first_chunk()?;
        let (&sequence, rest) = rest.split_first_chunk()?;
        let (&time, rest) = rest.split_first_chunk()?;
        let (&size, packet) = rest.split_first_chunk()?;
        let is_whole = usize::try_from(u32::from_be_bytes(size)) == Ok(packet.len());
        let stamp = Self {
            sender: u64::from_be_bytes(sender),
            sequence: u64::from_be_bytes(sequence),
            time: TimeTag::from_bits(u64::from_be_bytes(time)),
        };
        is_whole.then(|| (stamp, stamped.slice_ref(packet)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::packet::{Bundle, IntoPacket, Packet};

    const STAMP: Stamp = Stamp { sender: 7, sequence: u64::MAX, time: TimeTag::new(5, 6) };

    fn packet() -> Packet {
        ("/a", 1).into_packet().unwrap()
    }

    #[test]
    fn a_stamped_packet_is_a_bundle_that_any_osc_program_reads() {
        let stamped = Packet::decode(STAMP.before(packet().as_bytes()).unwrap()).unwrap();
        let expected =
            Bundle::immediately().with(("/packet/stamp", (7_i64, -1_i64, STAMP.time))).with(packet());
        assert_eq!(stamped, expected.into_packet().unwrap());
    }

    #[test]
    fn a_stamp_is_read_back_in_this_form_only() {
        let stamped = STAMP.before(packet().as_bytes()).unwrap();
        assert_eq!(Stamp::split(&stamped), Some((STAMP, packet().as_bytes().clone())));

        for len in 0..stamped.len() {
            assert_eq!(Stamp::split(&stamped.slice(..len)), None, "{len} bytes");
        }
        let longer = [&stamped[..], &[0; 4]].concat();
        assert_eq!(Stamp::split(&longer.into()), None);
        for at in (0..HEAD.len()).chain(68..72) {
            let mut changed = stamped.to_vec();
            changed[at] ^= 1;
            assert_eq!(Stamp::split(&changed.into()), None, "byte {at}");
        }
    }
}
