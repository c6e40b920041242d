//! Threat 31: TCP between two hosts whose cable is pulled. Neither receives anything more, not even an end. It takes root and iproute2, on Linux; without root a test prints that it is skipped.
#![cfg(all(feature = "net", target_os = "linux"))]

use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::time::timeout;
use tokio_osc::channel::{ConnectionEvent, Disconnect, Events, Outlet, StreamOptions};
use tokio_osc::{Channel, Client, Router, Server, ServerHandle, Slip};

use crate::lab::{Lab, SOON};

/// A server on host `b`, and a client on host `a` that it knows.
struct Line {
    lab: Lab,
    client: Client,
    outlet: Outlet,
    events: Events<ConnectionEvent>,
    _server: ServerHandle,
}

impl Line {
    fn new(options: StreamOptions) -> Option<Self> {
        let lab = Lab::three_hosts()?;
        let listen = Channel::tcp_with("10.77.0.2:9000", Slip::new(), options.clone());
        let channel = lab.wait_on("b", listen).unwrap();
        let (outlet, events) = (channel.outlet(), channel.events());
        let server = Server::new(Router::new()).listen("stage", channel).spawn();
        let client = lab.wait_on("a", Client::tcp_with("10.77.0.2:9000", Slip::new(), options)).unwrap();
        Some(Self { lab, client, outlet, events, _server: server })
    }

    async fn connected(&mut self) {
        let connected =
            async { while !matches!(self.events.next().await.unwrap(), ConnectionEvent::Connected(_)) {} };
        timeout(SOON, connected).await.unwrap();
    }

    /// From here on every packet between the hosts is lost, and both see their cables plugged in.
    fn cut(&self) -> Instant {
        self.lab.ip("lan", "link set va nomaster");
        Instant::now()
    }

    async fn disconnected(&mut self) -> Disconnect {
        let event = timeout(Duration::from_secs(30), self.events.next()).await.expect("it is noticed");
        let Some(ConnectionEvent::Disconnected { reason, .. }) = event else { panic!("{event:?}") };
        reason
    }
}

fn timed_out(reason: &Disconnect) -> bool {
    matches!(reason, Disconnect::Failed(error) if error.to_string().contains("timed out"))
}

/// Asked after 1 s, and three times more, a second apart.
fn short_keepalive() -> StreamOptions {
    StreamOptions::default().keepalive(Some(Duration::from_secs(1)))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_to_a_host_that_is_gone_ends_by_keepalive() {
    let Some(mut line) = Line::new(short_keepalive()) else { return };
    line.connected().await;
    let client = line.client.clone();
    let start = line.cut();
    let (ours, theirs) = tokio::join!(timeout(Duration::from_secs(30), client.closed()), async {
        (line.disconnected().await, start.elapsed())
    });
    println!("keepalive of 1 s: the client after {:?}, the server after {:?}", start.elapsed(), theirs.1);
    let ours = ours.expect("the client notices");
    assert!(timed_out(&ours) && timed_out(&theirs.0), "{ours}, {}", theirs.0);
    assert!(start.elapsed() < Duration::from_secs(15));
}

/// TCP asks nothing while something is under way: that it is not acknowledged is noticed, too.
#[tokio::test(flavor = "multi_thread")]
async fn one_small_packet_to_a_host_that_is_gone_is_noticed() {
    let Some(mut line) = Line::new(short_keepalive()) else { return };
    line.connected().await;
    let start = line.cut();
    line.outlet.broadcast(("/news", 1)).unwrap();
    let reason = line.disconnected().await;
    println!("one packet, keepalive of 1 s: after {:?}", start.elapsed());
    assert!(timed_out(&reason), "{reason}");
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_written_to_ends_by_the_write_timeout() {
    let options = StreamOptions::default().write_timeout(Duration::from_secs(1));
    let Some(mut line) = Line::new(options) else { return };
    line.connected().await;
    let start = line.cut();
    let outlet = line.outlet.clone();
    let writing = async {
        loop {
            outlet.broadcast(("/more", vec![0_u8; 60_000])).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let reason = tokio::select! {
        reason = line.disconnected() => reason,
        () = writing => unreachable!("it never ends"),
    };
    println!("write timeout of 1 s: after {:?}", start.elapsed());
    assert!(matches!(reason, Disconnect::WriteTimeout), "{reason}");
    assert!(start.elapsed() < Duration::from_secs(15));

    let sending = async { while line.client.send(("/more", vec![0_u8; 60_000])).await.is_ok() {} };
    let start = Instant::now();
    timeout(Duration::from_secs(30), sending).await.expect("a send fails");
    println!("and the client's send fails after {:?}", start.elapsed());
}
