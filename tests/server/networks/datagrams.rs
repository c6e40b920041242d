//! Datagrams that are lost, doubled, late or out of order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio_osc::packet::ArgRef;
use tokio_osc::schedule::{LatePolicy, SystemClock, TimeOptions};
use tokio_osc::tools::{ClockSync, Subscribers};
use tokio_osc::{
    Args, Bundle, Bytes, Channel, Client, Meta, Packet, Router, Server, ServerHandle, State, TimeTag, Udp,
};

use super::Seen;
use crate::support::network::datagrams::{Faults, UdpNetwork};
use crate::support::{LOOPBACK, ms, until};

const BAD: Faults = Faults { lost: 30, doubled: 20, overtaken: 20, delay: ms(5), cut: false };

fn number(datagram: Vec<u8>) -> i32 {
    let packet = Packet::decode(Bytes::from(datagram)).unwrap();
    packet.as_ref().messages().next().unwrap().parse().unwrap()
}

/// Waits until everything that was sent has arrived, and returns how much that is.
async fn settled(network: &UdpNetwork, sent: usize) -> usize {
    until(|| network.there().sent == sent).await;
    network.release();
    until(|| {
        let traffic = network.there();
        traffic.arrived == traffic.sent - traffic.lost + traffic.doubled
    })
    .await;
    network.there().arrived
}

#[tokio::test]
async fn each_datagram_is_handled_as_often_as_it_arrives_and_in_that_order() {
    const SENT: usize = 1_000;
    for seed in 1..=3 {
        let channel = Channel::udp(LOOPBACK).await.unwrap();
        let network = UdpNetwork::to(channel.local_addr().unwrap(), seed);
        network.set(BAD);
        let seen = Seen::default();
        let router = Router::with_state(Arc::clone(&seen))
            .route("/n", |State(seen): State<Seen>, Args(n): Args<i32>| seen.lock().unwrap().push(n));
        let server = Server::new(router).listen("udp", channel).spawn();
        let client = Client::udp(network.addr).await.unwrap();
        for (n, sent) in (0..).zip(1..=SENT) {
            client.send(("/n", n)).await.unwrap();
            if sent % 32 == 0 {
                until(|| network.there().sent == sent).await;
            }
        }
        let arrived = settled(&network, SENT).await;
        until(|| seen.lock().unwrap().len() >= arrived).await;
        let stats = server.shutdown().await;
        let traffic = network.there();
        println!("{traffic:?}");
        assert_eq!(
            (stats.received, stats.ran, stats.handled),
            (arrived as u64, arrived as u64, arrived as u64)
        );
        let expected: Vec<_> = network.arrivals().into_iter().map(number).collect();
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}

/// A bundle that ran: the number in it, and whether it ran before its time.
type Ran = Arc<Mutex<Vec<(i32, bool)>>>;

async fn timed_server(options: TimeOptions) -> (ServerHandle, Ran, std::net::SocketAddr) {
    let ran = Ran::default();
    let router = Router::with_state(Arc::clone(&ran)).route(
        "/n",
        |State(ran): State<Ran>, Args(n): Args<i32>, meta: Meta| {
            ran.lock().unwrap().push((n, TimeTag::now() < meta.time_tag.unwrap()));
        },
    );
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    (Server::new(router).time(options).listen("udp", channel).spawn(), ran, address)
}

/// Sends bundles for each of the next milliseconds, over a network that needs up to 30 ms.
async fn send_timed(network: &UdpNetwork, ahead: Duration, sent: usize) {
    network.set(Faults { delay: ms(30), ..BAD });
    let client = Client::udp(network.addr).await.unwrap();
    let start = TimeTag::after(ahead);
    for n in (0..sent).map(|n| i32::try_from(n).unwrap()) {
        let bundle = Bundle::at(start + ms(1) * n.unsigned_abs()).with(("/n", n));
        client.send(bundle).await.unwrap();
    }
}

#[tokio::test]
async fn timed_bundles_that_arrive_in_time_run_in_order_and_as_often_as_they_arrive() {
    const SENT: usize = 200;
    let (server, ran, address) = timed_server(TimeOptions::new()).await;
    let network = UdpNetwork::to(address, 4);
    send_timed(&network, ms(500), SENT).await;
    let arrived = settled(&network, SENT).await;
    until(|| ran.lock().unwrap().len() >= arrived).await;
    let stats = server.shutdown().await;
    assert_eq!((stats.handled, stats.schedule.late), (arrived as u64, 0));
    let ran: Vec<_> = std::mem::take(&mut *ran.lock().unwrap());
    assert!(ran.iter().all(|(_, early)| !early), "none before its time");
    let mut expected: Vec<_> = network.arrivals().into_iter().map(number).collect();
    expected.sort_unstable();
    assert_eq!(ran.into_iter().map(|(n, _)| n).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn bundles_that_the_network_makes_late_follow_the_policy_and_are_all_accounted_for() {
    const SENT: usize = 200;
    for drops in [false, true] {
        let policy = if drops { LatePolicy::DropLateArrivals(Duration::ZERO) } else { LatePolicy::Run };
        let (server, ran, address) = timed_server(TimeOptions::new().late(policy)).await;
        let network = UdpNetwork::to(address, 5);
        // Half of the first ones come too late, the last ones in time.
        send_timed(&network, ms(15), SENT).await;
        let arrived = settled(&network, SENT).await as u64;
        until(|| {
            let stats = server.stats();
            stats.handled + stats.late_dropped >= arrived
        })
        .await;
        let stats = server.shutdown().await;
        println!("{arrived} arrived, {} late, {} dropped", stats.schedule.late, stats.late_dropped);
        assert_eq!(stats.handled + stats.late_dropped, arrived);
        assert!(stats.schedule.late > 0 && stats.handled > 0);
        assert_eq!(stats.late_dropped, if drops { stats.schedule.late } else { 0 });
        assert!(ran.lock().unwrap().iter().all(|(_, early)| !early), "none before its time");
    }
}

/// Each event is tagged with the moment at which it happened, and the network takes up to 30 ms for it.
#[tokio::test]
async fn a_constant_delay_above_that_of_the_network_takes_out_its_jitter() {
    const SENT: usize = 100;
    let (server, ran, address) = timed_server(TimeOptions::new().delay(ms(300))).await;
    let network = UdpNetwork::to(address, 8);
    network.set(Faults { delay: ms(30), ..Faults::default() });
    let client = Client::udp(network.addr).await.unwrap();
    for n in 0..100 {
        client.send(Bundle::at(TimeTag::now()).with(("/n", n))).await.unwrap();
        tokio::task::yield_now().await;
    }
    settled(&network, SENT).await;
    until(|| ran.lock().unwrap().len() >= SENT).await;
    let stats = server.shutdown().await;
    assert_eq!(stats.schedule.late, 0);
    let arrived: Vec<_> = network.arrivals().into_iter().map(number).collect();
    assert!(!arrived.is_sorted(), "the network changed their order");
    assert!(ran.lock().unwrap().iter().map(|(n, _)| *n).eq(0..100), "and the server restored it");
}

/// Both sides read the same clock: the offset is zero.
#[tokio::test]
async fn a_clock_is_measured_within_its_error_over_a_bad_network() {
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let network = UdpNetwork::to(channel.local_addr().unwrap(), 9);
    network.set(Faults { delay: ms(20), ..BAD });
    let server = Server::new(ClockSync::responder(SystemClock)).listen("udp", channel).spawn();
    let mut sync = ClockSync::new(Client::udp(network.addr).await.unwrap()).timeout(ms(60)).pings(20);
    for _ in 0..3 {
        let estimate = sync.measure().await.unwrap();
        println!("{estimate:?}");
        assert!(
            u128::from(estimate.offset.as_nanos().unsigned_abs()) <= estimate.error.as_nanos(),
            "{estimate:?}"
        );
    }
    server.shutdown().await;
}

fn values() -> Router {
    Router::new().route("/get", |Args(n): Args<i32>| ("/value", (n, n * 7)))
}

/// Late answers of earlier attempts, and doubled ones, come while other requests wait.
#[tokio::test]
async fn each_request_with_retries_gets_its_own_answer_under_loss() {
    const ASKED: i32 = 300;
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let network = UdpNetwork::to(channel.local_addr().unwrap(), 6);
    network.set(Faults { delay: ms(15), ..BAD });
    let server = Server::new(values()).listen("udp", channel).spawn();
    let own = Channel::udp(LOOPBACK).await.unwrap();
    let clients = [
        Client::udp(network.addr).await.unwrap(),
        Udp::new(network.addr).connect().await.unwrap(),
        own.client_to(network.addr).unwrap(),
    ];
    // The socket of the last one is a server's, which reads it.
    let reader = Server::new(Router::new()).listen("udp", own).spawn();
    for client in clients {
        let ask = |n: i32| {
            let request = client.request(("/get", n), "/value").timeout(ms(10)).retries(100);
            async move { (n, request.matching(move |reply| reply.args().next() == Some(ArgRef::Int32(n))).await) }
        };
        let mut answers = stream::iter(0..ASKED).map(ask).buffer_unordered(16);
        while let Some((n, answer)) = answers.next().await {
            assert_eq!(answer.unwrap().parse::<(i32, i32)>().unwrap(), (n, n * 7));
        }
    }
    let (there, back) = (network.there(), network.back());
    println!("{there:?}, {back:?}");
    assert!(there.sent > 3 * ASKED as usize && back.lost > 0 && back.doubled > 0);
    // What answered no request goes to the routes.
    assert!(reader.shutdown().await.unmatched > 0);
    server.shutdown().await;
}

/// A peer subscribes by a keep-alive. It is forgotten while the network is cut, and is back once the network or
/// the server is.
#[tokio::test]
async fn subscribers_expire_in_a_partition_and_come_back_after_it() {
    async fn serve(subscribers: &mut Subscribers) -> (ServerHandle, std::net::SocketAddr) {
        let channel = Channel::udp(LOOPBACK).await.unwrap();
        let address = channel.local_addr().unwrap();
        *subscribers = Subscribers::new().channel("udp", channel.outlet()).expire_after(ms(150));
        let router = Router::new().route("/subscribe", subscribers.subscribe());
        (Server::new(router).listen("udp", channel).spawn(), address)
    }
    let mut subscribers = Subscribers::new();
    let (server, address) = serve(&mut subscribers).await;
    let network = UdpNetwork::to(address, 7);
    let client = Client::udp(network.addr).await.unwrap();
    let mut news = client.subscribe("/news");
    let _subscribed = client.keep_alive(ms(20), ("/subscribe", ())).unwrap();

    until(|| subscribers.peers().len() == 1).await;
    assert_eq!(subscribers.send(("/news", 1)).unwrap().sent, 1);
    assert_eq!(news.recv().await.unwrap().parse::<i32>().unwrap(), 1);

    network.set(Faults { cut: true, ..Faults::default() });
    until(|| subscribers.peers().is_empty()).await;
    assert_eq!(subscribers.send(("/news", 2)).unwrap().sent, 0);

    network.set(Faults::default());
    until(|| subscribers.peers().len() == 1).await;
    subscribers.send(("/news", 3)).unwrap();
    assert_eq!(news.recv().await.unwrap().parse::<i32>().unwrap(), 3);

    server.shutdown().await;
    let (server, address) = serve(&mut subscribers).await;
    network.move_to(address);
    until(|| subscribers.peers().len() == 1).await;
    subscribers.send(("/news", 4)).unwrap();
    assert_eq!(news.recv().await.unwrap().parse::<i32>().unwrap(), 4);
    server.shutdown().await;
}
