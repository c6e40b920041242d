//! A route that cannot work panics when it is made, at the caller's line, and says why.

use tokio_osc::dispatch::Extra;
use tokio_osc::pattern::PatternErrorKind;
use tokio_osc::{Args, Bundle, Pattern, Router, on};

use crate::support::panicking::panic_of;

/// The message of a panic in this file.
fn refused<S>(make: impl FnOnce() -> Router<S>) -> String {
    let panicked = panic_of(make);
    assert!(panicked.file.ends_with("refused_routes.rs"), "the caller's file, not {}", panicked.file);
    panicked.message
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

#[test]
fn an_extra_value_is_checked_when_the_route_is_made() {
    assert_eq!(
        refused(|| Router::new().route("/1", on(fader).extra(3))),
        "route \"/1\": the handler `dispatch::refused_routes::fader` takes `Extra<u8>`, but the route has an extra value of type `i32`"
    );
    assert_eq!(
        refused(|| Router::new().route("/1", fader)),
        "route \"/1\": the handler `dispatch::refused_routes::fader` takes `Extra<u8>`, but the route has no extra value: write \
         `on(handler).extra(…)`"
    );
    assert_eq!(
        refused(|| Router::new().route("/1", on(curve).extra(double))),
        "route \"/1\": the handler `dispatch::refused_routes::curve` takes `Extra<fn(f32) -> f32>`, but the route has an extra value \
         of type `dispatch::refused_routes::double` (a function item is not a function pointer: write `as fn(f32) -> f32`)"
    );
    assert_eq!(
        refused(|| Router::new().route("/1", on(|Args(_): Args<f32>| {}).extra("bass")))
            .split(", but ")
            .next(),
        Some("route \"/1\" has an extra value of type `&str`")
    );
    drop(Router::new().route("/1", on(|_: Option<Extra<u8>>| {}).extra(3_u8)));
    for text in [
        refused(|| Router::new().route_prefix("/1", fader)),
        refused(|| Router::new().fallback(fader)),
        refused(|| Router::new().route_where(|_| true, fader)),
        refused(|| Router::new().route_text_prefix("/1", fader)),
        refused(|| Router::new().route_bundle("/1", fader)),
        refused(|| Router::new().try_route("/1", fader).unwrap()),
        refused(|| {
            let router = Router::new();
            router.live().route("/1", fader);
            router
        }),
    ] {
        assert!(text.contains("takes `Extra<u8>`, but the route has no extra value"), "{text}");
    }
    let text = refused(|| Router::new().route("/1", |_: Bundle| {}));
    assert!(
        text.ends_with("takes a `Bundle`, but the route is one of messages: write `route_bundle`"),
        "{text}"
    );
}

#[test]
fn a_route_as_web_frameworks_write_it_is_refused_with_the_remedy() {
    assert_eq!(
        refused(|| Router::new().route("/mixer/{n}/gain", || {})),
        "route \"/mixer/{n}/gain\": `{n}` matches only the text `n`; write `*` for a part that captures, or give a \
         `Pattern` instead of a text if this is meant"
    );
    for (route, part) in
        [("/:n", "`:n` matches only the text `:n`"), ("/a/<n>/b", "`<n>` matches only the text `<n>`")]
    {
        let text = refused(|| Router::new().route(route, || {}));
        assert!(text.contains(part), "{text}");
    }
    assert!(refused(|| Router::new().route_prefix("/{n}", || {})).contains("write `*`"));
    assert!(refused(|| Router::new().nest("/{n}", Router::new())).contains("write `*`"));
}

#[test]
fn instances_that_do_not_fit_their_pattern_are_refused() {
    let many = || on(|| {}).instances(1..=8);
    for (text, wanted) in [
        (
            refused(|| Router::new().route("/a/*/*", many())),
            "has 2 `*`, but `instances` was given values for 1",
        ),
        (
            refused(|| Router::new().route("/a/{b,c}/*", many())),
            "a route with `instances` has no pattern but `*`",
        ),
        (refused(|| Router::new().route("//*", many())), "a route with `instances` has no pattern but `*`"),
        (refused(|| Router::new().fallback(many())), "a route with `instances` has no pattern but `*`"),
        (
            refused(|| Router::new().route("/a/*", on(|| {}).instances(["b/c"]))),
            "\"b/c\" cannot be a part of an address",
        ),
        (
            refused(|| Router::new().route("/a/*", on(|| {}).instances([""]))),
            "\"\" cannot be a part of an address",
        ),
        (
            refused(|| Router::new().route("/a/*", on(|| {}).instances(["*"]))),
            "\"*\" cannot be a part of an address",
        ),
        (
            refused(|| Router::new().route("/a/*", on(|| {}).instances([1, 2, 1]))),
            "the instance \"1\" is given twice",
        ),
        (
            refused(|| Router::new().route("/a/*/*", on(|| {}).instances((1..=100, 1..=100)))),
            "has more than 4096 instances",
        ),
    ] {
        assert!(text.starts_with("route \"") && text.ends_with(wanted), "{text}");
    }
}

#[test]
fn a_route_that_may_be_wrong_is_checked_for_the_spelling_of_web_frameworks() {
    for (route, at) in [("/mixer/{n}/gain", 7), ("/:channel", 1), ("/a/<n>", 3)] {
        let error = Router::new().try_route(route, || {}).unwrap_err();
        assert_eq!((error.kind(), error.position()), (PatternErrorKind::WebCapture, at), "{route}");
        let meant = Pattern::new(route).unwrap();
        assert!(Router::new().try_route(meant, || {}).is_ok());
    }
    assert!(Router::new().try_route("/mixer/{1,2}/*", || {}).is_ok());
}
