//! S. Argument schemes: rows that the tests of extractors do not cover.

use std::sync::{Arc, Mutex};

use tokio_osc::dispatch::{Context, Extra, FromContext, Rejection, TypeTags};
use tokio_osc::{Address, Arg, Args, Bundle, Meta, Peer, Router, State, TimeTag, on};

use super::{fed, item};

type Log = Arc<Mutex<Vec<String>>>;

fn push(log: &Log, entry: String) {
    log.lock().unwrap().push(entry);
}

/// Row S04.
#[tokio::test]
async fn a_handler_takes_address_type_tags_and_arguments_apart() {
    let log = Log::default();
    let router = Router::with_state(Arc::clone(&log)).route(
        "/a",
        |State(log): State<Log>, address: Address, TypeTags(tags): TypeTags, Args(args): Args<Vec<Arg>>| {
            push(&log, format!("{address} {tags} {args:?}"));
        },
    );
    fed(router, [item(("/a", (1, "x")))]).await;
    let args = [Arg::from(1), Arg::from("x")];
    assert_eq!(*log.lock().unwrap(), [format!("/a ,is {args:?}")]);
}

/// Row S08.
/// There, an extra value that cannot be taken apart ends a thread.
#[tokio::test]
async fn an_extra_value_of_several_is_taken_apart_by_its_type() {
    let log = Log::default();
    let router = Router::with_state(Arc::clone(&log))
        .route(
            "/a",
            on(|State(log): State<Log>, Extra(extra): Extra<(i32, &str)>| {
                let (number, text) = *extra;
                push(&log, format!("{number} {text}"));
            })
            .extra((7, "text")),
        )
        .route(
            "/a",
            on(|extra: Option<Extra<(i32, &str)>>| assert!(extra.is_none())).extra("not the two of them"),
        );
    let stats = fed(router, [item(("/a", ())), item(("/a", ()))]).await;
    assert_eq!(*log.lock().unwrap(), ["7 text", "7 text"]);
    assert_eq!((stats.handled, stats.panicked), (4, 0));
    let wrong = || Router::new().route("/a", on(|_: Extra<(i32, &str)>| {}).extra("not the two of them"));
    assert!(std::panic::catch_unwind(wrong).is_err(), "a value of another type is refused with its route");
}

/// Row S10.
/// `OSCARG_PACKOPT`: the packet's options, with the message and the filter that it went to.
#[tokio::test]
async fn all_that_is_known_of_a_packet_is_one_value() {
    struct Everything(String);

    impl<S> FromContext<S> for Everything {
        fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
            let Meta { peer, time_tag, lateness, .. } = context.meta();
            let channel = context.meta().channel();
            let (message, route) = (context.message(), context.route());
            Ok(Self(format!("{channel} {peer} {time_tag:?} {lateness:?}: {message} by {route}")))
        }
    }

    let log = Log::default();
    let router = Router::with_state(Arc::clone(&log))
        .route("/*", |State(log): State<Log>, Everything(all): Everything| push(&log, all));
    let mut timed = item(Bundle::at(TimeTag::IMMEDIATELY).with(("/a", 1)));
    timed.1.peer = Peer::from(([192, 0, 2, 1], 9_000));
    fed(router, [timed]).await;
    let tag = Some(TimeTag::IMMEDIATELY);
    assert_eq!(*log.lock().unwrap(), [format!("test 192.0.2.1:9000 {tag:?} 0ns: /a ,i 1 by /*")]);
}
