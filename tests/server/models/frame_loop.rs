//! Everything in the caller's loop.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tokio_osc::dispatch::Budget;
use tokio_osc::schedule::{Clock, TokioClock};
use tokio_osc::tools::FrameLoop;
use tokio_osc::{Args, Bundle, Channel, Client, Router, Server, ServerHandle, TimeTag, on};

use super::{ms, send};

/// Far more than any test needs: until idle.
const UNTIL_IDLE: Budget = Budget::new(ms(60_000));

/// A server in a frame loop.
fn serving<S: Send + Sync + 'static>(frames: &mut FrameLoop, router: Router<S>) -> ServerHandle {
    let listen =
        async { Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await.unwrap()).spawn() };
    frames.block_on(listen).unwrap()
}

/// A route that counts.
fn counting() -> (Router, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let handler = {
        let count = Arc::clone(&count);
        move || {
            count.fetch_add(1, SeqCst);
        }
    };
    (Router::new().route("/n", handler), count)
}

/// Row V01, `as_eventloop`: no threads.
#[test]
fn run_of_a_frame_loop_does_everything_on_the_thread_of_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let here = thread::current().id();
    let seen = Arc::new(Mutex::new(Vec::<ThreadId>::new()));
    let note = {
        let seen = Arc::clone(&seen);
        move || {
            seen.lock().unwrap().push(thread::current().id());
            ("/done", ())
        }
    };
    runtime.block_on(async {
        let router = Router::new().route("/inline", note.clone()).route("/task", on(note).on_task(8));
        let server = Server::new(router).listen("udp", Channel::udp("127.0.0.1:0").await.unwrap());
        let client = Client::udp(server.local_addr("udp").unwrap()).await.unwrap();
        let ask = async {
            client.request(("/inline", ()), "/done").await.unwrap();
            client.request(("/task", ()), "/done").await.unwrap();
        };
        tokio::select! {
            () = server.run() => panic!("a socket has no end"),
            () = ask => {}
        }
    });
    assert_eq!(*seen.lock().unwrap(), [here, here]);
}

#[test]
fn packets_sent_before_a_call_of_process_are_handled_in_it() {
    let mut frames = FrameLoop::new().unwrap();
    let (router, count) = counting();
    let server = serving(&mut frames, router);
    let address = server.local_addr("udp").unwrap();
    for n in 1..=1_000 {
        send(address, ("/n", ()));
        assert_eq!(count.load(SeqCst), n - 1, "nothing runs between calls");
        let progress = frames.process(UNTIL_IDLE).unwrap();
        assert_eq!((count.load(SeqCst), progress.is_idle), (n, true));
        assert!(progress.steps > 0);
    }
    assert_eq!(frames.block_on(server.shutdown()).unwrap().handled, 1_000);
}

#[test]
fn a_question_and_its_answer_between_two_of_its_tasks_take_one_call() {
    let mut frames = FrameLoop::new().unwrap();
    let server =
        serving(&mut frames, Router::new().route("/ping", on(|Args(n): Args<i32>| ("/pong", n)).on_task(8)));
    let client = frames.block_on(Client::udp(server.local_addr("udp").unwrap())).unwrap().unwrap();
    for n in 0..100 {
        let client = client.clone();
        let asking =
            frames.spawn(async move { client.request(("/ping", n), "/pong").await.unwrap().parse::<i32>() });
        assert!(frames.process(UNTIL_IDLE).unwrap().is_idle);
        assert!(asking.is_finished(), "asked, heard, handled, answered, heard");
        assert_eq!(frames.block_on(asking).unwrap().unwrap(), Ok(n));
    }
}

#[test]
fn a_client_made_in_a_frame_loop_sends_at_once() {
    let mut frames = FrameLoop::new().unwrap();
    let (router, count) = counting();
    let server = serving(&mut frames, router);
    let client = frames.block_on(Client::udp(server.local_addr("udp").unwrap())).unwrap().unwrap();
    client.try_send(("/n", ())).unwrap();
    frames.process(UNTIL_IDLE).unwrap();
    assert_eq!(count.load(SeqCst), 1);
}

/// 60 frames a second, a hundred messages in each, and a bundle for between two of them.
#[test]
fn messages_and_timed_bundles_run_in_the_frame_that_they_belong_to() {
    let mut frames = FrameLoop::new().unwrap();
    let frame_time = Duration::from_nanos(16_666_667);
    let clock = frames
        .block_on(async {
            tokio::time::pause();
            TokioClock::new()
        })
        .unwrap();
    let (frame, ran_in) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let note = |name: &'static str| {
        let (frame, ran_in) = (Arc::clone(&frame), Arc::clone(&ran_in));
        move || ran_in.lock().unwrap().push((name, frame.load(SeqCst)))
    };
    let router = Router::new()
        .route("/now", note("now"))
        .route("/later", note("later"))
        .route("/task", on(note("task")).on_task(1));
    let start = clock.now().wall;
    let server = frames
        .block_on(async {
            let channel = Channel::udp("127.0.0.1:0").await.unwrap();
            Server::new(router).listen("udp", channel).clock(clock).spawn()
        })
        .unwrap();
    let address = server.local_addr("udp").unwrap();
    // Just after frame 3, and just before frame 8: the alarm has a resolution of 1 ms.
    for due in [frame_time * 3 + ms(1), frame_time * 7 + ms(15)] {
        let bundle = Bundle::at(TimeTag::at(start + due)).with(("/later", ())).with(("/later", ()));
        send(address, bundle.with(("/task", ())));
    }
    for number in 0..10 {
        frame.store(number, SeqCst);
        if number > 0 {
            frames.spawn(tokio::time::advance(frame_time));
        }
        for _ in 0..100 {
            send(address, ("/now", ()));
        }
        assert!(frames.process(UNTIL_IDLE).unwrap().is_idle);
        let handled = ran_in.lock().unwrap().iter().filter(|ran| **ran == ("now", number)).count();
        assert_eq!(handled, 100, "frame {number}");
    }
    let ran_in = ran_in.lock().unwrap();
    let timed: Vec<_> = ran_in.iter().filter(|(name, _)| *name != "now").copied().collect();
    let bundle = |frame| [("later", frame), ("later", frame), ("task", frame)];
    assert_eq!(timed, [bundle(4), bundle(8)].concat());
}

#[test]
fn a_budget_of_time_is_kept_to_the_handler_that_runs() {
    let mut frames = FrameLoop::new().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let slow = {
        let count = Arc::clone(&count);
        move || {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_micros(100) {
                std::hint::spin_loop();
            }
            count.fetch_add(1, SeqCst);
        }
    };
    let server = serving(&mut frames, Router::new().route("/slow", slow));
    for _ in 0..100 {
        send(server.local_addr("udp").unwrap(), ("/slow", ()));
    }
    let (mut handled, mut calls) = (0, 0);
    while handled < 100 {
        let before = Instant::now();
        let progress = frames.process(ms(1)).unwrap();
        calls += 1;
        let now = count.load(SeqCst);
        // Ten take a millisecond; the machine may be slow, never fast.
        assert!((1..=10).contains(&(now - handled)), "{} in {:?}", now - handled, before.elapsed());
        assert!(now == 100 || !progress.is_idle);
        handled = now;
    }
    assert!(calls >= 10);
    println!("100 handlers of 100 us, 1 ms a frame: {calls} frames");
    assert!(frames.process(UNTIL_IDLE).unwrap().is_idle);
}

#[test]
fn a_budget_of_steps_is_kept_and_the_rest_runs_in_the_next_call() {
    let mut frames = FrameLoop::new().unwrap();
    let turns = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let turns = Arc::clone(&turns);
        frames.spawn(async move {
            turns.fetch_add(1, SeqCst);
        });
    }
    let progress = frames.process(UNTIL_IDLE.steps(4)).unwrap();
    assert_eq!((turns.load(SeqCst), progress.steps, progress.is_idle), (4, 4, false));
    let progress = frames.process(UNTIL_IDLE).unwrap();
    assert_eq!((turns.load(SeqCst), progress.is_idle), (10, true));
}

#[test]
fn a_task_that_is_always_ready_neither_ends_the_budget_nor_starves_others() {
    let mut frames = FrameLoop::new().unwrap();
    let (router, count) = counting();
    let server = serving(&mut frames, router);
    let address = server.local_addr("udp").unwrap();
    let busy = frames.spawn(async {
        loop {
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                std::task::Poll::<()>::Pending
            })
            .await;
        }
    });
    for n in 1..=20 {
        send(address, ("/n", ()));
        let begin = Instant::now();
        while count.load(SeqCst) < n {
            assert!(!frames.process(Budget::new(ms(1)).steps(100)).unwrap().is_idle);
            assert!(begin.elapsed() < ms(30_000), "the server had no turn");
        }
    }
    busy.abort();
    assert!(frames.process(UNTIL_IDLE).unwrap().is_idle);
}

#[test]
fn what_another_thread_gave_is_done_in_the_next_call() {
    let mut frames = FrameLoop::new().unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(64);
    let sum = Arc::new(AtomicUsize::new(0));
    frames.spawn({
        let sum = Arc::clone(&sum);
        async move {
            while let Some(n) = receiver.recv().await {
                sum.fetch_add(n, SeqCst);
            }
        }
    });
    frames.process(UNTIL_IDLE).unwrap();
    for n in 1..=100 {
        let sender = sender.clone();
        thread::spawn(move || sender.try_send(1).unwrap()).join().unwrap();
        assert!(frames.process(UNTIL_IDLE).unwrap().is_idle);
        assert_eq!(sum.load(SeqCst), n);
    }
}

#[tokio::test]
async fn a_frame_loop_inside_a_runtime_is_an_error_and_may_be_dropped_there() {
    let frames = tokio::task::spawn_blocking(|| {
        let runtime_of_its_own = thread::spawn(|| {
            let mut frames = FrameLoop::new().unwrap();
            let (router, _) = counting();
            let server = serving(&mut frames, router);
            (frames, server)
        });
        runtime_of_its_own.join().unwrap()
    });
    let (mut frames, server) = frames.await.unwrap();
    let error = frames.process(ms(1)).unwrap_err();
    assert_eq!(frames.block_on(async {}), Err(error));
    assert!(error.to_string().contains("inside a Tokio runtime"), "{error}");
    let address = server.local_addr("udp").unwrap();
    drop(frames);
    drop(server);
    std::net::UdpSocket::bind(address).expect("the port is free");
}

#[test]
fn dropping_a_frame_loop_drops_its_tasks() {
    let held = Arc::new(());
    let frames = FrameLoop::new().unwrap();
    let task = frames.spawn({
        let held = Arc::clone(&held);
        async move {
            std::future::pending::<()>().await;
            drop(held);
        }
    });
    drop(frames);
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(task.is_finished());
}

/// It would wait an hour if it waited.
#[test]
fn an_idle_call_of_a_frame_loop_returns_at_once() {
    let mut frames = FrameLoop::new().unwrap();
    let (router, _) = counting();
    let server = serving(&mut frames, router);
    let sleeping = frames.spawn(async { tokio::time::sleep(ms(3_600_000)).await });
    frames.process(UNTIL_IDLE).unwrap();
    let (calls, begin) = (10_000, Instant::now());
    for _ in 0..calls {
        let progress = frames.process(UNTIL_IDLE).unwrap();
        assert_eq!((progress.steps, progress.is_idle), (0, true));
    }
    println!("an idle call takes {:?}", begin.elapsed() / calls);
    assert!(!sleeping.is_finished());
    drop(server);
}
