//! The look-up of routes and the queue of timed bundles, each alone.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;

use crate::Rows;
use crate::dispatch::table::{Found, Table};
use crate::pattern::{Pattern, Shape, check};
use crate::schedule::clock::{Clock, Reading, SystemClock};
use crate::schedule::entry::Entry;
use crate::schedule::limits::ScheduleLimits;
use crate::schedule::queue::Schedule;

pub(crate) fn rows(rows: &mut Rows) {
    let literal = table((0..1_000).map(|n| format!("/synth/voice{n}/freq")));
    let wild = table((0..1_000).map(|n| format!("/synth/voice{n}/*/[fg]*")));
    look_up(rows, "route literal", &literal, "/synth/voice777/freq");
    look_up(rows, "route none", &literal, "/synth/voice7777/freq");
    look_up(rows, "route registered pattern", &wild, "/synth/voice777/op1/freq");
    look_up(rows, "route incoming {}", &literal, "/synth/{voice1,voice2}/freq");
    let few = table((0..100).map(|n| format!("/synth/voice{n}/freq")));
    look_up(rows, "route incoming *", &few, "/synth/voice7*/freq");
    queue(rows);
}

fn table(routes: impl Iterator<Item = String>) -> Table<usize> {
    let mut table = Table::default();
    for (n, route) in routes.enumerate() {
        table.insert(Pattern::new(route).unwrap(), n);
    }
    table
}

fn look_up(rows: &mut Rows, name: &str, table: &Table<usize>, address: &str) {
    let address = Bytes::copy_from_slice(address.as_bytes());
    let mut found = Found::default();
    rows.calls(name, || {
        found.allow(1 << 20);
        if let Some(ids) = table.known(&address) {
            return ids.len();
        }
        match check(&address) {
            Ok(Shape::Wild) => table.find_shared(&Pattern::new(address.clone()).unwrap(), &mut found),
            _ => table.find(&address, &mut found),
        }
        found.ids().len()
    });
}

/// A bundle in and one out, while 1,000 wait.
fn queue(rows: &mut Rows) {
    let mut now = SystemClock.now();
    let mut queue = Schedule::new(ScheduleLimits::default(), now);
    let peer = Some(IpAddr::from(Ipv4Addr::LOCALHOST));
    let millisecond = Duration::from_millis(1);
    let mut number = 0;
    let mut push = |queue: &mut Schedule<[u64; 5]>, now: Reading| {
        // Each of 1,000 delays once, and in no order.
        number = (number + 389) % 1_000;
        let due = now.wall + millisecond * (1 + number);
        assert!(queue.push(Entry { due, bytes: 64, peer, item: [7; 5] }).is_ok());
    };
    for _ in 0..1_000 {
        push(&mut queue, now);
    }
    rows.calls("queue", || {
        now.wall += millisecond;
        now.monotonic += millisecond;
        push(&mut queue, now);
        queue.pop_due(now).is_some()
    });
}
