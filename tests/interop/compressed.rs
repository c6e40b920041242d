//! Numbers in place of addresses, with osc4py3 at the other end.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use tokio_osc::middleware::{AddressTable, Flow, on_frame_in, on_frame_out};
use tokio_osc::packet::IntoPacket;
use tokio_osc::{Bundle, Bytes, Packet, Udp};

use super::program::{Program, limited, python};

const ENTRIES: [(&str, i32); 4] = [("/foo", 42), ("/bar/baz", 7), ("/zero", 0), ("/neg", -1)];

/// Keeps the frames that pass.
fn keep(frames: &Arc<Mutex<Vec<Bytes>>>) -> impl Fn(Bytes) -> Flow<Bytes> + use<> {
    let frames = Arc::clone(frames);
    move |frame| {
        frames.lock().unwrap().push(frame.clone());
        Flow::Pass(frame)
    }
}

#[tokio::test]
#[ignore = "needs osc4py3: bash .ci/install"]
async fn osc4py3_reads_and_writes_the_same_numbers() {
    let map = ENTRIES.map(|(address, code)| format!("{address:?}: {code}")).join(", ");
    let mut command = python("osc4py3_peer.py");
    command.args(["compressed", &format!("{{{map}}}")]);
    let (mut peer, port) = Program::ready(command).await;

    let (sent, received) = (Arc::default(), Arc::default());
    let (keep_sent, keep_received) = (keep(&sent), keep(&received));
    // A channel to hear whole packets; it sends by the same socket.
    let mut channel = Udp::new((Ipv4Addr::LOCALHOST, 0))
        .middleware(on_frame_out(move |frame, _| keep_sent(frame)))
        .middleware(on_frame_in(move |frame, _| keep_received(frame)))
        .middleware(AddressTable::new(ENTRIES).unwrap())
        .bind()
        .await
        .unwrap();
    let peer_address = (Ipv4Addr::LOCALHOST, port).into();

    for (address, code) in ENTRIES {
        let packet = (address, 1).into_packet().unwrap();
        assert_eq!(exchange(&mut channel, peer_address, &packet).await, packet);
        assert_eq!(limited("the line", peer.line()).await, format!("{address} ,i 1"));
        let wire = [&b"/\0\0\0"[..], &code.to_be_bytes(), b",i\0\0\0\0\0\x01"].concat();
        assert_eq!(sent.lock().unwrap().pop().unwrap(), wire);
        assert_eq!(received.lock().unwrap().pop().unwrap(), wire);
    }

    let inner = Bundle::immediately().with(("/bar/baz", "x")).with(("/not/in/it", ()));
    let packet = Bundle::immediately().with(("/foo", 0.5_f32)).with(inner).into_packet().unwrap();
    assert_eq!(exchange(&mut channel, peer_address, &packet).await, packet);
    for line in ["/foo ,f 0.5", r#"/bar/baz ,s "x""#, "/not/in/it ,"] {
        assert_eq!(limited("the line", peer.line()).await, line);
    }
    let (sent, received) = (sent.lock().unwrap().pop().unwrap(), received.lock().unwrap().pop().unwrap());
    assert_eq!(sent, received);
    // "/bar/baz" takes 12 bytes, a number and its mark 8; "/foo" takes 8 as well.
    assert_eq!(sent.len(), packet.as_bytes().len() - 4);
}

async fn exchange(channel: &mut tokio_osc::Channel, peer: std::net::SocketAddr, packet: &Packet) -> Packet {
    channel.send_to(peer.into(), packet).await.unwrap();
    limited("the echo", channel.next()).await.unwrap().0.unwrap()
}
