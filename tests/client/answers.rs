//! Which answers reach a client: they leave from the address that was asked, strangers and broken packets are
//! counted and named, and one question may have many.
#![cfg(feature = "net")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio_osc::client::RequestErrorKind;
use tokio_osc::{
    Broadcast, Bundle, Channel, Client, Message, Peer, Reply, Router, Server, Slip, TimeTag, Udp,
};

use crate::support::ms;

/// An address of this host that the system does not answer from by itself.
const ASKED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

async fn socket(ip: Ipv4Addr) -> UdpSocket {
    UdpSocket::bind((ip, 0)).await.unwrap()
}

/// Where a client with a socket of its own hears.
fn at(client: &Client) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, client.local_addr().unwrap().port()).into()
}

fn pong() -> Message {
    Message::new("/pong", 7).unwrap()
}

/// Linux alone has the whole of 127.0.0.0/8 on its loopback interface.
#[cfg(target_os = "linux")]
mod from_the_address_that_was_asked {
    use super::*;

    /// Each of `/ping` answers in another way.
    async fn server() -> (tokio_osc::ServerHandle, u16) {
        let channel = Channel::udp("0.0.0.0:0").await.unwrap();
        let (port, outlet) = (channel.local_addr().unwrap().port(), channel.outlet());
        let (kept, mut replies) = mpsc::channel::<Reply>(1);
        tokio::spawn(async move {
            while let Some(reply) = replies.recv().await {
                reply.send(pong()).await.unwrap();
            }
        });
        let router = Router::new()
            .route("/ping/returned", pong)
            .route("/ping/kept", move |reply: Reply| kept.try_send(reply).unwrap())
            .route("/ping/at_once", |reply: Reply| reply.try_send(pong()).unwrap())
            .route("/ping/pushed", move |peer: Peer| {
                let outlet = outlet.clone();
                async move { outlet.send_to(peer, pong()).await.unwrap() }
            });
        (Server::new(router).listen("udp", channel).spawn(), port)
    }

    #[tokio::test]
    async fn replies_kept_replies_and_pushes_leave() {
        let (server, port) = server().await;
        let plain = Client::udp((ASKED, port)).await.unwrap();
        let connected = Udp::new((ASKED, port)).connect().await.unwrap();
        for way in ["returned", "kept", "at_once", "pushed"] {
            for client in [&plain, &connected] {
                let reply = client.request((format!("/ping/{way}"), ()), "/pong").timeout(ms(2_000));
                assert_eq!(reply.await.unwrap(), pong(), "{way}");
            }
        }
        let timed = Bundle::at(TimeTag::after(ms(20))).with(("/ping/returned", ()));
        assert_eq!(
            plain.request(timed, "/pong").timeout(ms(2_000)).await.unwrap(),
            pong(),
            "from a schedule"
        );
        assert_eq!(plain.stats().strangers, 0);
        server.shutdown().await;
    }

    #[tokio::test]
    async fn an_ipv6_socket_answers_ipv4_peers_the_same_way() {
        let channel = Udp::new("[::]:0").only_v6(false).bind().await.unwrap();
        let port = channel.local_addr().unwrap().port();
        let server = Server::new(Router::new().route("/ping", pong)).listen("udp", channel).spawn();
        for host in [IpAddr::from(ASKED), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])] {
            let client = Client::udp(SocketAddr::new(host, port)).await.unwrap();
            let reply = client.request(("/ping", ()), "/pong").timeout(ms(2_000)).await;
            assert_eq!(reply.unwrap(), pong(), "{host}");
        }
        server.shutdown().await;
    }

    /// It asks at one address, from another port than the one that answers go to.
    #[tokio::test]
    async fn also_to_another_port() {
        let ears = socket(Ipv4Addr::LOCALHOST).await;
        let channel = Udp::new("0.0.0.0:0").reply_to_port(ears.local_addr().unwrap().port()).bind();
        let channel = channel.await.unwrap();
        let port = channel.local_addr().unwrap().port();
        let server = Server::new(Router::new().route("/ping", pong)).listen("udp", channel).spawn();
        let asking = Udp::new((ASKED, port)).local("127.0.0.1:0").client().await.unwrap();
        asking.send(("/ping", ())).await.unwrap();
        let (_, from) = ears.recv_from(&mut [0; 64]).await.unwrap();
        assert_eq!(from, (ASKED, port).into());
        server.shutdown().await;
    }

    #[tokio::test]
    async fn it_is_known_of_each_datagram_to_a_socket_of_every_address() {
        let mut every = Channel::udp("0.0.0.0:0").await.unwrap();
        let mut one = Channel::udp((ASKED, 0)).await.unwrap();
        let port = every.local_addr().unwrap().port();
        let sender = socket(Ipv4Addr::LOCALHOST).await;
        for host in [ASKED, Ipv4Addr::LOCALHOST] {
            sender.send_to(pong().as_bytes(), (host, port)).await.unwrap();
            let (_, meta) = every.recv().await.unwrap();
            assert_eq!(meta.peer.local_ip(), Some(host.into()));
            assert_eq!(meta.peer, sender.local_addr().unwrap().into(), "it is not what peers differ by");
        }
        sender.send_to(pong().as_bytes(), one.local_addr().unwrap()).await.unwrap();
        assert_eq!(one.recv().await.unwrap().1.peer.local_ip(), None);
    }

    /// What one socket has heard, another one may answer; an address that the host does not have any more
    /// costs no answer.
    #[tokio::test]
    async fn an_address_that_is_gone_is_not_insisted_on() {
        let mut heard = Channel::udp("0.0.0.0:0").await.unwrap();
        let other = Channel::udp((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let sender = socket(Ipv4Addr::LOCALHOST).await;
        sender.send_to(pong().as_bytes(), (ASKED, heard.local_addr().unwrap().port())).await.unwrap();
        let (_, meta) = heard.recv().await.unwrap();
        other.send_to(meta.peer, pong()).await.unwrap();
        let (_, from) = sender.recv_from(&mut [0; 64]).await.unwrap();
        assert_eq!(from, other.local_addr().unwrap());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn datagrams_of_strangers_are_counted_and_named_and_accepted_with_the_option() {
    let (asked, stranger) = (socket(Ipv4Addr::LOCALHOST).await, socket(ASKED).await);
    let (peer, from) = (asked.local_addr().unwrap(), stranger.local_addr().unwrap());
    let client = Client::udp(peer).await.unwrap();

    let request = client.request(("/ping", ()), "/pong").timeout(ms(100));
    let answering = async {
        asked.recv_from(&mut [0; 64]).await.unwrap();
        stranger.send_to(pong().as_bytes(), at(&client)).await.unwrap();
    };
    let (error, ()) = tokio::join!(request.into_future(), answering);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Timeout);
    assert_eq!(
        error.to_string(),
        format!(
            "no reply to /ping matching /pong from {peer} within 100 ms; \
             1 datagram from {from} not taken: see `Udp::answers_from_anywhere`"
        )
    );
    assert_eq!((client.stats().received, client.stats().strangers), (1, 1));

    let client = Udp::new(peer).answers_from_anywhere(true).client().await.unwrap();
    let request = client.request(("/ping", ()), "/pong").timeout(ms(2_000));
    let answering = async {
        asked.recv_from(&mut [0; 64]).await.unwrap();
        stranger.send_to(pong().as_bytes(), at(&client)).await.unwrap();
    };
    let (reply, ()) = tokio::join!(request.into_future(), answering);
    assert_eq!(reply.unwrap(), pong());
    assert_eq!(client.stats().strangers, 0);
}

#[tokio::test]
async fn what_a_datagram_client_cannot_read_is_counted_and_named() {
    let device = socket(Ipv4Addr::LOCALHOST).await;
    let peer = device.local_addr().unwrap();
    let client = Client::udp(peer).await.unwrap();
    let request = client.request(("/ping", ()), "/pong").timeout(ms(100));
    let answering = async {
        device.recv_from(&mut [0; 64]).await.unwrap();
        device.send_to(b"/pong\0\0\0,i\0\0\0\0", at(&client)).await.unwrap();
    };
    let (error, ()) = tokio::join!(request.into_future(), answering);
    assert_eq!(
        error.unwrap_err().to_string(),
        format!(
            "no reply to /ping matching /pong from {peer} within 100 ms; \
             1 packet from {peer} could not be read: a length that is not a multiple of 4, at byte 14"
        )
    );
    assert_eq!((client.stats().received, client.stats().malformed), (1, 1));
}

/// Answers each request with a frame that is too long, and one that is not a packet.
async fn broken_stream_peer() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 256];
        while stream.read(&mut buffer).await.is_ok_and(|len| len > 0) {
            stream.write_all(&[&b"\xc0"[..], &[b'x'; 100], b"\xc0pong\xc0"].concat()).await.unwrap();
        }
    });
    at
}

const BROKEN: &str = "could not be read: neither a message nor a bundle, at byte 0; \
                      a frame over the limit of 64 bytes was skipped";

#[tokio::test]
async fn what_a_stream_client_cannot_read_is_counted_and_named() {
    let peer = broken_stream_peer().await;
    let client = Client::tcp(peer, Slip::new().max_frame(64)).await.unwrap();
    let error = client.request(("/ping", ()), "/pong").timeout(ms(200)).await.unwrap_err();
    let expected =
        format!("no reply to /ping matching /pong from {peer} within 200 ms; 1 packet from {peer} {BROKEN}");
    assert_eq!(error.to_string(), expected);
    let stats = client.stats();
    assert_eq!((stats.received, stats.malformed, stats.too_long), (2, 1, 1));
}

#[tokio::test]
async fn what_a_reconnecting_client_cannot_read_is_counted_and_named() {
    let client = Client::reconnecting(broken_stream_peer().await, Slip::new().max_frame(64)).spawn().unwrap();
    let error = client.request(("/ping", ()), "/pong").timeout(ms(1_000)).await.unwrap_err();
    let expected = format!("no reply to /ping matching /pong within 1 s; 1 packet from local {BROKEN}");
    assert_eq!(error.to_string(), expected);
    assert_eq!((client.stats().malformed, client.stats().too_long), (1, 1));
}

/// Three devices on a network, and a client of all of them.
async fn three_devices() -> (Vec<SocketAddr>, Client) {
    let mut devices = Vec::new();
    let mut port = 0;
    for last in 1..=3 {
        let ip = Ipv4Addr::new(127, 0, 0, last);
        let device = UdpSocket::bind((ip, port)).await.unwrap();
        port = device.local_addr().unwrap().port();
        devices.push(device.local_addr().unwrap());
        tokio::spawn(async move {
            let mut buffer = [0; 64];
            while let Ok((_, from)) = device.recv_from(&mut buffer).await {
                device.send_to(pong().as_bytes(), from).await.unwrap();
            }
        });
    }
    (devices, Broadcast::new((Ipv4Addr::new(127, 255, 255, 255), port)).client().unwrap())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_question_has_many_answers_with_their_peers() {
    let (devices, everyone) = three_devices().await;
    // Sockets of one address receive no broadcast: each is asked by itself.
    let ask = everyone.to(devices.clone()).unwrap();
    let asking = async {
        assert_eq!(ask.send(("/who", ())).await.unwrap().sent, 3);
    };
    let question = everyone.request(("/who", ()), "/pong").timeout(ms(300));
    let (answers, ()) = tokio::join!(question.all(), asking);
    let mut peers: Vec<_> = answers
        .unwrap()
        .into_iter()
        .map(|(answer, peer)| {
            assert_eq!(answer, pong());
            peer.address().unwrap()
        })
        .collect();
    peers.sort();
    assert_eq!(peers, devices);
}

#[tokio::test]
async fn a_question_without_an_answer_is_an_empty_list_and_a_flood_is_bounded() {
    let device = socket(Ipv4Addr::LOCALHOST).await;
    let client = Client::udp(device.local_addr().unwrap()).await.unwrap();
    assert!(client.request(("/who", ()), "/pong").timeout(ms(20)).all().await.unwrap().is_empty());

    let (here, mut there) = tokio::io::duplex(1 << 20);
    let client = Client::io(here, Slip::new());
    let question = client.request(("/who", ()), "/pong").timeout(ms(60_000));
    let flooding = async {
        there.read_u8().await.unwrap();
        there.write_all(&[&b"\xc0"[..], pong().as_bytes(), b"\xc0"].concat().repeat(2_000)).await.unwrap();
    };
    let asked = Instant::now();
    let (answers, ()) = tokio::join!(question.all(), flooding);
    assert_eq!(answers.unwrap().len(), 1_024);
    assert!(asked.elapsed() < ms(30_000), "it ends when it has as many as it may");
}

#[tokio::test]
async fn a_subscription_says_who_has_sent_a_message() {
    let device = socket(Ipv4Addr::LOCALHOST).await;
    let client = Client::udp(device.local_addr().unwrap()).await.unwrap();
    let mut pongs = client.subscribe("/pong");
    device.send_to(pong().as_bytes(), at(&client)).await.unwrap();
    assert_eq!(pongs.recv_from().await, Some((pong(), device.local_addr().unwrap().into())));
}
