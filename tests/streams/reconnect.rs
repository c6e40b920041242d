//! A client that connects again: what it sends, when, and the fate of every packet.
#![cfg(feature = "net")]

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_osc::channel::{Disconnect, StreamOptions};
use tokio_osc::client::{ClientState, Connect, Reconnecting};
use tokio_osc::codec::{Codec, Detect};
use tokio_osc::packet::{Overflow, SendErrorKind};
use tokio_osc::{Client, Slip};
use tokio_util::codec::Framed;

use crate::support::{ms, unused_address};

type Peer = Framed<DuplexStream, Codec<Slip>>;

/// Connects to pipes whose other ends come out of the receiver; after `refusals` failed attempts.
fn pipes(refusals: usize) -> (impl Connect<Io = DuplexStream>, mpsc::UnboundedReceiver<Peer>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut left = refusals;
    let connect = move || {
        let refused = left > 0;
        left = left.saturating_sub(1);
        let sender = sender.clone();
        async move {
            if refused {
                return Err(io::Error::from(io::ErrorKind::ConnectionRefused));
            }
            let (here, there) = duplex(1_024);
            sender
                .send(Framed::new(there, Codec::new(Slip::new())))
                .map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(here)
        }
    };
    (connect, receiver)
}

fn client<C: Connect>(connect: C) -> Reconnecting<C, Slip> {
    Client::reconnecting_with(connect, Slip::new())
}

async fn line(peer: &mut Peer) -> String {
    peer.next().await.unwrap().unwrap().unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn each_state_is_reported_once() {
    let connect = || async {
        tokio::time::sleep(ms(10)).await;
        Err::<DuplexStream, _>(io::ErrorKind::ConnectionRefused.into())
    };
    let client = client(connect).spawn().unwrap();
    let is_connecting = |state| async move { matches!(state, ClientState::Connecting) };
    let seen: Vec<_> = client.states().then(is_connecting).take(4).collect().await;
    assert_eq!(seen, [true, false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_sent_first_on_each_connection_and_messages_wait_for_it() {
    let (connect, mut peers) = pipes(2);
    let client = client(connect).on_connect(("/xremote", ())).on_connect(("/subscribe", 1)).spawn().unwrap();
    client.send(("/early", ())).await.unwrap();
    let mut pushed = client.subscribe("/push");
    for round in 0..3 {
        let mut peer = peers.recv().await.unwrap();
        assert_eq!(line(&mut peer).await, "/xremote ,");
        assert_eq!(line(&mut peer).await, "/subscribe ,i 1");
        assert_eq!(line(&mut peer).await, if round == 0 { "/early ," } else { "/again ," });
        peer.send(("/push", round)).await.unwrap();
        assert_eq!(pushed.next().await.unwrap().parse::<i32>().unwrap(), round);
        drop(peer);
        client.send(("/again", ())).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn keep_alives_are_sent_at_their_interval_and_only_while_connected() {
    let (connect, mut peers) = pipes(0);
    let _client = client(connect).keep_alive(ms(9_000), ("/xremote", ())).spawn().unwrap();
    let mut peer = peers.recv().await.unwrap();
    let start = Instant::now();
    for n in 1..=3 {
        assert_eq!(line(&mut peer).await, "/xremote ,");
        assert_eq!(start.elapsed(), ms(9_000) * n);
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_double_with_jitter_and_start_over_after_a_connection_that_lasted() {
    let (connect, mut peers) = pipes(6);
    let client = client(connect).backoff(ms(100), ms(1_000)).spawn().unwrap();
    let mut states = client.states();
    let mut pauses = VecDeque::from([100, 200, 400, 800, 1_000, 1_000]);
    while let Some(whole) = pauses.pop_front() {
        match states.next().await.unwrap() {
            ClientState::Waiting { retry_in, reason: Disconnect::Failed(_), unconfirmed: 0 } => {
                assert!((ms(whole) / 2..=ms(whole)).contains(&retry_in), "{retry_in:?} of {whole} ms");
            }
            _ => pauses.push_front(whole),
        }
    }
    let peer = peers.recv().await.unwrap();
    tokio::time::sleep(ms(2_000)).await;
    drop(peer);
    loop {
        if let ClientState::Waiting { retry_in, reason, .. } = states.next().await.unwrap() {
            if matches!(reason, Disconnect::ByPeer) {
                assert!(retry_in <= ms(100), "{retry_in:?}");
                return;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_does_what_its_policy_says() {
    async fn filled(policy: Overflow) -> (Client, usize) {
        let never = || std::future::pending::<io::Result<DuplexStream>>();
        // Room for eight packets of 12 bytes.
        let options = StreamOptions::default().send_queue(8 * (12 + 64));
        let client = client(never).options(options).overflow(policy).spawn().unwrap();
        let mut accepted = 0;
        for n in 0..10 {
            match tokio::time::timeout(ms(10), client.send(("/n", n))).await {
                Ok(Ok(())) => accepted += 1,
                Ok(Err(error)) => assert_eq!(error.kind(), SendErrorKind::Full),
                Err(_) => {}
            }
        }
        (client, accepted)
    }
    let (client, accepted) = filled(Overflow::DropOldest).await;
    let delivery = client.delivery().unwrap();
    assert_eq!((accepted, delivery.accepted, delivery.dropped, delivery.queued), (10, 10, 2, 8));
    for policy in [Overflow::DropNewest, Overflow::Wait] {
        let (client, accepted) = filled(policy).await;
        let delivery = client.delivery().unwrap();
        assert_eq!((accepted, delivery.accepted, delivery.dropped, delivery.queued), (8, 8, 0, 8));
    }
}

#[tokio::test]
async fn a_closed_client_sends_its_queue_and_its_states_end() {
    let (connect, mut peers) = pipes(0);
    let client = client(connect).spawn().unwrap();
    let peer = peers.recv().await.unwrap();
    for n in 0..100 {
        client.send(("/n", n)).await.unwrap();
    }
    let (closed, got) = tokio::join!(client.close(), peer.count());
    closed.unwrap();
    assert_eq!(got, 100);
    assert!(matches!(client.states().next().await, Some(ClientState::Closed)));
    assert!(matches!(client.send(("/late", ())).await.unwrap_err().kind(), SendErrorKind::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_closed_between_two_attempts_tries_once_more_at_once() {
    let (connect, mut peers) = pipes(1);
    let client = client(connect).spawn().unwrap();
    client.send(("/scene", 3)).await.unwrap();
    let mut states = client.states();
    while !matches!(states.recv().await.unwrap(), ClientState::Waiting { .. }) {}
    let start = Instant::now();
    let received = async { peers.recv().await.unwrap().count().await };
    let (closed, received) = tokio::join!(client.close(), received);
    closed.unwrap();
    assert_eq!((received, start.elapsed()), (1, Duration::ZERO));
}

/// A packet that the framing cannot hold, sent by the library itself, is none of those accepted.
#[tokio::test(start_paused = true)]
async fn a_packet_of_its_own_that_cannot_be_framed_is_not_counted() {
    let (connect, mut peers) = pipes(0);
    let client = Client::reconnecting_with(connect, Slip::new().max_frame(16))
        .on_connect(("/much/too/long/for/the/framing", ()))
        .spawn()
        .unwrap();
    client.send(("/n", 1)).await.unwrap();
    let mut peer = peers.recv().await.unwrap();
    assert_eq!(line(&mut peer).await, "/n ,i 1");
    let delivery = client.delivery().unwrap();
    assert_eq!((delivery.accepted, delivery.sent, delivery.dropped, delivery.queued), (1, 1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_an_attempt_to_connect() {
    let never = || std::future::pending::<io::Result<DuplexStream>>();
    let client = client(never).spawn().unwrap();
    tokio::time::sleep(ms(10)).await;
    let start = Instant::now();
    client.close().await.unwrap();
    assert!(start.elapsed() <= ms(1_000), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn pauses_double_however_long_an_attempt_takes_to_fail() {
    let slow = || async {
        tokio::time::sleep(ms(3_000)).await;
        Err::<DuplexStream, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
    };
    let client = client(slow).backoff(ms(100), ms(1_000)).spawn().unwrap();
    let mut states = client.states();
    let mut pauses = VecDeque::from([100, 200, 400, 800, 1_000]);
    while let Some(whole) = pauses.pop_front() {
        match states.next().await.unwrap() {
            ClientState::Waiting { retry_in, .. } => {
                assert!((ms(whole) / 2..=ms(whole)).contains(&retry_in), "{retry_in:?} of {whole} ms");
            }
            _ => pauses.push_front(whole),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_ends_with_the_last_clone_of_its_client() {
    let (connect, mut peers) = pipes(0);
    let client = client(connect).spawn().unwrap();
    let mut pushed = client.subscribe("/push");
    let _peer = peers.recv().await.unwrap();
    drop(client);
    assert!(tokio::time::timeout(ms(1_000), pushed.next()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_function_that_panics_has_failed_to_connect_and_its_client_waits_for_the_next_attempt() {
    let client = client(|| -> std::future::Ready<io::Result<DuplexStream>> { panic!("no way there") })
        .overflow(Overflow::Wait)
        .spawn()
        .unwrap();
    client.send(("/early", ())).await.unwrap();
    let mut states = client.states();
    for _attempt in 0..3 {
        let reason = loop {
            if let ClientState::Waiting { reason, .. } = states.recv().await.unwrap() {
                break reason;
            }
        };
        assert_eq!(reason.to_string(), "the function that connects panicked");
    }
    assert_eq!(client.delivery().unwrap().queued, 1);
    assert!(client.close().await.is_err(), "a packet was not delivered");
    assert!(matches!(client.send(("/late", ())).await.unwrap_err().kind(), SendErrorKind::Closed));
}

/// A peer that reads only after its own packets were read.
#[tokio::test(start_paused = true)]
async fn a_client_with_much_to_send_reads_on() {
    let (connect, mut peers) = pipes(0);
    let options = StreamOptions::default().send_queue(8 * 1_024);
    let client = client(connect).options(options).overflow(Overflow::Wait).spawn().unwrap();
    let mut peer = peers.recv().await.unwrap();
    let sending = async {
        for n in 0..20_000 {
            client.send(("/n", n)).await.unwrap();
        }
    };
    let answering = async {
        tokio::time::sleep(ms(100)).await;
        for n in 0..20_000 {
            peer.send(("/push", n)).await.unwrap();
        }
        for n in 0..20_000 {
            assert_eq!(line(&mut peer).await, format!("/n ,i {n}"));
        }
    };
    let start = Instant::now();
    tokio::join!(sending, answering);
    assert!(start.elapsed() < ms(1_000), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn on_each_connection_packets_wait_for_a_detected_framing() {
    let (connect, mut peers) = pipes(0);
    let _client =
        Client::reconnecting_with(connect, Detect::new()).on_connect(("/xremote", ())).spawn().unwrap();
    let mut peer = peers.recv().await.unwrap();
    tokio::time::sleep(ms(10)).await;
    peer.send(("/hello", ())).await.unwrap();
    assert_eq!(tokio::time::timeout(ms(1_000), line(&mut peer)).await.unwrap(), "/xremote ,");
}

#[tokio::test(start_paused = true)]
async fn the_longest_timeouts_never_expire() {
    let (connect, mut peers) = pipes(1);
    let options = StreamOptions::default()
        .in_frame_timeout(Duration::MAX)
        .idle_timeout(Some(Duration::MAX))
        .write_timeout(Duration::MAX);
    let client = client(connect)
        .options(options)
        .backoff(ms(1), Duration::MAX)
        .keep_alive(Duration::MAX, ("/alive", ()))
        .spawn()
        .unwrap();
    let mut peer = peers.recv().await.unwrap();
    peer.get_mut().write_all(b"\xc0/half").await.unwrap();
    for n in 0..1_000 {
        client.send(("/n", n)).await.unwrap();
    }
    tokio::time::sleep(ms(100_000)).await;
    for n in 0..1_000 {
        assert_eq!(line(&mut peer).await, format!("/n ,i {n}"));
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_even_from_none() {
    let (connect, mut peers) = pipes(100);
    let _client = client(connect).backoff(Duration::ZERO, ms(8)).spawn().unwrap();
    let start = Instant::now();
    peers.recv().await.unwrap();
    assert!(start.elapsed() > ms(90 * 4), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_shortest_interval_is_a_millisecond() {
    let (connect, mut peers) = pipes(0);
    let _client = client(connect).keep_alive(Duration::ZERO, ("/alive", ())).spawn().unwrap();
    let mut peer = peers.recv().await.unwrap();
    let start = Instant::now();
    for n in 1..=3 {
        assert_eq!(line(&mut peer).await, "/alive ,");
        assert_eq!(start.elapsed(), ms(n));
    }
}

/// The server dies and comes back 20 times while a client sends. Each packet that was accepted is
/// received, or lost on a connection whose end was reported; what each connection lost are the last
/// packets that were handed to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_accepted_packet_is_delivered_or_accounted_for() {
    const KILLS: usize = 20;
    let address = unused_address();
    let options = StreamOptions::default().send_queue(16 * 1_024 * 1_024);
    let client = Client::reconnecting(address, Slip::new())
        .options(options)
        .overflow(Overflow::DropNewest)
        .backoff(ms(5), ms(20))
        .spawn()
        .unwrap();

    let received: Arc<Mutex<Vec<Vec<i32>>>> = Arc::default();
    let (lives, mut next_life) = mpsc::unbounded_channel();
    let server = tokio::spawn({
        let received = Arc::clone(&received);
        async move {
            for life in 0..=KILLS {
                let listener = TcpListener::bind(address).await.unwrap();
                let (stream, _) = listener.accept().await.unwrap();
                lives.send(life).unwrap();
                let mut packets = Framed::new(stream, Codec::new(Slip::new()));
                let mut numbers = Vec::new();
                while let Some(Ok(packet)) = packets.next().await {
                    let line = packet.unwrap().to_string();
                    numbers.push(line.strip_prefix("/n ,i ").unwrap().parse::<i32>().unwrap());
                    if life < KILLS && numbers.len() == 500 {
                        break; // Killed: what is not read yet is lost.
                    }
                }
                received.lock().unwrap().push(numbers);
            }
        }
    });

    let mut accepted = 0_i32;
    while next_life.try_recv() != Ok(KILLS) {
        if client.send(("/n", accepted)).await.is_ok() {
            accepted += 1;
        }
        if accepted % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    while client.delivery().unwrap().queued > 0 {
        tokio::task::yield_now().await;
    }
    client.close().await.unwrap();
    server.await.unwrap();

    let delivery = client.delivery().unwrap();
    assert_eq!(delivery.accepted, u64::try_from(accepted).unwrap());
    assert_eq!((delivery.dropped, delivery.queued), (0, 0));
    assert_eq!(delivery.accepted, delivery.sent, "all was handed to some connection");

    let received = received.lock().unwrap();
    let (mut next, mut lost) = (0, 0);
    for (life, numbers) in received.iter().enumerate() {
        // Packets between the lives: the last that the connection before was handed.
        let first = numbers.first().copied().unwrap_or(next);
        assert!(first >= next, "none twice");
        lost += first - next;
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "none missing within life {life}");
        next = numbers.last().map_or(first, |last| last + 1);
    }
    assert_eq!(next, accepted, "the last connection, closed in order, lost nothing");
    let delivered: usize = received.iter().map(Vec::len).sum();
    let in_the_end = u64::try_from(received[KILLS].len()).unwrap();
    assert_eq!(
        delivery.sent - delivery.unconfirmed,
        in_the_end,
        "all but the last connection broke, as reported"
    );
    assert!(u64::try_from(lost).unwrap() <= delivery.unconfirmed);
    println!(
        "{accepted} accepted = {delivered} delivered + {lost} lost in the {KILLS} connections that broke"
    );
    assert_eq!(delivered + usize::try_from(lost).unwrap(), usize::try_from(accepted).unwrap());
}
