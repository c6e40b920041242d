//! Options of a route, given with its handler.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use futures::stream;
use tokio::time::Instant;
use tokio_osc::dispatch::{CaptureError, Extra, FromState, Lane, MatchedRoute, Rejection};
use tokio_osc::packet::Overflow;
use tokio_osc::{
    Args, Bundle, Captures, Message, Meta, Packet, Pattern, Reply, Router, Server, State, TimeTag, on,
};

use super::{feed, handle, item};

use crate::support::ms;

fn lines(packets: &[Packet]) -> Vec<String> {
    packets.iter().map(ToString::to_string).collect()
}

async fn called(
    router: &Router<impl Send + Sync + 'static>,
    packet: impl tokio_osc::packet::IntoPacket,
) -> Vec<String> {
    lines(&router.call(packet).await)
}

fn fader(Extra(channel): Extra<u8>, Args(_): Args<f32>) -> (&'static str, i32) {
    ("/channel", i32::from(*channel))
}

fn curve(Extra(curve): Extra<fn(f32) -> f32>, Args(x): Args<f32>) -> (&'static str, f32) {
    ("/y", curve(x))
}

fn double(x: f32) -> f32 {
    2.0 * x
}

#[tokio::test]
async fn an_extra_value_reaches_its_handler_and_is_optional_behind_option() {
    let router = Router::new()
        .route("/1", on(fader).extra(3_u8))
        .route("/2", on(curve).extra(double as fn(f32) -> f32))
        .route("/3", |extra: Option<Extra<u8>>| ("/none", extra.is_none()));
    assert_eq!(called(&router, ("/1", 0.5_f32)).await, ["/channel ,i 3"]);
    assert_eq!(called(&router, ("/2", 0.5_f32)).await, ["/y ,f 1"]);
    assert_eq!(called(&router, ("/3", ())).await, ["/none ,T true"]);
}

#[tokio::test]
async fn a_pattern_is_taken_as_it_is_and_so_is_what_a_sender_writes() {
    let router = Router::new()
        .route(Pattern::new("/mixer/{n}/gain").unwrap(), || ("/meant", 1))
        .route("/{a,b}/x:y/a<b", || ("/plain", 2))
        .nest("/nested", Router::new().route(Pattern::literal("/:n"), || ("/nested", 3)));
    assert_eq!(called(&router, ("/mixer/n/gain", ())).await, ["/meant ,i 1"]);
    assert_eq!(called(&router, ("/mixer/{n}/{gain}", ())).await, ["/meant ,i 1"]);
    assert_eq!(called(&router, ("/a/x:y/a<b", ())).await, ["/plain ,i 2"]);
    assert_eq!(called(&router, ("/nested/:n", ())).await, ["/nested ,i 3"]);
}

#[tokio::test]
async fn instances_fill_the_captures_whatever_the_sender_writes() {
    let note = |Captures(voice): Captures<u32>, Args(note): Args<i32>| ("/played", (i64::from(voice), note));
    let gain = |Captures((side, n)): Captures<(String, u8)>| ("/is", (side, i32::from(n)));
    let router = Router::new()
        .route("/synth/*/note", on(note).instances(1..=8))
        .route("/mixer/*/*/gain", on(gain).instances((["in", "out"], 1..=4)))
        .route("/1/fader*", on(|Captures(n): Captures<u8>| ("/fader", i32::from(n))).instances(1..=4));
    let played = |voices: &[i32]| voices.iter().map(|v| format!("/played ,hi {v} 60")).collect::<Vec<_>>();
    assert_eq!(called(&router, ("/synth/3/note", 60)).await, played(&[3]));
    assert_eq!(called(&router, ("/synth/{1,3}/note", 60)).await, played(&[1, 3]));
    assert_eq!(called(&router, ("/synth/*/note", 60)).await, played(&[1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(called(&router, ("//note", 60)).await, played(&[1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(called(&router, ("/synth/9/note", 60)).await, [""; 0]);
    let two = ["/is ,si \"out\" 2", "/is ,si \"out\" 4"];
    assert_eq!(called(&router, ("/mixer/out/{2,4}/gain", ())).await, two);
    assert_eq!(called(&router, ("/mixer/*/1/gain", ())).await.len(), 2);
    assert_eq!(called(&router, ("/1/fader3", ())).await, ["/fader ,i 3"]);
    let eq = on(|Captures(n): Captures<u8>| ("/eq", i32::from(n))).instances(1..=2);
    let router = Router::new().route_prefix("/eq/*", eq);
    assert_eq!(called(&router, ("/eq/{1,2}/low/freq", ())).await, ["/eq ,i 1", "/eq ,i 2"]);
}

#[tokio::test]
async fn instances_below_a_prefix_that_captures_come_behind_its_captures() {
    let level = |Captures((strip, send)): Captures<(u8, u8)>| ("/at", (i32::from(strip), i32::from(send)));
    let strip = Router::new().route("/send/*/level", on(level).instances(1..=2));
    let desk = Router::new().nest("/strip/*", strip).nest("/main", Router::new());
    assert_eq!(called(&desk, ("/strip/7/send/*/level", ())).await, ["/at ,ii 7 1", "/at ,ii 7 2"]);
    let live = Router::new();
    let added = live.live().route("/a/*", on(|Captures(n): Captures<i32>| ("/a", n)).instances([1, 2]));
    assert_eq!(called(&live, ("/a/*", ())).await, ["/a ,i 1", "/a ,i 2"]);
    assert!(added.remove());
    assert_eq!(called(&live, ("/a/*", ())).await, [""; 0], "the handle is for all of them");
}

#[tokio::test]
async fn captures_that_do_not_fit_say_what_the_sender_wrote() {
    let router = Router::new()
        .route("/synth/*/freq", |Captures(_): Captures<u32>| {})
        .route("/two/*", |Captures(_): Captures<(u8, u8)>| {})
        .route("/one/*/*", |Captures(_): Captures<u8>| {});
    let why = async |address: &str| {
        let report = router.call((address, ())).report().await;
        assert_eq!(report.handled, 0);
        report.rejected.into_iter().map(|(route, why)| format!("{route}: {why}")).collect::<Vec<_>>()
    };
    assert_eq!(
        why("/synth/{1,3}/freq").await,
        ["/synth/*/freq: capture 0: expected u32, the sender wrote `{1,3}`, which is a pattern; use \
          `on(handler).instances(…)` to run once for each name"]
    );
    assert_eq!(why("/synth/x/freq").await, ["/synth/*/freq: capture 0: expected u32, the sender wrote `x`"]);
    assert_eq!(why("/two/1").await, ["/two/*: capture 1: expected u8, the route has only 1 captures"]);
    assert_eq!(why("/one/1/2").await, ["/one/*/*: the handler takes 1 captures, the route has 2"]);
    let report = router.call(("/two/1", ())).report().await;
    let index = |error: &CaptureError| error.index();
    assert!(matches!(&report.rejected[0].1, Rejection::Captures(error) if index(error) == 1));
}

#[tokio::test]
async fn a_route_without_a_pattern_has_a_name_of_its_own() {
    fn is_long(message: &Message) -> bool {
        message.args().count() > 2
    }
    let name = |MatchedRoute(name): MatchedRoute| ("/name", name.to_string());
    let router = Router::new()
        .route("/a/*", name)
        .route_prefix("/a", name)
        .route_text_prefix("/a", name)
        .route_where(is_long, name)
        .nest("/outer", Router::new().route("/in", name).route_text_prefix("/x", name))
        .fallback(name);
    let names = async |packet| called(&router, packet).await.join(" ").replace("/name ,s ", "");
    assert_eq!(
        names(("/a/b", (1, 2, 3))).await,
        "\"/a/*\" \"/a\" \"text prefix /a\" \"where dispatch::on::a_route_without_a_pattern_has_a_name_of_its_own::{{closure}}::is_long\""
    );
    assert_eq!(called(&router, ("/outer/in", ())).await, ["/name ,s \"/outer/in\""]);
    assert_eq!(called(&router, ("/b", ())).await, ["/name ,s \"fallback\""]);
}

#[cfg(feature = "regex")]
#[tokio::test]
async fn a_regular_expression_is_the_name_of_its_route() {
    let regex = regex::Regex::new(r"/track/\d+").unwrap();
    let router =
        Router::new().route_regex(regex, |MatchedRoute(name): MatchedRoute| ("/name", name.to_string()));
    assert_eq!(called(&router, ("/track/1", ())).await, [r#"/name ,s "regex /track/\\d+""#]);
}

#[tokio::test]
async fn the_state_is_shared_and_has_parts() {
    struct App {
        hits: Arc<Mutex<u32>>,
        title: String,
    }
    impl FromState<App> for Mutex<u32> {
        fn from_state(app: &Arc<App>) -> Arc<Self> {
            Arc::clone(&app.hits)
        }
    }
    fn hit(State(hits): State<Mutex<u32>>) {
        *hits.lock().unwrap() += 1;
    }
    let app = Arc::new(App { hits: Arc::default(), title: "desk".to_owned() });
    let router = Router::with_shared(Arc::clone(&app))
        .route("/hit", hit)
        .route("/title", |app: State<App>| ("/title", app.title.clone()));
    router.call(("/hit", ())).await;
    Router::with_shared(Arc::clone(&app.hits)).route("/hit", hit).call(("/hit", ())).await;
    assert_eq!(*app.hits.lock().unwrap(), 2);
    assert_eq!(called(&router, ("/title", ())).await, ["/title ,s \"desk\""]);
}

#[test]
fn a_router_is_called_without_a_server_and_without_a_runtime() {
    let router = Router::new()
        .route("/ping", |Args(n): Args<i32>| ("/pong", n))
        .route("/slow", on(async |Args(n): Args<i32>| ("/slow", n)).on_task(64))
        .route("/count", |reply: Reply| {
            reply.try_send(("/count", 1)).unwrap();
            reply.try_send(("/count", 2)).unwrap();
            ("/done", ())
        })
        .route("/fails", || Err::<(), _>("the disk is full"))
        .route("/peer", |meta: Meta| {
            ("/peer", (meta.peer.to_string(), meta.time_tag == Some(TimeTag::new(7, 0))))
        });
    let called_without_waiting = pin!(async {
        assert_eq!(called(&router, ("/ping", 7)).await, ["/pong ,i 7"]);
        assert_eq!(called(&router, ("/slow", 7)).await, ["/slow ,i 7"], "a lane is awaited in place");
        assert_eq!(called(&router, ("/count", ())).await, ["/count ,i 1", "/count ,i 2", "/done ,"]);
        let far = Bundle::at(TimeTag::new(7, 0)).with(("/slow", 1)).with(("/ping", 2)).with(("/peer", ()));
        let replies = ["/slow ,i 1", "/pong ,i 2", "/peer ,sT \"192.0.2.1:9000\" true"];
        let meta = Meta::from_peer(tokio_osc::Peer::from(([192, 0, 2, 1], 9_000)));
        assert_eq!(lines(&router.call(far).meta(meta).await), replies, "at once, whatever its time");
        let report = router.call(("/ping", "seven")).report().await;
        assert_eq!((report.handled, report.rejected.len(), &*report.rejected[0].0), (0, 1, "/ping"));
        let failed = router.call(("/fails", ())).report().await.failed;
        assert_eq!(failed, [("/fails".to_owned(), "the disk is full".to_owned())]);
        assert_eq!(router.call(("/nowhere", ())).report().await.unmatched, 1);
    });
    assert!(called_without_waiting.poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

/// 3,000 messages on 20 addresses in a second, and a handler that takes 10 ms: a hundred calls a second.
#[tokio::test(start_paused = true)]
async fn of_each_address_the_newest_message_is_handled_soon() {
    type Seen = Mutex<Vec<(String, i32, Duration)>>;
    let begin = Instant::now();
    let seen = Arc::new(Seen::default());
    let slow = move |State(seen): State<Seen>, Captures(fader): Captures<String>, Args(at): Args<i32>| {
        let age = begin.elapsed().saturating_sub(Duration::from_micros(u64::try_from(at).unwrap()));
        seen.lock().unwrap().push((fader, at, age));
        tokio::time::sleep(ms(10))
    };
    let router = Router::with_shared(Arc::clone(&seen)).route("/fader/*", on(slow).latest());
    let (sender, packets) = feed();
    let server = Server::new(router).feed("desk", packets).spawn();
    let mut last = [0; 20];
    for n in 0..3_000_usize {
        let at = i32::try_from(begin.elapsed().as_micros()).unwrap();
        last[n % 20] = at;
        sender.unbounded_send(item((&*format!("/fader/{}", n % 20), at))).unwrap();
        if n % 3 == 2 {
            tokio::time::sleep(ms(1)).await;
        }
    }
    drop(sender);
    server.wait().await;
    let stats = server.shutdown().await;
    let seen = seen.lock().unwrap();
    for (fader, wanted) in last.into_iter().enumerate() {
        let newest = seen.iter().rev().find(|(name, ..)| *name == fader.to_string()).unwrap();
        assert_eq!(newest.1, wanted, "the last value of {fader}");
    }
    let oldest = seen.iter().map(|(.., age)| *age).max().unwrap();
    println!("latest: {} handled, {} replaced, {oldest:?} old at most", stats.handled, stats.overflowed);
    assert!(oldest < ms(250), "{oldest:?}");
    assert_eq!(stats.handled + stats.overflowed, 3_000);
    assert_eq!(usize::try_from(stats.handled).unwrap(), seen.len());
}

#[tokio::test(start_paused = true)]
async fn messages_that_arrive_while_the_newest_runs_wait_and_routes_do_not_mix() {
    type Seen = Mutex<Vec<(&'static str, i32)>>;
    let seen = Arc::new(Seen::default());
    let note = |route: &'static str| {
        move |State(seen): State<Seen>, Args(n): Args<i32>| async move {
            tokio::time::sleep(ms(10)).await;
            seen.lock().unwrap().push((route, n));
        }
    };
    let lane = Lane::new(8).latest();
    let router = Router::with_shared(Arc::clone(&seen))
        .route("/n", on(note("one")).on_lane(&lane))
        .route("/n", on(note("two")).on_lane(&lane));
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).spawn();
    for n in 0..4 {
        sender.unbounded_send(item(("/n", n))).unwrap();
        tokio::time::sleep(ms(5)).await;
    }
    drop(sender);
    server.wait().await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen[..2], [("one", 0), ("two", 1)]);
    assert_eq!(seen.iter().rev().find(|(route, _)| *route == "one"), Some(&("one", 3)));
    assert_eq!(seen.iter().rev().find(|(route, _)| *route == "two"), Some(&("two", 3)));
}

#[tokio::test]
async fn addresses_beyond_the_limit_of_a_latest_lane_are_dropped_as_its_policy_says() {
    let (begun, gate) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Semaphore::new(0)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lane = Lane::new(2).latest().overflow(Overflow::DropNewest);
    let router = Router::with_shared(Arc::clone(&seen)).route("/*", {
        let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
        on(move |State(seen): State<Mutex<Vec<i32>>>, Args(n): Args<i32>| {
            let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
            async move {
                seen.lock().unwrap().push(n);
                begun.notify_one();
                gate.acquire().await.unwrap().forget();
            }
        })
        .on_lane(&lane)
    });
    let (sender, packets) = feed();
    let server = Server::new(router).feed("test", packets).spawn();
    sender.unbounded_send(item(("/first", 0))).unwrap();
    begun.notified().await;
    for (address, n) in [("/a", 1), ("/b", 2), ("/c", 3), ("/a", 4), ("/c", 5)] {
        sender.unbounded_send(item((address, n))).unwrap();
    }
    while server.stats().matched < 6 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(6);
    drop(sender);
    server.wait().await;
    let stats = server.shutdown().await;
    assert_eq!(*seen.lock().unwrap(), [0, 4, 2]);
    assert_eq!((stats.handled, stats.overflowed), (3, 3));
}

fn frame() -> Bundle {
    let frame = Bundle::immediately()
        .with(("/tuio/2Dcur", ("alive", 12)))
        .with(("/tuio/2Dcur", ("set", 12)))
        .with(("/tuio/2Dcur", ("fseq", 1)));
    frame.build().unwrap()
}

#[tokio::test]
async fn a_bundle_is_taken_as_a_unit_and_its_messages_go_nowhere_else() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let seen = Arc::clone(&seen);
        move |bundle: Bundle, message: Message| {
            let tag = message.parse::<(String, i32)>().unwrap().0;
            seen.lock().unwrap().push(format!("{name}: {} from {tag}", bundle.elements().count()));
        }
    };
    let later = {
        let note = note("later");
        move |bundle: Bundle, message: Message| {
            note(bundle, message);
            tokio::task::yield_now()
        }
    };
    let router = Router::new()
        .route_prefix("/tuio", || panic!("no message of a frame comes by itself"))
        .nest("/tuio", Router::new().route_bundle("/2Dcur", note("now")))
        .route_bundle("/tuio/*", on(later))
        .route_bundle("/tuio/2Dcur", on(note("task")).on_task(4))
        .route("/n", {
            let seen = Arc::clone(&seen);
            move || seen.lock().unwrap().push("n".to_owned())
        });
    let show = Bundle::immediately().with(("/n", ())).with(frame()).with(("/n", ()));
    let stats = handle(router, vec![item(frame()), item(show)]).await;
    let mut seen = seen.lock().unwrap().clone();
    let (task, inline): (Vec<_>, Vec<_>) = seen.drain(..).partition(|line| line.starts_with("task"));
    assert_eq!(task, ["task: 3 from alive"; 2]);
    let both = ["now: 3 from alive", "later: 3 from alive"];
    assert_eq!(inline, [&both[..], &["n"], &both, &["n"]].concat());
    assert_eq!((stats.matched, stats.unmatched, stats.handled, stats.panicked), (4, 0, 8, 0));
}

#[tokio::test]
async fn a_bundle_of_another_kind_is_dispatched_message_by_message() {
    let router = Router::new()
        .route_bundle("/tuio/2Dcur", on(|_: Bundle| ("/frame", ())).tags("si"))
        .route("/tuio/*", |Args((kind, _)): Args<(String, i32)>| ("/single", kind));
    assert_eq!(called(&router, frame()).await, ["/frame ,"]);
    let other = Bundle::immediately().with(("/tuio/2Dobj", ("alive", 1)));
    assert_eq!(called(&router, other).await, ["/single ,s \"alive\""]);
    assert_eq!(called(&router, ("/tuio/2Dcur", ("alive", 1))).await, ["/single ,s \"alive\""]);
    assert_eq!(called(&router, Bundle::immediately()).await, [""; 0]);
}

#[tokio::test]
async fn a_full_inbox_drops_as_its_policy_says_and_the_sums_add_up() {
    for (overflow, kept) in [(Overflow::DropNewest, [0, 1, 2, 3]), (Overflow::DropOldest, [0, 97, 98, 99])] {
        let (begun, gate) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Semaphore::new(0)));
        let ran = Arc::new(Mutex::new(Vec::new()));
        let handler = {
            let (begun, gate, ran) = (Arc::clone(&begun), Arc::clone(&gate), Arc::clone(&ran));
            move |Args(n): Args<i32>| {
                let (begun, gate, ran) = (Arc::clone(&begun), Arc::clone(&gate), Arc::clone(&ran));
                async move {
                    begun.notify_one();
                    gate.acquire().await.unwrap().forget();
                    ran.lock().unwrap().push(n);
                }
            }
        };
        let items = stream::iter((0..100).map(|n| item(("/n", n))));
        let router = Router::new().route("/n", handler);
        let server = Server::new(router).feed("test", items).inbox(3).inbox_overflow(overflow).spawn();
        begun.notified().await;
        while server.stats().received < 100 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(100);
        server.wait().await;
        let stats = server.shutdown().await;
        assert_eq!(*ran.lock().unwrap(), kept, "{overflow:?}");
        assert_eq!((stats.ran, stats.inbox_dropped, stats.dropped()), (4, 96, 96), "{overflow:?}");
    }
}
