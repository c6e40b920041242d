//! Captures packets at a host, below UDP: the headers as they are on the wire.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use crate::lab::SOON;

const ETH_P_ALL: u16 = 0x0003;

/// The packets of every interface of the host it is made on.
pub(super) struct Capture {
    socket: Socket,
}

/// An IP packet, or a fragment of one.
pub(super) struct Seen {
    /// TTL or hop limit.
    pub(super) hops: u8,
    /// TOS or traffic class.
    pub(super) class: u8,
    /// Its size, the IP header included.
    pub(super) bytes: usize,
}

impl Capture {
    pub(super) fn new() -> Self {
        let all = Protocol::from(i32::from(ETH_P_ALL.to_be()));
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(all)).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self { socket }
    }

    /// The next packet to this address; others are skipped.
    pub(super) fn next_to(&self, address: SocketAddr) -> Seen {
        let mut packet = [0; 2_048];
        loop {
            let bytes = (&self.socket).read(&mut packet).expect("a packet is captured");
            let (to, seen): (IpAddr, _) = match packet[0] >> 4 {
                4 => {
                    let to = <[u8; 4]>::try_from(&packet[16..20]).unwrap();
                    (Ipv4Addr::from(to).into(), Seen { hops: packet[8], class: packet[1], bytes })
                }
                6 => {
                    let to = <[u8; 16]>::try_from(&packet[24..40]).unwrap();
                    let class = packet[0] << 4 | packet[1] >> 4;
                    (Ipv6Addr::from(to).into(), Seen { hops: packet[7], class, bytes })
                }
                _ => continue,
            };
            if to == address.ip() && is_udp(&packet) {
                return seen;
            }
        }
    }
}

/// Whether the packet carries UDP, or a fragment (which is of UDP: nothing else is sent so large).
fn is_udp(packet: &[u8]) -> bool {
    const UDP: u8 = 17;
    const FRAGMENT: u8 = 44;
    let protocol = if packet[0] >> 4 == 4 { packet[9] } else { packet[6] };
    protocol == UDP || protocol == FRAGMENT
}
