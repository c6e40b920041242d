//! The envelope against osc4py3's packet control, both ways: it opens what we send, and we open what
//! it sends back.

use std::net::Ipv4Addr;

use tokio_osc::middleware::{Crc32, Envelope, EnvelopeFault, HmacSha256, Middleware};
use tokio_osc::packet::{DecodeErrorKind, IntoPacket};
use tokio_osc::{Client, Message, Meta, Packet, Peer, TimeTag, Udp};

use crate::nested_bundle;
use crate::program::{Program, limited, python};
use crate::support::guards::{WrongSum, Xor5a};

/// What the peer has under these letters.
fn envelope(functions: &str) -> Envelope {
    let mut builder = Envelope::builder();
    for letter in functions.chars() {
        builder = match letter {
            'c' => builder.checksum(Crc32),
            'a' => builder.signature(HmacSha256::new("key")),
            _ => builder.cipher(Xor5a),
        };
    }
    if functions.is_empty() { Envelope::plain() } else { builder.build().unwrap() }
}

async fn peer(arguments: &[&str]) -> (Program, u16) {
    let mut command = python("osc4py3_peer.py");
    command.arg("guarded").args(arguments);
    Program::ready(command).await
}

async fn client(port: u16, envelope: Envelope) -> Client {
    Udp::new((Ipv4Addr::LOCALHOST, port)).middleware(envelope).client().await.unwrap()
}

/// The reply to a packet: the same packet, if the peer opened ours and we opened its envelope.
async fn echo(client: &Client, packet: impl IntoPacket) -> Message {
    limited("the echo", async { client.request(packet, "/*").await.unwrap() }).await
}

#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn osc4py3_opens_our_envelopes_and_we_open_its() {
    let message = Message::new("/gain", (0.5_f32, "left")).unwrap();
    for functions in ["", "c", "a", "e", "ca", "ce", "ae", "cae"] {
        let (_peer, port) = peer(&[functions]).await;
        let client = client(port, envelope(functions)).await;
        assert_eq!(echo(&client, &message).await, message, "{functions}");

        let mut heard = client.subscribe("//*");
        client.send(nested_bundle(TimeTag::IMMEDIATELY)).await.unwrap();
        let first = limited("the bundle", futures::StreamExt::next(&mut heard)).await.unwrap();
        assert_eq!(first.address(), "/synth/1/all", "{functions}");
    }
}

#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn osc4py3_refuses_what_we_would_refuse() {
    let (_peer, port) = peer(&["ca"]).await;
    let forger = Envelope::builder().checksum(Crc32).signature(HmacSha256::new("guess"));
    let sent = closed(&forger.build().unwrap());
    let bare = Udp::new((Ipv4Addr::LOCALHOST, port)).client().await.unwrap();
    let answer = echo(&bare, sent).await;
    assert_eq!(opened(&envelope("ca"), answer).unwrap(), refusal("OSCInvalidSignatureError"));
    let answer = echo(&bare, ("/gain", 0.5_f32)).await;
    assert_eq!(opened(&envelope("ca"), answer).unwrap(), refusal("OSCInvalidRawError"));
}

/// With the key of its manual, osc4py3 checks no checksum; with the misspelt one of its code it does.
/// Here there is nothing to misspell.
#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn a_wrong_checksum_is_always_noticed_here_and_by_osc4py3_under_one_spelling() {
    let message = Message::new("/gain", 0.5_f32).unwrap();
    let wrong = || Envelope::builder().checksum(WrongSum).build().unwrap();
    for (spelling, expected) in [
        ("packet_ckchecksum_fct", message.clone()),
        ("packet_ckcheksum_fct", refusal("OSCCorruptedRawError")),
    ] {
        let (_peer, port) = peer(&["c", spelling]).await;
        assert_eq!(echo(&client(port, wrong()).await, &message).await, expected, "{spelling}");
    }
    let Packet::Message(sent) = closed(&wrong()) else { unreachable!() };
    assert_eq!(opened(&envelope("c"), sent), Err(DecodeErrorKind::Refused(EnvelopeFault::Corrupted.text())));
}

fn refusal(class: &str) -> Message {
    Message::new("/refused", class).unwrap()
}

/// A packet in its envelope, without a channel.
fn closed(envelope: &Envelope) -> Packet {
    let packet = ("/gain", 0.5_f32).into_packet().unwrap();
    match envelope.packet_out(packet, &mut Meta::from_peer(Peer::LOCAL)).unwrap() {
        tokio_osc::middleware::Flow::Pass(packet) => packet,
        tokio_osc::middleware::Flow::Drop => unreachable!("an envelope drops nothing"),
    }
}

/// The message in an envelope, without a channel.
fn opened(envelope: &Envelope, message: Message) -> Result<Message, DecodeErrorKind> {
    match envelope.packet_in(message.into(), &mut Meta::from_peer(Peer::LOCAL)) {
        Ok(tokio_osc::middleware::Flow::Pass(Packet::Message(message))) => Ok(message),
        Ok(_) => panic!("neither a message nor an error"),
        Err(error) => Err(error.kind()),
    }
}
