//! Every feature of osc4py3 1.0.8, row by row: `seed/rows.rs` lists them all, each with the tests that
//! show it here, or with the reason why there is none.
//!
//! The rows are lettered as the features are grouped, and the tests of the files beside this one are
//! named after their rows. A row may point to a test elsewhere: `seed/rows.rs` checks that it exists.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "seed/a_packets.rs"]
mod a_packets;
#[path = "seed/b_type_tags.rs"]
mod b_type_tags;
#[path = "seed/c_tcp.rs"]
mod c_tcp;
#[path = "seed/e_errors.rs"]
mod e_errors;
#[path = "seed/f_channels.rs"]
mod f_channels;
#[path = "support/fed.rs"]
mod fed;
#[path = "seed/guide.rs"]
mod guide;
#[path = "seed/l_auto_tags.rs"]
mod l_auto_tags;
#[path = "seed/n_dispatch.rs"]
mod n_dispatch;
#[path = "seed/p_patterns.rs"]
mod p_patterns;
#[path = "seed/rows.rs"]
mod rows;
#[path = "seed/s_schemes.rs"]
mod s_schemes;
#[path = "seed/t_time_tags.rs"]
mod t_time_tags;
#[path = "seed/u_udp.rs"]
mod u_udp;
#[path = "seed/v_life.rs"]
mod v_life;
#[path = "seed/w_demo.rs"]
mod w_demo;

use fed::{Item, ended, item};
use futures::stream;
use tokio_osc::server::Stats;
use tokio_osc::{Router, Server};

const LOOPBACK: &str = "127.0.0.1:0";

/// What a server with this router has done when it has handled these packets.
async fn fed<S: Send + Sync + 'static>(
    router: Router<S>,
    items: impl IntoIterator<Item = Item, IntoIter: Send + Unpin + 'static>,
) -> Stats {
    ended(Server::new(router).feed("test", stream::iter(items)).spawn()).await
}
