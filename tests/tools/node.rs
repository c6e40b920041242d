//! A node: names, groups, the own router, and the outcome of a send for each name.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt, pending};
use tokio::io::DuplexStream;
use tokio::time::Instant;
use tokio_osc::channel::StreamOptions;
use tokio_osc::node::{
    ALL, Destination, HoldLimits, LOCAL, NodeError, NodeHandle, SendOutcome, UnknownNames,
};
use tokio_osc::packet::{EncodeErrorKind, IntoPacket, Rest, SendErrorKind};
use tokio_osc::schedule::Clock;
use tokio_osc::server::ChannelErrorKind;
use tokio_osc::{
    Args, Bundle, Channel, Client, Meta, Node, Packet, Peer, Router, Shutdown, Slip, State, TimeTag,
};

use crate::support::rig::{Log, TestClock, expect, ms, times};

/// Keeps the packets that are sent to it, as lines.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<Packet>>>);

impl Tape {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(ToString::to_string).collect()
    }

    fn packets(&self) -> Vec<Packet> {
        self.0.lock().unwrap().clone()
    }
}

impl Destination for Tape {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async { self.try_send(packet) }.boxed()
    }

    fn try_send(&self, packet: &Packet) -> SendOutcome {
        self.0.lock().unwrap().push(packet.clone());
        SendOutcome::Sent { peers: 1 }
    }
}

/// Counts packets with the numbers 0, 1, 2, …: in order, each once.
struct Count(Arc<AtomicUsize>);
impl Destination for Count {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async { self.try_send(packet) }.boxed()
    }

    fn try_send(&self, packet: &Packet) -> SendOutcome {
        let Packet::Message(message) = packet else { panic!("a message") };
        let n = usize::try_from(message.parse::<i32>().unwrap()).unwrap();
        assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), n);
        SendOutcome::Sent { peers: 1 }
    }
}

/// Fails, or never ends.
struct Broken;
struct Stuck;

impl Destination for Broken {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async { self.try_send(packet) }.boxed()
    }

    fn try_send(&self, _: &Packet) -> SendOutcome {
        SendOutcome::Failed(SendErrorKind::Closed.into())
    }
}

impl Destination for Stuck {
    fn send<'a>(&'a self, _: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        pending().boxed()
    }

    fn try_send(&self, _: &Packet) -> SendOutcome {
        SendOutcome::Failed(SendErrorKind::Full.into())
    }
}

/// A node with a tape for each name.
fn node_with(names: &[&str]) -> (Node, Vec<Tape>) {
    let node = Node::new();
    let tapes = names.iter().map(|&name| {
        let tape = Tape::default();
        node.add(name, tape.clone()).unwrap();
        tape
    });
    let tapes = tapes.collect();
    (node, tapes)
}

fn counts(tapes: &[Tape]) -> Vec<usize> {
    tapes.iter().map(|tape| tape.lines().len()).collect()
}

fn kind_of(outcome: Option<&SendOutcome>) -> SendErrorKind {
    outcome.unwrap().error().unwrap().kind()
}

// Targets: Q02, Q03, Q04, Q06.

#[tokio::test]
async fn targets_are_names_lists_and_lists_in_lists_and_duplicates_are_sent_once() {
    let (node, tapes) = node_with(&["a", "b", "c"]);
    let send = |wanted: [usize; 3]| {
        let before = tapes.iter().map(|tape| std::mem::take(&mut *tape.0.lock().unwrap()).len());
        assert_eq!(before.collect::<Vec<_>>(), wanted);
    };
    let _ = node.send("a", ("/x", 1)).await.unwrap();
    send([1, 0, 0]);
    let _ = node.send(String::from("b"), ("/x", 1)).await.unwrap();
    send([0, 1, 0]);
    let _ = node.send(["a", "b", "a"], ("/x", 1)).await.unwrap();
    send([1, 1, 0]);
    let _ = node.send(vec![vec!["a"], vec!["b", "a"], vec![]], ("/x", 1)).await.unwrap();
    send([1, 1, 0]);
    let _ = node.send(("a", ["b", "c"], vec![["a"]]), ("/x", 1)).await.unwrap();
    send([1, 1, 1]);
    let _ = node.send(&["a", "c"][..], ("/x", 1)).await.unwrap();
    send([1, 0, 1]);
    let _ = node.send(HashSet::from(["a", "b"]), ("/x", 1)).await.unwrap();
    send([1, 1, 0]);
    let _ = node.send(BTreeSet::from([Arc::<str>::from("c")]), ("/x", 1)).await.unwrap();
    send([0, 0, 1]);
    let _ = node.send(ALL, ("/x", 1)).await.unwrap();
    send([1, 1, 1]);
    let _ = node.send([ALL, "a"], ("/x", 1)).await.unwrap();
    send([1, 1, 1]);
    let report = node.send(Vec::<&str>::new(), ("/x", 1)).await.unwrap();
    assert!(report.is_complete() && report.iter().next().is_none());
    send([0, 0, 0]);
}

#[tokio::test]
async fn groups_are_looked_up_when_they_are_sent_to_in_any_order_of_creation() {
    let node = Node::new();
    node.group("stage", ["lights", "rooms"]).unwrap();
    node.group("rooms", vec!["hall", "lights"]).unwrap();
    let (lights, hall) = (Tape::default(), Tape::default());
    node.add("hall", hall.clone()).unwrap();
    assert!(matches!(
        node.send("stage", ("/x", 1)).await,
        Err(NodeError::UnknownName { name, .. }) if &*name == "lights"
    ));
    node.add("lights", lights.clone()).unwrap();
    let report = node.send(["stage", "hall"], ("/x", 1)).await.unwrap();
    let names: Vec<_> = report.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["lights", "hall"], "groups opened, in the order they name them");
    assert_eq!(counts(&[lights, hall]), [1, 1]);
    assert_eq!(node.members("stage").unwrap(), ["lights".into(), "rooms".into()]);
    assert_eq!(node.members("hall"), None);
}

#[tokio::test]
async fn a_group_in_itself_ends() {
    let (node, tapes) = node_with(&["a", "b"]);
    node.group("self", ["self", "a"]).unwrap();
    node.group("left", ["right", "a", "left"]).unwrap();
    node.group("right", ["left", "b"]).unwrap();
    node.group("everyone", [ALL, "everyone"]).unwrap();
    assert!(node.send("self", ("/x", 1)).await.unwrap().is_complete());
    assert_eq!(counts(&tapes), [1, 0]);
    assert!(node.send("left", ("/x", 1)).await.unwrap().is_complete());
    assert_eq!(counts(&tapes), [2, 1]);
    assert!(node.send("everyone", ("/x", 1)).await.unwrap().is_complete());
    assert_eq!(counts(&tapes), [3, 2]);
}

#[tokio::test]
async fn a_chain_of_ten_thousand_groups_does_not_recurse() {
    let (node, tapes) = node_with(&["end"]);
    for n in 0..10_000 {
        node.group(format!("g{n}"), if n == 9_999 { "end".into() } else { format!("g{}", n + 1) }).unwrap();
    }
    assert!(node.send("g0", ("/x", 1)).await.unwrap().is_complete());
    assert_eq!(counts(&tapes), [1]);
}

// Names: Q07, Q09, Q15.

#[test]
fn names_are_refused_with_a_reason() {
    let (node, _) = node_with(&["taken"]);
    let refused = |name: &str| node.add(name, Tape::default()).unwrap_err();
    assert_eq!(refused("").kind(), ChannelErrorKind::Empty);
    assert_eq!(refused("taken").kind(), ChannelErrorKind::Duplicate);
    for name in ["_", "_x", LOCAL, ALL] {
        assert_eq!(refused(name).kind(), ChannelErrorKind::Reserved, "{name}");
        assert_eq!(node.group(name, ["taken"]).unwrap_err().kind(), ChannelErrorKind::Reserved);
        assert_eq!(node.replace(name, Tape::default()).unwrap_err().kind(), ChannelErrorKind::Reserved);
    }
    for c in [' ', '#', '*', ',', '/', '?', '[', ']', '{', '}', '\n', '\0', '\u{7f}', 'ä'] {
        assert_eq!(refused(&format!("a{c}b")).kind(), ChannelErrorKind::IllegalCharacter(c), "{c:?}");
    }
    assert_eq!(node.group("taken", ["x"]).unwrap_err().kind(), ChannelErrorKind::Duplicate);
    assert_eq!(refused("a b").to_string(), r#"the name "a b" holds ' ', which no part of an address holds"#);
    assert_eq!(refused("_x").to_string(), r#"the name "_x" is reserved, as all that begin with '_'"#);
    assert_eq!(refused(LOCAL).to_string(), r#"the name "local" is reserved"#);
    assert_eq!(refused("taken").to_string(), r#"a channel or group has the name "taken" already"#);
    assert_eq!(refused("taken").name(), "taken");
    for name in ["a", "stage-2", "a_", "a.1", "~", "A"] {
        node.add(name, Tape::default()).unwrap();
    }
    assert_eq!(node.names().len(), 7);
}

/// Adds a channel to its node when it is dropped.
struct LastWill(Node, &'static str);

impl Destination for LastWill {
    fn send<'a>(&'a self, packet: &'a Packet) -> BoxFuture<'a, SendOutcome> {
        async { self.try_send(packet) }.boxed()
    }

    fn try_send(&self, _packet: &Packet) -> SendOutcome {
        SendOutcome::Sent { peers: 1 }
    }
}

impl Drop for LastWill {
    fn drop(&mut self) {
        self.0.add(self.1, Tape::default()).unwrap();
    }
}

#[test]
fn a_channel_may_use_its_node_while_it_is_dropped() {
    let node = Node::new();
    node.add("a", LastWill(node.clone(), "b")).unwrap();
    node.replace("a", LastWill(node.clone(), "c")).unwrap();
    assert!(node.remove("a"));
    assert_eq!(node.names().iter().map(|name| &**name).collect::<Vec<_>>(), ["b", "c"]);
}

#[tokio::test]
async fn channels_are_replaced_and_removed_while_others_hold_the_node() {
    let (node, tapes) = node_with(&["a"]);
    let other = node.clone();
    let new = Tape::default();
    other.replace("a", new.clone()).unwrap();
    let _ = node.send("a", ("/x", 1)).await.unwrap();
    assert_eq!((counts(&tapes), counts(&[new])), (vec![0], vec![1]));

    assert!(other.remove("a"));
    assert!(!other.remove("a"));
    assert!(!other.remove(LOCAL));
    let error = node.send("a", ("/x", 1)).await.unwrap_err();
    assert_eq!(error.to_string(), r#"there is no channel "a", and no other"#);
    node.replace("a", Tape::default()).unwrap();
    assert!(node.send("a", ("/x", 1)).await.unwrap().is_complete());
}

#[tokio::test]
async fn what_is_removed_is_closed_when_its_last_clone_goes() {
    let (here, there) = tokio::io::duplex(1_024);
    let mut channel = Channel::io(here, Slip::new());
    let node = Node::new();
    let client = Client::io(there, Slip::new());
    node.add("pipe", client.clone()).unwrap();
    assert!(node.remove("pipe"));
    client.send(("/x", 1)).await.unwrap();
    assert_eq!(channel.next().await.unwrap().0.unwrap().to_string(), "/x ,i 1");
    drop(client);
    assert!(channel.next().await.is_none(), "closed");
}

// Sending: Q01, Q08, Q10, Q11, Q13, Q14.

#[tokio::test]
async fn a_packet_is_encoded_once_and_shared() {
    let (node, tapes) = node_with(&["a", "b", "c"]);
    let _ = node.send(ALL, ("/x", "a text")).await.unwrap();
    let bytes: Vec<_> = tapes.iter().map(|tape| tape.packets()[0].as_bytes().as_ptr()).collect();
    assert!(bytes[0] == bytes[1] && bytes[1] == bytes[2], "the same buffer");
}

#[tokio::test]
async fn an_encode_error_reaches_the_caller_and_no_destination() {
    let (node, tapes) = node_with(&["a"]);
    let error = node.send("a", ("no slash", 1)).await.unwrap_err();
    assert!(matches!(error, NodeError::Encode(_)), "{error}");
    assert!(matches!(node.try_send("a", ("/x", "NUL\0")), Err(NodeError::Encode(_))));
    assert_eq!(counts(&tapes), [0]);
    let _ = node.send("a", ("/x", 1)).await.unwrap();
    assert_eq!(counts(&tapes), [1], "the node goes on");
}

#[tokio::test]
async fn an_unknown_name_fails_by_default_lists_what_there_is_and_sends_nothing() {
    let (node, tapes) = node_with(&["lights", "sound"]);
    node.group("stage", ["lights", "sound"]).unwrap();
    for error in [
        node.send(["lights", "vidoe"], ("/x", 1)).await.unwrap_err(),
        node.try_send(["lights", "vidoe"], ("/x", 1)).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), r#"there is no channel "vidoe"; there are: lights, sound, stage"#);
    }
    assert_eq!(counts(&tapes), [0, 0]);
}

#[tokio::test]
async fn skipped_names_are_in_the_report() {
    let (node, tapes) = node_with(&["a"]);
    node.unknown_names(UnknownNames::Skip);
    let report = node.send(["x", "a"], ("/x", 1)).await.unwrap();
    assert!(matches!(report.get("x"), Some(SendOutcome::Unknown)) && !report.is_complete());
    assert_eq!((report.sent(), counts(&tapes)), (1, vec![1]));
    assert_eq!(report.to_string(), "x: no such channel\na: sent");
    assert!(matches!(node.send("_nobody", ("/x", 1)).await, Err(NodeError::UnknownName { .. })));
}

#[tokio::test]
async fn a_hundred_thousand_sends_to_three_of_which_one_fails() {
    let (count, other) = (Arc::new(AtomicUsize::new(0)), Tape::default());
    let node = Node::new();
    node.add("count", Count(Arc::clone(&count))).unwrap();
    node.add("broken", Broken).unwrap();
    node.add("tape", other.clone()).unwrap();
    for n in 0..100_000 {
        let report = node.send(["broken", "count", "tape"], ("/n", n)).await.unwrap();
        assert_eq!((report.sent(), report.failed().count()), (2, 1));
        assert_eq!(kind_of(report.get("broken")), SendErrorKind::Closed);
    }
    assert_eq!((count.load(Ordering::Relaxed), other.0.lock().unwrap().len()), (100_000, 100_000));
}

#[tokio::test]
async fn a_channel_that_is_stuck_keeps_no_other_from_its_packet() {
    let (node, tapes) = node_with(&["a", "z"]);
    node.add("m", Stuck).unwrap();
    let mut sending = Box::pin(node.send(["a", "m", "z"], ("/x", 1)));
    assert!((&mut sending).now_or_never().is_none());
    assert_eq!(counts(&tapes), [1, 1]);
    drop(sending);
    let report = node.try_send(["a", "m", "z"], ("/x", 2)).unwrap();
    assert_eq!(kind_of(report.get("m")), SendErrorKind::Full);
    assert_eq!((report.sent(), counts(&tapes)), (2, vec![2, 2]));
}

/// A connection whose peer does not read: its client's write timeout, exactly.
#[tokio::test(start_paused = true)]
async fn a_stuck_connection_fails_after_the_write_timeout_of_its_client() {
    let (node, tapes) = node_with(&["a"]);
    let (_unread, there): (DuplexStream, _) = tokio::io::duplex(16);
    let mut options = StreamOptions::default();
    options.write_timeout = ms(250);
    node.add("pipe", Client::io_with(there, Slip::new(), options)).unwrap();
    let start = Instant::now();
    let report = node.send(["pipe", "a"], ("/x", "more than sixteen bytes")).await.unwrap();
    assert_eq!((start.elapsed(), counts(&tapes)), (ms(250), vec![1]));
    assert!(matches!(kind_of(report.get("pipe")), SendErrorKind::Io(_)));
    let report = node.send("pipe", ("/x", 1)).await.unwrap();
    assert_eq!(start.elapsed(), ms(250), "from then on at once");
    assert!(!report.is_complete());
}

// Held packets: Q08, Q09.

fn holding(limits: HoldLimits) -> (Node, Vec<Tape>) {
    let (node, tapes) = node_with(&["a"]);
    node.unknown_names(UnknownNames::Hold(limits));
    (node, tapes)
}

#[tokio::test(start_paused = true)]
async fn held_packets_go_out_in_order_when_their_name_is_added() {
    let (node, tapes) = holding(HoldLimits::new());
    for n in 0..3 {
        let report = node.send(["later", "a"], ("/n", n)).await.unwrap();
        assert!(matches!(report.get("later"), Some(SendOutcome::Held)));
    }
    let _ = node.send("other", ("/n", 9)).await.unwrap();
    assert_eq!(counts(&tapes), [3], "those that are known have theirs");
    let later = Tape::default();
    node.add("later", later.clone()).unwrap();
    assert_eq!(later.lines(), ["/n ,i 0", "/n ,i 1", "/n ,i 2"]);
    assert!(node.send("later", ("/n", 3)).await.unwrap().is_complete());
    assert_eq!(later.lines().len(), 4);
    let counts = node.held();
    assert_eq!((counts.held, counts.waiting, counts.released), (4, 1, 3));
    assert_eq!(counts.waiting_bytes, ("/n", 9).into_packet().unwrap().as_bytes().len() as u64);
}

#[tokio::test(start_paused = true)]
async fn held_packets_expire_at_their_time_and_are_counted() {
    let (node, _) = holding(HoldLimits::new().time(ms(1_000)));
    let _ = node.send("later", ("/n", 0)).await.unwrap();
    tokio::time::advance(ms(500)).await;
    let _ = node.send("later", ("/n", 1)).await.unwrap();
    tokio::time::advance(ms(499)).await;
    assert_eq!((node.held().waiting, node.held().expired), (2, 0));
    tokio::time::advance(ms(1)).await;
    let later = Tape::default();
    node.replace("later", later.clone()).unwrap();
    assert_eq!(later.lines(), ["/n ,i 1"], "the first had waited for one second");
    let counts = node.held();
    assert_eq!((counts.held, counts.expired, counts.released, counts.waiting), (2, 1, 1, 0));
    assert_eq!(counts.waiting_bytes, 0);
}

#[tokio::test]
async fn held_packets_are_limited_in_number_and_in_bytes() {
    let size = ("/n", 0).into_packet().unwrap().as_bytes().len();
    for limits in [HoldLimits::new().packets(3), HoldLimits::new().bytes(4 * size - 1)] {
        let (node, tapes) = holding(limits);
        for name in ["x", "y", "x"] {
            assert!(matches!(node.send(name, ("/n", 0)).await.unwrap().get(name), Some(SendOutcome::Held)));
        }
        let report = node.send(["z", "a"], ("/n", 0)).await.unwrap();
        assert_eq!(kind_of(report.get("z")), SendErrorKind::Full);
        assert_eq!(counts(&tapes), [1], "others are sent to");
        assert_eq!((node.held().held, node.held().refused, node.held().waiting), (3, 1, 3));
        node.add("x", Tape::default()).unwrap();
        assert!(matches!(node.try_send("z", ("/n", 0)).unwrap().get("z"), Some(SendOutcome::Held)));
    }
}

#[tokio::test]
async fn held_packets_that_the_channel_refuses_are_counted() {
    let (node, _) = holding(HoldLimits::new());
    for _ in 0..2 {
        let _ = node.send("later", ("/n", 0)).await.unwrap();
    }
    node.add("later", Stuck).unwrap();
    let counts = node.held();
    assert_eq!((counts.held, counts.failed, counts.released, counts.waiting), (2, 2, 0, 0));
}

#[tokio::test]
async fn held_packets_reach_a_group_and_wait_on_for_its_unknown_members() {
    let (node, tapes) = holding(HoldLimits::new());
    let _ = node.send("stage", ("/n", 0)).await.unwrap();
    node.group("stage", ["a", "b", "stage"]).unwrap();
    assert_eq!((counts(&tapes), node.held().waiting), (vec![1], 1));
    let b = Tape::default();
    node.add("b", b.clone()).unwrap();
    assert_eq!((b.lines().len(), node.held().waiting), (1, 0));
}

#[tokio::test]
async fn a_name_that_can_never_be_valid_is_refused_and_not_held() {
    let (node, _) = holding(HoldLimits::new());
    for name in ["", "a b", "_x", LOCAL] {
        assert!(node.send(name, ("/n", 0)).await.is_err(), "{name:?}");
    }
    assert_eq!(node.held().held, 0);
    assert_eq!(
        node.send(LOCAL, ("/n", 0)).await.unwrap_err().to_string(),
        "a node without a server has no router of its own to send to"
    );
}

// The own router: Q05.

/// A node whose router logs what it runs, by a clock for paused time.
fn local_node() -> (NodeHandle, Arc<Log>, TestClock) {
    let (log, clock) = (Arc::new(Log::default()), TestClock::new());
    let builder = Node::builder().router(crate::support::rig::router(Arc::clone(&log), clock.clone()));
    let node = builder.server({
        let clock = clock.clone();
        |server| server.clock(clock)
    });
    (node.spawn().unwrap(), log, clock)
}

#[tokio::test(start_paused = true)]
async fn packets_to_local_are_dispatched_as_received_ones() {
    let (node, log, _) = local_node();
    assert!(node.send(LOCAL, ("/a", (1, "x"))).await.unwrap().is_complete());
    let ran = log.reaches(1).await;
    assert_eq!(ran[0].message.to_string(), r#"/a ,is 1 "x""#);
    assert_eq!((ran[0].meta.peer, ran[0].meta.time_tag), (Peer::LOCAL, None));
    assert_eq!(ran[0].meta.channel(), LOCAL);
    let stats = node.shutdown().await;
    assert_eq!((stats.received, stats.handled), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_future_bundle_for_local_waits_in_the_schedule_to_the_millisecond() {
    let (node, log, clock) = local_node();
    let wall = clock.now().wall;
    let at = |millis| TimeTag::at(wall + ms(millis));
    let inner = Bundle::at(at(300)).with(("/inner", 0));
    for packet in [
        Bundle::at(at(200)).with(("/b", 0)).with(inner).into_packet().unwrap(),
        Bundle::at(at(100)).with(("/a", 0)).into_packet().unwrap(),
        Bundle::immediately().with(("/now", 0)).into_packet().unwrap(),
        ("/message", 0).into_packet().unwrap(),
    ] {
        assert!(node.send(LOCAL, packet).await.unwrap().is_complete());
    }
    let ran = log.reaches(5).await;
    let wanted =
        [("/now", ms(0)), ("/message", ms(0)), ("/a", ms(100)), ("/b", ms(200)), ("/inner", ms(300))];
    assert_eq!(times(&ran), expect(&wanted));
    assert_eq!(ran[2].meta.time_tag, Some(at(100)));
    assert!(node.server().pending().is_empty());
    node.shutdown().await;
}

#[tokio::test]
async fn what_no_channel_lets_in_local_does_not_either() {
    let (node, log, _) = local_node();
    let nested = |depth| {
        (1..depth).fold(Bundle::immediately().with(("/deep", 0)).build().unwrap(), |bundle, _| {
            Bundle::immediately().with(bundle).build().unwrap()
        })
    };
    assert!(node.send(LOCAL, nested(32)).await.unwrap().is_complete());
    let report = node.send(LOCAL, nested(33)).await.unwrap();
    let error = report.get(LOCAL).unwrap().error().unwrap().encode_error().unwrap();
    assert!(matches!(error.kind(), EncodeErrorKind::NotAccepted(_)), "{error}");
    log.reaches(1).await;
    assert_eq!(node.shutdown().await.received, 1);
}

#[tokio::test]
async fn the_queue_of_local_is_limited_and_never_waits() {
    let builder = Node::builder().local_queue(2);
    let node = builder.spawn().unwrap();
    for wanted in [true, true, false] {
        let report = node.send(LOCAL, ("/x", 1)).await.unwrap();
        assert_eq!(report.is_complete(), wanted);
    }
    let report = node.try_send(LOCAL, ("/x", 1)).unwrap();
    assert_eq!(kind_of(report.get(LOCAL)), SendErrorKind::Full);
    let other = node.node().clone();
    assert_eq!(node.shutdown().await.received, 2, "packets sent before are handled first");
    let report = other.send(LOCAL, ("/x", 1)).await.unwrap();
    assert_eq!(kind_of(report.get(LOCAL)), SendErrorKind::Closed);
}

#[tokio::test]
async fn any_number_is_a_queue_of_local() {
    for queue in [0, usize::MAX] {
        let node = Node::builder().local_queue(queue).spawn().unwrap();
        assert!(node.send(LOCAL, ("/x", 1)).await.unwrap().is_complete(), "{queue}");
        assert_eq!(node.shutdown().await.received, 1, "{queue}");
    }
}

#[tokio::test]
async fn a_dropped_handle_ends_the_server_though_its_handlers_have_the_node() {
    let builder = Node::builder();
    let alive = Arc::new(());
    let router = Router::with_state((builder.node(), Arc::clone(&alive))).route("/x", |_: Rest| ());
    let node = builder.router(router).spawn().unwrap();
    let other = node.node().clone();
    drop(node);
    while Arc::strong_count(&alive) > 1 {
        tokio::task::yield_now().await;
    }
    let report = other.send(LOCAL, ("/x", 1)).await.unwrap();
    assert_eq!(kind_of(report.get(LOCAL)), SendErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_does_not_keep_the_node_from_its_end() {
    let router = Router::new().route("/stuck", |_: Rest| pending::<()>());
    let node = Node::builder().router(router).server(|server| server.inbox(1)).spawn().unwrap();
    for _ in 0..5 {
        assert!(node.send(LOCAL, ("/stuck", ())).await.unwrap().is_complete());
    }
    let start = Instant::now();
    let report = node.shutdown_with(Shutdown::new().deadline(ms(500))).await;
    assert_eq!((start.elapsed(), report.server.abandoned), (ms(1_500), 1));
}

// A whole application.

#[tokio::test]
async fn a_node_is_the_state_of_its_own_handlers() {
    let builder = Node::builder().group("stage", ["lights", "sound"]);
    let router = Router::with_state(builder.node()).route(
        "/cue/*",
        async |State(node): State<Node>, Args(cue): Args<i32>| {
            node.send(["stage", LOCAL], ("/scene", cue)).await.map(drop)
        },
    );
    let scenes = Arc::new(Mutex::new(Vec::new()));
    let router = router.route("/scene", {
        let scenes = Arc::clone(&scenes);
        move |Args(cue): Args<i32>, meta: Meta| scenes.lock().unwrap().push((cue, meta.peer))
    });
    let (here, there) = tokio::io::duplex(1_024);
    let node = builder.router(router).listen("desk", Channel::io(here, Slip::new())).spawn().unwrap();
    let (lights, sound) = (Tape::default(), Tape::default());
    node.add("sound", sound.clone()).unwrap();
    node.add("lights", lights.clone()).unwrap();

    let desk = Client::io(there, Slip::new());
    let mut heard = desk.subscribe("/news");
    desk.send(("/cue/7", 7)).await.unwrap();
    while scenes.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*scenes.lock().unwrap(), [(7, Peer::LOCAL)]);
    assert_eq!(lights.lines(), ["/scene ,i 7"]);

    // The connections of the channel are a destination by its name, and one of all.
    let report = node.send(ALL, ("/news", 1)).await.unwrap();
    assert!(report.is_complete() && report.get("desk").is_some() && report.get(LOCAL).is_none());
    assert_eq!(heard.next().await.unwrap().to_string(), "/news ,i 1");
    assert_eq!(sound.lines(), ["/scene ,i 7", "/news ,i 1"]);
    let stats = node.shutdown().await;
    assert_eq!((stats.received, stats.handled, stats.failed), (2, 2, 0));
}

#[tokio::test]
async fn a_builder_tells_the_first_name_that_it_could_not_give() {
    let error = Node::builder().add("a", Broken).add("a", Broken).group("_x", "a").spawn().unwrap_err();
    assert_eq!((error.name(), error.kind()), ("a", ChannelErrorKind::Duplicate));
}

#[cfg(feature = "net")]
mod net {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1:0";

    #[tokio::test]
    async fn clients_fan_outs_and_connections_have_names() {
        let mut udp = Channel::udp(LOOPBACK).await.unwrap();
        let mut tcp = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        let mut left = Channel::udp(LOOPBACK).await.unwrap();
        let mut right = Channel::udp(LOOPBACK).await.unwrap();
        let mut reconnecting = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        let stage = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        let address = stage.local_addr().unwrap();

        let client = Client::udp(udp.local_addr().unwrap()).await.unwrap();
        let both = client.to([left.local_addr().unwrap(), right.local_addr().unwrap()]).unwrap();
        let builder = Node::builder()
            .listen("stage", stage)
            .add("udp", client)
            .add("tcp", Client::tcp(tcp.local_addr().unwrap(), Slip::new()).await.unwrap())
            .add("both", both)
            .add(
                "again",
                Client::reconnecting(reconnecting.local_addr().unwrap(), Slip::new()).spawn().unwrap(),
            );
        let node = builder.router(Router::new().route("/join", |_: Rest| ("/joined", ()))).spawn().unwrap();
        let audience = Client::tcp(address, Slip::new()).await.unwrap();
        let mut heard = audience.subscribe("/x");
        audience.request(("/join", ()), "/joined").await.unwrap();

        for report in [node.send(ALL, ("/x", 1)).await.unwrap(), node.try_send(ALL, ("/x", 1)).unwrap()] {
            assert!(report.is_complete(), "{report}");
            assert!(matches!(report.get("both"), Some(SendOutcome::Sent { peers: 2 })));
            assert!(matches!(report.get("stage"), Some(SendOutcome::Sent { peers: 1 })));
        }
        for _ in 0..2 {
            for channel in [&mut udp, &mut tcp, &mut left, &mut right, &mut reconnecting] {
                assert_eq!(channel.next().await.unwrap().0.unwrap().to_string(), "/x ,i 1");
            }
            assert_eq!(heard.next().await.unwrap().to_string(), "/x ,i 1");
        }
        node.shutdown().await;
    }

    #[tokio::test]
    async fn a_datagram_channel_only_receives() {
        let channel = Channel::udp(LOOPBACK).await.unwrap();
        let node = Node::builder().listen("in", channel).spawn().unwrap();
        let error = node.send("in", ("/x", 1)).await.unwrap_err();
        assert_eq!(error.to_string(), r#"the channel "in" only receives"#);
        let report = node.send(ALL, ("/x", 1)).await.unwrap();
        assert!(report.is_complete() && report.get("in").is_none());
        node.shutdown().await;
    }

    #[tokio::test]
    async fn a_partial_fan_out_is_reported() {
        let left = Channel::udp(LOOPBACK).await.unwrap();
        let client = Client::udp(left.local_addr().unwrap()).await.unwrap();
        let other_family = "[::1]:9".parse().unwrap();
        let node = Node::new();
        node.add("both", client.to([left.local_addr().unwrap(), other_family]).unwrap()).unwrap();
        node.add("none", client.to([other_family]).unwrap()).unwrap();
        let report = node.send(["both", "none"], ("/x", 1)).await.unwrap();
        assert!(
            matches!(report.get("both"), Some(SendOutcome::Partly { sent: 1, missed: 1, .. })),
            "{report}"
        );
        assert!(matches!(report.get("none"), Some(SendOutcome::Failed(_))), "{report}");
        assert_eq!(report.failed().count(), 2);
    }

    #[tokio::test]
    async fn channels_of_the_server_come_and_go_with_their_names() {
        let router = Router::new().route("/ping", |_: Rest| ("/pong", ()));
        let builder = Node::builder().router(router).server(|server| server.events_to_routes("/osc"));
        let node = builder.spawn().unwrap();
        let mut bound = node.server().subscribe("/osc/channel/stage/bound", 1).unwrap();
        let stage = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        let address = stage.local_addr().unwrap();
        node.listen("stage", stage).unwrap();
        assert_eq!(
            bound.next().await.unwrap().0.to_string(),
            format!("/osc/channel/stage/bound ,i {}", address.port())
        );
        let again = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
        assert_eq!(node.listen("stage", again).unwrap_err().kind(), ChannelErrorKind::Duplicate);

        let client = Client::tcp(address, Slip::new()).await.unwrap();
        let mut heard = client.subscribe("/x");
        client.request(("/ping", ()), "/pong").await.unwrap();
        assert!(node.send("stage", ("/x", 1)).await.unwrap().is_complete());
        assert!(heard.next().await.is_some());
        assert_eq!(node.close("stage").await.unwrap().received, 1);
        assert!(matches!(node.send("stage", ("/x", 1)).await, Err(NodeError::UnknownName { .. })));
        assert!(node.close("stage").await.is_err());
        node.listen("stage", Channel::tcp(address, Slip::new()).await.unwrap()).unwrap();
        node.shutdown().await;
    }

    #[tokio::test]
    async fn the_name_of_a_channel_that_only_receives_can_be_given_to_a_client() {
        let node = Node::builder().listen("in", Channel::udp(LOOPBACK).await.unwrap()).spawn().unwrap();
        let mut channel = Channel::udp(LOOPBACK).await.unwrap();
        node.replace("in", Client::udp(channel.local_addr().unwrap()).await.unwrap()).unwrap();
        assert!(node.send("in", ("/x", 1)).await.unwrap().is_complete());
        assert!(channel.next().await.is_some());
        node.shutdown().await;
    }
}

#[tokio::test]
async fn the_future_of_a_send_can_be_spawned() {
    let (node, tapes) = node_with(&["a"]);
    let sends = (0..8).map(|n| {
        let node = node.clone();
        tokio::spawn(async move { node.send(vec!["a".to_owned()], ("/n", n)).await.map(drop) })
    });
    for send in sends.collect::<Vec<_>>() {
        tokio::time::timeout(Duration::from_secs(5), send).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(counts(&tapes), [8]);
}

/// Names come while others send: held packets precede later ones, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_come_while_packets_are_sent_lose_and_reorder_nothing() {
    for round in 0..50 {
        let node = Node::new();
        node.unknown_names(UnknownNames::Hold(HoldLimits::new()));
        let sender = tokio::spawn({
            let node = node.clone();
            async move {
                for n in 0..500 {
                    let outcome = node.send("later", ("/n", n)).await.unwrap();
                    assert!(outcome.failed().next().is_none());
                }
            }
        });
        while node.held().held < round {
            tokio::task::yield_now().await;
        }
        let tape = Tape::default();
        node.add("later", tape.clone()).unwrap();
        sender.await.unwrap();
        let wanted: Vec<_> = (0..500).map(|n| format!("/n ,i {n}")).collect();
        assert_eq!(tape.lines(), wanted, "round {round}");
        let counts = node.held();
        assert_eq!((counts.held, counts.waiting), (counts.released, 0));
    }
}

#[tokio::test]
async fn connections_whose_queue_is_full_miss_the_packet_and_say_so() {
    let (here, _there) = tokio::io::duplex(64);
    let mut options = StreamOptions::default();
    let packet = ("/x", "some text").into_packet().unwrap();
    options.send_queue = packet.as_bytes().len() + 64;
    let channel = Channel::io_with(here, Slip::new(), options);
    let node = Node::new();
    node.add("crowd", channel.outlet()).unwrap();
    let report = node.send("crowd", &packet).await.unwrap();
    assert!(matches!(report.get("crowd"), Some(SendOutcome::Sent { peers: 1 })));
    for report in [node.send("crowd", &packet).await.unwrap(), node.try_send("crowd", &packet).unwrap()] {
        assert_eq!(kind_of(report.get("crowd")), SendErrorKind::Full, "{report}");
    }
    drop(channel);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_channels_that_want_a_name_one_has_it_with_all_that_was_held() {
    for _ in 0..50 {
        let node = Node::new();
        node.unknown_names(UnknownNames::Hold(HoldLimits::new()));
        for n in 0..100 {
            let _ = node.send("later", ("/n", n)).await.unwrap();
        }
        let add = |tape: Tape| {
            let node = node.clone();
            tokio::spawn(async move { node.add("later", tape).is_ok() })
        };
        let tapes = [Tape::default(), Tape::default()];
        let (first, second) = (add(tapes[0].clone()), add(tapes[1].clone()));
        let won = [first.await.unwrap(), second.await.unwrap()];
        assert!(won[0] != won[1]);
        assert_eq!(counts(&tapes), won.map(|won| if won { 100 } else { 0 }));
    }
}
