//! Counts instructions: a driver for callgrind, which `run.sh` beside it runs and compares with the
//! baseline of the compiler. Prints the name of each row, in the order in which it does their work.
//!
//! A row does its work few times, then many times, each between two calls of [`take_stock`], where callgrind
//! writes down what it has counted. A figure is the difference, so that starting up is not in it.
#![allow(
    missing_docs,
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "a benchmark, and parts of the library"
)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark stops at what is wrong")]

#[path = "../support/cases.rs"]
mod cases;
mod codec;
mod parts;
mod server;

// Parts of the library that are private, and stay so: their files, compiled into this program.
#[path = "../../src/schedule"]
mod schedule {
    pub(crate) mod clock;
    mod due;
    pub(crate) mod entry;
    mod lateness;
    mod ledger;
    pub(crate) mod limits;
    pub(crate) mod queue;
    mod slots;
}
#[path = "../../src/lock.rs"]
mod lock;
#[path = "../../src"]
mod src {
    #[macro_use]
    mod readable;
    pub(crate) mod pattern;
}
#[path = "../../src/dispatch"]
mod dispatch {
    pub(crate) mod table;
}
use src::pattern;
#[path = "../../src/types"]
mod types {
    mod address;
    mod network;
    mod shared_text;
    mod texts;
    pub use address::Address;
    pub(crate) use address::is_name_byte;
    pub(crate) use network::Network;
    pub(crate) use shared_text::shared_text;
    pub(crate) use texts::texts;
    pub(crate) use tokio_osc::TimeTag;
    pub(crate) use tokio_osc::packet::Text;
}

/// How often a row does its work the second time, beyond the first.
const TIMES: usize = 5_000;
const WARM_UP: usize = 200;

fn main() {
    // What is named on the command line, or all.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let mut rows = Rows { wanted };
    take_stock();
    codec::rows(&mut rows);
    parts::rows(&mut rows);
    server::rows(&mut rows);
}

struct Rows {
    wanted: Vec<String>,
}

impl Rows {
    /// A row of this name, whose work is done so many times.
    fn row(&mut self, name: &str, mut work: impl FnMut(usize)) {
        if !self.wanted.is_empty() && !self.wanted.iter().any(|wanted| name.starts_with(wanted)) {
            return;
        }
        println!("{name}");
        for times in [WARM_UP, WARM_UP + TIMES] {
            take_stock();
            work(times);
            take_stock();
        }
    }

    /// A row that calls a function again and again.
    fn calls<T>(&mut self, name: &str, mut work: impl FnMut() -> T) {
        self.row(name, |times| {
            for _ in 0..times {
                std::hint::black_box(work());
            }
        });
    }
}

/// Callgrind writes down its counts before this runs (`--dump-before`), and begins anew.
#[inline(never)]
fn take_stock() {
    std::hint::black_box(());
}
