//! Instructions per message through a server that is fed from memory: a driver for callgrind, which
//! `instructions.sh` beside it runs. Takes the name of a scenario and a number of messages.
//!
//! Figures are differences of two runs, so that starting up is not in them. 100 literal routes, a
//! current-thread runtime; the stream alone takes some 210 of each figure.
//!
//! | scenario | instructions | what it is |
//! |----------|--------------|------------|
//! | inline   | 1,056 | a plain handler with `State` and `Args<f32>` |
//! | async    | 1,955 | the same as an `async fn` |
//! | task     | 3,888 | the same with `on_task` |
//! | bundle   | 4,520 | a bundle of four such messages, for each bundle |
//! | unmatched| 1,196 | no route |
//! | two      | 1,313 | two routes, one of them a pattern |
//! | far      | 1,336 | `inline`, while one bundle waits for a time far ahead |
//! | alone    | 1,135 | `inline`, in bursts of 16, by the one channel |
//! | among    | 1,135 | the same beside 99 idle channels |

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, stream};
use tokio::sync::oneshot;
use tokio_osc::packet::DecodeError;
use tokio_osc::{Args, Bundle, Message, Meta, Packet, Peer, Router, Server, State, TimeTag, on};

const ROUTES: usize = 100;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let Some(scenario) = args.next() else {
        println!("instructions: run by benches/instructions.sh");
        return;
    };
    let count = args.next().unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(&scenario, count));
}

async fn run(scenario: &str, count: usize) {
    let message = Message::new("/synth/voice57/freq", 440.0_f32).unwrap();
    let (burst, idle) = match scenario {
        "alone" => (16, 0),
        "among" => (16, 99),
        _ => (usize::MAX, 0),
    };
    let packet: Packet = match scenario {
        "bundle" => {
            let bundle = Bundle::immediately().with(message.clone()).with(message.clone());
            bundle.with(message.clone()).with(message.clone()).build().unwrap().into()
        }
        "unmatched" => Message::new("/synth/voice157/freq", 440.0_f32).unwrap().into(),
        _ => message.into(),
    };
    let sum = Arc::new(AtomicU64::new(0));
    let (ended, end) = oneshot::channel();
    let packets = Bursts { packet, count, burst, left: burst, ended: Some(ended) };
    let mut server = Server::new(router(scenario, &sum)).feed("busy", packets);
    for n in 0..idle {
        server = server.feed(format!("idle{n}"), stream::pending());
    }
    if scenario == "far" {
        let far = Bundle::at(TimeTag::after(Duration::from_secs(3_600))).with(("/far", 1)).build().unwrap();
        let packets = [(Ok(far.into()), Meta::from_peer(Peer::LOCAL))];
        server = server.feed("far", stream::iter(packets));
    }
    tokio::select! {
        () = server.run() => {}
        _ = end => {}
    }
    let per_packet = match scenario {
        "bundle" => 4,
        "unmatched" => 0,
        "two" => 2,
        _ => 1,
    };
    if scenario != "task" {
        assert_eq!(sum.load(Ordering::Relaxed), (count * per_packet) as u64);
    }
}

fn router(scenario: &str, sum: &Arc<AtomicU64>) -> Router<Arc<AtomicU64>> {
    let address = |n: usize| format!("/synth/voice{n}/freq");
    let mut router = Router::with_state(Arc::clone(sum));
    for n in 0..ROUTES {
        router = match scenario {
            "async" => router.route(address(n), awaited),
            "task" => router.route(address(n), on(plain).on_task(1_024)),
            _ => router.route(address(n), plain),
        };
    }
    if scenario == "two" { router.route("/synth/*/freq", plain) } else { router }
}

fn plain(State(sum): State<Arc<AtomicU64>>, Args(hz): Args<f32>) {
    sum.fetch_add(u64::from(hz > 0.0), Ordering::Relaxed);
}

async fn awaited(State(sum): State<Arc<AtomicU64>>, Args(hz): Args<f32>) {
    sum.fetch_add(u64::from(hz > 0.0), Ordering::Relaxed);
}

/// One packet again and again; after each burst it is pending, and wakes.
struct Bursts {
    packet: Packet,
    count: usize,
    burst: usize,
    left: usize,
    ended: Option<oneshot::Sender<()>>,
}

impl Stream for Bursts {
    type Item = (Result<Packet, DecodeError>, Meta);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.count == 0 {
            self.ended.take();
            return Poll::Ready(None);
        }
        if self.left == 0 {
            self.left = self.burst;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.left -= 1;
        self.count -= 1;
        Poll::Ready(Some((Ok(self.packet.clone()), Meta::from_peer(Peer::LOCAL))))
    }
}
