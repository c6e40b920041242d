//! Faults and attacks on UDP, one test per row of the list of threats that one host can show (35 to
//! 48). Rows 39, 41 to 44, 46 and 47 are in `netns.rs`: they take several.
#![cfg(feature = "net")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::time::timeout;
use tokio_osc::channel::UdpMonitor;
use tokio_osc::packet::{IntoPacket, SendErrorKind};
use tokio_osc::{
    Args, Bundle, Channel, Client, Message, Meta, Router, Server, ServerHandle, State, TimeTag, Udp,
};

use crate::support::{LOOPBACK, unused_address};

const SOON: Duration = Duration::from_secs(20);

fn packet(packet: impl IntoPacket) -> Vec<u8> {
    packet.into_packet().unwrap().as_bytes().to_vec()
}

/// Waits until a server has received, and the kernel dropped, as many as were offered.
async fn all_accounted(server: &ServerHandle, monitor: &UdpMonitor, offered: u64) {
    let settled = async {
        while server.stats().received + monitor.stats().unwrap().kernel_drops.unwrap() < offered {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, settled).await.expect("every packet is accounted for");
}

/// Threat 35. Offered = handled + dropped by the kernel, under a reader that stalls for 100 ms at 50,000
/// packets a second.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_buffer_loses_is_counted_and_a_larger_buffer_loses_nothing() {
    const OFFERED: u64 = 5_000;
    const GAP: Duration = Duration::from_micros(20);

    async fn stalled(options: Udp) -> (u64, u64, usize) {
        let channel = options.bind().await.unwrap();
        let (address, monitor) = (channel.local_addr().unwrap(), channel.monitor().unwrap());
        let (all_sent, wait) = mpsc::channel();
        let state = Mutex::new(Some(wait));
        let router =
            Router::with_state(state).route("/n", |State(wait): State<Mutex<Option<Receiver<()>>>>| {
                // The first stalls the reader until all others were sent.
                if let Some(wait) = wait.lock().unwrap().take() {
                    wait.recv().unwrap();
                }
            });
        let server = Server::new(router).listen("udp", channel).spawn();
        let sender = std::thread::spawn(move || {
            let socket = UdpSocket::bind(LOOPBACK).unwrap();
            let datagram = packet(("/n", 1));
            let begin = Instant::now();
            for n in 0..OFFERED as u32 {
                while begin.elapsed() < GAP * n {
                    std::hint::spin_loop();
                }
                socket.send_to(&datagram, address).unwrap();
            }
            all_sent.send(()).unwrap();
        });
        sender.join().unwrap();
        all_accounted(&server, &monitor, OFFERED).await;
        let size = monitor.stats().unwrap().receive_buffer;
        let drops = monitor.stats().unwrap().kernel_drops.unwrap();
        (server.shutdown().await.handled, drops, size)
    }

    let (handled, drops, size) = stalled(Udp::new(LOOPBACK)).await;
    println!("default buffer, {size} bytes: offered {OFFERED} = handled {handled} + kernel {drops}");
    assert_eq!(handled + drops, OFFERED);
    assert!(drops > 0);
    let (handled, drops, size) = stalled(Udp::new(LOOPBACK).receive_buffer(4 << 20)).await;
    println!("4 MiB buffer, {size} bytes: offered {OFFERED} = handled {handled} + kernel {drops}");
    assert_eq!(handled + drops, OFFERED);
    // The kernel grants as much as `net.core.rmem_max` says, which may be less.
    assert!(drops == 0 || size < 8 << 20, "{drops} of {OFFERED} dropped");
}

/// Threat 36. A flood into a slow handler: the queue is bounded, the accounts add up, the order stays, and
/// later requests are answered.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_waits_in_bounded_queues_and_is_accounted_for() {
    const OFFERED: u64 = 50_000;
    type Handled = Arc<Mutex<Vec<(i32, Duration)>>>;

    let handled = Handled::default();
    let router = Router::with_state(Arc::clone(&handled))
        .route("/n", async |State(handled): State<Handled>, Args(n): Args<i32>, meta: Meta| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let age = meta.received_at.elapsed().unwrap_or_default();
            handled.lock().unwrap().push((n, age));
        })
        .route("/ping", || ("/pong", ()));
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let (address, monitor) = (channel.local_addr().unwrap(), channel.monitor().unwrap());
    let server = Server::new(router).listen("udp", channel).inbox(64).spawn();
    let sender = std::thread::spawn(move || {
        let socket = UdpSocket::bind(LOOPBACK).unwrap();
        for n in 0..OFFERED as i32 {
            socket.send_to(&packet(("/n", n)), address).unwrap();
        }
    });
    sender.join().unwrap();
    all_accounted(&server, &monitor, OFFERED).await;
    Client::udp(address).await.unwrap().request(("/ping", ()), "/pong").timeout(SOON).await.unwrap();
    let drops = monitor.stats().unwrap().kernel_drops.unwrap();
    let stats = server.shutdown().await;
    assert_eq!(stats.handled - 1 + drops, OFFERED);
    let handled = std::mem::take(&mut *handled.lock().unwrap());
    assert!(handled.is_sorted_by_key(|(n, _)| *n), "in order");
    let mut ages: Vec<_> = handled.iter().map(|(_, age)| *age).collect();
    ages.sort();
    let p99 = ages[ages.len() * 99 / 100];
    println!(
        "offered {OFFERED} = handled {} + kernel {drops}; age after reading, p99 {p99:?}",
        stats.handled - 1
    );
    // 64 wait, each for some 1 to 2 ms; the machine may be busy.
    assert!(p99 < Duration::from_secs(5));
}

/// Threat 37. Ten packets to a port without a listener, then ten to the server that was started
/// there: 10 of 10 are delivered, connected or not.
#[tokio::test]
async fn a_dead_port_costs_nothing_once_it_lives() {
    for connected in [true, false] {
        let address = unused_address();
        let options = Udp::new(address);
        let client = if connected { options.connect().await } else { options.client().await }.unwrap();
        for _ in 0..10 {
            client.send(("/early", ())).await.unwrap();
        }
        let mut server = Channel::udp(address).await.unwrap();
        for n in 0..10 {
            client.send(("/n", n)).await.unwrap();
        }
        for n in 0..10 {
            let (packet, _) = timeout(SOON, server.next()).await.unwrap().unwrap();
            assert_eq!(packet.unwrap().to_string(), format!("/n ,i {n}"));
        }
        let stats = client.monitor().unwrap().stats().unwrap();
        println!("connected {connected}: 10 of 10, {} sent again", stats.sent_again);
        assert_eq!((stats.sent_again > 0, stats.send_errors), (connected && cfg!(target_os = "linux"), 0));
    }
}

/// Threat 37. The same from a channel that also receives: its loop stays alive.
#[tokio::test]
async fn a_channel_that_sends_to_a_dead_port_goes_on_receiving() {
    let dead = unused_address();
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let to_dead = channel.client_to(dead).unwrap();
    let to_self = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    for n in 0..10 {
        to_dead.send(("/dead", ())).await.unwrap();
        to_self.send(("/n", n)).await.unwrap();
        let (packet, _) = timeout(SOON, channel.next()).await.unwrap().unwrap();
        assert_eq!(packet.unwrap().to_string(), format!("/n ,i {n}"));
    }
}

/// Threat 38. One bad datagram is one error item with its sender, whatever it holds.
#[tokio::test]
async fn one_bad_datagram_is_one_item() {
    let mut channel = Channel::udp(LOOPBACK).await.unwrap();
    let sender = UdpSocket::bind(LOOPBACK).unwrap();
    let garbage = vec![0x55; 65_000];
    for bad in [&b""[..], b"x", b"/a\0\0,i\0\0", b"#bundle\0", &garbage] {
        sender.send_to(bad, channel.local_addr().unwrap()).unwrap();
        sender.send_to(&packet(("/good", ())), channel.local_addr().unwrap()).unwrap();
        let (error, meta) = timeout(SOON, channel.next()).await.unwrap().unwrap();
        assert!(error.is_err(), "{bad:?}");
        assert_eq!(meta.peer.address(), Some(sender.local_addr().unwrap()));
        let (good, _) = timeout(SOON, channel.next()).await.unwrap().unwrap();
        assert_eq!(good.unwrap().to_string(), "/good ,", "one item and no more");
    }
}

/// Threat 39. The largest packets that UDP carries arrive whole; one more byte is an error before the
/// system call.
#[tokio::test]
async fn the_largest_packets_arrive_whole_and_larger_ones_are_not_sent() {
    for (host, largest) in [(Ipv4Addr::LOCALHOST.into(), 65_504), (Ipv6Addr::LOCALHOST.into(), 65_524)] {
        let mut channel = Channel::udp(SocketAddr::new(host, 0)).await.unwrap();
        let client = Udp::new(channel.local_addr().unwrap()).send_buffer(1 << 20).client().await.unwrap();
        let blob = |size: usize| Message::new("/b", vec![7_u8; size - 12]).unwrap();
        assert_eq!(blob(largest).as_bytes().len(), largest);
        client.send(blob(largest)).await.unwrap();
        let (packet, _) = timeout(SOON, channel.next()).await.unwrap().unwrap();
        assert_eq!(packet.unwrap().as_bytes().len(), largest);
        let error = client.send(blob(largest + 4)).await.unwrap_err();
        assert!(matches!(error.kind(), SendErrorKind::TooLarge { .. }), "{error}");
    }
}

/// Threat 40. A wildcard query to 1,000 methods that answer: the answers have a budget.
#[tokio::test]
async fn one_query_is_answered_within_a_budget() {
    let mut router = Router::new();
    for n in 0..1_000 {
        let method = format!("/method/{n}");
        let reply = method.clone();
        router = router.route(method, move || (reply.clone(), "a value of this method"));
    }
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(router).listen("udp", channel).spawn();
    let socket = tokio::net::UdpSocket::bind(LOOPBACK).await.unwrap();
    let query = packet(("/method/*", ()));
    socket.send_to(&query, address).await.unwrap();
    let (mut replies, mut bytes, mut buffer) = (0, 0, [0; 1_024]);
    while server.stats().replies_dropped < 1_000 - 64 || replies < 64 {
        let read = timeout(SOON, socket.recv_from(&mut buffer)).await.unwrap().unwrap();
        replies += 1;
        bytes += read.0;
    }
    let stats = server.shutdown().await;
    assert_eq!((stats.replies, stats.replies_dropped), (64, 936));
    println!("{} bytes asked, {bytes} bytes answered: x {}", query.len(), bytes / query.len());
    assert!(bytes <= 64 * 1_024);
}

/// Threat 40. A question for each reply: a source has its burst of answers and no more, other sources theirs.
#[tokio::test]
async fn many_queries_of_one_source_are_answered_within_its_rate() {
    let router = Router::new().route("/status", || ("/status", "a value"));
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let address = channel.local_addr().unwrap();
    let server = Server::new(router).listen("udp", channel).reply_rate(1, 5).spawn();
    let (flood, other) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.2:0").unwrap());
    let begin = Instant::now();
    for _ in 0..100 {
        flood.send_to(&packet(("/status", ())), address).unwrap();
    }
    other.send_to(&packet(("/status", ())), address).unwrap();
    while server.stats().handled < 101 {
        tokio::task::yield_now().await;
    }
    let stats = server.shutdown().await;
    assert_eq!(stats.replies + stats.replies_over_rate, 101);
    assert!((6..=7 + begin.elapsed().as_secs()).contains(&stats.replies), "{stats}");
    other.set_nonblocking(true).unwrap();
    assert!(other.recv(&mut [0; 64]).is_ok(), "another source has its answer");
}

/// Threat 45. A port is taken once; who shares it on purpose learns how the system shares.
#[tokio::test]
async fn a_second_program_cannot_take_over_a_port() {
    let mut first = Channel::udp(LOOPBACK).await.unwrap();
    let address = first.local_addr().unwrap();
    for options in [Udp::new(address), Udp::new(address).reuse_address(true).reuse_port(true)] {
        let error = options.bind().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
    let client = Client::udp(address).await.unwrap();
    for _ in 0..10 {
        client.send(("/mine", ())).await.unwrap();
    }
    let mine = first.by_ref().take(10).count();
    assert_eq!(timeout(SOON, mine).await.unwrap(), 10, "the share of the first: all");
}

/// Threat 48. Lost, doubled and reordered datagrams: bundles with time tags come out in the order of their
/// tags, and nothing more than once that came once.
#[tokio::test]
async fn timed_bundles_come_out_in_order_whatever_the_network_does() {
    const OFFERED: usize = 400;
    type Seen = Arc<Mutex<Vec<(TimeTag, i32)>>>;

    let seen = Seen::default();
    let router = Router::with_state(Arc::clone(&seen)).route(
        "/n",
        |State(seen): State<Seen>, Args(n): Args<i32>, meta: Meta| {
            seen.lock().unwrap().push((meta.time_tag.unwrap(), n));
        },
    );
    let channel = Channel::udp(LOOPBACK).await.unwrap();
    let client = Client::udp(channel.local_addr().unwrap()).await.unwrap();
    let server = Server::new(router).listen("udp", channel).spawn();

    let start = TimeTag::after(Duration::from_millis(300));
    let bundles: Vec<_> = (0..OFFERED)
        .map(|n| {
            Bundle::at(start + Duration::from_micros(250) * n as u32).with(("/n", n as i32)).build().unwrap()
        })
        .collect();
    let mut times = HashMap::new();
    for window in (0..OFFERED).collect::<Vec<_>>().chunks(5) {
        // The last of each five comes first; every hundredth is lost, every hundredth comes twice.
        for &n in window.iter().rev() {
            let copies = match n % 100 {
                17 => 0,
                42 => 2,
                _ => 1,
            };
            times.insert(n as i32, copies);
            for _ in 0..copies {
                client.send(&bundles[n]).await.unwrap();
            }
        }
    }
    let sent: usize = times.values().sum();
    let run = async {
        while seen.lock().unwrap().len() < sent {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, run).await.unwrap();
    server.shutdown().await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.is_sorted_by_key(|(tag, _)| *tag), "in the order of the tags");
    for (_, n) in &seen {
        *times.get_mut(n).unwrap() -= 1;
    }
    assert!(times.values().all(|left| *left == 0), "each as often as it came");
}
