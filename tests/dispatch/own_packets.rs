//! Packets of types that this crate does not know: their bytes are checked.

use futures::stream;
use tokio_osc::bytes::BytesMut;
use tokio_osc::codec::{Codec, Datagram};
use tokio_osc::packet::{
    DecodeErrorKind, EncodeError, EncodeErrorKind, IntoPacket, SendError, SendErrorKind,
};
use tokio_osc::{Bundle, IntoReply, LengthPrefix, Message, Router, Server, TimeTag};
use tokio_util::codec::Encoder;

use crate::support::fed::{ended, item};

/// Writes these bytes, whatever they are.
#[derive(Clone, Copy)]
struct Written(&'static [u8]);

impl IntoPacket for Written {
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        dst.extend_from_slice(self.0);
        Ok(())
    }
}

/// Forgets what stood before it.
struct Overwrites;

impl IntoPacket for Overwrites {
    fn encode(&self, dst: &mut BytesMut) -> Result<(), EncodeError> {
        dst.clear();
        ("/last", ()).encode(dst)
    }
}

const STOP: Written = Written(b"/stop\0\0\0,\0\0\0");
const JUNK: Written = Written(b"junk");
/// Its argument is missing.
const CUT: Written = Written(b"/cut\0\0\0\0,i\0\0");
/// It would move the next elements of a bundle.
const ODD: Written = Written(b"/odd\0");

/// What is wrong, and where.
fn fault(result: Result<impl Sized, EncodeError>) -> (EncodeErrorKind, usize) {
    let error = result.err().unwrap();
    (error.kind(), error.position())
}

fn not_a_packet(kind: DecodeErrorKind, at: usize) -> (EncodeErrorKind, usize) {
    (EncodeErrorKind::NotAPacket(kind), at)
}

#[test]
fn bytes_that_are_a_packet_are_taken() {
    let message = Message::new("/stop", ()).unwrap();
    assert_eq!(STOP.into_packet().unwrap(), message.clone().into());
    assert_eq!(IntoPacket::to_packet(&&STOP).unwrap(), message.into());
    let bundle = Bundle::immediately().with(STOP).with(("/b", 1)).with(Overwrites).build().unwrap();
    assert_eq!(bundle.to_string(), "#bundle 0x0000000000000001\n/stop ,\n/b ,i 1\n/last ,\n#end");
    let number = Message::with_numeric_address(7, ()).unwrap();
    assert_eq!(Written(b"\0\0\0\x07,\0\0\0").into_packet().unwrap(), number.into());
}

#[test]
fn bytes_that_are_not_a_packet_are_an_error_of_the_caller() {
    let cut = not_a_packet(DecodeErrorKind::Truncated, 12);
    assert_eq!(fault(JUNK.to_packet()), not_a_packet(DecodeErrorKind::UnterminatedString, 0));
    assert_eq!(fault(CUT.into_packet()), cut);
    assert_eq!(fault((&CUT).into_packet()), cut);
    assert_eq!(fault(ODD.into_packet()), not_a_packet(DecodeErrorKind::Unaligned, 5));
    assert_eq!(fault(Written(b"").into_packet()), not_a_packet(DecodeErrorKind::Empty, 0));
}

#[test]
fn bytes_that_are_not_a_packet_get_into_no_bundle() {
    let cut = not_a_packet(DecodeErrorKind::Truncated, 12);
    assert_eq!(fault(Bundle::immediately().with(("/a", 1)).with(CUT).build()), cut);
    assert_eq!(fault(Bundle::immediately().with(Bundle::immediately().with(CUT)).into_packet()), cut);
    // Those of a slice are checked with their bundle.
    let cut = not_a_packet(DecodeErrorKind::Truncated, 48);
    assert_eq!(fault(Bundle::of(TimeTag::IMMEDIATELY, &[STOP, CUT]).into_packet()), cut);
    // A writer that removes the bytes before it gets the rest, if that is a packet.
    let left = Bundle::of(TimeTag::IMMEDIATELY, &[Overwrites, Overwrites]).into_packet().unwrap();
    assert_eq!(left.to_string(), "/last ,");
    let inner = [Bundle::immediately().with(ODD)];
    let odd = not_a_packet(DecodeErrorKind::Unaligned, 5);
    assert_eq!(fault(Bundle::of(TimeTag::IMMEDIATELY, &inner).into_packet()), odd);
}

#[test]
fn bytes_that_are_not_a_packet_get_into_no_frame() {
    fn refuses<E: Encoder<Written, Error = SendError>>(mut codec: E) {
        let mut dst = BytesMut::from("before");
        let error = codec.encode(CUT, &mut dst).unwrap_err();
        assert_eq!(error.kind(), SendErrorKind::Encode);
        assert_eq!(fault(Err::<(), _>(*error.encode_error().unwrap())).1, 12);
        assert_eq!(dst, "before");
        codec.encode(STOP, &mut dst).unwrap();
        assert!(dst.ends_with(STOP.0));
    }
    refuses(Datagram::new());
    refuses(Codec::new(LengthPrefix::new()));
}

#[tokio::test]
async fn a_reply_that_is_not_a_packet_is_counted_and_not_sent() {
    assert!(format!("{:?}", JUNK.into_reply()).contains("not a valid packet"));
    let packets = stream::iter([item(("/a", ()))]);
    let server = Server::new(Router::new().route("/a", || CUT)).feed("test", packets);
    let stats = ended(server.spawn()).await;
    assert_eq!((stats.handled, stats.failed, stats.replies), (1, 1, 0));
}

#[cfg(feature = "net")]
#[tokio::test]
async fn bytes_that_are_not_a_packet_are_not_sent() {
    use tokio_osc::{Channel, Client};

    let channel = Channel::udp("127.0.0.1:0").await.unwrap();
    let to = channel.local_addr().unwrap();
    let client = Client::udp(to).await.unwrap();
    let (here, _there) = tokio::io::duplex(64);
    let stream = Client::io(here, LengthPrefix::new());
    let is_the_callers = |error: SendError| error.kind() == SendErrorKind::Encode;
    assert!(is_the_callers(client.send(CUT).await.unwrap_err()));
    assert!(is_the_callers(client.try_send(CUT).unwrap_err()));
    assert!(is_the_callers(client.to([to]).unwrap().send(CUT).await.unwrap_err()));
    assert!(is_the_callers(stream.send(CUT).await.unwrap_err()));
    client.send(STOP).await.unwrap();
}
