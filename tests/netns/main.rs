//! Several hosts, made of network namespaces. They take root and iproute2, on Linux; without root each
//! test prints that it is skipped.
//!
//! Threads of this process move between namespaces, so that no other test is in it.
#![cfg(all(feature = "net", target_os = "linux"))]
#![allow(clippy::cast_possible_truncation, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod capture;
mod lab;
mod peers;
mod tcp;
mod tool;
mod udp;
