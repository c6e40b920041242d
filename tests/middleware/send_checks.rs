//! Packets to be sent are checked by the rules for received ones.

use tokio_osc::middleware::{Flow, Middleware, SendChecks};
use tokio_osc::packet::{
    AddressPolicy, DecodeErrorKind, DecodeOptions, EncodeErrorKind, TextPolicy, TypeTagSet,
};
use tokio_osc::{Bundle, Message, Meta, Packet, Peer};

/// What a layer with these rules refuses, and where.
fn refused(rules: DecodeOptions, packet: impl Into<Packet>) -> Option<(DecodeErrorKind, usize)> {
    let (layer, packet) = (SendChecks::new(rules), packet.into());
    let mut meta = Meta::from_peer(Peer::LOCAL);
    assert!(matches!(layer.packet_in(packet.clone(), &mut meta), Ok(Flow::Pass(_))), "received packets pass");
    match layer.packet_out(packet.clone(), &mut meta) {
        Ok(Flow::Pass(passed)) => {
            assert_eq!(passed.as_bytes(), packet.as_bytes());
            None
        }
        Ok(Flow::Drop) => panic!("it was dropped"),
        Err(error) => match error.kind() {
            EncodeErrorKind::NotAccepted(kind) => Some((kind, error.position())),
            other => panic!("{other:?}"),
        },
    }
}

fn message(address: &str, text: &str) -> Message {
    Message::new(address, text).unwrap()
}

#[test]
fn every_rule_for_received_packets_holds_for_sent_packets() {
    let rules = DecodeOptions::default;
    let ascii = rules().text_policy(TextPolicy::Ascii);
    assert_eq!(refused(ascii.clone(), message("/a", "plain")), None);
    assert_eq!(refused(ascii.clone(), message("/a", "é")), Some((DecodeErrorKind::IllegalCharacter, 8)));
    assert!(refused(ascii.clone(), message("/é", "plain")).is_some());
    let literal = rules().address_policy(AddressPolicy::Literal);
    assert_eq!(refused(literal.clone(), message("/a/b", "")), None);
    assert_eq!(refused(literal, message("/a/*", "")), Some((DecodeErrorKind::IllegalCharacter, 3)));
    let plain = rules().allowed_type_tags(TypeTagSet::of("if").unwrap());
    assert_eq!(refused(plain.clone(), Message::new("/a", (1, 0.5_f32)).unwrap()), None);
    assert!(refused(plain, message("/a", "text")).is_some());
    let inside = Bundle::immediately().with(message("/a", "plain")).with(message("/a", "é")).build().unwrap();
    assert!(refused(ascii, inside).is_some(), "in bundles, too");
}

#[cfg(feature = "net")]
#[tokio::test]
async fn a_client_gets_the_error_and_nothing_leaves() {
    use tokio_osc::{Channel, Client, Udp};

    let mut channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let checks = SendChecks::new(DecodeOptions::default().text_policy(TextPolicy::Ascii));
    let client: Client = Udp::new(channel.local_addr().unwrap()).middleware(checks).client().await.unwrap();
    assert!(client.send(("/name", "é")).await.is_err());
    client.send(("/name", "e")).await.unwrap();
    let (packet, _) = channel.recv().await.unwrap();
    assert_eq!(packet.unwrap().to_string(), r#"/name ,s "e""#);
}
