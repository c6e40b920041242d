//! A message through a server that is fed from memory: 100 literal routes, a current-thread runtime. The
//! stream alone takes some 210 of each figure. The clock is paused: under callgrind, which is fifty times slower,
//! passes of the loop would end by their time, and not by the number of their packets.
//!
//! | row | what it is |
//! |-----|------------|
//! | inline   | a plain handler with `State` and `Args<f32>` |
//! | async    | the same as an `async fn` |
//! | task     | the same with `on_task` |
//! | bundle   | a bundle of four such messages, for each bundle |
//! | unmatched| no route |
//! | two      | two routes, one of them a pattern |
//! | far      | `inline`, while one bundle waits for a time far ahead |
//! | alone    | `inline`, in bursts of 16, by the one channel |
//! | among    | the same beside 99 idle channels |

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, stream};
use tokio::sync::oneshot;
use tokio_osc::packet::DecodeError;
use tokio_osc::{Args, Bundle, Message, Meta, Packet, Peer, Router, Server, State, TimeTag, on};

use crate::Rows;

const ROUTES: usize = 100;

pub(crate) fn rows(rows: &mut Rows) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    for scenario in ["inline", "async", "task", "bundle", "unmatched", "two", "far", "alone", "among"] {
        rows.row(&format!("server {scenario}"), |count| runtime.block_on(run(scenario, count)));
    }
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
            let bundle = bundle.with(message.clone()).with(message.clone()).build().unwrap();
            // As a channel gives it: what decoding finds out is known.
            Packet::decode(bundle.into_bytes()).unwrap()
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
