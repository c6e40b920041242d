//! What a router tells about its routes: methods, types, descriptions, values.

use futures::{FutureExt, StreamExt};
use tokio_osc::dispatch::{Context, FromContext, Method, Rejection, Signature, TypeTags, Value, on};
use tokio_osc::packet::{ArgTypes, ArgsError, ArgsReader, OwnedArgs, Rest};
use tokio_osc::pattern::Pattern;
use tokio_osc::{Arg, Args, Captures, FromArgs, Message, Router, Server, State};

use crate::support::panicking::panic_of;

fn tags(router: &Router, address: &str) -> Option<Vec<String>> {
    let method = router.namespace().method(address).expect("it is listed");
    let types = method.types()?;
    let tags: Vec<_> = types.alternatives().map(str::to_owned).collect();
    Some(if types.has_rest() { vec![format!("{}…", tags.join("|"))] } else { tags })
}

struct Hertz(#[expect(dead_code, reason = "only its type matters here")] f32);

impl<'a> FromArgs<'a> for Hertz {
    fn from_args(args: &mut ArgsReader<'a>) -> Result<Self, ArgsError> {
        args.read().map(Self)
    }
}

impl OwnedArgs for Hertz {}

/// An extractor that uses another one, and describes it.
struct Level(#[expect(dead_code, reason = "only its type matters here")] f32);

impl<S> FromContext<S> for Level {
    fn describe(signature: &mut Signature) {
        <Args<f32> as FromContext<S>>::describe(signature);
    }

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Args::<f32>::from_context(context).map(|Args(level)| Self(level))
    }
}

#[test]
fn types_come_from_the_parameters_of_functions_and_closures() {
    async fn freq(Args((_hz, _wave)): Args<(f32, String)>) {}
    let router = Router::new()
        .route("/freq", freq)
        .route("/ping", |Args(n): Args<i32>| ("/pong", n))
        .route("/bang", || ())
        .route("/optional", |_: Option<Args<f32>>| ())
        .route("/trailing", |_: Args<(i32, Option<String>)>| ())
        .route("/own", |Args(Hertz(_)): Args<Hertz>| ())
        .route("/extractor", |Level(_): Level| ())
        .route("/all", |_: Message| ())
        .route("/rest", |_: Args<(i32, Rest)>| ())
        .route("/both", |_: Args<bool>, _: Message, TypeTags(_): TypeTags| ());
    for (address, expected) in [
        ("/freq", &["fs"][..]),
        ("/ping", &["i"]),
        ("/optional", &["f"]),
        ("/trailing", &["i", "is"]),
        ("/own", &["…"]),
        ("/extractor", &["f"]),
        ("/all", &["…"]),
        ("/rest", &["i…"]),
        ("/both", &["T"]),
    ] {
        assert_eq!(tags(&router, address).unwrap(), expected, "{address}");
    }
    assert_eq!(tags(&router, "/bang"), None);
}

/// What is described is what is written: a value of each type has the type tags that reading it announces.
#[test]
fn the_types_announced_are_those_that_are_written() {
    fn check<T: OwnedArgs + tokio_osc::IntoArgs>(value: T) {
        let message = Message::new("/a", value).unwrap();
        let written = message.type_tags().trim_start_matches(',').replace('F', "T");
        assert_eq!(ArgTypes::of::<T>().tags(), written);
        assert!(message.parse::<T>().is_ok());
    }
    check((1_i8, 2_i16, 3_i32, 4_i64, 5_u8, 6_u16, 7_u32, 8_usize));
    check((1.0_f32, 2.0_f64, true, false, 'c', String::from("s")));
    check(([1_u8, 2, 3], [1.0_f32; 4], vec![1_u8]));
    check((tokio_osc::packet::Nil, tokio_osc::packet::Impulse, tokio_osc::TimeTag::IMMEDIATELY));
    check(tokio_osc::packet::Array((1, "a".to_owned(), tokio_osc::packet::Array([1.5_f64; 2]))));
    check(tokio_osc::packet::Symbol("x".to_owned()));
}

#[test]
fn single_addresses_are_listed_also_those_of_instances_nested_routers_and_exact_names() {
    let strip = Router::new().route("/gain", on(|_: Args<f32>| ()).about("Level")).route("/*", || ());
    let router = Router::new()
        .nest("/mixer", strip)
        .route("/voice/*/note", on(|_: Captures<u8>, _: Args<i32>| ()).instances(1..=2))
        .route(Pattern::exact("/layers[12]/x"), |_: Args<f32>| ())
        .route_prefix("/below", || ())
        .route_where(|_| true, || ())
        .route_bundle("/frame", || ());
    let namespace = router.namespace();
    let addresses: Vec<_> = namespace.methods().iter().map(|method| method.address().to_string()).collect();
    assert_eq!(addresses, ["/mixer/gain", "/voice/1/note", "/voice/2/note", "/layers[12]/x"]);
    assert_eq!(namespace.unlisted(), 4);
    assert_eq!(namespace.method("/mixer/gain").unwrap().about(), Some("Level"));
}

#[test]
fn a_description_says_range_unit_choices_access_and_weight() {
    let router = Router::new()
        .route("/gain", on(|_: Args<f32>| ()).range(0, -60..=12).unit(0, "gain.db").critical())
        .route("/wave", on(|_: Args<(f32, String)>| ()).range(0, 0.0..).choices(1, ["sine", "saw"]))
        .route("/meter", on(|| ()).value(&Value::new(0.5_f32)).read_only());
    let namespace = router.namespace();
    let method = |address| -> Method { namespace.method(address).unwrap() };
    let gain = method("/gain");
    assert_eq!((gain.arg(0).min(), gain.arg(0).max()), (Some(&Arg::from(-60)), Some(&Arg::from(12))));
    assert_eq!((gain.arg(0).unit(), gain.arg(1).unit()), (Some("gain.db"), None));
    assert!(gain.is_critical() && gain.is_writable() && !gain.is_readable());
    let wave = method("/wave");
    assert_eq!(
        (wave.arg(0).max(), wave.arg(1).choices()),
        (None, &[Arg::from("sine"), Arg::from("saw")][..])
    );
    let meter = method("/meter");
    assert!(meter.is_readable() && !meter.is_writable() && !meter.is_critical());
    assert_eq!(meter.value().unwrap().to_string(), "/meter ,f 0.5");
    assert_eq!(
        namespace.to_string(),
        "/gain   f   [-60..=12 gain.db] critical\n\
         /wave   fs  [0..=] [\"sine\" \"saw\"]\n\
         /meter  f   read only\n"
    );
}

#[test]
fn a_description_that_does_not_fit_the_handler_panics_where_the_route_is_made() {
    let takes = |_: Args<f32>| ();
    for (made, message) in [
        (
            panic_of(|| drop(Router::new().route("/a", on(takes).range(1, 0..=1)))),
            "route \"/a\" describes argument 1, counted from 0, but the handler",
        ),
        (panic_of(|| drop(Router::new().route("/a", on(|| ()).unit(0, "s")))), "takes no arguments"),
        (panic_of(|| drop(Router::new().route("/a", on(takes).read_only()))), "has no `value` to read"),
        (
            panic_of(|| drop(Router::new().route("/a", on(takes).value(&Value::new(1))))),
            "has a value with the type tags `i`, but the handler",
        ),
        (
            panic_of(|| drop(Router::<()>::new().route("/a", on(takes).range(0, 0..8)))),
            "a range of an argument contains its end: write `..=`",
        ),
    ] {
        assert!(made.message.contains(message) && made.file.ends_with("namespace.rs"), "{made:?}");
    }
    // An optional argument may be missing in the value, and a rest fits everything.
    let optional = |_: Args<(f32, Option<i32>)>| ();
    let rest = |_: Message| ();
    let value = Value::new(1.0_f32);
    let _fits = Router::<()>::new()
        .route("/a", on(optional).value(&value))
        .route("/b", on(rest).value(&value).range(9, 0..=1));
}

#[tokio::test]
async fn a_namespace_follows_the_routes_until_the_router_is_gone() {
    let router = Router::new().route("/a", || ());
    let mut namespace = router.namespace();
    assert!(namespace.changed().now_or_never().is_none(), "nothing has changed yet");
    let live = router.live();
    let server = Server::new(router);
    let of_server = server.namespace();
    let handle = live.route("/b", || ());
    assert!(namespace.changed().await);
    assert_eq!((namespace.methods().len(), of_server.methods().len()), (2, 2));
    handle.remove();
    assert!(namespace.changed().await);
    assert_eq!(namespace.to_string(), "/a\n");
    drop(server);
    assert!(!namespace.changed().await);
    assert!(namespace.methods().is_empty());
}

#[tokio::test]
async fn those_who_listen_to_a_value_hear_the_present_one_and_the_last_one() {
    let gain = Value::new(0.0_f32);
    let set = |State(gain): State<Value<f32>>, Args(db): Args<f32>| gain.set(db);
    let router = Router::with_state(gain.clone()).route("/gain", on(set).value(&gain));
    let method = router.namespace().method("/gain").unwrap();
    let mut values = method.values();
    assert_eq!(values.next().await.unwrap().to_string(), "/gain ,f 0");
    for db in 1..=100 {
        router.call(("/gain", db)).await;
    }
    assert_eq!(values.next().await.unwrap().to_string(), "/gain ,f 100");
    assert!(values.next().now_or_never().is_none(), "none in between, none twice");
    gain.update(|db| *db += 1.0);
    assert_eq!(values.next().await.unwrap().to_string(), "/gain ,f 101");
    drop((gain, router, method));
    assert!(values.next().await.is_none());
}
