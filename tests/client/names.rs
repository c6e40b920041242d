//! The names of real programs: what can arrive can be sent, routed, subscribed to and requested.
#![cfg(feature = "net")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use tokio_osc::dispatch::MatchedRoute;
use tokio_osc::packet::{DecodeOptions, IntoPacket};
use tokio_osc::{
    Args, Bundle, Captures, Channel, Client, Message, Pattern, Router, Server, ServerHandle, Slip, State, Udp,
};

const NAMES: [&str; 9] = [
    "/surfaces/Quad 1/opacity",
    "/avatar/parameters/Öhr",
    "/my,thing/x",
    "/track/#1/vol",
    "/fx/50%/mix",
    "/灯/明るさ",
    "/\"quoted\"/\\",
    "/tab\there",
    "/#bundle",
];

type Log = Arc<Mutex<Vec<String>>>;

/// Notes the route that was taken.
fn note(State(log): State<Log>, MatchedRoute(route): MatchedRoute) {
    log.lock().unwrap().push(route.to_string());
}

/// As `note`, and answers with the number that came.
fn answer(name: Pattern) -> impl Fn(State<Log>, MatchedRoute, Args<i32>) -> Message + Clone {
    move |log, route, Args(n)| {
        note(log, route);
        let address = name.as_bytes();
        if address.starts_with(b"/") {
            return Message::with_raw_address(address, n).unwrap();
        }
        match address {
            &[0, high, mid, low] => {
                Message::with_numeric_address(u32::from_be_bytes([0, high, mid, low]), n).unwrap()
            }
            _ => Message::with_bare_address(address, n).unwrap(),
        }
    }
}

fn router() -> (Router<Log>, Log) {
    let log = Log::default();
    (Router::with_state(Arc::clone(&log)), log)
}

async fn serve(router: Router<Log>, options: DecodeOptions) -> (ServerHandle, SocketAddr) {
    let channel = Udp::new("127.0.0.1:0").decode(options).bind().await.unwrap();
    let address = channel.local_addr().unwrap();
    (Server::new(router).listen("udp", channel).spawn(), address)
}

/// The names of the routes that these messages take, one after the other.
async fn taken(router: Router<Log>, log: &Log, messages: impl IntoIterator<Item = Message>) -> Vec<String> {
    let options = DecodeOptions::default().accept_bare_addresses(true);
    let (server, address) = serve(router, options).await;
    let client = Client::udp(address).await.unwrap();
    for (sent, message) in (1..).zip(messages) {
        client.send(message).await.unwrap();
        let looked_up = || {
            let stats = server.stats();
            stats.matched + stats.unmatched + stats.illegal
        };
        while looked_up() < sent {
            tokio::task::yield_now().await;
        }
    }
    server.shutdown().await;
    std::mem::take(&mut *log.lock().unwrap())
}

#[tokio::test]
async fn every_name_is_sent_routed_captured_subscribed_to_and_requested() {
    for name in NAMES {
        let (router, log) = router();
        let (path, last) = name.rsplit_once('/').unwrap();
        let router = router.route(name, answer(name.parse().unwrap())).route(
            format!("{path}/*"),
            |State(log): State<Log>, Captures(last): Captures<String>| {
                log.lock().unwrap().push(last);
            },
        );
        let (server, address) = serve(router, DecodeOptions::default()).await;
        let mut heard = server.subscribe(name, 8).unwrap();
        let client = Client::udp(address).await.unwrap();
        let mut pushed = client.subscribe(name);
        let reply = client.request((name, 7), name).timeout(Duration::from_secs(5)).await.unwrap();
        assert_eq!((reply.address().as_bytes(), reply.parse()), (name.as_bytes(), Ok(7)));
        assert_eq!(pushed.next().await.unwrap(), reply);
        assert_eq!(heard.next().await.unwrap().0.address(), name);
        client.send(Bundle::immediately().with((name, 8))).await.unwrap();
        assert_eq!(pushed.next().await.unwrap().parse(), Ok(8));
        server.shutdown().await;
        assert_eq!(*log.lock().unwrap(), [name, last, name, last]);
    }
}

#[test]
fn every_name_survives_the_canonical_line() {
    for name in NAMES {
        let message = Message::new(name, 1).unwrap();
        assert_eq!(message.to_string().parse::<Message>().unwrap(), message, "{message}");
    }
}

#[test]
fn strict_decoding_keeps_the_list_of_the_specification() {
    let fits = |name: &str| (name, 1).into_packet().unwrap().check(&DecodeOptions::strict()).is_ok();
    for name in NAMES {
        let is_listed = ["/my,thing/x", "/fx/50%/mix", "/\"quoted\"/\\"].contains(&name);
        assert_eq!(fits(name), is_listed, "{name}");
    }
}

#[tokio::test]
async fn a_comma_in_a_set_is_a_character() {
    let (router, log) = router();
    let router = router.route("/a", note).route("/b", note).route("/,", note).route("/c", note);
    let messages = [Message::new("/[a,b]", 1).unwrap()];
    assert_eq!(taken(router, &log, messages).await, ["/a", "/b", "/,"]);
}

#[tokio::test]
async fn brackets_in_a_name_are_a_pattern_unless_a_route_is_exact() {
    let message = Message::new("/layers[12]/x", 1).unwrap();
    let layers =
        |router: Router<Log>| router.route("/layers1/x", note).route("/*/x", note).route("/layers2/x", note);
    let (patterns, log) = router();
    let met = taken(layers(patterns), &log, [message.clone()]).await;
    assert_eq!(met, ["/layers1/x", "/*/x", "/layers2/x"]);

    let (exact, log) = router();
    let exact = layers(exact).route(Pattern::exact("/layers[12]/x"), note).route("//x", note);
    let met = ["/*/x", "/layers[12]/x", "//x"];
    assert_eq!(taken(exact, &log, [message.clone(), message]).await, [met, met].concat());
}

#[tokio::test]
async fn an_exact_route_meets_nothing_but_its_bytes() {
    let (router, log) = router();
    let router = router.route(Pattern::exact("/layers[12]/x"), note).route(Pattern::exact("/a"), note);
    let others = ["/layers1/x", "/layers*/x", "/*/x", "//", "//x", "/layers[1-2]/x", "/?", "/{a,b}", "/*"];
    let messages = others.map(|address| Message::new(address, 1).unwrap());
    let more = ["/layers[12]/x", "/a"].map(|address| Message::new(address, 1).unwrap());
    assert_eq!(taken(router, &log, messages.into_iter().chain(more)).await, ["/layers[12]/x", "/a"]);
}

#[tokio::test]
async fn an_exact_route_comes_goes_and_moves_with_its_router() {
    let (router, log) = router();
    let inner = Router::with_state(Arc::clone(&log)).route(Pattern::exact("/layers[12]"), note);
    let router = router
        .nest("/deck", inner)
        .merge(Router::with_state(Arc::clone(&log)).route(Pattern::exact("node"), note));
    let live = router.live();
    let gone = live.route(Pattern::exact("/gone[1]"), note);
    live.route("/*[1]", note);
    assert!(gone.remove());
    let messages = ["/deck/layers[12]", "/gone[1]"].map(|address| Message::new(address, 1).unwrap());
    let bare = Message::with_bare_address("node", 1).unwrap();
    let met = ["/deck/layers[12]", "node", "/*[1]"];
    let order = messages[..1].iter().cloned().chain([bare]).chain(messages[1..].iter().cloned());
    assert_eq!(taken(router, &log, order.collect::<Vec<_>>()).await, met);
}

#[test]
#[should_panic(expected = "an exact address needs a prefix without wildcards")]
fn an_exact_route_cannot_be_nested_behind_a_wildcard() {
    drop(Router::new().nest("/deck/*", Router::new().route(Pattern::exact("/layers[12]"), || {})));
}

#[test]
#[should_panic(expected = "an exact route has nothing below it")]
fn an_exact_route_is_not_a_prefix() {
    drop(Router::new().route_prefix(Pattern::exact("/layers[12]"), || {}));
}

/// An address that is not a valid pattern has no other meaning, so it is a literal name.
#[tokio::test]
async fn a_name_that_is_not_a_valid_pattern_stands_for_itself() {
    for name in ["/clip [2", "/{a", "/a]", "/[]", "/[z-a]", "/a///b"] {
        let (router, log) = router();
        let router =
            router.route(Pattern::try_exact(name).unwrap(), note).route("/*", note).route("//", note);
        let message = Message::with_raw_address(name, 1).unwrap();
        let met = match name {
            "/a///b" => vec![name, "//"],
            _ => vec![name, "/*", "//"],
        };
        assert_eq!(taken(router, &log, [message]).await, met);
        assert!(Router::new().try_route(name, || {}).is_err(), "{name}");
    }
}

#[tokio::test]
async fn addresses_without_a_slash_are_routed_subscribed_to_and_requested_where_accepted() {
    let options = DecodeOptions::default().accept_bare_addresses(true);
    let bare = |text: &'static str| (Pattern::exact(text), Message::with_bare_address(text, 7).unwrap());
    let number = (Pattern::number(52).unwrap(), Message::with_numeric_address(52, 7).unwrap());
    for (name, message) in [bare("node"), bare("#reply"), bare("Öhr[1]*"), number] {
        let (router, log) = router();
        let router = router
            .route(name.clone(), answer(name.clone()))
            .route("/*", note)
            .route("/node", note)
            .route("//", note)
            .route_where(|message| message.parse() == Ok(7), note);
        let (server, address) = serve(router, options.clone()).await;
        let mut heard = server.subscribe(name.clone(), 8).unwrap();
        let mut all_heard = server.subscribe("//", 8).unwrap();
        let client = Udp::new(address).decode(options.clone()).client().await.unwrap();
        let mut pushed = client.subscribe(name.clone());
        let mut all = client.subscribe("//");
        let reply = client.request(message.clone(), name.clone()).timeout(Duration::from_secs(5)).await;
        assert_eq!(reply.unwrap(), message);
        assert_eq!(pushed.next().await.unwrap(), message);
        assert_eq!(all.next().await.unwrap(), message);
        assert_eq!(heard.next().await.unwrap().0, message);
        assert_eq!(all_heard.next().await.unwrap().0, message);
        server.shutdown().await;
        let met = log.lock().unwrap().clone();
        assert_eq!(met[..2], [name.to_string(), "//".to_owned()]);
        assert!(met.len() == 3 && met[2].starts_with("where "), "{met:?}");
    }
}

#[tokio::test]
async fn a_client_takes_a_text_without_a_slash_byte_for_byte() {
    let options = DecodeOptions::default().accept_bare_addresses(true);
    let (router, _) = router();
    let reply = || Message::with_bare_address("node", "-show").unwrap();
    let (server, address) = serve(router.route("/node", reply), options.clone()).await;
    let client = Udp::new(address).decode(options).client().await.unwrap();
    let mut pushed = client.subscribe("node");
    let answer = client.request(("/node", "-show/prepos"), "node").timeout(Duration::from_secs(5)).await;
    assert_eq!(answer.unwrap().to_string(), r#""node" ,s "-show""#);
    assert_eq!(pushed.next().await.unwrap().parse(), Ok("-show"));
    server.shutdown().await;

    let silent = Channel::udp("127.0.0.1:0").await.unwrap();
    let plain = Client::udp(silent.local_addr().unwrap()).await.unwrap();
    drop(plain.subscribe("#reply"));
    let reconnecting = Client::reconnecting("127.0.0.1:9", Slip::new());
    drop((reconnecting.subscribe("node"), reconnecting.subscribe(Pattern::exact("/layers[12]/x"))));
    assert!(plain.request(("/who", ()), "#reply").timeout(Duration::from_millis(1)).await.is_err());
}

#[tokio::test]
async fn without_the_option_no_address_lacks_its_slash() {
    let (router, log) = router();
    let router = router.route(Pattern::exact("node"), note).route("//", note);
    let router = router.route(Pattern::exact("/end"), |Args(n): Args<i32>| ("/end", n));
    let (server, address) = serve(router, DecodeOptions::default()).await;
    let client = Client::udp(address).await.unwrap();
    client.send(Message::with_bare_address("node", 1).unwrap()).await.unwrap();
    client.request(("/end", 1), "/end").await.unwrap();
    let stats = server.shutdown().await;
    assert_eq!((stats.malformed, log.lock().unwrap().len()), (1, 1));
}
