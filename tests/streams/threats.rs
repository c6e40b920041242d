//! What peers do to streams, each with its figure: floods, lies, silence, resets and cancelled
//! sends. (Bad escapes, splits and malformed packets: `streams_codec.rs` and `streams.rs`.)
#![cfg(feature = "net")]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpStream;
use tokio_osc::channel::{ConnectionEvent, Disconnect, Events, Outlet, StreamOptions};
use tokio_osc::codec::Codec;
use tokio_osc::{Args, Bytes, Channel, Client, LengthPrefix, Router, Server, ServerHandle, Slip, State};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, FramedRead};

use crate::support::{LOOPBACK, unused_address};

fn many() -> StreamOptions {
    StreamOptions::default().max_connections(2_000).max_connections_per_address(2_000)
}

async fn listen(
    framing: impl tokio_osc::codec::Framing,
    options: StreamOptions,
) -> (ServerHandle, SocketAddr, Outlet) {
    let channel = Channel::tcp_with(LOOPBACK, framing, options).await.unwrap();
    let (address, outlet) = (channel.local_addr().unwrap(), channel.outlet());
    let router = Router::with_state(outlet.clone())
        .route("/ping", |Args(n): Args<i32>| ("/pong", n))
        .route("/all", |State(all): State<Outlet>| all.broadcast(("/news", vec![0_u8; 10_000])).map(drop));
    (Server::new(router).listen("stage", channel).spawn(), address, outlet)
}

/// The next event that decides something about a connection.
async fn decided(events: &mut Events<ConnectionEvent>) -> ConnectionEvent {
    loop {
        match events.next().await.unwrap() {
            ConnectionEvent::Requested(_) | ConnectionEvent::Accepted(_) => {}
            event => return event,
        }
    }
}

/// The median round trip of 200 requests.
async fn round_trip(client: &Client) -> Duration {
    let mut times = Vec::new();
    for n in 0..200 {
        let start = Instant::now();
        client.request(("/ping", n), "/pong").await.unwrap();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// Resident memory of this process in KiB; 0 where the system does not tell.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Threat 25.
#[test]
fn a_hundred_megabytes_of_end_cost_nothing() {
    let mut slip = Slip::new();
    let mut src = BytesMut::with_capacity(64 * 1_024);
    let start = Instant::now();
    for _ in 0..100 * 1_024 / 64 {
        src.resize(64 * 1_024, 0xc0);
        assert_eq!(slip.decode(&mut src).unwrap(), None);
        assert!(src.is_empty());
        src.reserve(64 * 1_024);
        assert!(src.capacity() <= 64 * 1_024, "the buffer does not grow");
    }
    println!("100 MiB of END: {:.0} MiB/s", 100.0 / start.elapsed().as_secs_f64());
    src.extend_from_slice(b"frame\xc0");
    assert_eq!(slip.decode(&mut src).unwrap(), Some(Ok(Bytes::from_static(b"frame"))));
}

/// Threats 27 and 29: a claim of 2 GiB is over the limit, and ends its connection at once.
#[tokio::test]
async fn a_thousand_connections_that_claim_two_gibibytes_get_nothing() {
    const CLAIMS: usize = 1_000;
    let (server, address, outlet) = listen(LengthPrefix::new(), many()).await;
    let before = resident();
    let start = Instant::now();
    let mut claims = Vec::new();
    for _ in 0..CLAIMS {
        let mut claim = TcpStream::connect(address).await.unwrap();
        claim.write_all(&[0x7f, 0xff, 0xff, 0xff, 1, 2, 3]).await.unwrap();
        claims.push(claim);
    }
    for claim in &mut claims {
        assert!(matches!(claim.read(&mut [0; 1]).await, Ok(0) | Err(_)), "it was closed");
    }
    let after = resident();
    println!(
        "2 GiB claimed {CLAIMS} times: {} KiB each, all closed after {:?}",
        after.saturating_sub(before) / CLAIMS,
        start.elapsed()
    );
    assert!(after.saturating_sub(before) < 32 * CLAIMS, "at most 32 KiB each");
    assert!(outlet.connections().is_empty());
    server.shutdown().await;
}

/// Threat 27: a claim within the limit holds no more than the bytes received.
#[tokio::test]
async fn a_claimed_size_reserves_nothing() {
    const CLAIMS: usize = 1_000;
    let (server, address, outlet) = listen(LengthPrefix::new(), many()).await;
    let before = resident();
    let mut claims = Vec::new();
    for _ in 0..CLAIMS {
        let mut claim = TcpStream::connect(address).await.unwrap();
        claim.write_all(&[0, 0x10, 0, 0, 1, 2, 3]).await.unwrap();
        claims.push(claim);
    }
    let good = Client::tcp(address, LengthPrefix::new()).await.unwrap();
    round_trip(&good).await;
    let each = resident().saturating_sub(before) / CLAIMS;
    println!("1 MiB claimed {CLAIMS} times: {each} KiB each");
    assert_eq!(outlet.connections().len(), CLAIMS + 1, "they may still deliver");
    assert!(each < 32, "{each} KiB each");
    server.shutdown().await;
}

/// Threat 30.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_lorises_do_not_slow_a_good_client_and_are_cut() {
    const LORISES: usize = 500;
    let options = many().in_frame_timeout(Duration::from_secs(2));
    let (server, address, outlet) = listen(Slip::new(), options).await;
    let good = Client::tcp(address, Slip::new()).await.unwrap();
    let idle = round_trip(&good).await;
    let before = resident();
    let mut lorises = Vec::new();
    for _ in 0..LORISES {
        let mut loris = TcpStream::connect(address).await.unwrap();
        loris.write_all(b"\xc0/").await.unwrap();
        lorises.push(loris);
    }
    let start = Instant::now();
    let beside = round_trip(&good).await;
    let each = resident().saturating_sub(before) / LORISES;
    println!("round trip: {idle:?} alone, {beside:?} beside {LORISES} slow ones of {each} KiB each");
    assert!(beside < idle * 10, "{beside:?} against {idle:?}");
    for loris in &mut lorises {
        // A byte now and then is not progress.
        let _ = loris.try_write(b"a");
        assert!(matches!(loris.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    }
    println!("all cut after {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(6));
    assert_eq!(outlet.connections().len(), 1);
    round_trip(&good).await;
    server.shutdown().await;
}

/// Threat 32.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_peer_that_reads_nothing_delays_none_of_the_others() {
    const READERS: usize = 49;
    const ROUNDS: usize = 300;
    let options = many().write_timeout(Duration::from_millis(500)).send_queue(512 * 1_024);
    let (server, address, outlet) = listen(Slip::new(), options).await;
    let mut events = outlet.events();
    let stuck = TcpStream::connect(address).await.unwrap();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let client = Client::tcp(address, Slip::new()).await.unwrap();
        client.request(("/ping", 1), "/pong").await.unwrap();
        readers.push((client.subscribe("/news"), client));
    }
    let start = Instant::now();
    // Each round is waited for by all that read, so that only the stuck one falls behind. The
    // kernel takes some megabytes for it before its queue fills.
    for _ in 0..ROUNDS {
        readers[0].1.send(("/all", ())).await.unwrap();
        for (news, _) in &mut readers {
            news.next().await.unwrap();
        }
    }
    println!("{READERS} readers got all of {ROUNDS} x 10 kB in {:?}", start.elapsed());
    // Push on until the kernel's buffers are full for sure, then the write timeout runs.
    let cut = loop {
        outlet.broadcast(("/more", vec![0_u8; 60_000])).unwrap();
        let next = tokio::time::timeout(Duration::from_millis(1), events.next()).await;
        if let Ok(Some(ConnectionEvent::Disconnected { peer, reason })) = next {
            break (peer, reason);
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it was not cut");
    };
    println!("the stuck one was cut after {:?}: {}", start.elapsed(), cut.1);
    assert!(matches!(cut.1, Disconnect::WriteTimeout), "{}", cut.1);
    assert_eq!(cut.0.address(), Some(stuck.local_addr().unwrap()));
    round_trip(&readers[7].1).await;
    server.shutdown().await;
}

/// Threat 33, in a process of its own with few file descriptors.
#[cfg(target_os = "linux")]
#[test]
fn want_of_file_descriptors_pauses_accepting_and_harms_no_connection() {
    if std::env::var_os("FEW_FILES").is_some() {
        return few_files();
    }
    let this = std::env::current_exe().unwrap();
    let run = format!(
        "ulimit -n 64; FEW_FILES=1 exec '{}' --exact --nocapture threats::want_of_file_descriptors_pauses_accepting_and_harms_no_connection",
        this.display()
    );
    let output = std::process::Command::new("sh").args(["-c", &run]).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "current_thread")]
async fn few_files() {
    let (server, address, outlet) = listen(Slip::new(), many()).await;
    let mut events = outlet.events();
    let good = Client::tcp(address, Slip::new()).await.unwrap();
    round_trip(&good).await;
    // Take every descriptor, then free two: one for a client, none for the server's end of it.
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    files.pop();
    let waiting = TcpStream::connect(address).await.unwrap();
    let start = Instant::now();
    let mut failures = 0;
    while start.elapsed() < Duration::from_secs(1) {
        let left = Duration::from_secs(1).saturating_sub(start.elapsed());
        if let Ok(Some(event)) = tokio::time::timeout(left, events.next()).await {
            failures += usize::from(matches!(event, ConnectionEvent::AcceptFailed { .. }));
        }
    }
    println!("{failures} failed accepts in a second");
    assert!((1..100).contains(&failures));
    round_trip(&good).await;

    files.clear();
    let freed = Instant::now();
    while !matches!(decided(&mut events).await, ConnectionEvent::Connected(_)) {}
    println!("accepting again {:?} after files were freed", freed.elapsed());
    assert!(freed.elapsed() < Duration::from_millis(1_500));
    drop(waiting);
    server.shutdown().await;
}

/// Threat 34.
#[tokio::test]
async fn a_reset_at_any_offset_delivers_whole_packets_only() {
    let frame = b"\xc0/a\0\0,i\0\0\0\0\0\x07\xc0";
    let stream = [&frame[..], frame].concat();
    let mut delivered = [0_usize; 3];
    for offset in 0..=stream.len() {
        let channel = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        let (address, mut events, outlet) =
            (channel.local_addr().unwrap(), channel.events(), channel.outlet());
        let reader = tokio::spawn(channel.map(|(packet, _)| packet.unwrap().to_string()).collect::<Vec<_>>());
        let mut peer = TcpStream::connect(address).await.unwrap();
        assert!(matches!(decided(&mut events).await, ConnectionEvent::Connected(_)));
        peer.write_all(&stream[..offset]).await.unwrap();
        socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
        let ConnectionEvent::Disconnected { reason, .. } = decided(&mut events).await else { panic!() };
        assert!(matches!(reason, Disconnect::Failed(_)), "{reason}");
        outlet.close();
        let packets = reader.await.unwrap();
        let whole = offset / frame.len();
        assert!(
            packets.len() <= whole && packets.iter().all(|packet| packet == "/a ,i 7"),
            "{offset}: {packets:?}"
        );
        delivered[packets.len()] += 1;
    }
    println!("resets at {} offsets, by packets delivered: {delivered:?}", stream.len() + 1);
}

/// Threat 34.
#[tokio::test]
async fn a_refused_connect_is_an_error_at_once() {
    let address = unused_address();
    let error = Client::tcp(address, Slip::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Threat 61: 100,000 sends, most of them dropped after a few polls, through a window of one byte.
#[tokio::test]
async fn cancelled_sends_tear_no_frame() {
    const SENDS: i32 = 100_000;
    let (here, there) = duplex(1);
    let client = Client::io(here, Slip::new());
    let reader = tokio::spawn(
        FramedRead::new(there, Codec::new(Slip::new()))
            .map(|item| item.expect("the framing holds").expect("every packet is whole").to_string())
            .collect::<Vec<_>>(),
    );
    let mut finished = 0;
    let mut random = 1_u32;
    for n in 0..SENDS {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Some have the time that a frame needs, most have not.
        let mut polls = if n % 16 == 0 { 64 } else { random >> 29 };
        let mut send = pin!(client.send(("/n", n)));
        while polls > 0 {
            if let std::task::Poll::Ready(sent) = send.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                sent.unwrap();
                finished += 1;
                break;
            }
            polls -= 1;
            tokio::task::yield_now().await;
        }
    }
    client.send(("/last", ())).await.unwrap();
    client.close().await.unwrap();
    let mut received = reader.await.unwrap();
    assert_eq!(received.pop().as_deref(), Some("/last ,"));
    let numbers: Vec<i32> =
        received.iter().map(|line| line.strip_prefix("/n ,i ").unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order, none twice");
    println!("{SENDS} sends, {finished} finished, {} whole frames arrived, 0 torn", numbers.len());
    assert!(numbers.len() >= finished && numbers.len() < usize::try_from(SENDS).unwrap());
}
