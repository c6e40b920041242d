//! Unix datagram sockets, `osc.unix`, and the files of Unix sockets of both kinds.
#![cfg(all(unix, feature = "net"))]

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt;
use tokio_osc::channel::UnixDatagramOptions;
use tokio_osc::packet::{DecodeErrorKind, DecodeOptions, IntoPacket, SendErrorKind};
use tokio_osc::{Args, Channel, Client, Peer, Router, Server, Slip};

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("tokio-osc-test-{}-{name}", std::process::id()))
}

async fn next(channel: &mut Channel) -> (String, Peer) {
    let (packet, meta) = channel.next().await.unwrap();
    (packet.unwrap().to_string(), meta.peer)
}

fn router() -> Router<()> {
    Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n))
}

#[tokio::test]
async fn every_client_gets_its_own_answers() {
    let path = path("answers");
    let server = Server::new(router()).listen("unix", Channel::unix_datagram(&path).unwrap()).spawn();
    let clients = [Client::unix_datagram(&path).unwrap(), Client::unix_datagram(&path).unwrap()];
    for (client, n) in clients.iter().zip(1..) {
        let reply = client.request(("/ping", n), "/pong").await.unwrap();
        assert_eq!(reply.parse::<i32>().unwrap(), n);
        assert!(client.peer_addr().is_err() && client.local_addr().is_err());
    }
    assert_eq!(server.shutdown().await.replies, 2);
    assert!(!path.exists(), "the file has gone with the socket");
}

#[tokio::test]
async fn peers_have_numbers_and_who_has_no_path_cannot_be_answered() {
    let path = path("numbers");
    let mut channel = Channel::unix_datagram(&path).unwrap();
    assert!(channel.local_addr().is_err() && channel.monitor().is_none());
    let (left, right) = (Client::unix_datagram(&path).unwrap(), Client::unix_datagram(&path).unwrap());
    let mut news = left.subscribe("/news");
    let mut numbers = Vec::new();
    for client in [&left, &right, &left] {
        client.send(("/a", ())).await.unwrap();
        numbers.push(next(&mut channel).await.1.connection().unwrap().get());
    }
    assert_eq!(numbers, [1, 2, 1]);
    left.send(("/a", ())).await.unwrap();
    let (_, peer) = next(&mut channel).await;
    channel.send_to(peer, ("/news", 7)).await.unwrap();
    assert_eq!(news.next().await.unwrap().to_string(), "/news ,i 7");

    let nobody = UnixDatagram::unbound().unwrap();
    let packet = ("/a", ()).into_packet().unwrap();
    nobody.send_to(packet.as_bytes(), &path).unwrap();
    let (_, peer) = next(&mut channel).await;
    assert_eq!(peer, Peer::LOCAL);
    let error = channel.send_to(peer, ("/news", 7)).await.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::Closed, "{error}");
}

#[tokio::test]
async fn an_abandoned_socket_is_replaced_and_one_in_use_is_spared() {
    let path = path("abandoned");
    drop(UnixDatagram::bind(&path).unwrap());
    let channel = Channel::unix_datagram(&path).unwrap();
    assert_eq!(Channel::unix_datagram(&path).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    assert_eq!(Channel::unix(&path, Slip::new()).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(channel);
    std::fs::write(&path, "no socket").unwrap();
    assert!(Channel::unix_datagram(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"no socket", "the file is unchanged");
    std::fs::remove_file(&path).unwrap();
    assert!(Client::unix_datagram(&path).is_err(), "no socket is bound to it");
}

#[tokio::test]
async fn a_unix_client_finds_a_restarted_server() {
    let path = path("restarted");
    let mut channel = Channel::unix_datagram(&path).unwrap();
    let client = Client::unix_datagram(&path).unwrap();
    client.send(("/first", ())).await.unwrap();
    assert_eq!(next(&mut channel).await.0, "/first ,");
    drop(channel);
    assert!(client.send(("/lost", ())).await.is_err());
    let mut channel = Channel::unix_datagram(&path).unwrap();
    client.send(("/second", ())).await.unwrap();
    assert_eq!(next(&mut channel).await.0, "/second ,");
    drop(channel);
    let mut channel = Channel::unix_datagram(&path).unwrap();
    client.try_send(("/third", ())).unwrap();
    assert_eq!(next(&mut channel).await.0, "/third ,");
}

/// The kernel holds a few datagrams for who does not read; then a send waits, and `try_send` does not.
#[tokio::test]
async fn a_send_waits_for_the_reader() {
    let path = path("waits");
    let mut channel = Channel::unix_datagram(&path).unwrap();
    let client = Client::unix_datagram(&path).unwrap();
    let mut queued = 0;
    let error = loop {
        match client.try_send(("/n", queued)) {
            Ok(()) => queued += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), SendErrorKind::Full, "{error}");
    let waiting = tokio::time::timeout(Duration::from_millis(50), client.send(("/n", queued))).await;
    assert!(waiting.is_err(), "it waits");
    let sender = tokio::spawn(async move { client.send(("/n", queued)).await });
    for n in 0..=queued {
        assert_eq!(next(&mut channel).await.0, format!("/n ,i {n}"));
    }
    sender.await.unwrap().unwrap();
}

/// A peer that reads nothing misses its answers. Its unread packets may fill the send buffer for all, until
/// the peer has gone.
#[tokio::test]
async fn a_peer_that_does_not_read_misses_its_answers_and_blocks_no_other_once_it_has_gone() {
    let path = path("deaf");
    let mut channel = Channel::unix_datagram(&path).unwrap();
    let (deaf, client) = (Client::unix_datagram(&path).unwrap(), Client::unix_datagram(&path).unwrap());
    let mut peers = Vec::new();
    for client in [&deaf, &client] {
        client.send(("/a", ())).await.unwrap();
        peers.push(next(&mut channel).await.1);
    }
    let mut news = client.subscribe("/news");
    let error = loop {
        if let Err(error) = channel.send_to(peers[0], ("/news", 0)).await {
            break error;
        }
    };
    assert_eq!(error.kind(), SendErrorKind::Full, "{error}");
    drop(deaf);
    for n in 0..100 {
        channel.send_to(peers[1], ("/news", n)).await.unwrap();
        assert_eq!(news.next().await.unwrap().to_string(), format!("/news ,i {n}"));
    }
}

#[tokio::test]
async fn a_datagram_is_a_packet_or_an_error() {
    let path = path("errors");
    let mut channel = Channel::unix_datagram(&path).unwrap();
    let socket = UnixDatagram::unbound().unwrap();
    let kind = async |channel: &mut Channel| channel.next().await.unwrap().0.map_err(|error| error.kind());
    for (datagram, expected) in [
        (&b""[..], DecodeErrorKind::Empty),
        (b"/a\0\0,i\0\0", DecodeErrorKind::Truncated),
        (&vec![0; 65_536], DecodeErrorKind::Truncated),
    ] {
        socket.send_to(datagram, &path).unwrap();
        assert_eq!(kind(&mut channel).await, Err(expected));
    }
    let client = Client::unix_datagram(&path).unwrap();
    client.send(("/blob", vec![0_u8; 65_532 - 16])).await.unwrap();
    assert!(kind(&mut channel).await.is_ok());
    let error = client.send(("/blob", vec![0_u8; 65_536 - 16])).await.unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::TooLarge { limit: 65_535, .. }), "{error}");
}

/// Old programs leave out the type tags: that is tolerated, or not.
#[tokio::test]
async fn what_is_accepted_can_be_set() {
    let path = path("strict");
    let strict = UnixDatagramOptions::default().decode(DecodeOptions::strict());
    let mut channel = Channel::unix_datagram_with(&path, strict).unwrap();
    let socket = UnixDatagram::unbound().unwrap();
    socket.send_to(b"/old\0\0\0\0", &path).unwrap();
    assert!(channel.next().await.unwrap().0.is_err());
    drop(channel);

    let mut channel = Channel::unix_datagram(&path).unwrap();
    socket.send_to(b"/old\0\0\0\0", &path).unwrap();
    assert_eq!(next(&mut channel).await.0, "/old");
}

/// The peers that were heard last can be answered: 500.
#[tokio::test]
async fn the_peer_that_was_silent_longest_is_forgotten_for_one_too_many() {
    const PEERS: usize = 500;
    let path = path("many");
    let mut channel = Channel::unix_datagram(&path).unwrap();
    let packet = ("/a", ()).into_packet().unwrap();
    let own = |n: usize| path.with_extension(n.to_string());
    let mut peers = Vec::new();
    let mut sockets = Vec::new();
    for n in 0..=PEERS {
        let socket = UnixDatagram::bind(own(n)).unwrap();
        socket.send_to(packet.as_bytes(), &path).unwrap();
        sockets.push(socket);
        peers.push(next(&mut channel).await.1);
        if n == PEERS - 1 {
            channel.send_to(peers[0], ("/b", ())).await.unwrap();
        }
    }
    let error = channel.send_to(peers[0], ("/b", ())).await.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::Closed, "{error}");
    for (peer, socket) in peers.iter().zip(&sockets).skip(1) {
        channel.send_to(*peer, ("/b", ())).await.unwrap();
        assert_eq!(socket.recv(&mut [0; 64]).unwrap(), packet.as_bytes().len());
    }
    (0..=PEERS).for_each(|n| std::fs::remove_file(own(n)).unwrap());
}

#[tokio::test]
async fn the_file_of_a_socket_goes_with_it() {
    let path = path("goes");
    drop(Channel::unix(&path, Slip::new()).unwrap());
    assert!(!path.exists(), "dropped");

    let channel = Channel::unix(&path, Slip::new()).unwrap();
    let server = Server::new(router()).listen("unix", channel).spawn();
    let client = Client::unix(&path, Slip::new()).await.unwrap();
    client.request(("/ping", 7), "/pong").await.unwrap();
    server.shutdown().await;
    assert!(!path.exists(), "shut down");

    drop(Channel::unix_datagram(&path).unwrap());
    assert!(!path.exists());
}

/// Another program has taken the place.
#[tokio::test]
async fn the_file_of_another_program_stays() {
    let path = path("stays");
    let ours = [Channel::unix_datagram(&path).unwrap()];
    std::fs::remove_file(&path).unwrap();
    let theirs = UnixDatagram::bind(&path).unwrap();
    drop(ours);
    assert!(path.exists());
    drop((theirs, std::fs::remove_file(&path)));
}

/// Linux would give it a name that no peer knows.
#[tokio::test]
async fn an_empty_path_is_refused() {
    for error in [Channel::unix("", Slip::new()).unwrap_err(), Channel::unix_datagram("").unwrap_err()] {
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().ends_with("the path of a Unix socket is empty"), "{error}");
    }
}

/// A program that has not accepted for a while: its queue of connections is full, and it listens.
#[tokio::test]
async fn a_full_queue_of_connections_is_not_waited_for() {
    use socket2::{Domain, SockAddr, Socket, Type};

    let path = path("backlog");
    let at = SockAddr::unix(&path).unwrap();
    let busy = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    busy.bind(&at).unwrap();
    busy.listen(0).unwrap();
    let waiting: Vec<_> = std::iter::repeat_with(|| {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.connect(&at).map(|()| socket)
    })
    .map_while(Result::ok)
    .collect();

    let bind = path.clone();
    let (done, bound) = std::sync::mpsc::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let _entered = runtime.enter();
        done.send(Channel::unix(&bind, Slip::new()).map(drop)).unwrap();
    });
    let bound = tokio::task::spawn_blocking(move || bound.recv_timeout(Duration::from_secs(5)));
    let error = bound.await.unwrap().expect("it does not wait").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop((waiting, std::fs::remove_file(&path)));
}
