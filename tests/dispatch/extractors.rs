//! What a handler may ask for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures::stream;
use tokio_osc::dispatch::{Context, Extra, FromContext, MatchedRoute, Rejection, TypeTags};
use tokio_osc::packet::Rest;
use tokio_osc::schedule::TokioClock;
use tokio_osc::{
    Address, Arg, Args, Bundle, Captures, Message, Meta, Peer, Reply, Router, Server, State, TimeTag, on,
};

use super::{handle, item, run};

/// A place for what a handler saw.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// The sum of the arguments, if they are integers.
struct Sum(i32);

impl<S> FromContext<S> for Sum {
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        let numbers: Vec<i32> = context.message().parse()?;
        Ok(Self(numbers.iter().sum()))
    }
}

#[tokio::test]
async fn each_extractor_gives_what_its_name_says() {
    let seen = Seen::default();
    let router = Router::with_state(seen.clone())
        .route("/args", |State(seen): State<Seen>, Args((n, rest)): Args<(i32, Rest)>| {
            seen.add(format!("{n} {:?}", rest.0));
        })
        .route("/dynamic", |State(seen): State<Seen>, Args(args): Args<Vec<Arg>>, rest: Rest| {
            seen.add(format!("{args:?} {}", args == rest.0));
        })
        .route(
            "/message/*",
            |State(seen): State<Seen>,
             message: Message,
             address: Address,
             TypeTags(tags): TypeTags,
             MatchedRoute(route): MatchedRoute,
             Captures(capture): Captures<char>| {
                seen.add(format!("{message} | {address} | {tags} | {route} | {capture}"));
            },
        )
        .route("/packet", |State(seen): State<Seen>, meta: Meta, peer: Peer, time_tag: TimeTag| {
            let now = meta.received_at <= SystemTime::now();
            let (channel, late) = (meta.channel(), meta.lateness);
            seen.add(format!("{peer} {} {channel} {now} {time_tag:?} {late:?}", peer == meta.peer));
        })
        .route(
            "/extra",
            on(|State(seen): State<Seen>, Extra(extra): Extra<String>| seen.add(&*extra))
                .extra("extra".to_owned()),
        )
        .route("/own", |Sum(sum): Sum, State(seen): State<Seen>| seen.add(sum.to_string()));
    let clock = TokioClock::new();
    let items = vec![
        item(("/args", (1, 2.5_f32, "x"))),
        item(("/dynamic", (1, true))),
        item(("/message/x", (7_i64, "y"))),
        item(("/packet", ())),
        item(Bundle::immediately().with(Bundle::at(TimeTag::new(1, 0)).with(("/packet", ())))),
        item(("/extra", ())),
        item(("/own", (1, 2, 3))),
        item(("/own", "x")),
    ];
    let stats = run(Server::new(router).feed("test", stream::iter(items)).clock(clock)).await;
    let seen = seen.all();
    assert_eq!(seen[0], format!("1 {:?}", [Arg::Float32(2.5), Arg::from("x")]));
    assert_eq!(seen[1], format!("{:?} true", [Arg::Int32(1), Arg::Bool(true)]));
    assert_eq!(seen[2], "/message/x ,hs 7 \"y\" | /message/x | ,hs | /message/* | x");
    assert_eq!(seen[3], format!("local true test true {:?} 0ns", TimeTag::IMMEDIATELY));
    assert!(seen[4].contains(&format!("{:?}", TimeTag::new(1, 0))), "the innermost bundle's: {}", seen[4]);
    assert_eq!(seen[5..], ["extra", "6"]);
    assert_eq!((stats.handled, stats.rejected), (7, 1));
}

#[tokio::test(start_paused = true)]
async fn lateness_is_what_has_passed_since_the_time_tag() {
    let seen = Seen::default();
    let router = Router::with_state(seen.clone())
        .route("/late", |State(seen): State<Seen>, meta: Meta| seen.add(format!("{:?}", meta.lateness)));
    let clock = TokioClock::new();
    let tag = tokio_osc::schedule::Clock::after(&clock, Duration::ZERO) - Duration::from_millis(1_500);
    let items = vec![item(Bundle::at(tag).with(("/late", ()))), item(("/late", ()))];
    run(Server::new(router).feed("test", stream::iter(items)).clock(clock)).await;
    assert_eq!(seen.all(), ["1.5s", "0ns"]);
}

#[tokio::test]
async fn a_refusal_can_be_handled_by_the_handler() {
    let seen = Seen::default();
    let router = Router::with_state(seen.clone()).route(
        "/n/*",
        on(
            |State(seen): State<Seen>,
             n: Result<Args<i32>, Rejection>,
             capture: Option<Captures<u8>>,
             extra: Option<Extra<i32>>,
             reply: Result<Reply, Rejection>| {
                seen.add(format!(
                    "{:?} {:?} {} {}",
                    n.map(|Args(n)| n).map_err(|error| error.to_string()),
                    capture.map(|Captures(n)| n),
                    extra.is_some(),
                    reply.unwrap_err(),
                ));
            },
        )
        .extra("not a number"),
    );
    let stats = handle(router, vec![item(("/n/1", 1)), item(("/n/x", "x"))]).await;
    assert_eq!((stats.handled, stats.rejected), (2, 0));
    let seen = seen.all();
    assert_eq!(seen[0], "Ok(1) Some(1) false the message came from a stream that cannot reply");
    assert!(
        seen[1].starts_with("Err(")
            && seen[1].ends_with("None false the message came from a stream that cannot reply")
    );
}

/// An extractor that does not say what it needs: the route finds out with the first message.
struct Undescribed;

impl<S> FromContext<S> for Undescribed {
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Extra::<i32>::from_context(context).map(|_| Self)
    }
}

#[tokio::test]
async fn a_missing_parameter_is_a_rejection() {
    let rejections = Arc::new(Mutex::new(Vec::new()));
    let router = Router::new()
        .route("/extra/none", |_: Undescribed| {})
        .route("/extra/other", on(|_: Undescribed| {}).extra("text"))
        .route("/reply", |_: Reply| {})
        .route("/captures/*", |Captures(_): Captures<(u8, u8)>| {})
        .route("/captures/*/*", |Captures(_): Captures<u8>| {})
        .on_reject({
            let rejections = Arc::clone(&rejections);
            move |_, _, rejection| rejections.lock().unwrap().push(rejection.clone())
        });
    let addresses = ["/extra/none", "/extra/other", "/reply", "/captures/1", "/captures/1/2"];
    let stats = handle(router, addresses.map(|address| item((address, ()))).into()).await;
    assert_eq!((stats.rejected, stats.handled), (5, 0));
    let rejections = rejections.lock().unwrap().clone();
    assert_eq!(rejections[..3], [Rejection::Extra, Rejection::Extra, Rejection::CannotReply]);
    for rejection in &rejections[3..] {
        assert!(matches!(rejection, Rejection::Captures(error) if error.index() == 1), "{rejection}");
    }
}

#[tokio::test]
async fn a_handler_takes_none_to_eight_parameters() {
    #[allow(clippy::too_many_arguments, reason = "as many as may be")]
    async fn eight(
        seen: State<Seen>,
        _: Message,
        _: Meta,
        _: Peer,
        _: TimeTag,
        _: Address,
        _: TypeTags,
        Args(n): Args<i32>,
    ) {
        seen.0.add(n.to_string());
    }
    let seen = Seen::default();
    let router = Router::with_state(seen.clone())
        .route("/n", eight)
        .route("/n", || {})
        .route("/n", async |State(seen): State<Seen>| seen.add("async closure"));
    let stats = handle(router, vec![item(("/n", 8))]).await;
    assert_eq!((stats.handled, seen.all()), (3, vec!["8".to_owned(), "async closure".to_owned()]));
}

#[tokio::test]
async fn an_address_that_is_a_pattern_or_has_no_slash_has_nothing_to_capture() {
    let seen = Seen::default();
    let told = seen.clone();
    let router = Router::new()
        .route("/ch/[1-8]/gain", |Captures(_): Captures<u8>| {})
        .fallback(|Captures(_): Captures<String>| {})
        .on_reject(move |message, _, rejection| told.add(format!("{}: {rejection}", message.address())));
    let bare = Message::with_bare_address("gain", ()).unwrap();
    let items = vec![item(("/ch/7/gain", ())), item(("/ch/{1,2}/gain", ())), item(("/else", ())), item(bare)];
    let stats = handle(router, items).await;
    assert_eq!((stats.handled, stats.rejected), (2, 2));
    let why = "there is nothing to capture: the address of the message is a pattern that is not a name of this \
               route, or has no slash; use `on(handler).instances(…)` to run once for each name";
    assert_eq!(seen.all(), [format!("/ch/{{1,2}}/gain: {why}"), format!("gain: {why}")]);
}
