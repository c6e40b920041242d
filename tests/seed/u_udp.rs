//! D, U and M. Addresses, UDP and multicast: rows that the tests of sockets do not cover.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use futures::StreamExt;
use tokio_osc::channel::PeerNames;
use tokio_osc::packet::SendErrorKind;
use tokio_osc::{Channel, Client, Multicast, Slip, Udp};

use super::LOOPBACK;
use crate::support::{unused_address, unused_port};

async fn next(channel: &mut Channel) -> String {
    channel.next().await.unwrap().0.unwrap().to_string()
}

/// Row D05.
#[tokio::test]
async fn several_addresses_are_tried_in_turn() {
    let nobody = unused_address();
    let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let somebody = channel.local_addr().unwrap();
    let client = Client::tcp(&[nobody, somebody][..], Slip::new()).await.unwrap();
    assert_eq!(client.peer_addr().unwrap(), somebody);
}

/// Row U09.
#[tokio::test]
async fn clients_share_a_port_when_both_ask_for_it() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let to = Udp::new(channel.local_addr().unwrap()).local((Ipv4Addr::LOCALHOST, unused_port()));
    let alone = to.clone().client().await.unwrap();
    assert!(to.clone().client().await.is_err());
    drop(alone);
    let shared = to.reuse_address(true);
    let clients = [shared.clone().client().await.unwrap(), shared.client().await.unwrap()];
    for client in &clients {
        client.send(("/a", ())).await.unwrap();
        assert_eq!(next(&mut channel).await, "/a ,");
    }
}

/// Row U11.
#[tokio::test]
async fn try_send_of_a_client_does_not_wait() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    client.try_send(("/at/once", ())).unwrap();
    assert_eq!(next(&mut channel).await, "/at/once ,");
}

/// Row U12.
/// There, one failed send ends the channel for good.
#[tokio::test]
async fn a_send_that_fails_is_an_error_and_the_next_one_goes_well() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    let client = Client::udp(address).await.unwrap();
    let error = client.send(("/large", vec![0_u8; 65_536])).await.unwrap_err();
    assert!(matches!(error.kind(), SendErrorKind::TooLarge { .. }));
    client.send(("/a", ())).await.unwrap();
    assert_eq!(next(&mut channel).await, "/a ,");

    // The system's refusal, too: a loopback socket cannot reach another host.
    let far: SocketAddr = ([192, 0, 2, 1], 9).into();
    let report = Udp::new(address).local(LOOPBACK).client().await.unwrap();
    let report = report.to([far, address]).unwrap().send(("/b", ())).await.unwrap();
    assert_eq!((report.sent, report.failed[0].0), (1, far.into()));
    assert_eq!(next(&mut channel).await, "/b ,");
}

/// Row U14.
/// More datagrams than one per turn: as many as are there, up to a bound.
#[tokio::test]
async fn one_wake_up_reads_all_datagrams_that_are_there() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    for n in 0..20 {
        client.send(("/n", n)).await.unwrap();
    }
    assert_eq!(next(&mut channel).await, "/n ,i 0");
    for n in 1..20 {
        let ready = futures::FutureExt::now_or_never(next(&mut channel));
        assert_eq!(ready.as_deref(), Some(format!("/n ,i {n}").as_str()), "without waiting again");
    }
}

/// Row M10.
/// The kernel lists the groups of a host; the address is written in its byte order.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_dropped_channel_has_left_its_group() {
    let group = Ipv4Addr::new(239, 255, 78, 10);
    let listed = format!("{:08X}", u32::from_ne_bytes(group.octets()));
    let joined = || std::fs::read_to_string("/proc/net/igmp").unwrap().contains(&listed);
    let channel = Multicast::new((group, unused_port())).interface(Ipv4Addr::LOCALHOST).join().unwrap();
    assert!(joined());
    drop(channel);
    assert!(!joined());
    // A sender joins nothing.
    let client = Multicast::new((group, unused_port())).interface(Ipv4Addr::LOCALHOST).client().unwrap();
    client.send(("/a", ())).await.unwrap();
    assert!(!joined());
}

/// Row D06.
/// There, a name that was found once is kept for good unless `dontcache` is set.
#[tokio::test]
async fn a_removed_name_is_looked_up_again() {
    let names = PeerNames::new();
    let asked = AtomicUsize::new(0);
    names.look_up(move |_| {
        let n = asked.fetch_add(1, SeqCst);
        async move { Some(format!("name {n}")) }
    });
    let peer = Ipv4Addr::new(192, 0, 2, 1);
    let name = async || loop {
        match names.get((peer, 9_000).into()) {
            Some(name) => return name.to_string(),
            None => tokio::task::yield_now().await,
        }
    };
    assert_eq!((name().await.as_str(), name().await.as_str()), ("name 0", "name 0"));
    names.remove(peer);
    assert_eq!(name().await, "name 1");
}
