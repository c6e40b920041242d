//! Control messages: what the kernel of Linux reports and accepts beside the bytes of a datagram.
//!
//! - Runs: datagrams of one size, the last one perhaps shorter, from or to one peer, that cross into the kernel
//!   in one call (GRO, GSO). Elsewhere a run is one datagram.
//! - The address of this host that a datagram was sent to, or leaves from.
//!
//! One datagram for many addresses also leaves in one call.

#[cfg_attr(not(any(target_os = "android", target_os = "linux")), path = "nowhere.rs")]
mod linux;

use std::net::SocketAddr;

use crate::packet::Peer;

pub(crate) use linux::{enable_local_ip, enable_runs, receive, refuses, send, send_from, send_to_each};

/// Maximum number of datagrams of a run. Some kernels refuse more.
pub(crate) const MOST: usize = 64;

/// The content of a buffer: `len` bytes of datagrams of `size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatagramRun {
    pub(crate) len: usize,
    pub(crate) size: usize,
    pub(crate) from: Peer,
}

impl DatagramRun {
    pub(crate) fn of_one((len, from): (usize, SocketAddr)) -> Self {
        Self { len, size: len, from: from.into() }
    }
}
