//! Every extractor: an example for each way in which osc4py3 passes a message to a function (its `OSCARG_…` schemes), and
//! more. It uses the loopback interface, prints what happens, and ends by itself.

#![allow(clippy::needless_pass_by_value, reason = "a handler owns what it asks for")]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio_osc::dispatch::{Context, Extra, FromContext, MatchedRoute, Rejection, TypeTags};
use tokio_osc::packet::Rest;
use tokio_osc::{
    Address, Arg, Args, Bundle, Captures, Channel, Client, Message, Meta, Peer, Reply, Router, Server, State,
    TimeTag, on,
};

/// `OSCARG_DATAUNPACK`: the arguments, one by one, as the types of the parameters.
fn unpacked(Args((hz, wave)): Args<(f32, String)>) {
    println!("   unpacked: {hz} Hz, {wave}");
}

/// `OSCARG_DATA`: all arguments together, of any types.
fn data(Args(args): Args<Vec<Arg>>) {
    println!("   data: {args:?}");
}

/// The first argument by its type, the others of any types.
fn first_and_rest(Args((first, rest)): Args<(String, Rest)>) {
    println!("   first and rest: {first}, and {} more", rest.0.len());
}

/// `OSCARG_MESSAGE`: the message itself.
fn message(message: Message) {
    println!("   message: {message}");
}

/// `OSCARG_MESSAGEUNPACK`: its three fields. `OSCARG_ADDRESS` and `OSCARG_TYPETAGS` are the first two.
fn fields(address: Address, TypeTags(tags): TypeTags, Args(args): Args<Vec<Arg>>) {
    println!("   fields: {address} | {tags} | {args:?}");
}

/// `OSCARG_EXTRA`: a value given with the route, so that one function serves several.
fn extra(Extra(name): Extra<&'static str>, Args(level): Args<f32>) {
    println!("   extra: the {name} fader is at {level}");
}

/// `OSCARG_EXTRAUNPACK`: the same, destructured.
fn extra_unpacked(Extra(range): Extra<(f32, f32)>, Args(level): Args<f32>) {
    let (low, high) = *range;
    println!("   extra, unpacked: {level} is {} in {low}..{high}", low + level * (high - low));
}

/// `OSCARG_METHODFILTER`: the name of the matching route.
fn route(MatchedRoute(route): MatchedRoute, address: Address) {
    println!("   route: {address} came by {route}");
}

/// `OSCARG_PACKOPT`: the metadata of the packet.
fn packet(meta: Meta) {
    println!("   packet: lateness {:?}, time tag {:?}", meta.lateness, meta.time_tag);
}

/// `OSCARG_READERNAME`, `OSCARG_SRCIDENT`, `OSCARG_READTIME`: the channel, the sender and the time.
fn origin(meta: Meta, peer: Peer) {
    let known = peer.address().is_some();
    let (channel, ago) = (meta.channel(), meta.received_at.elapsed().unwrap_or_default());
    println!("   origin: channel {channel}, the peer is known: {known}, {ago:.0?} ago");
}

/// The time tag of the bundle around the message.
fn when(time_tag: TimeTag, Meta { lateness, .. }: Meta) {
    println!("   when: at once: {}, late by {lateness:?}", time_tag == TimeTag::IMMEDIATELY);
}

/// The parts of the address that match the wildcards of the route.
fn voice(Captures((voice, what)): Captures<(u8, String)>, Args(value): Args<f32>) {
    println!("   captures: {what} of voice {voice} is {value}");
}

/// The state of the router, shared by all handlers.
fn hit(State(hits): State<AtomicU32>) {
    println!("   state: hit number {}", hits.fetch_add(1, Relaxed) + 1);
}

/// A rejection that the handler handles itself.
fn lenient(level: Result<Args<f32>, Rejection>) {
    match level {
        Ok(Args(level)) => println!("   lenient: {level}"),
        Err(rejection) => println!("   lenient: {rejection}"),
    }
}

/// `OSCARG_…` combined: any of them, in any order.
fn all(peer: Peer, Args(n): Args<i32>, address: Address, State(hits): State<AtomicU32>, meta: Meta) {
    println!("   any of them: {address} {n}, {} hits, {}", hits.load(Relaxed), peer == meta.peer);
}

/// A custom extractor.
struct Sum(i32);

impl<S> FromContext<S> for Sum {
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        let numbers: Vec<i32> = context.message().parse()?;
        Ok(Self(numbers.iter().sum()))
    }
}

/// The return value of a handler is the reply.
fn add(Sum(sum): Sum) -> (&'static str, i32) {
    ("/sum", sum)
}

/// This one replies later, and several times.
async fn count_down(Args(from): Args<i32>, reply: Reply) {
    for n in (0..=from).rev() {
        // Without a peer there is nothing left to do.
        let _ = reply.send(("/count", n)).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("A router with one route for each way to take a message, and a server for it.");
    let router = Router::with_state(AtomicU32::new(0))
        .route("/unpacked", unpacked)
        .route("/data", data)
        .route("/rest", first_and_rest)
        .route("/message", message)
        .route("/fields", fields)
        .route("/1/fader1", on(extra).extra("bass"))
        .route("/1/fader2", on(extra).extra("lead"))
        .route("/1/fader3", on(extra_unpacked).extra((-60.0_f32, 6.0_f32)))
        .route("/route/*", route)
        .route("/packet", packet)
        .route("/origin", origin)
        .route("/when", when)
        .route("/voice/*/{freq,gain}", voice)
        .route("/hit", hit)
        .route("/lenient", lenient)
        .route("/all", all)
        .route("/add", add)
        .route("/count_down", count_down)
        .route("/sync", || ("/synced", ()))
        .on_reject(|message, _, rejection| println!("   rejected: {}: {rejection}", message.address()));
    let channel = Channel::udp("127.0.0.1:0").await?;
    let client = Client::udp(channel.local_addr()?).await?;
    let server = Server::new(router).listen("studio", channel).spawn();

    println!("Arguments:");
    client.send(("/unpacked", (440.0_f32, "saw"))).await?;
    client.send(("/data", (1, 2.5_f32, "three", true))).await?;
    client.send(("/rest", ("first", 2, 3))).await?;
    client.send(("/unpacked", "not what it asks for")).await?;
    client.send(("/lenient", "loud")).await?;
    client.request(("/sync", ()), "/synced").await?;
    println!("The message and its route:");
    client.send(("/message", (1, "two"))).await?;
    client.send(("/fields", (1, "two"))).await?;
    client.send(("/1/fader{1,2}", 0.75_f32)).await?;
    client.send(("/1/fader3", 0.5_f32)).await?;
    client.send(("/route/66", ())).await?;
    client.send(("/voice/7/freq", 880.0_f32)).await?;
    client.request(("/sync", ()), "/synced").await?;
    println!("The packet and its sender:");
    client.send(("/packet", ())).await?;
    client.send(("/origin", ())).await?;
    client.send(Bundle::immediately().with(("/when", ())).with(("/hit", ()))).await?;
    client.send(("/hit", ())).await?;
    client.send(("/all", 14)).await?;
    client.request(("/sync", ()), "/synced").await?;
    println!("Answers:");
    let sum = client.request(("/add", (1, 2, 3)), "/sum").await?;
    println!("   1 + 2 + 3: {sum}");
    let last = client.request(("/count_down", 0), "/count").await?;
    println!("   counted down to: {last}");

    println!("What the server has done:");
    print!("{}", server.shutdown().await);
    Ok(())
}
