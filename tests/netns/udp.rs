//! UDP between hosts: three of them on a network, made of network namespaces. It takes root and
//! iproute2, on Linux; without root each test prints that it is skipped.
#![cfg(all(feature = "net", target_os = "linux"))]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::time::timeout;
use tokio_osc::packet::{IntoPacket, SendErrorKind};
use tokio_osc::{Broadcast, Channel, Client, Multicast, Router, Server, Udp};

use crate::capture::Capture;
use crate::lab::{Lab, SOON};

const PORT: u16 = 9_000;
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 77, 1, 1);
const OTHER_GROUP: Ipv4Addr = Ipv4Addr::new(239, 77, 1, 2);
/// Of the scope "link".
const LINK_GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x77);
/// Of the scope "site".
const SITE_GROUP: Ipv6Addr = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0x77);

async fn next(channel: &mut Channel) -> String {
    let (packet, _) = timeout(SOON, channel.next()).await.expect("a packet comes").unwrap();
    packet.unwrap().to_string()
}

/// The packets before `/end`.
async fn all_until_end(channel: &mut Channel) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match next(channel).await {
            end if end == "/end ," => return seen,
            other => seen.push(other),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn multicast_reaches_every_member() {
    let Some(lab) = Lab::three_hosts() else { return };
    for group in [SocketAddr::from((GROUP, PORT)), (LINK_GROUP, PORT).into(), (SITE_GROUP, PORT).into()] {
        let options = || Multicast::new(group).interface("eth0");
        let mut members = ["b", "c"].map(|host| lab.on(host, || options().join().unwrap()));
        let client = lab.on("a", || options().client().unwrap());
        for n in 0..10 {
            client.send(("/scene", n)).await.unwrap();
        }
        for member in &mut members {
            for n in 0..10 {
                assert_eq!(next(member).await, format!("/scene ,i {n}"), "{group}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_a_group_is_answered_by_a_member() {
    use tokio_osc::{Args, Router, Server};

    let Some(lab) = Lab::three_hosts() else { return };
    for group in [SocketAddr::from((GROUP, PORT)), (LINK_GROUP, PORT).into()] {
        let options = || Multicast::new(group).interface("eth0");
        let channel = lab.on("b", || options().join().unwrap());
        let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
        let server = Server::new(router).listen("group", channel).spawn();
        let client = lab.on("a", || options().client().unwrap());
        let reply = client.request(("/ping", 7), "/pong").timeout(SOON).await.unwrap();
        assert_eq!(reply.parse::<i32>().unwrap(), 7);
        server.shutdown().await;
    }
}

/// A host with a second address on its network, which it does not answer from by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_leaves_from_the_address_that_was_asked() {
    use tokio_osc::{Args, Router, Server};

    let Some(lab) = Lab::three_hosts() else { return };
    lab.ip("b", "addr add 10.77.0.200/24 dev eth0");
    lab.ip("b", "addr add fd77::200/64 dev eth0 nodad preferred_lft 0");
    for (every, asked) in [("0.0.0.0:9000", "10.77.0.200:9000"), ("[::]:9000", "[fd77::200]:9000")] {
        let channel = lab.wait_on("b", Channel::udp(every)).unwrap();
        let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
        let server = Server::new(router).listen("udp", channel).spawn();
        let client = lab.wait_on("a", Udp::new(asked).connect()).unwrap();
        let reply = client.request(("/ping", 7), "/pong").timeout(SOON).await.unwrap();
        assert_eq!(reply.parse::<i32>().unwrap(), 7, "{asked}");
        server.shutdown().await;
    }
}

/// THREATS 41: packets that come out of each interface, or are heard on it, when it is named: 1/0,
/// 0/1, 1/1.
#[tokio::test(flavor = "multi_thread")]
async fn multicast_leaves_by_the_interfaces_that_are_named() {
    let Some(lab) = Lab::two_networks() else { return };
    for group in [SocketAddr::from((GROUP, PORT)), (LINK_GROUP, PORT).into(), (SITE_GROUP, PORT).into()] {
        let options = || Multicast::new(group).interface("eth0");
        let mut left = lab.on("b", || options().join().unwrap());
        let mut right = lab.on("c", || options().join().unwrap());
        let by = |names: &'static [&'static str]| {
            let options = |named: Multicast, name: &&'static str| named.interface(*name);
            lab.on("a", || names.iter().fold(Multicast::new(group), options).clients().unwrap())
        };
        for (names, address) in [
            (&["eth0"][..], "/left"),
            (&["eth1"], "/right"),
            (&["eth0", "eth1"], "/both"),
            (&["eth0", "eth1"], "/end"),
        ] {
            let report = by(names).send((address, ())).await.unwrap();
            assert_eq!((report.sent, report.failed.len()), (names.len(), 0));
        }
        assert_eq!(all_until_end(&mut left).await, ["/left ,", "/both ,"], "{group}");
        assert_eq!(all_until_end(&mut right).await, ["/right ,", "/both ,"], "{group}");
    }
}

/// Four programs of one host, each of which has joined on other interfaces: none hears what another
/// has joined.
#[tokio::test(flavor = "multi_thread")]
async fn multicast_is_heard_on_the_interfaces_that_are_named() {
    let Some(lab) = Lab::two_networks() else { return };
    for group in [SocketAddr::from((GROUP, PORT)), (LINK_GROUP, PORT).into(), (SITE_GROUP, PORT).into()] {
        let sender = |host| lab.on(host, || Multicast::new(group).interface("eth0").client().unwrap());
        let (left, right) = (sender("b"), sender("c"));
        let joined = |names: &[&str]| {
            let options = |named: Multicast, name: &&str| named.interface(*name);
            lab.on("a", || names.iter().fold(Multicast::new(group), options).join().unwrap())
        };
        let everywhere = lab.on("a", || Multicast::new(group).all_interfaces().join().unwrap());
        let receivers = [
            (joined(&["eth0"]), &["/left ,"][..]),
            (joined(&["eth1"]), &["/right ,"]),
            (joined(&["eth0", "eth1"]), &["/left ,", "/right ,"]),
            (everywhere, &["/left ,", "/right ,"]),
        ];
        right.send(("/right", ())).await.unwrap();
        left.send(("/left", ())).await.unwrap();
        right.send(("/end", ())).await.unwrap();
        left.send(("/end", ())).await.unwrap();
        for (mut channel, expected) in receivers {
            let mut heard = Vec::new();
            for _ in expected {
                heard.extend(all_until_end(&mut channel).await);
            }
            heard.sort();
            assert_eq!(heard, expected, "{group}");
        }
    }
}

/// A host `a`, a router, and a host `b` behind it.
fn routed() -> Option<Lab> {
    let mut lab = Lab::new()?;
    lab.add_network("left", 77, &[("a", "eth0", 1), ("r", "eth0", 2)]);
    lab.add_network("right", 78, &[("r", "eth1", 2), ("b", "eth0", 3)]);
    lab.on("r", || {
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
        std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
    });
    lab.wait_for_links();
    lab.ip("a", "route add default via 10.77.0.2");
    lab.ip("b", "route add default via 10.78.0.2");
    lab.ip("a", "-6 route add default via fd77::2");
    lab.ip("b", "-6 route add default via fd78::2");
    Some(lab)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ttl_of_one_stops_at_a_router_and_one_of_two_passes() {
    let Some(lab) = routed() else { return };
    for address in ["10.78.0.3:9000", "[fd78::3]:9000"] {
        let mut channel = lab.wait_on("b", Channel::udp(address)).unwrap();
        let client = |ttl| lab.wait_on("a", Udp::new(address).ttl(ttl).client()).unwrap();
        client(1).send(("/stops", ())).await.unwrap();
        client(2).send(("/passes", ())).await.unwrap();
        client(2).send(("/end", ())).await.unwrap();
        assert_eq!(all_until_end(&mut channel).await, ["/passes ,"], "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ttl_is_set_whatever_a_packet_is_sent_to() {
    let Some(lab) = Lab::three_hosts() else { return };
    let capture = lab.on("b", Capture::new);
    let group = |group: SocketAddr| Multicast::new(group).interface("eth0").ttl(7);
    let _members = lab.on("b", || {
        [(GROUP, PORT).into(), (SITE_GROUP, PORT).into()].map(|address| group(address).join().unwrap())
    });
    let clients = [
        lab.wait_on("a", Udp::new("10.77.0.2:9000").ttl(7).client()).unwrap(),
        lab.wait_on("a", Udp::new("[fd77::2]:9000").ttl(7).client()).unwrap(),
        lab.on("a", || group((GROUP, PORT).into()).client().unwrap()),
        lab.on("a", || group((SITE_GROUP, PORT).into()).client().unwrap()),
        lab.on("a", || Broadcast::new(([10, 77, 0, 255], PORT)).ttl(7).client().unwrap()),
    ];
    for client in clients {
        client.send(("/a", ())).await.unwrap();
        let seen = capture.next_to(client.peer_addr().unwrap());
        assert_eq!(seen.hops, 7, "{}", client.peer_addr().unwrap());
    }
    let plain = lab.on("a", || Multicast::new((GROUP, PORT)).interface("eth0").client().unwrap());
    plain.send(("/a", ())).await.unwrap();
    assert_eq!(capture.next_to(plain.peer_addr().unwrap()).hops, 1, "the own network only");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_class_is_on_the_wire() {
    let Some(lab) = Lab::three_hosts() else { return };
    let capture = lab.on("b", Capture::new);
    for address in ["10.77.0.2:9000", "[fd77::2]:9000"] {
        let client = lab.wait_on("a", Udp::new(address).dscp(46).client()).unwrap();
        client.send(("/a", ())).await.unwrap();
        assert_eq!(capture.next_to(client.peer_addr().unwrap()).class, 46 << 2);
    }
}

/// THREATS 44.
#[tokio::test(flavor = "multi_thread")]
async fn broadcasts_reach_every_host_and_the_error_of_a_plain_client_names_them() {
    let Some(lab) = Lab::three_hosts() else { return };
    // A port for each: a program that is just being started holds the sockets of before for a moment.
    for (network, port) in [(Ipv4Addr::new(10, 77, 0, 255), PORT), (Ipv4Addr::BROADCAST, PORT + 1)] {
        let options = || Broadcast::new((network, port));
        let mut hosts = ["b", "c"].map(|host| lab.on(host, || options().interface("eth0").bind().unwrap()));
        let client = lab.on("a", || options().interface("eth0").client().unwrap());
        client.send(("/scene", 3)).await.unwrap();
        for host in &mut hosts {
            assert_eq!(next(host).await, "/scene ,i 3", "{network}");
        }
        lab.ip("a", "route replace 255.255.255.255/32 dev eth0");
        let plain = lab.wait_on("a", Client::udp((network, port))).unwrap();
        let error = plain.send(("/scene", 3)).await.unwrap_err();
        let text = format!(
            "{network} is a broadcast address: send with `Broadcast`, `osc.udp://{network}:{port}/?broadcast=true`"
        );
        assert!(error.to_string().starts_with(&text), "{error}");
    }
}

/// THREATS 42.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_groups_on_one_port_only_the_joined_one_is_heard() {
    let Some(lab) = Lab::three_hosts() else { return };
    let joined = |group: Ipv4Addr| Multicast::new((group, PORT)).interface("eth0");
    let mut own = lab.on("b", || joined(GROUP).join().unwrap());
    let mut both = lab.on("b", || joined(GROUP).group(OTHER_GROUP).join().unwrap());
    let _others = lab.on("b", || joined(OTHER_GROUP).join().unwrap());
    let third = Ipv4Addr::new(239, 77, 1, 3);
    let _third = lab.on("b", || joined(third).join().unwrap());
    let client = |group| lab.on("a", || joined(group).client().unwrap());
    for _ in 0..10 {
        client(OTHER_GROUP).send(("/other", ())).await.unwrap();
        client(third).send(("/third", ())).await.unwrap();
    }
    client(GROUP).send(("/own", ())).await.unwrap();
    client(GROUP).send(("/end", ())).await.unwrap();
    assert_eq!(all_until_end(&mut own).await, ["/own ,"], "foreign datagrams: 0");
    let mut heard = all_until_end(&mut both).await;
    assert_eq!(heard.pop().as_deref(), Some("/own ,"));
    assert_eq!(heard, ["/other ,"; 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_packets_are_heard_or_not() {
    let Some(lab) = Lab::three_hosts() else { return };
    for group in [SocketAddr::from((GROUP, PORT)), (LINK_GROUP, PORT).into()] {
        let options = || Multicast::new(group).interface("eth0");
        let mut own = lab.on("a", || options().join().unwrap());
        let mut other = lab.on("b", || options().join().unwrap());
        let client = |hear| lab.on("a", || options().multicast_loop(hear).client().unwrap());
        client(false).send(("/unheard", ())).await.unwrap();
        client(true).send(("/heard", ())).await.unwrap();
        client(true).send(("/end", ())).await.unwrap();
        assert_eq!(all_until_end(&mut own).await, ["/heard ,"]);
        assert_eq!(all_until_end(&mut other).await, ["/unheard ,", "/heard ,"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_receivers_on_one_port_both_receive() {
    let Some(lab) = Lab::three_hosts() else { return };
    let options = || Multicast::new((GROUP, PORT)).interface("eth0");
    let mut receivers = lab.on("b", || [options().join().unwrap(), options().join().unwrap()]);
    let client = lab.on("a", || options().client().unwrap());
    for n in 0..10 {
        client.send(("/n", n)).await.unwrap();
    }
    for receiver in &mut receivers {
        for n in 0..10 {
            assert_eq!(next(receiver).await, format!("/n ,i {n}"));
        }
    }
}

/// THREATS 39: a datagram over the MTU comes in fragments, and whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_packet_of_nine_thousand_bytes_crosses_an_mtu_of_1280() {
    let Some(lab) = Lab::three_hosts() else { return };
    for host in ["a", "b"] {
        lab.ip(host, "link set eth0 mtu 1280");
    }
    let capture = lab.on("b", Capture::new);
    let blob: Vec<u8> = (0..9_000_u32).map(|n| n as u8).collect();
    for (address, fragments) in [("10.77.0.2:9000", 8), ("[fd77::2]:9000", 8)] {
        let mut channel = lab.wait_on("b", Channel::udp(address)).unwrap();
        let client = lab.wait_on("a", Client::udp(address)).unwrap();
        client.send(("/blob", blob.as_slice())).await.unwrap();
        let (packet, _) = timeout(SOON, channel.next()).await.unwrap().unwrap();
        let tokio_osc::Packet::Message(message) = packet.unwrap() else { panic!("a message was sent") };
        assert_eq!(message.parse::<tokio_osc::Bytes>().unwrap(), blob);
        let seen: Vec<_> =
            (0..fragments).map(|_| capture.next_to(client.peer_addr().unwrap()).bytes).collect();
        assert!(seen.iter().all(|bytes| *bytes <= 1_280), "{seen:?}");
        assert!(seen.iter().sum::<usize>() > 9_000, "{seen:?}");
        let error = client.send(("/blob", vec![0_u8; 65_600])).await.unwrap_err();
        assert!(matches!(error.kind(), SendErrorKind::TooLarge { .. }), "before the system call");
    }
}

/// A run whose datagrams do not fit a frame of the network is sent one by one, in fragments.
#[cfg(feature = "batch")]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_datagrams_over_the_mtu_arrives() {
    let Some(lab) = Lab::three_hosts() else { return };
    for host in ["a", "b"] {
        lab.ip(host, "link set eth0 mtu 1280");
    }
    for address in ["10.77.0.2:9000", "[fd77::2]:9000"] {
        let mut channel = lab.wait_on("b", Udp::new(address).batch(true).bind()).unwrap();
        let client = lab.wait_on("a", Udp::new(address).batch(true).client()).unwrap();
        for size in [2_000, 1_000, 200] {
            client.send_all((0..10).map(|n| ("/blob", (n, vec![0_u8; size])))).await.unwrap();
            for n in 0..10 {
                let (packet, _) = timeout(SOON, channel.next()).await.unwrap().unwrap();
                let tokio_osc::Packet::Message(message) = packet.unwrap() else {
                    panic!("a message was sent")
                };
                let (number, blob) = message.parse::<(i32, tokio_osc::Bytes)>().unwrap();
                assert_eq!((number, blob.len()), (n, size));
            }
        }
    }
}

/// THREATS 43.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_local_packet_leaves_by_its_own_link() {
    let Some(lab) = Lab::two_networks() else { return };
    let group = |host| lab.on(host, || Multicast::new((LINK_GROUP, PORT)).interface("eth0").join().unwrap());
    let (mut left, mut right) = (group("b"), group("c"));
    let plain = |text: &'static str| lab.wait_on("a", Client::udp(text));
    for (text, address) in [
        ("[ff02::77%eth0]:9000", "/left"),
        ("[ff02::77%eth1]:9000", "/right"),
        ("[ff02::77%eth0]:9000", "/end"),
        ("[ff02::77%eth1]:9000", "/end"),
    ] {
        plain(text).unwrap().send((address, ())).await.unwrap();
    }
    assert_eq!(all_until_end(&mut left).await, ["/left ,"]);
    assert_eq!(all_until_end(&mut right).await, ["/right ,"]);
    let error = plain("[ff02::77]:9000").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

/// Threat 47: an interface goes and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_interface_is_an_error_of_send_and_works_again_when_it_is_back() {
    let Some(lab) = Lab::three_hosts() else { return };
    let options = || Multicast::new((GROUP, PORT)).interface("eth0");
    let mut member = lab.on("b", || options().join().unwrap());
    let mut unicast = lab.wait_on("b", Channel::udp("10.77.0.2:9001")).unwrap();
    let to_group = lab.on("a", || options().client().unwrap());
    let to_one = lab.wait_on("a", Client::udp("10.77.0.2:9001")).unwrap();

    lab.ip("a", "link set eth0 down");
    for client in [&to_group, &to_one] {
        let error = client.send(("/lost", ())).await.unwrap_err();
        assert!(matches!(error.kind(), SendErrorKind::Io(_)), "{error}");
        assert_eq!(client.monitor().unwrap().stats().unwrap().send_errors, 1);
    }
    lab.ip("a", "link set eth0 up");
    lab.ip("b", "link set eth0 down");
    lab.ip("b", "link set eth0 up");
    lab.wait_for_links();
    for client in [&to_group, &to_one] {
        client.send(("/again", ())).await.unwrap();
    }
    assert_eq!(next(&mut member).await, "/again ,", "the group is still joined");
    assert_eq!(next(&mut unicast).await, "/again ,");

    lab.ip("b", "addr del 10.77.0.2/24 dev eth0");
    lab.ip("b", "addr add 10.77.0.2/24 dev eth0");
    to_one.send(("/anew", ())).await.unwrap();
    assert_eq!(next(&mut unicast).await, "/anew ,");
}

/// THREATS 47: the address of a host changes. No system call reports it; the monitor does.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_whose_address_is_gone_can_be_bound_again() {
    let Some(lab) = Lab::three_hosts() else { return };
    let bound = lab.wait_on("b", Channel::udp("10.77.0.2:9001")).unwrap();
    let everywhere = lab.wait_on("b", Channel::udp("0.0.0.0:9002")).unwrap();
    let group = lab.on("b", || Multicast::new((GROUP, PORT)).interface("eth0").join().unwrap());
    let is_gone = |channel: &Channel| {
        let monitor = channel.monitor().unwrap();
        lab.on("b", || monitor.is_address_gone().unwrap())
    };
    assert!(![&bound, &everywhere, &group].into_iter().any(is_gone));

    lab.ip("b", "addr del 10.77.0.2/24 dev eth0");
    lab.ip("b", "addr add 10.77.0.9/24 broadcast 10.77.0.255 dev eth0");
    let start = Instant::now();
    assert_eq!([&bound, &everywhere, &group].map(is_gone), [true, false, false]);
    let told = start.elapsed();
    let mut bound = lab.wait_on("b", Channel::udp("10.77.0.9:9001")).unwrap();
    lab.wait_on("a", Client::udp("10.77.0.9:9001")).unwrap().send(("/anew", ())).await.unwrap();
    assert_eq!(next(&mut bound).await, "/anew ,");
    println!("a change of address: told after {told:?}, heard again after {:?}", start.elapsed());
}

/// Threat 46: a line that is too slow. Each packet arrives, is dropped by the queue of the line, or is an
/// error of `send`; nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_line_loses_packets_and_nothing_else() {
    const OFFERED: usize = 2_000;
    let Some(lab) = Lab::three_hosts() else { return };
    let mut channel = lab.wait_on("b", Channel::udp("10.77.0.2:9000")).unwrap();
    let client = lab.wait_on("a", Client::udp("10.77.0.2:9000")).unwrap();
    client.send(("/first", ())).await.unwrap();
    assert_eq!(next(&mut channel).await, "/first ,", "the neighbour is known");
    // Nothing but ours is to wait in the queue.
    lab.on("a", || std::fs::write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "1").unwrap());
    lab.tc("a", "qdisc add dev eth0 root tbf rate 1mbit burst 2kb limit 4kb");
    let mut refused = 0;
    for n in 0..OFFERED {
        refused += usize::from(client.send(("/n", n as i32)).await.is_err());
    }
    let begin = Instant::now();
    let shown = loop {
        let shown = lab.tc("a", "-s qdisc show dev eth0 root");
        if shown.contains("backlog 0b 0p") {
            break shown;
        }
        assert!(begin.elapsed() < SOON, "{shown}");
    };
    lab.tc("a", "qdisc del dev eth0 root");
    client.send(("/end", ())).await.unwrap();
    let received = all_until_end(&mut channel).await.len();
    let dropped: usize = shown.split("dropped ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    println!("offered {OFFERED} = received {received} + dropped by the queue {dropped} + refused {refused}");
    assert!(dropped + refused > 0, "{shown}");
    assert_eq!(received + dropped + refused, OFFERED);
    assert_eq!(client.monitor().unwrap().stats().unwrap().send_errors as usize, refused);
}

/// A peer behind 256 kbit/s fills the socket's buffer with its answers; another one on a fast network asks ten times
/// a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_behind_a_slow_link_delays_no_answer_of_another() {
    let Some(lab) = Lab::two_networks() else { return };
    lab.tc("a", "qdisc add dev eth0 root tbf rate 256kbit burst 2kb limit 1mb");
    let router =
        Router::new().route("/big", || ("/answer", "x".repeat(1_000))).route("/ping", || ("/pong", ()));
    let channel = lab.wait_on("a", Channel::udp((Ipv4Addr::UNSPECIFIED, PORT))).unwrap();
    let server = Server::new(router).listen("udp", channel).spawn();
    let slow = lab.on("b", || std::net::UdpSocket::bind("10.77.0.2:0").unwrap());
    let question = ("/big", ()).into_packet().unwrap().into_bytes();
    let flood = tokio::spawn(async move {
        loop {
            slow.send_to(&question, "10.77.0.1:9000").unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    while server.stats().replies + server.stats().replies_dropped < 500 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let good = lab.wait_on("c", Client::udp("10.78.0.1:9000")).unwrap();
    let (mut lost, mut worst) = (0, Duration::ZERO);
    for _ in 0..50 {
        let begin = Instant::now();
        match good.request(("/ping", ()), "/pong").timeout(Duration::from_millis(500)).await {
            Ok(_) => worst = worst.max(begin.elapsed()),
            Err(_) => lost += 1,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    flood.abort();
    let stats = server.shutdown().await;
    println!(
        "{lost} of 50 probes lost, the slowest answer after {worst:.1?}; {} replies dropped",
        stats.replies_dropped
    );
    assert_eq!(lost, 0);
    assert!(stats.replies_dropped > 500);
}

/// A channel is closed while replies wait for room in its socket: each reply that counts as sent arrives.
#[tokio::test(flavor = "multi_thread")]
async fn replies_that_wait_when_a_channel_closes_are_counted_as_dropped() {
    const ASKED: usize = 600;
    let Some(lab) = Lab::three_hosts() else { return };
    lab.tc("a", "qdisc add dev eth0 root tbf rate 1mbit burst 2kb limit 1mb");
    let router = Router::new().route("/big", || ("/answer", "x".repeat(700)));
    let channel = lab.wait_on("a", Udp::new("10.77.0.1:9000").bind()).unwrap();
    let server = Server::new(router).listen("udp", channel).spawn();
    let peer = lab.on("b", || std::net::UdpSocket::bind("10.77.0.2:0").unwrap());
    peer.set_read_timeout(Some(SOON)).unwrap();
    let question = ("/big", ()).into_packet().unwrap().into_bytes();
    for asked in 1..=ASKED as u64 {
        peer.send_to(&question, "10.77.0.1:9000").unwrap();
        while server.stats().handled < asked {
            tokio::task::yield_now().await;
        }
    }
    let stats = server.shutdown().await;
    let mut buffer = [0; 2_048];
    for n in 0..stats.replies {
        let received = peer.recv(&mut buffer);
        assert!(received.is_ok(), "{n} of {} replies arrive", stats.replies);
    }
    println!("{} of {ASKED} replies sent, {} dropped", stats.replies, stats.replies_dropped);
    assert_eq!((stats.replies + stats.replies_dropped) as usize, ASKED);
    assert!(stats.replies_dropped > 8, "some wait: {}", stats.replies_dropped);
}
