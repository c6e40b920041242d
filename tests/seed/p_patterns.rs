//! P. Address patterns, and what osc4py3 calls method filters.

use std::sync::{Arc, Mutex};

use futures::{StreamExt, stream};
use tokio_osc::dispatch::{Extra, Lane, MatchedRoute, Subscription};
use tokio_osc::pattern::PatternErrorKind;
use tokio_osc::{Address, Args, Pattern, Router, Server, State, on};

use super::{ended, fed, item};

type Log = Arc<Mutex<Vec<String>>>;

/// A pattern, the addresses that it matches, and some that it does not.
#[track_caller]
fn pattern(text: &str, these: &[&'static str], not_these: &[&'static str]) {
    let pattern: Pattern = text.parse().unwrap();
    let matches = |address: &&'static str| pattern.matches(&Address::new(*address).unwrap());
    assert_eq!(these.iter().find(|address| !matches(address)), None, "{text} must match");
    assert_eq!(not_these.iter().find(|address| matches(address)), None, "{text} must not match");
}

fn error(text: &str) -> PatternErrorKind {
    text.parse::<Pattern>().unwrap_err().kind()
}

/// Row P03.
#[test]
fn a_star_is_any_text_within_a_part() {
    pattern("/a/*", &["/a/", "/a/b", "/a/bc"], &["/a", "/a/b/c"]);
    pattern("/a*c", &["/ac", "/abc"], &["/a/c", "/abcd"]);
}

/// Row P04.
#[test]
fn a_question_mark_is_one_character() {
    pattern("/a?", &["/ab"], &["/a", "/a/", "/abc"]);
}

/// Row P05.
#[test]
fn a_set_is_one_of_its_characters() {
    pattern("/[abx-z]", &["/a", "/y"], &["/c", "/ab", "/"]);
    pattern("/a[!b]c", &["/axc"], &["/abc", "/a/c"]);
    pattern("/[^a]", &["/^", "/a"], &["/b"]);
    assert_eq!(error("/[]"), PatternErrorKind::EmptySet);
    assert_eq!(error("/[a"), PatternErrorKind::UnclosedSet);
    assert_eq!(error("/[z-a]"), PatternErrorKind::ReversedRange);
}

/// Row P06.
#[test]
fn braces_are_one_of_their_texts() {
    pattern("/{a,ab}c", &["/ac", "/abc"], &["/abbc", "/c"]);
    pattern("/a{,b}", &["/a", "/ab"], &["/abb"]);
    // Wildcards in them are plain text.
    pattern("/{a*,b}", &["/b"], &["/ax"]);
    assert_eq!(error("/{a"), PatternErrorKind::UnclosedAlternatives);
}

/// Row P07.
#[test]
fn two_slashes_are_any_number_of_parts() {
    pattern("//b", &["/b", "/a/b", "/a/x/b"], &["/ab", "/b/a"]);
    pattern("/a//b", &["/a/b", "/a/x/y/b"], &["/ax/b", "/b"]);
}

/// Row P08.
#[test]
fn what_is_special_to_regular_expressions_is_plain_text() {
    pattern("/a.^|$+()\\", &["/a.^|$+()\\"], &["/ab^|$+()\\"]);
}

/// Row P10.
#[test]
fn a_pattern_begins_with_a_slash() {
    assert_eq!(error(""), PatternErrorKind::NoLeadingSlash);
    assert_eq!(error("a"), PatternErrorKind::NoLeadingSlash);
}

/// Row P11.
#[tokio::test]
async fn a_handler_added_twice_is_called_twice() {
    let router = Router::new().route("/a", || {}).route("/*", || {}).route("/a", || {});
    assert_eq!(fed(router, [item(("/a", ()))]).await.handled, 3);
}

/// Row P12.
/// `MethodFilter(addrpattern, function, patternkind, argscheme, extra, workqueue, lock)`.
#[tokio::test]
async fn a_route_has_everything_that_a_method_filter_has() {
    let log = Log::default();
    let lock = Lane::new(16);
    let router = Router::with_state(Arc::clone(&log))
        .route(
            "/voice/*",
            on(
                |State(log): State<Log>,
                 MatchedRoute(filter): MatchedRoute,
                 Extra(extra): Extra<&str>,
                 Args(n): Args<i32>| {
                    log.lock().unwrap().push(format!("{filter} {extra} {n}"));
                },
            )
            .extra("an object")
            .on_lane(&lock),
        )
        .route_where(
            |message| message.args().count() == 0,
            |State(log): State<Log>| {
                log.lock().unwrap().push("a predicate".to_owned());
            },
        );
    fed(router, [item(("/voice/1", 7)), item(("/voice/1", ()))]).await;
    let mut log = log.lock().unwrap().clone();
    log.sort();
    assert_eq!(log, ["/voice/* an object 7", "a predicate"]);
}

/// Row P17.
/// There, `osc_method` before `osc_startup` is an error. Here routes and subscriptions can be made without
/// a runtime, and receive messages once a server runs.
#[test]
fn routes_and_subscriptions_made_before_a_runtime_receive_later_messages() {
    let log = Log::default();
    let router = Router::with_state(Arc::clone(&log))
        .route("/a", |State(log): State<Log>| log.lock().unwrap().push("a".to_owned()))
        .route("/b", async |State(log): State<Log>| log.lock().unwrap().push("b".to_owned()));
    let server = Server::new(router);
    let mut heard: Subscription = server.subscribe("/?", 8).unwrap();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let items = ["/a", "/b"].map(|address| item((address, ())));
        ended(server.feed("test", stream::iter(items)).spawn()).await;
        assert_eq!(*log.lock().unwrap(), ["a", "b"]);
        for address in ["/a", "/b"] {
            assert_eq!(heard.next().await.unwrap().0.address(), address);
        }
    });
}

/// Row P18.
#[test]
fn routers_and_their_handles_can_be_debugged() {
    let router = Router::new().route("/voice/*/freq", || {});
    assert!(format!("{router:?}").contains("routes: 1"), "{router:?}");
    assert!(format!("{:?}", router.live().route("/live", || {})).starts_with("RouteHandle"));
}
