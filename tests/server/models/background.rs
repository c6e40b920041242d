//! Everything in the background: the seed's `execthreadscount`.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use futures::stream;
use tokio::sync::Barrier;
use tokio_osc::dispatch::Lane;
use tokio_osc::server::Stats;
use tokio_osc::{Args, Router, Server, State, on};

use super::{item, ms};

/// What ran, and how many at the same time at most.
#[derive(Default)]
struct Ran {
    order: Mutex<Vec<i32>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Ran {
    async fn note(&self, n: i32, meanwhile: impl Future<Output = ()>) {
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        meanwhile.await;
        self.order.lock().unwrap().push(n);
        self.now.fetch_sub(1, SeqCst);
    }
}

async fn noting(State(ran): State<Arc<Ran>>, Args(n): Args<i32>) {
    ran.note(n, tokio::task::yield_now()).await;
}

/// Offers 30 messages to a server in the background.
async fn thirty(router: Router<Arc<Ran>>) -> Stats {
    let items: Vec<_> = (0..30).map(|n| item((if n % 2 == 0 { "/even" } else { "/odd" }, n))).collect();
    let server = Server::new(router).feed("test", stream::iter(items)).spawn();
    while server.stats().handled < 30 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await
}

/// Row V04, `execthreadscount=0`: inline. Row V05, `execthreadscount=1`: one lane for all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_0_workers_and_with_1_handlers_run_one_after_the_other_in_order() {
    let lane = Lane::new(64);
    for workers in [0, 1] {
        let ran = Arc::new(Ran::default());
        let handler = || if workers == 0 { on(noting) } else { on(noting).on_lane(&lane) };
        let router = Router::with_state(Arc::clone(&ran)).route("/even", handler()).route("/odd", handler());
        assert_eq!(thirty(router).await.handled, 30);
        assert_eq!((ran.order.lock().unwrap().clone(), ran.most.load(SeqCst)), ((0..30).collect(), 1));
    }
}

/// Row V03, `execthreadscount=10`: no more, and no fewer when there is enough to do. The handlers
/// meet ten at a time, or never.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_n_workers_n_handlers_run_at_the_same_time() {
    let meeting = |together: Arc<Barrier>| {
        move |State(ran): State<Arc<Ran>>, Args(n): Args<i32>| {
            let together = Arc::clone(&together);
            async move {
                ran.note(n, async {
                    together.wait().await;
                })
                .await;
            }
        }
    };
    let lane = Lane::new(64).workers(10);
    for (shared, per_route) in [(true, 10), (false, 5)] {
        let ran = Arc::new(Ran::default());
        let together = || Arc::new(Barrier::new(per_route));
        let both = together();
        let handler = || meeting(if shared { Arc::clone(&both) } else { together() });
        let handler =
            || if shared { on(handler()).on_lane(&lane) } else { on(handler()).concurrent(per_route) };
        let router = Router::with_state(Arc::clone(&ran)).route("/even", handler()).route("/odd", handler());
        let stats = tokio::time::timeout(ms(60_000), thirty(router)).await;
        assert_eq!(stats.expect("they met").handled, 30);
        assert!(ran.most.load(SeqCst) <= 10);
        let mut order = ran.order.lock().unwrap().clone();
        order.sort_unstable();
        assert!(order.into_iter().eq(0..30));
    }
}
