//! Features of osc4py3 1.0.8 that no other test shows, in files by the groups of `rows.md`. Each test says in its
//! documentation which row it stands for; `cargo test --test pages` checks the table against all tests.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod a_packets;
mod b_type_tags;
mod c_tcp;
mod e_errors;
mod f_channels;
mod l_auto_tags;
mod n_dispatch;
mod p_patterns;
mod s_schemes;
mod t_time_tags;
mod u_udp;
mod v_life;
mod w_demo;

#[path = "../support/mod.rs"]
mod support;

use futures::stream;
use tokio_osc::server::Stats;
use tokio_osc::{Router, Server};

use crate::support::LOOPBACK;
use crate::support::fed::{Item, ended, item};

/// What a server with this router has done when it has handled these packets.
async fn fed<S: Send + Sync + 'static>(
    router: Router<S>,
    items: impl IntoIterator<Item = Item, IntoIter: Send + Unpin + 'static>,
) -> Stats {
    ended(Server::new(router).feed("test", stream::iter(items)).spawn()).await
}
