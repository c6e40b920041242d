//! Threat 31: TCP between two hosts whose cable is pulled. Neither receives anything more, not even an end. And threat
//! 34: a port on which no program listens. It takes root and iproute2, on Linux; without root a test prints that it is
//! skipped.
#![cfg(all(feature = "net", target_os = "linux"))]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_osc::channel::{ConnectionEvent, Disconnect, Events, Outlet, StreamOptions};
use tokio_osc::client::ClientState;
use tokio_osc::codec::FrameErrorKind;
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
        () = writing => unreachable!("it goes on forever"),
    };
    println!("write timeout of 1 s: after {:?}", start.elapsed());
    assert!(matches!(reason, Disconnect::WriteTimeout), "{reason}");
    assert!(start.elapsed() < Duration::from_secs(15));

    let sending = async { while line.client.send(("/more", vec![0_u8; 60_000])).await.is_ok() {} };
    let start = Instant::now();
    timeout(Duration::from_secs(30), sending).await.expect("a send fails");
    println!("and the client's send fails after {:?}", start.elapsed());
}

/// The port that the host gives to who connects is the one that is dialled: TCP then connects the socket with itself.
#[test]
fn a_client_that_would_connect_to_itself_is_refused_and_the_server_gets_its_port() {
    let Some(lab) = Lab::one_host() else { return };
    // A runtime whose only thread is on the host: reconnecting clients make their sockets in tasks.
    let on_host = || Builder::new_current_thread().enable_all().build().unwrap().block_on(dials_itself());
    lab.on("a", on_host);
}

async fn dials_itself() {
    let own_ports = |range| std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", range).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000));
    own_ports("50000 50001");
    let itself = TcpStream::connect(address).await.expect("nothing listens, and still it connects");
    assert_eq!(itself.local_addr().unwrap(), address);
    socket2::SockRef::from(&itself).set_linger(Some(Duration::ZERO)).unwrap();
    drop(itself);

    let error = Client::tcp(address, Slip::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");

    let pause = Duration::from_millis(50);
    let client = Client::reconnecting(address, Slip::new()).backoff(pause, pause).spawn().unwrap();
    let refused = async {
        let mut states = client.states();
        let mut attempts = 0;
        while attempts < 3 {
            match states.next().await.unwrap() {
                ClientState::Waiting { reason: Disconnect::Failed(error), .. } => {
                    let FrameErrorKind::Io(error) = error.kind() else { panic!("{error}") };
                    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
                    attempts += 1;
                }
                ClientState::Connecting => {}
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(SOON, refused).await.expect("each attempt is refused");
    client.send(("/news", 7)).await.unwrap();

    let mut dialled = Channel::reconnecting(address, Slip::new()).backoff(pause, pause).open().unwrap();
    let mut events = dialled.events();
    let reading = tokio::spawn(async move { while dialled.next().await.is_some() {} });
    for _ in 0..3 {
        let event = timeout(SOON, events.next()).await.expect("each attempt is reported");
        let Some(ConnectionEvent::ConnectFailed { error, .. }) = event else { panic!("{event:?}") };
        assert_eq!(error, ErrorKind::ConnectionRefused);
    }

    own_ports("40000 49999");
    // An attempt that has begun before holds the port until it is refused.
    let bind = async {
        loop {
            match Channel::tcp(address, Slip::new()).await {
                Ok(server) => return server,
                Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}"),
            }
            tokio::task::yield_now().await;
        }
    };
    let mut server = timeout(SOON, bind).await.expect("its port is free");
    let (packet, _) = timeout(SOON, server.next()).await.expect("the client connects").unwrap();
    assert_eq!(packet.unwrap().to_string(), "/news ,i 7");
    let connected = async {
        while !matches!(events.next().await.unwrap(), ConnectionEvent::Connected(_)) {
            tokio::task::yield_now().await;
        }
    };
    // The server accepts while it is read.
    tokio::select! {
        connected = timeout(SOON, connected) => connected.expect("the channel connects"),
        item = server.next() => panic!("{item:?}"),
    }
    reading.abort();
}
