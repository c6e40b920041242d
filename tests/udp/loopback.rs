//! UDP, multicast and broadcast over loopback: options, names, endpoints, both ways on one socket.
//! What takes several hosts is in `netns.rs`.
#![cfg(feature = "net")]

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::StreamExt;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_osc::channel::{Interface, IpFamily, PeerNames, Scheme};
use tokio_osc::packet::{DecodeErrorKind, SendErrorKind};
use tokio_osc::{Args, Broadcast, Channel, Client, Endpoint, Message, Meta, Multicast, Router, Server, Udp};

use crate::support::{LOOPBACK, unused_port};

const LO: Ipv4Addr = Ipv4Addr::LOCALHOST;
const SOON: Duration = Duration::from_secs(5);

async fn next(channel: &mut Channel) -> (String, Meta) {
    let (packet, meta) = timeout(SOON, channel.next()).await.expect("a packet comes").unwrap();
    (packet.unwrap().to_string(), meta)
}

/// What has come when a last packet, sent by another way, is there.
async fn all_until_end(channel: &mut Channel) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match next(channel).await.0 {
            end if end == "/end ," => return seen,
            other => seen.push(other),
        }
    }
}

/// Tokio knows nothing of a socket that it has never looked at: that is no reason to refuse.
#[tokio::test]
async fn a_fresh_client_can_send_without_waiting() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let to = Udp::new(channel.local_addr().unwrap());
    to.clone().client().await.unwrap().try_send(("/n", 1)).unwrap();
    to.connect().await.unwrap().try_send(("/n", 2)).unwrap();
    assert_eq!(next(&mut channel).await.0, "/n ,i 1");
    assert_eq!(next(&mut channel).await.0, "/n ,i 2");
}

#[tokio::test]
async fn a_complaint_about_an_earlier_packet_keeps_none_from_being_sent_at_once() {
    let client = Udp::new((LO, unused_port())).connect().await.unwrap();
    for n in 0..3 {
        client.try_send(("/n", n)).unwrap();
    }
    assert!(client.monitor().unwrap().stats().unwrap().sent_again > 0);
}

#[tokio::test]
async fn the_sizes_of_buffers_that_the_kernel_granted_are_reported() {
    let small = Udp::new(LOOPBACK).receive_buffer(16 << 10).send_buffer(8 << 10).bind().await.unwrap();
    let plain = Channel::udp(LOOPBACK).await.unwrap();
    let (small, plain) =
        (small.monitor().unwrap().stats().unwrap(), plain.monitor().unwrap().stats().unwrap());
    assert!((16 << 10..=32 << 10).contains(&small.receive_buffer), "{small}");
    assert!((8 << 10..=16 << 10).contains(&small.send_buffer), "{small}");
    assert!(plain.receive_buffer > small.receive_buffer, "{plain}");
    assert_eq!(small.kernel_drops, cfg!(target_os = "linux").then_some(0));
}

#[tokio::test]
async fn every_option_that_the_system_refuses_is_named() {
    let error = Udp::new(LOOPBACK).dscp(64).bind().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::InvalidInput, "DSCP 64: it has 6 bits".into()));
    let error = Udp::new(LOOPBACK).device("no-such-device").bind().await.unwrap_err();
    assert!(error.to_string().starts_with("device `no-such-device`: "), "{error}");
    Udp::new(LOOPBACK).dscp(63).ttl(255).bind().await.unwrap();
    Udp::new("[::1]:0").dscp(46).ttl(1).bind().await.unwrap();
}

#[tokio::test]
async fn unicast_ports_are_not_shared_without_the_option() {
    let first = Channel::udp(LOOPBACK).await.unwrap();
    let address = first.local_addr().unwrap();
    let error = Udp::new(address).reuse_address(true).bind().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse, "the first does not share");
    drop(first);
    let shared = Udp::new(address).reuse_address(true);
    let _first = shared.clone().bind().await.unwrap();
    shared.bind().await.unwrap();
}

#[tokio::test]
async fn hosts_are_names_numbers_or_every_address() {
    let v4 = Channel::udp("localhost:0").await.unwrap();
    assert_eq!(v4.local_addr().unwrap().ip(), IpAddr::from(LO), "IPv4 goes first");
    let every = Channel::udp("*:0").await.unwrap();
    assert_eq!(every.local_addr().unwrap().ip(), IpAddr::from(Ipv4Addr::UNSPECIFIED));
    let every = Udp::new("*:0").family(IpFamily::V6).bind().await.unwrap();
    assert_eq!(every.local_addr().unwrap().ip(), IpAddr::from(Ipv6Addr::UNSPECIFIED));

    let error = Udp::new("127.0.0.1:0").family(IpFamily::V6).bind().await.unwrap_err();
    assert_eq!(error.to_string(), "`127.0.0.1:0` has no ipv6 address");
    for (host, text) in [
        ("localhost", "`localhost` has no port, HOST:PORT is needed"),
        ("localhost:http", "`localhost:http`: the port is a number up to 65535"),
        ("localhost:65536", "`localhost:65536`: the port is a number up to 65535"),
        ("::1:9000", "`::1:9000`: write an IPv6 address in brackets, as in [::1]:9000"),
        (":9000", "`:9000` is not a valid host"),
        ("[::1%]:9000", "`[::1%]:9000` is not a valid host"),
    ] {
        let error = Client::udp(host).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::InvalidInput, text.into()));
        assert_eq!(host.parse::<Endpoint>().unwrap_err().to_string(), text);
    }
}

#[tokio::test]
async fn an_ipv6_socket_takes_ipv6_only_unless_told_otherwise() {
    let v6 = Channel::udp("[::]:0").await.unwrap();
    Channel::udp((Ipv4Addr::UNSPECIFIED, v6.local_addr().unwrap().port())).await.expect("IPv4 is free");

    let mut both = Udp::new("[::]:0").only_v6(false).bind().await.unwrap();
    let port = both.local_addr().unwrap().port();
    Client::udp((LO, port)).await.unwrap().send(("/four", ())).await.unwrap();
    let (text, meta) = next(&mut both).await;
    assert_eq!((text.as_str(), meta.peer.ip()), ("/four ,", Some(LO.to_ipv6_mapped().into())));
    Client::udp((Ipv6Addr::LOCALHOST, port)).await.unwrap().send(("/six", ())).await.unwrap();
    assert_eq!(next(&mut both).await.0, "/six ,");
}

#[tokio::test]
async fn a_client_sends_from_the_configured_address() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let port = unused_port();
    let client = Udp::new(channel.local_addr().unwrap()).local((LO, port)).client().await.unwrap();
    client.send(("/a", ())).await.unwrap();
    assert_eq!(next(&mut channel).await.1.peer.address(), Some((LO, port).into()));
    let error = Udp::new(channel.local_addr().unwrap()).local("[::1]:0").client().await.unwrap_err();
    assert!(error.to_string().contains("one is IPv4, the other IPv6"), "{error}");
}

#[tokio::test]
async fn an_address_of_one_link_says_of_which() {
    let texts = [
        Client::udp("[fe80::1]:9000").await.unwrap_err().to_string(),
        Channel::udp("[fe80::1]:9000").await.unwrap_err().to_string(),
        Multicast::new((Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), 9000)).join().unwrap_err().to_string(),
        Multicast::new((Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), 9000)).client().unwrap_err().to_string(),
    ];
    for text in texts {
        assert!(text.contains("is an address of one link: name the interface, as in"), "{text}");
    }
    let error = Client::udp("[fe80::1%no-such]:9000").await.unwrap_err();
    assert!(
        error.to_string().starts_with("no interface `no-such` with an IP address; there are: "),
        "{error}"
    );
    let client = Client::udp("[fe80::1%1]:9000").await.unwrap();
    assert_eq!(client.peer_addr().unwrap().to_string(), "[fe80::1%1]:9000");
}

#[tokio::test]
async fn the_error_of_a_plain_client_of_a_broadcast_address_names_the_option() {
    for address in [[127, 255, 255, 255], [255, 255, 255, 255]] {
        let client = Client::udp((address, 9)).await.unwrap();
        let error = client.send(("/a", ())).await.unwrap_err().to_string();
        let address = Ipv4Addr::from(address);
        let text = format!(
            "{address} is a broadcast address: send with `Broadcast`, `osc.udp://{address}:9/?broadcast=true`"
        );
        assert!(error.starts_with(&text), "{error}");
    }
    let error = Broadcast::new((Ipv6Addr::LOCALHOST, 9)).client().unwrap_err();
    assert_eq!(error.to_string(), "IPv6 has no broadcast: send to the group ff02::1 with `Multicast`");
}

#[tokio::test]
async fn broadcasts_are_sent_heard_and_answered() {
    let channel = Broadcast::new(([127, 255, 255, 255], 0)).bind().unwrap();
    let address = (Ipv4Addr::new(127, 255, 255, 255), channel.local_addr().unwrap().port());
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let server = Server::new(router).listen("all", channel).spawn();
    let client = Broadcast::new(address).interface(LO).ttl(2).client().unwrap();
    let reply = client.request(("/ping", 7), "/pong").timeout(SOON).await.unwrap();
    assert_eq!(reply.parse::<i32>().unwrap(), 7, "an answer comes from no broadcast address");
    server.shutdown().await;
}

/// A group of its own for each test, so that they do not receive each other's packets.
fn group(last: u8) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(239, 255, 77, last).into(), unused_port())
}

#[tokio::test]
async fn two_sockets_of_one_host_both_hear_a_group() {
    let group = group(1);
    let options = Multicast::new(group).interface(LO);
    let mut channels = [options.clone().join().unwrap(), options.clone().join().unwrap()];
    options.client().unwrap().send(("/both", 1)).await.unwrap();
    for channel in &mut channels {
        assert_eq!(next(channel).await.0, "/both ,i 1");
    }
}

#[tokio::test]
async fn a_group_socket_gets_neither_other_groups_nor_unicast_packets() {
    let (own, port) = (group(2), unused_port());
    let foreign = SocketAddr::new(group(3).ip(), own.port());
    let mut channel = Multicast::new(own).interface(LO).join().unwrap();
    let _other = Multicast::new(foreign).interface(LO).join().unwrap();
    let sender = |group| Multicast::new(group).interface(LO).client().unwrap();
    for _ in 0..10 {
        sender(foreign).send(("/foreign", ())).await.unwrap();
    }
    // Not refused, but not heard either.
    let direct = Udp::new((LO, own.port())).local((LO, port)).client().await.unwrap();
    direct.send(("/direct", ())).await.unwrap();
    sender(own).send(("/own", ())).await.unwrap();
    sender(own).send(("/end", ())).await.unwrap();
    assert_eq!(all_until_end(&mut channel).await, ["/own ,"]);
}

#[tokio::test]
async fn several_groups_on_one_socket_and_still_no_foreign_ones() {
    let first = group(4);
    let second = SocketAddr::new(group(5).ip(), first.port());
    let foreign = SocketAddr::new(group(6).ip(), first.port());
    let options = Multicast::new(first).group(second.ip()).interface(LO);
    let mut channel = options.clone().join().unwrap();
    let _other = Multicast::new(foreign).interface(LO).join().unwrap();
    Multicast::new(foreign).interface(LO).client().unwrap().send(("/foreign", ())).await.unwrap();

    let error = options.clone().client().unwrap_err();
    assert_eq!(error.to_string(), "a client has one group and one interface: for more, end in `clients`");
    let clients = options.clients().unwrap();
    assert_eq!(clients.peers().collect::<Vec<_>>(), [first, second]);
    assert_eq!(clients.send(("/both", ())).await.unwrap().sent, 2);
    assert_eq!(clients.send(("/end", ())).await.unwrap().sent, 2);
    assert_eq!(all_until_end(&mut channel).await, ["/both ,"; 2]);
}

#[tokio::test]
async fn with_the_option_only_one_sender_of_a_group_is_received() {
    let group = group(7);
    let joined = |source: [u8; 4]| Multicast::new(group).interface(LO).source(source).join().unwrap();
    let mut ours = joined([127, 0, 0, 1]);
    let mut others = joined([127, 0, 0, 2]);
    let from = |source: [u8; 4]| Multicast::new(group).interface(LO).local((source, 0)).client().unwrap();
    from([127, 0, 0, 1]).send(("/one", ())).await.unwrap();
    from([127, 0, 0, 2]).send(("/two", ())).await.unwrap();
    from([127, 0, 0, 1]).send(("/end", ())).await.unwrap();
    from([127, 0, 0, 2]).send(("/end", ())).await.unwrap();
    assert_eq!(all_until_end(&mut ours).await, ["/one ,"]);
    assert_eq!(all_until_end(&mut others).await, ["/two ,"]);
}

#[tokio::test]
async fn an_invalid_group_or_interface_is_named_in_the_error() {
    let error = |options: Multicast| options.join().unwrap_err().to_string();
    let group = Multicast::new(([239, 1, 2, 3], 9000));
    assert_eq!(
        error(Multicast::new(([10, 0, 0, 7], 9000))),
        "10.0.0.7 is not a group: 224.0.0.0 to 239.255.255.255, or ff00::/8"
    );
    assert_eq!(
        error(group.clone().group(Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 1))),
        "IPv4 and IPv6 are mixed: make a socket of each"
    );
    assert!(
        error(group.clone().interface("no-such")).starts_with("no interface `no-such` with an IP address")
    );
    assert!(
        error(group.clone().interface(4_000_000)).starts_with("no interface `4000000` with an IP address")
    );
    assert!(error(group.interface("10.255.255.1")).starts_with("no interface `10.255.255.1` with"));
    let error = Channel::udp("239.1.2.3:9000").await.unwrap_err();
    assert_eq!(error.to_string(), "239.1.2.3:9000 is a group: join it with `Multicast`");
}

#[test]
fn interfaces_are_known_by_name_number_and_address() {
    assert_eq!(Interface::from(1), Interface::from("1"));
    assert_eq!(Interface::from("lo").to_string(), "lo");
    assert_eq!(Interface::from(LO).to_string(), "127.0.0.1");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_interface_may_be_named_numbered_or_given_by_its_address() {
    let group = group(8);
    let mut channel = Multicast::new(group).interface("lo").join().unwrap();
    for interface in [Interface::from("lo"), Interface::from(1), Interface::from(LO)] {
        let client = Multicast::new(group).interface(interface).client().unwrap();
        client.send(("/a", ())).await.unwrap();
        assert_eq!(next(&mut channel).await.1.peer.ip(), Some(LO.into()));
    }
}

#[tokio::test]
async fn what_is_over_the_limit_of_a_datagram_is_one_error_and_nothing_of_it_comes_through() {
    let mut channel = Udp::new(LOOPBACK).max_datagram(16).bind().await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    client.send(("/fits", 1)).await.unwrap(); // 8 + 4 + 4
    client.send(("/fits", (1, 2))).await.unwrap(); // 8 + 4 + 8
    client.send(("/fits", 3)).await.unwrap();
    assert_eq!(next(&mut channel).await.0, "/fits ,i 1");
    let (packet, meta) = channel.next().await.unwrap();
    let error = packet.unwrap_err();
    assert_eq!((error.kind(), error.offset()), (DecodeErrorKind::Truncated, 16));
    assert_eq!(meta.peer.ip(), Some(LO.into()));
    assert_eq!(next(&mut channel).await.0, "/fits ,i 3");
    assert_eq!(channel.monitor().unwrap().stats().unwrap().oversized, 1);
}

#[tokio::test]
async fn replies_go_to_the_configured_address() {
    let fixed = UdpSocket::bind(LOOPBACK).await.unwrap();
    let fixed_address = fixed.local_addr().unwrap();
    let router = || Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let by_port = Udp::new(LOOPBACK).reply_to_port(fixed_address.port()).bind().await.unwrap();
    let by_address = Udp::new(LOOPBACK).reply_to(fixed_address).bind().await.unwrap();
    for channel in [by_port, by_address] {
        let address = channel.local_addr().unwrap();
        let server = Server::new(router()).listen("udp", channel).spawn();
        Client::udp(address).await.unwrap().send(("/ping", 7)).await.unwrap();
        let mut buffer = [0; 64];
        let (len, from) = timeout(SOON, fixed.recv_from(&mut buffer)).await.unwrap().unwrap();
        assert_eq!((&buffer[..len], from), (Message::new("/pong", 7).unwrap().as_bytes().as_ref(), address));
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_client_by_a_channels_socket_shares_its_port_and_the_channel_keeps_its_packets() {
    let stage = Channel::udp(LOOPBACK).await.unwrap();
    let stage_address = stage.local_addr().unwrap();
    let mut desk = Channel::udp(LOOPBACK).await.unwrap();
    let client = desk.client_to(stage_address).unwrap();
    assert_eq!(client.local_addr().unwrap(), desk.local_addr().unwrap());
    let router =
        Router::new().route("/ping", |Args(n): Args<i32>| vec![("/info", n), ("/pong", n), ("/pong", n + 1)]);
    let server = Server::new(router).listen("stage", stage).spawn();

    let request = client.request(("/ping", 7), "/pong").timeout(SOON);
    let stranger = Client::udp(desk.local_addr().unwrap()).await.unwrap();
    stranger.send(("/pong", 9)).await.unwrap();
    let (reply, seen) = tokio::join!(request, async {
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(next(&mut desk).await.0);
        }
        seen
    });
    // The stranger is on the same host: it may have answered.
    let reply = reply.unwrap().to_string();
    assert!(reply == "/pong ,i 7" || reply == "/pong ,i 9", "{reply}");
    let mut all = seen;
    all.push(reply);
    all.sort();
    assert_eq!(all, ["/info ,i 7", "/pong ,i 7", "/pong ,i 8", "/pong ,i 9"], "nothing is lost or doubled");

    let error = desk.client_to(([0, 0, 0, 0, 0, 0, 0, 1], 9)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    server.shutdown().await;
}

#[tokio::test]
async fn one_packet_to_many_is_encoded_once_and_a_bad_peer_is_named() {
    let mut left = Channel::udp(LOOPBACK).await.unwrap();
    let mut right = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(left.local_addr().unwrap()).await.unwrap();
    let wrong: SocketAddr = "[::1]:9".parse().unwrap();
    let all = client.to([left.local_addr().unwrap(), wrong, right.local_addr().unwrap()]).unwrap();
    let report = all.send(("/scene", 3)).await.unwrap();
    assert_eq!(report.sent, 2);
    assert_eq!(report.failed[0].0, wrong.into());
    assert_eq!(next(&mut left).await.0, "/scene ,i 3");
    let (text, meta) = next(&mut right).await;
    assert_eq!(
        (text.as_str(), meta.peer.address().unwrap().port()),
        ("/scene ,i 3", client.local_addr().unwrap().port())
    );
    let error = all.send(("no-slash", 3)).await.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::Encode);
    let report = all.send(("/large", vec![0_u8; 65_504])).await.unwrap();
    assert_eq!((report.sent, report.failed.len()), (0, 3));
}

#[tokio::test]
async fn a_peer_that_the_system_refuses_keeps_no_other_from_its_packet() {
    let mut ears = Vec::new();
    for _ in 0..300 {
        ears.push(Channel::udp(LOOPBACK).await.unwrap());
    }
    let mut peers: Vec<_> = ears.iter().map(|channel| channel.local_addr().unwrap()).collect();
    let everywhere: SocketAddr = "255.255.255.255:9".parse().unwrap();
    for at in [0, 100, 302] {
        peers.insert(at, everywhere);
    }
    let all = Client::udp(peers[1]).await.unwrap().to(peers).unwrap();
    let report = all.send(("/scene", 3)).await.unwrap();
    assert_eq!(report.sent, 300);
    for (peer, error) in &report.failed {
        assert_eq!(*peer, everywhere.into());
        assert!(error.to_string().contains("is a broadcast address"), "{error}");
    }
    assert_eq!(report.failed.len(), 3);
    for channel in &mut ears {
        assert_eq!(next(channel).await.0, "/scene ,i 3");
    }
}

#[tokio::test]
async fn peers_have_the_names_they_were_given() {
    let names = PeerNames::new();
    names.insert(LO, "host");
    let mut channel = Udp::new(LOOPBACK).peer_names(&names).bind().await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let mut name = async |packet: &'static str| {
        client.send((packet, ())).await.unwrap();
        next(&mut channel).await.1.peer_name().map(str::to_owned)
    };
    assert_eq!(name("/a").await.as_deref(), Some("host"));
    names.insert_with_port((LO, client.local_addr().unwrap().port()), "program");
    assert_eq!(name("/b").await.as_deref(), Some("program"), "address and port go first");
    names.remove(LO);
    assert_eq!(name("/c").await, None);
    names.insert_host("localhost").await.unwrap();
    assert_eq!(name("/d").await.as_deref(), Some("localhost"));
}

/// The look-up of a forged address takes as long as it may: 5 s.
#[tokio::test(start_paused = true)]
async fn two_hundred_forged_addresses_delay_the_name_of_a_good_peer_by_seconds() {
    let names = PeerNames::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    names.look_up(move |address| {
        count.fetch_add(1, SeqCst);
        async move {
            if address != IpAddr::from(LO) {
                std::future::pending::<()>().await;
            }
            Some("host".to_owned())
        }
    });
    for n in 0..200 {
        for _packet in 0..3 {
            assert_eq!(names.get((Ipv4Addr::new(10, 0, 0, n), 9).into()), None);
        }
    }
    let begin = tokio::time::Instant::now();
    while names.get((LO, 9).into()).is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("the name after {:?}, {} look-ups", begin.elapsed(), asked.load(SeqCst));
    assert!(begin.elapsed() < Duration::from_secs(21), "{:?}", begin.elapsed());
    assert!(asked.load(SeqCst) <= 65 + 16, "each once");
}

#[tokio::test]
async fn unknown_peers_are_looked_up_beside_and_what_is_found_is_bounded() {
    let names = PeerNames::new();
    let (asked, done) = (Arc::new(AtomicUsize::new(0)), tokio::sync::mpsc::unbounded_channel());
    let (done, mut dones) = done;
    let count = Arc::clone(&asked);
    names.look_up(move |address| {
        count.fetch_add(1, SeqCst);
        let done = done.clone();
        async move {
            done.send(()).unwrap();
            (address != IpAddr::from(LO)).then(|| format!("host-{address}"))
        }
    });
    let known = async |address: Ipv4Addr| {
        while names.get((address, 9).into()).is_none() {
            tokio::task::yield_now().await;
        }
    };
    let first = Ipv4Addr::new(10, 0, 0, 1);
    timeout(SOON, known(first)).await.unwrap();
    assert_eq!(names.get((first, 10).into()).as_deref(), Some("host-10.0.0.1"));
    assert_eq!(names.get((LO, 9).into()), None);
    dones.recv().await.unwrap();
    dones.recv().await.unwrap();
    tokio::task::yield_now().await;
    let before = asked.load(SeqCst);
    assert_eq!(names.get((LO, 9).into()), None, "that it has no name is kept, too");
    tokio::task::yield_now().await;
    assert_eq!(asked.load(SeqCst), before);

    for n in 0..1_024_u16 {
        let [high, low] = n.to_be_bytes();
        timeout(SOON, known(Ipv4Addr::new(10, 1, high, low))).await.unwrap();
    }
    assert_eq!(names.get((first, 9).into()), None, "the oldest went");
    assert_eq!(names.get((Ipv4Addr::new(10, 1, 0, 0), 9).into()).as_deref(), Some("host-10.1.0.0"));
}

#[test]
fn endpoints_are_read_and_written() {
    let cases = [
        ("127.0.0.1:9000", "osc.udp://127.0.0.1:9000/", Scheme::Udp),
        ("osc.udp://stage.local:9000", "osc.udp://stage.local:9000/", Scheme::Udp),
        ("osc.udp://*:0/", "osc.udp://*:0/", Scheme::Udp),
        ("osc.udp://[::1]:9000/", "osc.udp://[::1]:9000/", Scheme::Udp),
        ("osc.udp://[ff02::1%25eth0]:9000/", "osc.udp://[ff02::1%eth0]:9000/", Scheme::Udp),
        ("osc.udp://[ff02::1%2]:9000/?", "osc.udp://[ff02::1%2]:9000/", Scheme::Udp),
        (
            "osc.udp://239.1.2.3:9000?ttl=4&interface=eth0&interface=10.0.0.7&loop=false&loop=false",
            "osc.udp://239.1.2.3:9000/?interface=eth0&interface=10.0.0.7&ttl=4&loop=false",
            Scheme::Udp,
        ),
        (
            "239.1.2.3:9000?source=10.0.0.7&group=239.1.2.4&interface=all&dscp=46&family=ipv4&reuse=true",
            "osc.udp://239.1.2.3:9000/?interface=all&dscp=46&reuse=true&group=239.1.2.4&source=10.0.0.7&family=ipv4",
            Scheme::Udp,
        ),
        (
            "10.0.0.255:9000?broadcast=true&receive_buffer=1024&send_buffer=512&reply_port=4002&device=my%20net",
            "osc.udp://10.0.0.255:9000/?device=my%20net&receive_buffer=1024&send_buffer=512&reply_port=4002&broadcast=true",
            Scheme::Udp,
        ),
        ("osc.tcp://10.0.0.7:9000/?family=ipv6", "osc.tcp://10.0.0.7:9000/?family=ipv6", Scheme::Tcp),
        ("osc.tcp+slip://h:9000/?end=single", "osc.tcp+slip://h:9000/?end=single", Scheme::TcpSlip),
        ("osc.unix:///run/my%20osc", "osc.unix:///run/my%20osc", Scheme::Unix),
        ("osc.unix+slip:///run/my%20osc?end=double", "osc.unix+slip:///run/my%20osc", Scheme::UnixSlip),
    ];
    for (text, written, scheme) in cases {
        let endpoint: Endpoint = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((endpoint.to_string().as_str(), endpoint.scheme()), (written, scheme));
        assert_eq!(written.parse::<Endpoint>().unwrap(), endpoint);
    }
    let unix: Endpoint = "osc.unix+slip:///run/my%20osc?end=single".parse().unwrap();
    assert_eq!(
        (unix.path().unwrap().to_str(), unix.single_end(), unix.host()),
        (Some("/run/my osc"), true, None)
    );
    let endpoint = Endpoint::from("stage.local:0");
    assert_eq!(endpoint.at(([127, 0, 0, 1], 9).into()).to_string(), "osc.udp://127.0.0.1:9/");
}

#[test]
fn an_invalid_endpoint_is_refused_with_its_reason() {
    let cases = [
        ("http://127.0.0.1:80/", "`http` is none of osc.udp, osc.tcp, osc.tcp+slip, osc.unix, osc.unix+slip"),
        ("osc.udp://127.0.0.1/", "`127.0.0.1` has no port, HOST:PORT is needed"),
        ("osc.udp://127.0.0.1/synth", "`127.0.0.1` has no port, HOST:PORT is needed"),
        ("osc.unix://run/osc", "a Unix socket has a whole path, as in osc.unix:///run/osc"),
        ("127.0.0.1:9000?ttl", "`ttl` has no value, NAME=VALUE is needed"),
        ("127.0.0.1:9000?ttl=256", "`256` is not a value of `ttl`"),
        ("127.0.0.1:9000?interface=", "`` is not a value of `interface`"),
        ("127.0.0.1:9000?family=inet", "`inet` is not a value of `family`"),
        ("127.0.0.1:9000?broadcast=yes", "`yes` is not a value of `broadcast`"),
        ("127.0.0.1:9000?end=single", "`end` is not an option of osc.udp"),
        ("osc.unix:///run/osc?end=single", "`end` is not an option of osc.unix"),
        ("osc.tcp://127.0.0.1:9000?ttl=4", "`ttl` is not an option of osc.tcp"),
        ("127.0.0.1:9000?device=%zz", "`%zz`: %XX stands for a byte, and together they are UTF-8"),
        ("127.0.0.1:9000?device=%ff", "`%ff`: %XX stands for a byte, and together they are UTF-8"),
    ];
    for (text, reason) in cases {
        assert_eq!(text.parse::<Endpoint>().unwrap_err().to_string(), reason, "{text}");
    }
}

#[tokio::test]
async fn endpoints_listen_and_send() {
    let port = unused_port();
    for text in [
        format!("osc.udp://127.0.0.1:{port}/?receive_buffer=65536"),
        format!("osc.udp://239.255.77.9:{port}/?interface=127.0.0.1&ttl=1"),
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        let mut channel = endpoint.bind().await.unwrap();
        endpoint.client().await.unwrap().send(("/a", ())).await.unwrap();
        assert_eq!(next(&mut channel).await.0, "/a ,");
    }
    for text in ["osc.tcp://127.0.0.1:0/", "osc.tcp+slip://localhost:0/?end=single&family=ipv4"] {
        let endpoint: Endpoint = text.parse().unwrap();
        let mut channel = endpoint.bind().await.unwrap();
        let client = endpoint.at(channel.local_addr().unwrap()).client().await.unwrap();
        client.send(("/a", ())).await.unwrap();
        assert_eq!(next(&mut channel).await.0, "/a ,");
        assert!(channel.monitor().is_none() && client.monitor().is_none());
        assert!(client.to([(LO, 9)]).is_err() && channel.client_to((LO, 9)).is_err());
    }
    let path = std::env::temp_dir().join(format!("osc-endpoint-{}", std::process::id()));
    for scheme in ["osc.unix", "osc.unix+slip"] {
        let endpoint: Endpoint = format!("{scheme}://{}", path.display()).parse().unwrap();
        #[cfg(unix)]
        {
            let mut channel = endpoint.bind().await.unwrap();
            endpoint.client().await.unwrap().send(("/a", ())).await.unwrap();
            assert_eq!(next(&mut channel).await.0, "/a ,");
        }
        #[cfg(not(unix))]
        assert_eq!(endpoint.bind().await.unwrap_err().kind(), ErrorKind::Unsupported);
    }
    let _ = std::fs::remove_file(path);
    let all: Endpoint = format!("127.255.255.255:{port}?broadcast=true").parse().unwrap();
    let mut channel = all.bind().await.unwrap();
    all.client().await.unwrap().send(("/all", ())).await.unwrap();
    assert_eq!(next(&mut channel).await.0, "/all ,");

    let refused =
        async |text: &str| text.parse::<Endpoint>().unwrap().client().await.unwrap_err().to_string();
    assert_eq!(
        refused("127.0.0.1:9?loop=false").await,
        "`loop` needs a multicast group, and 127.0.0.1:9 is not one"
    );
    let text = "`interface` needs a multicast group or a broadcast, and 127.0.0.1:9 is neither: use `device`";
    assert_eq!(refused("127.0.0.1:9?interface=lo").await, text);
}

/// Nothing will come any more: the socket was known to the runtime that is gone.
#[test]
fn a_channel_whose_runtime_is_gone_gives_nothing_and_blocks_no_caller() {
    let build = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = build();
    let mut channel = first.block_on(Channel::udp(LOOPBACK)).unwrap();
    drop(first);
    let (done, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        build().block_on(async {
            let patience = Duration::from_millis(50);
            done.send(timeout(patience, channel.next()).await.is_err()).unwrap();
        });
    });
    assert!(end.recv_timeout(SOON).expect("the thread is not held up"));
}

/// More than one turn receives.
#[tokio::test]
async fn a_request_takes_no_answer_that_came_before_it() {
    let peer = UdpSocket::bind(LOOPBACK).await.unwrap();
    let client = Client::udp(peer.local_addr().unwrap()).await.unwrap();
    let home = SocketAddr::new(LO.into(), client.local_addr().unwrap().port());
    let answer = |n: i32| Message::new("/answer", n).unwrap();
    for _ in 0..200 {
        peer.send_to(answer(1).as_bytes(), home).await.unwrap();
    }
    tokio::task::yield_now().await;
    let asking = client.request(("/ask", ()), "/answer");
    let answering = async {
        peer.recv_from(&mut [0; 64]).await.unwrap();
        peer.send_to(answer(2).as_bytes(), home).await.unwrap();
    };
    let (got, ()) = tokio::join!(asking.into_future(), answering);
    assert_eq!(got.unwrap().parse::<i32>().unwrap(), 2);
}
