//! What was recorded and is sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_osc::Packet;
use tokio_osc::middleware::{ChaCha20Poly1305, Envelope, EnvelopeFault, HmacSha256, ReplayWindow};

use super::guard::{close, closed, fault, gain, open_at};

/// Milliseconds of both ends.
#[derive(Clone, Default)]
struct Time(Arc<AtomicU64>);

impl Time {
    fn now(&self) -> SystemTime {
        // A whole second, which a time tag holds exactly.
        UNIX_EPOCH
            + Duration::from_secs(1_800_000_000)
            + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::Relaxed);
    }

    /// An end with this clock.
    fn envelope(&self, window: ReplayWindow) -> Envelope {
        let time = self.clone();
        let signed = Envelope::builder().signature(HmacSha256::new("key"));
        signed.replay_window(window.clock(move || time.now())).build().unwrap()
    }

    fn open(&self, envelope: &Envelope, packet: &Packet) -> Result<Packet, EnvelopeFault> {
        let opened = open_at(envelope, packet, self.now());
        if let Ok(packet) = opened { Ok(packet) } else { Err(fault(opened)) }
    }
}

#[test]
fn a_packet_is_accepted_once() {
    let time = Time::default();
    let (sender, receiver) = (time.envelope(ReplayWindow::new()), time.envelope(ReplayWindow::new()));
    for _ in 0..3 {
        let sent = closed(&sender);
        assert_eq!(time.open(&receiver, &sent), Ok(gain()));
        assert_eq!(time.open(&receiver, &sent), Err(EnvelopeFault::Replayed));
        assert_eq!(time.open(&receiver.clone(), &sent), Err(EnvelopeFault::Replayed));
    }
}

#[test]
fn packets_may_overtake_each_other_within_the_window() {
    let time = Time::default();
    for (window, size) in [
        (ReplayWindow::new(), 1_024),
        (ReplayWindow::new().packets(100), 100),
        (ReplayWindow::new().packets(64), 64),
        (ReplayWindow::new().packets(1), 1),
        (ReplayWindow::new().packets(0), 1),
    ] {
        let (sender, receiver) = (time.envelope(window.clone()), time.envelope(window));
        let sent: Vec<_> = (0..=size).map(|_| closed(&sender)).collect();
        let (too_old, in_window) = sent.split_first().unwrap();
        let newest = in_window.last().unwrap();
        assert_eq!(time.open(&receiver, newest), Ok(gain()), "{size}");
        assert_eq!(time.open(&receiver, too_old), Err(EnvelopeFault::Replayed), "{size}");
        for packet in &in_window[..size - 1] {
            assert_eq!(time.open(&receiver, packet), Ok(gain()), "{size}");
        }
        for packet in &sent {
            assert_eq!(time.open(&receiver, packet), Err(EnvelopeFault::Replayed), "{size}");
        }
    }
}

#[test]
fn time_may_differ_by_the_tolerance_both_ways() {
    for (window, tolerance) in [
        (ReplayWindow::new(), 30_000),
        (ReplayWindow::new().tolerance(Duration::from_millis(250)), 250),
        (ReplayWindow::new().tolerance(Duration::ZERO), 0),
    ] {
        let time = Time::default();
        let (sender, receiver) = (time.envelope(window.clone()), time.envelope(window));
        let sent_at = 1_000_000;
        for (received_at, expected) in [
            (sent_at - tolerance - 1, Err(EnvelopeFault::Untimely)),
            (sent_at - tolerance, Ok(gain())),
            (sent_at + tolerance, Ok(gain())),
            (sent_at + tolerance + 1, Err(EnvelopeFault::Untimely)),
        ] {
            time.set(sent_at);
            let sent = closed(&sender);
            time.set(received_at);
            assert_eq!(time.open(&receiver, &sent), expected, "{received_at}");
        }
    }
}

#[test]
fn a_restarted_sender_is_a_new_one_and_its_old_packets_stay_refused() {
    let time = Time::default();
    let receiver = time.envelope(ReplayWindow::new());
    let recorded: Vec<_> = {
        let sender = time.envelope(ReplayWindow::new());
        (0..10).map(|_| closed(&sender)).collect()
    };
    assert!(recorded.iter().all(|packet| time.open(&receiver, packet) == Ok(gain())));

    let restarted = time.envelope(ReplayWindow::new());
    assert_eq!(time.open(&receiver, &closed(&restarted)), Ok(gain()));
    for packet in &recorded {
        assert_eq!(time.open(&receiver, packet), Err(EnvelopeFault::Replayed));
    }
    time.set(30_001);
    for packet in &recorded {
        assert_eq!(time.open(&receiver, packet), Err(EnvelopeFault::Untimely));
    }
}

#[test]
fn senders_are_bounded_and_forgotten_when_their_packets_are_too_old() {
    let time = Time::default();
    let window = || ReplayWindow::new().senders(2);
    let receiver = time.envelope(window());
    let [first, second, third] = std::array::from_fn(|_| time.envelope(window()));
    let recorded = closed(&first);
    assert_eq!(time.open(&receiver, &recorded), Ok(gain()));
    time.set(1);
    assert_eq!(time.open(&receiver, &closed(&second)), Ok(gain()));
    assert_eq!(time.open(&receiver, &closed(&third)), Err(EnvelopeFault::TooManySenders));
    assert_eq!(time.open(&receiver, &closed(&first)), Ok(gain()), "those that are known go on");

    time.set(30_001);
    let sent = closed(&third);
    assert_eq!(time.open(&receiver, &sent), Err(EnvelopeFault::TooManySenders));
    time.set(30_002);
    assert_eq!(time.open(&receiver, &sent), Ok(gain()), "both are forgotten");
    assert_eq!(time.open(&receiver, &recorded), Err(EnvelopeFault::Untimely));
    time.set(1);
    assert_eq!(time.open(&receiver, &recorded), Err(EnvelopeFault::Untimely), "a clock that is set back");
}

/// A sender without the key cannot fill the memory: an entry needs a genuine packet.
#[test]
fn strangers_make_no_entries() {
    let time = Time::default();
    let receiver = time.envelope(ReplayWindow::new().senders(1));
    for key in 0..1_000 {
        let signed = Envelope::builder().signature(HmacSha256::new(format!("guess {key}")));
        let stranger = signed.replay_window(ReplayWindow::new()).build().unwrap();
        assert_eq!(time.open(&receiver, &closed(&stranger)), Err(EnvelopeFault::InvalidSignature));
    }
    assert_eq!(time.open(&receiver, &closed(&time.envelope(ReplayWindow::new()))), Ok(gain()));
}

#[test]
fn an_envelope_refuses_what_it_has_sent_itself() {
    let time = Time::default();
    let end = time.envelope(ReplayWindow::new());
    assert_eq!(time.open(&end, &closed(&end)), Err(EnvelopeFault::Reflected));
    assert_eq!(time.open(&end, &closed(&end.clone())), Err(EnvelopeFault::Reflected));
}

#[test]
fn a_packet_without_a_stamp_is_refused() {
    let time = Time::default();
    let receiver = time.envelope(ReplayWindow::new());
    let unstamped = Envelope::builder().signature(HmacSha256::new("key")).build().unwrap();
    assert_eq!(time.open(&receiver, &closed(&unstamped)), Err(EnvelopeFault::NoStamp));

    // Who expects no stamp gets it as a message.
    let bundle = time.open(&unstamped, &closed(&receiver)).unwrap().to_string();
    let lines: Vec<_> = bundle.lines().collect();
    assert_eq!(lines.len(), 4, "{bundle}");
    assert!(lines[1].starts_with("/packet/stamp ,hht "), "{bundle}");
    assert_eq!(lines[2], "/gain ,f 0.5");
}

#[test]
fn a_changed_stamp_is_a_changed_packet() {
    let time = Time::default();
    let receiver = time.envelope(ReplayWindow::new());
    let sent = closed(&time.envelope(ReplayWindow::new())).as_bytes().clone();
    let at = sent.windows(8).position(|bytes| bytes == b",hht\0\0\0\0").unwrap() + 8;
    for byte in at..at + 24 {
        let mut changed = sent.to_vec();
        changed[byte] ^= 1;
        let changed = Packet::decode(changed.into()).unwrap();
        assert_eq!(time.open(&receiver, &changed), Err(EnvelopeFault::InvalidSignature), "byte {byte}");
    }
}

#[test]
fn stamps_travel_under_encryption_alone() {
    let end = || {
        let cipher = ChaCha20Poly1305::new(&[7; 32]);
        Envelope::builder().cipher(cipher).replay_window(ReplayWindow::new()).build().unwrap()
    };
    let (sender, receiver) = (end(), end());
    let sent = close(&sender, &gain());
    let now = SystemTime::now();
    assert_eq!(open_at(&receiver, &sent, now), Ok(gain()));
    assert_eq!(fault(open_at(&receiver, &sent, now)), EnvelopeFault::Replayed);
    assert_eq!(sent.as_bytes().len(), gain().as_bytes().len() + 72 + 28 + 56);
}
