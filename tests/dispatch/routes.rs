//! Which routes a message takes.

use std::sync::{Arc, Mutex};

use tokio_osc::dispatch::{Extra, MatchedRoute};
use tokio_osc::pattern::PatternErrorKind;
use tokio_osc::{Args, Captures, Message, Router, State, on};

use crate::support::panicking::panic_of;

use super::{Log, handle, item, log, names, note, raw, taken};

fn said(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    pairs.iter().map(|&(address, names)| (address, names.to_owned())).collect()
}

#[tokio::test]
async fn a_prefix_is_of_whole_parts_and_a_text_prefix_of_characters() {
    let log = log();
    let router = Router::with_state(Arc::clone(&log))
        .route_prefix("/test", note("prefix"))
        .route_text_prefix("/test", note("text"))
        .route_prefix("/*/x", note("wild"));
    let expected = said(&[
        ("/test", "prefix text"),
        ("/test/here", "prefix text"),
        ("/test/x/y", "prefix text wild"),
        ("/testing", "text"),
        ("/tes", ""),
        ("/other/test", ""),
        ("/t?st", "prefix"),
        ("/{test,testing}/x", "prefix wild"),
    ]);
    let addresses: Vec<_> = expected.iter().map(|&(address, _)| address).collect();
    assert_eq!(taken(router, &log, &addresses).await, expected);
}

#[tokio::test]
async fn a_predicate_sees_every_legal_message() {
    let log = log();
    let router = Router::with_state(Arc::clone(&log))
        .route_where(|message| message.args().count() == 2, note("two"))
        .route("/a", note("a"))
        .route_where(|message| message.address().as_bytes().ends_with(b"/a"), note("ends"));
    let items = vec![item(("/a", (1, 2))), item(("/b", (1, 2))), item(("/b/a", 1)), item(("/c", 1))];
    let stats = handle(router, items).await;
    assert_eq!(names(&log), ["two", "a", "ends", "two", "ends"]);
    assert_eq!((stats.matched, stats.unmatched), (3, 1));
}

#[tokio::test]
async fn the_fallback_may_be_for_some_type_tags_too() {
    let log = log();
    let router = Router::with_state(Arc::clone(&log)).fallback(on(note("float")).tags("f"));
    let stats = handle(router, vec![item(("/n", 1)), item(("/n", 1.0_f32)), item(raw("/n["))]).await;
    assert_eq!(names(&log), ["float"]);
    assert_eq!((stats.handled, stats.unmatched, stats.illegal), (1, 2, 1));
}

#[tokio::test]
async fn a_predicate_that_panics_is_counted_and_the_other_routes_run() {
    let log = log();
    let router = Router::with_state(Arc::clone(&log))
        .route_where(|message| message.parse::<i32>().expect("on purpose") > 0, note("positive"))
        .route("/n", note("n"));
    let stats = handle(router, vec![item(("/n", "one")), item(("/n", 1))]).await;
    assert_eq!(names(&log), ["n", "positive", "n"]);
    assert_eq!((stats.handled, stats.hooks_panicked), (3, 1));
}

#[cfg(feature = "regex")]
#[tokio::test]
async fn a_regular_expression_is_tried_from_the_first_character_on() {
    use tokio_osc::dispatch::regex::Regex;

    let log = log();
    let router = Router::with_state(Arc::clone(&log))
        .route_regex(Regex::new(r"/track/\d+/(volume|pan)$").unwrap(), note("track"))
        .route_regex(Regex::new("/track").unwrap(), note("begins"));
    let expected = said(&[
        ("/track/12/volume", "track begins"),
        ("/track/12/volumes", "begins"),
        ("/track/x/pan", "begins"),
        ("/my/track/1/pan", ""),
    ]);
    let addresses: Vec<_> = expected.iter().map(|&(address, _)| address).collect();
    assert_eq!(taken(router, &log, &addresses).await, expected);
}

#[tokio::test]
async fn tags_choose_among_routes_of_one_address() {
    let log = log();
    let router = Router::with_state(Arc::clone(&log))
        .route("/gain", on(note("number")).tags("f|d|ii"))
        .route("/gain", on(note("name")).tags("s"))
        .route("/gain", on(note("nothing")).tags(""))
        .fallback(note("fallback"));
    let items = vec![
        item(("/gain", 0.5_f32)),
        item(("/gain", 0.5)),
        item(("/gain", (1, 2))),
        item(("/gain", "loud")),
        item(("/gain", ())),
        item(("/gain", 1)),
    ];
    let stats = handle(router, items).await;
    assert_eq!(names(&log), ["number", "number", "number", "name", "nothing", "fallback"]);
    assert_eq!((stats.matched, stats.unmatched), (5, 1));
}

#[tokio::test]
async fn what_matches_nothing_goes_to_the_fallback() {
    let log = log();
    let router = Router::with_state(Arc::clone(&log)).route("/a", note("a")).fallback(
        |State(log): State<Arc<Log>>, message: Message| {
            log.lock().unwrap().push(message.address().to_string());
        },
    );
    let stats = handle(router, vec![item(("/a", ())), item(("/b", ())), item(raw("/a["))]).await;
    assert_eq!(names(&log), ["a", "/b", "/a["]);
    assert_eq!((stats.matched, stats.unmatched, stats.illegal, stats.handled), (1, 1, 1, 3));
}

#[tokio::test]
async fn on_reject_gets_the_position_of_the_argument() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let router =
        Router::new().route("/n/*", |Args(_): Args<(i32, f32)>, Captures(_): Captures<u8>| {}).on_reject({
            let told = Arc::clone(&told);
            move |message, meta, rejection| {
                told.lock().unwrap().push(format!("{} {}: {rejection}", message.address(), meta.channel()));
            }
        });
    let items = vec![
        item(("/n/1", (1, 0.5_f32))),
        item(("/n/1", (1, "x"))),
        item(("/n/1", 1)),
        item(("/n/one", (1, 0.5_f32))),
    ];
    let stats = handle(router, items).await;
    assert_eq!((stats.handled, stats.rejected), (1, 3));
    let told = told.lock().unwrap().clone();
    assert_eq!(told.len(), 3);
    assert!(told[0].starts_with("/n/1 test: ") && told[0].contains('1'), "{}", told[0]);
    assert_eq!(told[2], "/n/one test: capture 0: expected u8, the sender wrote `one`");
}

#[tokio::test]
async fn nested_routers_keep_state_order_captures_and_conditions() {
    let log = log();
    let inner = Router::with_state("inner")
        .route("/gain/*", {
            let log = Arc::clone(&log);
            move |State(state): State<&'static str>,
                  Captures((channel, bus)): Captures<(u8, String)>,
                  MatchedRoute(route): MatchedRoute| {
                log.lock().unwrap().push(format!("{state} {channel} {bus} {route}"));
            }
        })
        .route(
            "/mute",
            on({
                let log = Arc::clone(&log);
                move |Extra(extra): Extra<&'static str>, Captures(channel): Captures<u8>| {
                    log.lock().unwrap().push(format!("{extra} {channel}"));
                }
            })
            .extra("extra")
            .tags("T|F"),
        )
        .route_prefix("/eq", {
            let log = Arc::clone(&log);
            move |Captures(channel): Captures<u8>| log.lock().unwrap().push(format!("eq {channel}"))
        })
        .fallback(|| panic!("is left behind"));
    let router = Router::with_state(Arc::clone(&log))
        .route("/mixer/3/mute", note("before"))
        .nest("/mixer/*", inner)
        .route("/mixer/3/mute", note("behind"))
        .merge(Router::with_state(Arc::clone(&log)).route("/mixer/*/mute", note("merged")));
    let items = vec![
        item(("/mixer/3/gain/left", ())),
        item(("/mixer/3/mute", true)),
        item(("/mixer/3/mute", 1)),
        item(("/mixer/4/eq", ())),
        item(("/mixer/4/eq/low/freq", ())),
        item(("/gain/left", ())),
    ];
    let stats = handle(router, items).await;
    assert_eq!(
        names(&log),
        [
            "inner 3 left /mixer/*/gain/*",
            "before",
            "extra 3",
            "behind",
            "merged",
            "before",
            "behind",
            "merged",
            "eq 4",
            "eq 4"
        ]
    );
    assert_eq!((stats.unmatched, stats.rejected), (1, 0));
}

#[tokio::test]
async fn captures_of_a_prefix_are_those_of_its_pattern() {
    let log = log();
    let router = Router::with_state(Arc::clone(&log))
        .route_prefix("/mixer/*", |State(log): State<Arc<Log>>, Captures(channel): Captures<u8>| {
            log.lock().unwrap().push(channel.to_string());
        })
        .route_prefix("/deep//x", |State(log): State<Arc<Log>>, Captures(between): Captures<String>| {
            log.lock().unwrap().push(between);
        });
    let addresses = ["/mixer/1", "/mixer/2/gain", "/mixer/3/eq/low", "/deep/a/b/x", "/deep/a/x/b"];
    let items = addresses.map(|address| item((address, ()))).into();
    let stats = handle(router, items).await;
    assert_eq!(names(&log), ["1", "2", "3", "a/b", "a"]);
    assert_eq!(stats.rejected, 0);
}

#[test]
fn a_wrong_pattern_panics_with_the_line_of_the_caller() {
    let mut messages = Vec::new();
    let mut panics = |line: u32, call: &dyn Fn()| {
        let panicked = panic_of(call);
        assert!(panicked.file.ends_with("routes.rs") && panicked.line == line, "line {line}: {panicked:?}");
        messages.push(panicked.message);
    };
    panics(line!(), &|| drop(Router::new().route("/mixer/[1-", || {})));
    panics(line!(), &|| drop(Router::new().route_prefix("mixer", || {})));
    panics(line!(), &|| drop(Router::new().nest("/[a", Router::new().route("/x", || {}))));
    panics(line!(), &|| drop(Router::new().nest("/a/", Router::new().route("/x", || {}))));
    panics(line!(), &|| drop(Router::new().route("/x", on(|| {}).tags("q"))));
    panics(line!(), &|| drop(Router::new().live().route("/x[", || {})));
    assert!(messages[0].contains("not a legal route"), "{}", messages[0]);
}

#[test]
fn a_pattern_that_may_be_wrong_is_tried() {
    let error = Router::new().try_route("/mixer/[1-".to_owned(), || {}).unwrap_err();
    assert_eq!((error.kind(), error.position()), (PatternErrorKind::UnclosedSet, 7));
    assert!(Router::new().try_route("/mixer/[1-4]".to_owned(), || {}).is_ok());
}
