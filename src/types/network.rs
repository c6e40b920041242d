//! The unit of limits per peer: an IPv4 address, or an IPv6 network.

use std::net::{IpAddr, Ipv6Addr};

/// The network of a peer: an IPv4 address by itself, an IPv6 address up to a prefix length.
///
/// One host commonly owns a whole IPv6 /64 and can send from each of its addresses. A limit per
/// address would not limit such a host at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    /// The prefix length unless it is set: the part of an IPv6 address that names a link, where
    /// the rest is for the hosts to choose (RFC 4291, 2.5.4).
    pub(crate) const IPV6_PREFIX: u8 = 64;

    /// The network of `address`. An IPv4-mapped IPv6 address counts as IPv4. A prefix of 128 bits
    /// or more keeps every IPv6 address apart.
    pub(crate) fn of(address: IpAddr, ipv6_prefix: u8) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let host_bits = 128_u32.saturating_sub(ipv6_prefix.into());
                // All 128 bits are the host's with a prefix of 0, which no shift can express.
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, ipv6_prefix: u8) -> Network {
        Network::of(text.parse().unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), ipv6_prefix)
    }

    #[test]
    fn an_ipv6_network_is_one_peer_and_every_ipv4_address_is_another() {
        let home = of("2001:db8:0:1::1", 64);
        assert_eq!(home, of("2001:db8:0:1:ffff:ffff:ffff:ffff", 64));
        assert_ne!(home, of("2001:db8:0:2::1", 64));
        assert_ne!(of("192.0.2.1", 64), of("192.0.2.2", 64));
        assert_eq!(of("192.0.2.1", 64), of("::ffff:192.0.2.1", 64), "however it is written");
        assert_ne!(of("::ffff:192.0.2.1", 64), of("::ffff:192.0.2.2", 64));
        assert_ne!(of("192.0.2.1", 64), of("::192.0.2.1", 64), "only mapped addresses are IPv4");
    }

    #[test]
    fn the_prefix_length_is_taken_from_none_to_all_bits() {
        let (one, two) = ("2001:db8::1", "2001:db8::2");
        assert_ne!(of(one, 128), of(two, 128));
        assert_ne!(of(one, 255), of(two, 255));
        assert_eq!(of(one, 126), of(two, 126));
        assert_eq!(of(one, 0), of("fe80::1", 0));
        assert_ne!(of("192.0.2.1", 0), of("192.0.2.2", 0));
    }
}
