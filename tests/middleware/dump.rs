//! Dumps of packets: options, places in the chain, and lines that are never mixed.

use std::fmt::{self, Write as _};
use std::io;
use std::sync::{Arc, Mutex};

use tokio_osc::codec::{Codec, Datagram};
use tokio_osc::middleware::Dump;
use tokio_osc::{Bundle, LengthPrefix, Meta, Peer, TimeTag};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::marks::{Flip, encoded};

/// A writer that keeps each write.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).concat()
    }
}

/// What a dump with these options shows when `/a ,i 1` is encoded, and when it is decoded.
pub(crate) fn shown(options: impl FnOnce(Dump) -> Dump) -> (String, String) {
    let kept = Kept::default();
    let mut codec = Datagram::new().middleware(options(Dump::to(kept.clone())));
    let mut bytes = BytesMut::new();
    codec.encode(("/a", 1), &mut bytes).unwrap();
    let encoded = kept.take();
    codec.decode(&mut bytes).unwrap().unwrap().unwrap();
    (encoded, kept.take())
}

#[test]
fn without_an_option_nothing_is_shown() {
    assert_eq!(shown(|dump| dump), (String::new(), String::new()));
}

#[test]
fn the_peer_is_named_where_it_has_an_address() {
    let kept = Kept::default();
    let dump = Dump::to(kept.clone()).packets_in().packets_out();
    let peer = Peer::from(([127, 0, 0, 1], 9_000));
    let mut codec = Codec::new(LengthPrefix::new()).peer(peer).middleware(dump);
    let mut bytes = BytesMut::new();
    codec.encode(("/a", 1), &mut bytes).unwrap();
    assert_eq!(kept.take(), "OSC encoding packet to 127.0.0.1:9000:\n/a ,i 1\n");
    codec.decode(&mut bytes).unwrap().unwrap().unwrap();
    assert_eq!(kept.take(), "OSC decoded packet from 127.0.0.1:9000:\n/a ,i 1\n");
}

#[test]
fn the_place_in_the_chain_says_what_is_shown() {
    let (outer, inner) = (Kept::default(), Kept::default());
    let mut codec = Datagram::new()
        .middleware(Dump::to(outer.clone()).raw_out())
        .middleware(Flip)
        .middleware(Dump::to(inner.clone()).raw_out());
    codec.encode(("/a", 1), &mut BytesMut::new()).unwrap();
    assert!(inner.take().contains("2f610000"), "the plain bytes");
    assert!(outer.take().contains("d09effff"), "the bytes of the wire");
}

#[test]
fn values_of_every_kind_are_named() {
    let kept = Kept::default();
    let mut codec = Datagram::new().middleware(Dump::to(kept.clone()).values_in());
    let message = ("/a", (0.5_f32, "x\n", vec![1_u8, 2], true, 0.25_f64));
    let bundle = encoded(Bundle::at(TimeTag::IMMEDIATELY).with(message));
    codec.read(&bundle, &mut Meta::from_peer(Peer::LOCAL)).unwrap().unwrap();
    let expected = "Decoded time tag: 0x0000000000000001\n\
                    Decoded string: \"/a\"\n\
                    Decoded string: \",fsbTd\"\n\
                    Decoded float32: 0.5\n\
                    Decoded string: \"x\\n\"\n\
                    Decoded blob (2 bytes): <0102>\n\
                    Decoded boolean: true\n\
                    Decoded float64: 0.25\n";
    assert_eq!(kept.take(), expected);
}

#[test]
fn the_lines_of_one_packet_stay_together() {
    let kept = Kept::default();
    let dump = Arc::new(Dump::to(kept.clone()).packets_out());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mut codec = Datagram::new().middleware(Arc::clone(&dump));
            scope.spawn(move || {
                for round in 0..100 {
                    let bundle = Bundle::immediately().with(("/thread", thread)).with(("/round", round));
                    codec.encode(bundle, &mut BytesMut::new()).unwrap();
                }
            });
        }
    });
    let writes = std::mem::take(&mut *kept.0.lock().unwrap());
    assert_eq!(writes.len(), 400);
    for write in writes {
        let lines: Vec<_> = write.lines().collect();
        assert_eq!((lines.len(), lines[4]), (5, "#end"), "{write}");
    }
}

/// A writer that fails.
struct Broken;

impl io::Write for Broken {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_costs_no_packet() {
    let mut codec = Datagram::new().middleware(Dump::to(Broken).raw_in().packets_in());
    let mut bytes = BytesMut::from(&encoded(("/a", 1))[..]);
    assert_eq!(codec.decode(&mut bytes).unwrap().unwrap().unwrap().to_string(), "/a ,i 1");
}

/// Keeps the events of the dump: level and fields.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<(Level, String)>>>);

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tokio_osc::dump"
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push((*event.metadata().level(), fields.0));
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

#[test]
fn tracing_gets_fields() {
    let events = Events::default();
    tracing::subscriber::with_default(events.clone(), || {
        let mut codec = Datagram::new().middleware(Dump::to_tracing().raw_in().packets_in());
        codec.read(&encoded(("/a", 1)), &mut Meta::from_peer(Peer::LOCAL)).unwrap().unwrap();
    });
    let events = std::mem::take(&mut *events.0.lock().unwrap());
    let [(raw_level, raw), (packet_level, packet)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*raw_level, *packet_level), (Level::TRACE, Level::DEBUG));
    assert!(raw.contains("message=decoding packet peer=local dump=000:2f610000"), "{raw}");
    assert!(packet.contains("message=decoded packet peer=local dump=/a ,i 1"), "{packet}");
}
