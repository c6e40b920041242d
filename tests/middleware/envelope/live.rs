//! Each guard on live UDP and TCP, both ways.

use std::time::Duration;

use futures::StreamExt;
use tokio_osc::channel::StreamOptions;
use tokio_osc::codec::Codec;
use tokio_osc::middleware::{ChaCha20Poly1305, Crc32, Envelope, EnvelopeFault, HmacSha256, ReplayWindow};
use tokio_osc::packet::DecodeErrorKind;
use tokio_osc::{Args, Channel, Client, Packet, Router, Server, Slip, Udp};

use super::guard::{close, gain};
use crate::support::guards::WrongSum;

const LOCAL: &str = "127.0.0.1:0";

/// A guard: its two ends, an attacker without their keys, and the outcome of the attacker's packets and of a
/// replayed packet.
struct Guard {
    end: fn() -> Envelope,
    forger: fn() -> Envelope,
    forged: EnvelopeFault,
    again: Option<EnvelopeFault>,
}

fn guards() -> [Guard; 4] {
    let checksum = Guard {
        end: || Envelope::builder().checksum(Crc32).build().unwrap(),
        forger: || Envelope::builder().checksum(WrongSum).build().unwrap(),
        forged: EnvelopeFault::Corrupted,
        again: None,
    };
    let signature = Guard {
        end: || Envelope::builder().signature(HmacSha256::new("key")).build().unwrap(),
        forger: || Envelope::builder().signature(HmacSha256::new("guess")).build().unwrap(),
        forged: EnvelopeFault::InvalidSignature,
        again: None,
    };
    let cipher = Guard {
        end: || Envelope::builder().cipher(ChaCha20Poly1305::new(&[7; 32])).build().unwrap(),
        forger: || Envelope::builder().cipher(ChaCha20Poly1305::new(&[8; 32])).build().unwrap(),
        forged: EnvelopeFault::Undecipherable,
        again: None,
    };
    let all = Guard {
        end: || all_with("key"),
        forger: || all_with("guess"),
        forged: EnvelopeFault::InvalidSignature,
        again: Some(EnvelopeFault::Replayed),
    };
    [checksum, signature, cipher, all]
}

fn all_with(key: &str) -> Envelope {
    let signed = Envelope::builder().checksum(Crc32).signature(HmacSha256::new(key));
    let sealed = signed.cipher(ChaCha20Poly1305::new(&[7; 32]));
    sealed.replay_window(ReplayWindow::new()).build().unwrap()
}

fn guarded(envelope: Envelope) -> StreamOptions {
    StreamOptions::default().middleware(envelope)
}

/// Four packets on the wire: one without a guard, a forged one, a genuine one, the same again.
fn attack(guard: &Guard) -> [Packet; 4] {
    let genuine = close(&(guard.end)(), &gain());
    [gain(), close(&(guard.forger)(), &gain()), genuine.clone(), genuine]
}

/// The outcome of an [`attack`].
fn outcome(guard: &Guard) -> [Result<Packet, DecodeErrorKind>; 4] {
    let refused = |fault: EnvelopeFault| Err(DecodeErrorKind::Refused(fault.text()));
    let again = guard.again.map_or(Ok(gain()), refused);
    [refused(EnvelopeFault::NotAnEnvelope), refused(guard.forged), Ok(gain()), again]
}

/// A channel refuses what it must, as items, and goes on.
async fn channel_is_guarded(mut channel: Channel, attacker: Client, guard: &Guard) {
    for (packet, expected) in attack(guard).into_iter().zip(outcome(guard)) {
        attacker.send(packet).await.unwrap();
        let (item, _) = channel.next().await.unwrap();
        assert_eq!(item.map_err(|error| error.kind()), expected);
    }
    let refused = outcome(guard).iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(channel.outlet().filtered().refused_in, refused as u64);
}

/// A client refuses what it must, and receives the rest.
async fn client_is_guarded(client: Client, mut attacker: Channel, guard: &Guard) {
    let mut heard = client.subscribe("/*");
    client.send(("/hello", ())).await.unwrap();
    let (hello, meta) = attacker.next().await.unwrap();
    assert!(hello.unwrap().to_string().starts_with("/packet ,sbsbsb "), "what it sends is guarded");
    let outlet = attacker.outlet();
    let reading = tokio::spawn(async move { while attacker.next().await.is_some() {} });
    for (packet, expected) in attack(guard).into_iter().zip(outcome(guard)) {
        let refused = client.filtered().refused_in;
        outlet.send_to(meta.peer, packet).await.unwrap();
        if let Ok(expected) = expected {
            assert_eq!(Packet::from(heard.next().await.unwrap()), expected);
            continue;
        }
        // A genuine one behind it, to wait for: order is kept.
        outlet.send_to(meta.peer, close(&(guard.end)(), &gain())).await.unwrap();
        assert_eq!(Packet::from(heard.next().await.unwrap()), gain());
        assert_eq!(client.filtered().refused_in, refused + 1, "{expected:?}");
    }
    reading.abort();
}

/// Both ends guarded: requests and their replies pass. An end without a guard is not heard.
async fn both_are_guarded(channel: Channel, client: Client, stranger: Client) {
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let server = Server::new(router).listen("guarded", channel).spawn();
    for n in 0..10 {
        assert_eq!(client.request(("/ping", n), "/pong").await.unwrap().parse::<i32>().unwrap(), n);
    }
    assert!(stranger.request(("/ping", 1), "/pong").timeout(Duration::from_millis(20)).await.is_err());
    let stats = server.shutdown().await;
    assert_eq!((stats.handled, stats.replies), (10, 10));
}

#[tokio::test]
async fn udp_is_guarded_both_ways() {
    for guard in guards() {
        let bind = || async { Udp::new(LOCAL).middleware((guard.end)()).bind().await.unwrap() };
        let client = |to| async move { Udp::new(to).middleware((guard.end)()).client().await.unwrap() };

        let channel = bind().await;
        let attacker = Client::udp(channel.local_addr().unwrap()).await.unwrap();
        channel_is_guarded(channel, attacker, &guard).await;

        let attacker = Channel::udp(LOCAL).await.unwrap();
        client_is_guarded(client(attacker.local_addr().unwrap()).await, attacker, &guard).await;

        let channel = bind().await;
        let address = channel.local_addr().unwrap();
        both_are_guarded(channel, client(address).await, Client::udp(address).await.unwrap()).await;
    }
}

#[tokio::test]
async fn tcp_is_guarded_both_ways() {
    for guard in guards() {
        let listen =
            || async { Channel::tcp_with(LOCAL, Slip::new(), guarded((guard.end)())).await.unwrap() };
        let client = |to: std::net::SocketAddr| async move {
            Client::tcp_with(to, Slip::new(), guarded((guard.end)())).await.unwrap()
        };

        let channel = listen().await;
        let attacker = Client::tcp(channel.local_addr().unwrap(), Slip::new()).await.unwrap();
        channel_is_guarded(channel, attacker, &guard).await;

        let attacker = Channel::tcp(LOCAL, Slip::new()).await.unwrap();
        client_is_guarded(client(attacker.local_addr().unwrap()).await, attacker, &guard).await;

        let channel = listen().await;
        let address = channel.local_addr().unwrap();
        let stranger = Client::tcp(address, Slip::new()).await.unwrap();
        both_are_guarded(channel, client(address).await, stranger).await;
    }
}

/// Bare `Framed` users have it, too.
#[tokio::test]
async fn a_bare_codec_is_guarded() {
    use futures::SinkExt;
    use tokio_util::codec::Framed;

    for guard in guards() {
        let (here, there) = tokio::io::duplex(4_096);
        let mut bare = Framed::new(here, Codec::new(Slip::new()));
        let mut ours = Framed::new(there, Codec::new(Slip::new()).middleware((guard.end)()));
        for (packet, expected) in attack(&guard).into_iter().zip(outcome(&guard)) {
            bare.send(packet).await.unwrap();
            let item = ours.next().await.unwrap().unwrap();
            assert_eq!(item.map_err(|error| error.kind()), expected);
        }
        ours.send(gain()).await.unwrap();
        let sent = bare.next().await.unwrap().unwrap().unwrap();
        assert_eq!(super::guard::open(&(guard.end)(), &sent), Ok(gain()));
    }
}
