//! Runs: datagrams of one size, the last one perhaps shorter, from or to one peer. The kernel of Linux
//! gives and takes each in one call (GRO, GSO). Elsewhere a run is one datagram.

#[cfg(all(feature = "batch", any(target_os = "android", target_os = "linux")))]
mod linux;
#[cfg(not(all(feature = "batch", any(target_os = "android", target_os = "linux"))))]
mod nowhere;

use std::net::SocketAddr;

#[cfg(all(feature = "batch", any(target_os = "android", target_os = "linux")))]
pub(super) use linux::{enable, receive, refuses, send};
#[cfg(not(all(feature = "batch", any(target_os = "android", target_os = "linux"))))]
pub(super) use nowhere::{enable, receive, refuses, send};

/// Datagrams of a run: more are not taken by every kernel.
pub(super) const MOST: usize = 64;

/// What lies in a buffer: `len` bytes of datagrams of `size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) len: usize,
    pub(super) size: usize,
    pub(super) from: SocketAddr,
}

impl Run {
    pub(super) const fn of_one((len, from): (usize, SocketAddr)) -> Self {
        Self { len, size: len, from }
    }
}
