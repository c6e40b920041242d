//! Simulated networks: what is promised holds while datagrams are lost, doubled, late or out of order, and while
//! connections are cut, reset, stalled or carried in pieces, and either side starts again.

#[path = "networks/connections.rs"]
mod connections;
#[path = "networks/datagrams.rs"]
mod datagrams;

use std::sync::{Arc, Mutex};

/// The numbers that a server was sent, in order.
type Seen = Arc<Mutex<Vec<i32>>>;
