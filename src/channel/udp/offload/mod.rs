//! Runs: datagrams of one size, the last one perhaps shorter, from or to one peer. The kernel of Linux
//! gives and takes each in one call (GRO, GSO). Elsewhere a run is one datagram.

#[cfg_attr(not(all(feature = "batch", any(target_os = "android", target_os = "linux"))), path = "nowhere.rs")]
mod linux;

use std::net::SocketAddr;

pub(crate) use linux::{enable, receive, refuses, send};

/// Datagrams of a run: more are not taken by every kernel.
pub(crate) const MOST: usize = 64;

/// What lies in a buffer: `len` bytes of datagrams of `size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatagramRun {
    pub(crate) len: usize,
    pub(crate) size: usize,
    pub(crate) from: SocketAddr,
}

impl DatagramRun {
    pub(crate) const fn of_one((len, from): (usize, SocketAddr)) -> Self {
        Self { len, size: len, from }
    }
}
