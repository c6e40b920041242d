//! The `/packet` envelope: the bytes of osc4py3, complete configurations, tampering, and threat 70.
#![cfg(feature = "crypto")]

mod guard;
#[cfg(feature = "net")]
mod live;
mod replay;

use proptest::prelude::*;
use serde_json::Value;
use tokio_osc::middleware::{
    ChaCha20Poly1305, Checksum, Cipher, Crc32, Envelope, EnvelopeBuilder, EnvelopeError, EnvelopeFault,
    HmacSha256, Middleware, ProtocolError, ReplayWindow, Signature,
};
use tokio_osc::packet::{DecodeErrorKind, DecodeOptions, EncodeErrorKind, IntoPacket, Repairs};
use tokio_osc::{Bundle, Bytes, Message, Meta, Packet, Peer};

use guard::{close, closed, fault, fault_of, gain, open};

use crate::support::guards::Xor5a;
use crate::support::{bytes, group, name, on_a_small_stack, strategies, unhex};

/// What the functions of the vectors are: `c`, `a` and `e`.
fn with_functions(letters: &str) -> Envelope {
    let mut builder = Envelope::builder();
    for letter in letters.chars() {
        builder = match letter {
            'c' => builder.checksum(Crc32),
            'a' => builder.signature(HmacSha256::new("key")),
            'e' => builder.cipher(Xor5a),
            other => panic!("{other} is new"),
        };
    }
    if letters.is_empty() { Envelope::plain() } else { builder.build().unwrap() }
}

#[test]
fn envelopes_of_osc4py3_are_opened_or_refused_as_decided() {
    use DecodeErrorKind::{Empty, Refused as Of};
    for vector in group(include_str!("../vectors/packet_envelope.json")) {
        let name = name(&vector);
        let expected = match name {
            "packet_none" | "packet_checksum" | "packet_auth" | "packet_encrypt" | "packet_all" => {
                Ok("/a ,i 1")
            }
            "packet_all_bundle" => Ok("#bundle 0x0000000000000001\n/a ,i 1\n/b ,s \"x\"\n#end"),
            "packet_long_address" => Ok("/oscillator/4/frequency ,f 440"),
            "packet_tampered_data_checksum" => Err(Of(EnvelopeFault::Corrupted.text())),
            "packet_tampered_data_auth" | "packet_tampered_data_all" => {
                Err(Of(EnvelopeFault::InvalidSignature.text()))
            }
            // No check is configured.
            "packet_tampered_data_unchecked" => Ok("/a ,i 0"),
            "packet_checker_without_maker" => Err(Of(EnvelopeFault::NoChecksum.text())),
            "packet_auth_checker_without_maker" => Err(Of(EnvelopeFault::NoSignature.text())),
            "packet_decrypt_without_encrypt" => Err(Of(EnvelopeFault::NotEncrypted.text())),
            // Exception: osc4py3 skips a signature that it has no function for.
            "packet_maker_without_checker" => Err(Of(EnvelopeFault::UnknownSignature.text())),
            "packet_plain_message_refused" | "packet_bundle_refused" => {
                Err(Of(EnvelopeFault::NotAnEnvelope.text()))
            }
            // Exception: osc4py3 ignores a seventh argument.
            "packet_seven_args" | "packet_wrong_arity" | "packet_wrong_types" => {
                Err(Of(EnvelopeFault::WrongArguments.text()))
            }
            "packet_inner_empty" => Err(Empty),
            "packet_inner_is_envelope" => Ok(INNER_ENVELOPE),
            other => panic!("{other} is new"),
        };
        let envelope = with_functions(vector["decode_functions"].as_str().unwrap());
        let opened = open(&envelope, &Packet::decode(bytes(&vector)).unwrap());
        assert_eq!(opened.map(|packet| packet.to_string()).as_deref(), expected.as_ref().copied(), "{name}");

        let is_exception = matches!(name, "packet_maker_without_checker" | "packet_seven_args");
        let opened_by_osc4py3 = vector["decoded_with_control"]["result"] == "ok";
        assert_eq!(opened_by_osc4py3, expected.is_ok() || is_exception, "{name}");
    }
}

const INNER_ENVELOPE: &str = r#"/packet ,sbsbsb "" <> "" <> "" <2f6100002c69000000000001>"#;

#[test]
fn envelopes_have_the_bytes_that_osc4py3_makes() {
    let mut made = 0;
    for vector in group(include_str!("../vectors/packet_envelope.json")) {
        let name = name(&vector);
        let Some(inner) = vector["inner_hex"].as_str() else { continue };
        if name.contains("tampered") {
            continue;
        }
        let packet = Packet::decode(unhex(inner).into()).unwrap();
        let envelope = with_functions(vector["encode_functions"].as_str().unwrap());
        assert_eq!(close(&envelope, &packet).as_bytes(), &bytes(&vector), "{name}");
        made += 1;
    }
    assert_eq!(made, 11);
}

/// K10: without the middleware an envelope is an ordinary message.
#[test]
fn envelopes_are_messages_to_who_does_not_open_them() {
    for vector in group(include_str!("../vectors/packet_envelope.json")) {
        let plain = &vector["as_plain_message"]["decoded"];
        let packet = Packet::decode(bytes(&vector)).unwrap();
        match packet {
            Packet::Message(message) => {
                assert_eq!(message.address(), plain["message"]["address"].as_str().unwrap());
                assert_eq!(message.type_tags(), plain["message"]["typetags"].as_str().unwrap());
            }
            Packet::Bundle(_) => assert_ne!(plain["bundle"], Value::Null, "{}", name(&vector)),
        }
    }
}

/// The vector that osc4py3 opens without its checks can be opened here, with the option for it.
#[test]
fn unchecked_tokens_are_ignored_only_by_choice() {
    let sent = closed(&with_functions("cae"));
    let with_cipher = || Envelope::builder().cipher(Xor5a);
    let strict = with_cipher().build().unwrap();
    assert_eq!(fault_of(&strict, &sent), EnvelopeFault::UnknownSignature);
    let tolerant = with_cipher().accept_unchecked(true).build().unwrap();
    assert_eq!(open(&tolerant, &sent).unwrap(), gain());

    // The configured parts are checked anyway, and undecipherable data are refused.
    let checked = with_cipher().signature(HmacSha256::new("other")).accept_unchecked(true).build().unwrap();
    assert_eq!(fault_of(&checked, &sent), EnvelopeFault::InvalidSignature);
    assert_eq!(fault_of(&checked, &closed(&with_functions("ce"))), EnvelopeFault::NoSignature);
    let keyless = Envelope::builder().checksum(Crc32).accept_unchecked(true).build().unwrap();
    assert_eq!(fault_of(&keyless, &sent), EnvelopeFault::UnknownCipher);
}

fn crc_hmac_chacha() -> Envelope {
    let builder = Envelope::builder().checksum(Crc32).signature(HmacSha256::new("key"));
    builder.cipher(ChaCha20Poly1305::new(&[7; 32])).build().unwrap()
}

/// A packet with less protection than the receiver has configured, in every combination.
#[test]
fn a_downgrade_is_refused_each_way() {
    let all = ["", "c", "a", "e", "ca", "ce", "ae", "cae"];
    for sends in all {
        for receives in all {
            let (sender, receiver) = (with_functions(sends), with_functions(receives));
            let opened = open(&receiver, &closed(&sender));
            assert_eq!(opened.is_ok(), sends == receives, "{sends} to {receives}: {opened:?}");
            if sends != receives {
                fault(opened);
            }
        }
    }
    let full = with_functions("cae");
    for (sends, fault) in [
        ("ca", EnvelopeFault::NotEncrypted),
        ("ce", EnvelopeFault::NoSignature),
        ("ae", EnvelopeFault::NoChecksum),
    ] {
        assert_eq!(fault_of(&full, &closed(&with_functions(sends))), fault, "{sends}");
    }
    for (receives, fault) in [
        ("ca", EnvelopeFault::UnknownCipher),
        ("ce", EnvelopeFault::UnknownSignature),
        ("ae", EnvelopeFault::UnknownChecksum),
    ] {
        assert_eq!(fault_of(&with_functions(receives), &closed(&full)), fault, "{receives}");
    }
}

/// A name without its token, a token without its name, and names of something else.
#[test]
fn half_a_protection_is_refused() {
    let data = gain().as_bytes().clone();
    let sum = Crc32.compute(&data).unwrap();
    let checked = with_functions("c");
    let plain = Envelope::plain();
    let message = |protocol: &str, token: &[u8]| -> Packet {
        Message::new("/packet", (protocol, token, "", &b""[..], "", data.clone())).unwrap().into()
    };
    assert!(open(&checked, &message("crc32", &sum)).is_ok());
    assert_eq!(fault_of(&checked, &message("crc32", b"")), EnvelopeFault::Corrupted);
    assert_eq!(fault_of(&checked, &message("crc32", &sum[..3])), EnvelopeFault::Corrupted);
    assert_eq!(fault_of(&checked, &message("", &sum)), EnvelopeFault::UnknownChecksum);
    assert_eq!(fault_of(&checked, &message("", b"")), EnvelopeFault::NoChecksum);
    assert_eq!(fault_of(&checked, &message("CRC32", &sum)), EnvelopeFault::UnknownChecksum);
    assert_eq!(fault_of(&checked, &message("crc32:1", &sum)), EnvelopeFault::UnknownChecksum);
    assert_eq!(fault_of(&plain, &message("crc32", b"")), EnvelopeFault::UnknownChecksum);
    assert_eq!(fault_of(&plain, &message("", &sum)), EnvelopeFault::UnknownChecksum);
}

#[test]
fn every_changed_byte_is_noticed() {
    for sender in [with_functions("a"), with_functions("c"), crc_hmac_chacha(), with_functions("cae")] {
        let receiver = sender.clone();
        let sent = closed(&sender);
        for at in 0..sent.as_bytes().len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut changed = sent.as_bytes().to_vec();
                changed[at] ^= mask;
                let changed = Bytes::from(changed);
                // Padding is not a part of the packet: where it must be NUL, nothing can be changed.
                let strict = Packet::decode_with(changed.clone(), &DecodeOptions::strict());
                let opened =
                    strict.map_err(|error| error.kind()).and_then(|(packet, _)| open(&receiver, &packet));
                assert!(opened.is_err(), "byte {at} ^ {mask:#x} of {sent}");
                if let Ok(packet) = Packet::decode(changed) {
                    assert!(
                        open(&receiver, &packet).is_ok_and(|packet| packet == gain())
                            == is_padding(&sent, at)
                    );
                }
            }
        }
    }
}

/// Whether a byte of a packet is one that a tolerant decoder does not look at.
fn is_padding(packet: &Packet, at: usize) -> bool {
    let mut changed = packet.as_bytes().to_vec();
    changed[at] ^= 1;
    Packet::decode(changed.into()).is_ok_and(|changed| changed == *packet)
}

#[test]
fn every_truncation_is_refused() {
    let envelope = crc_hmac_chacha();
    let sent = closed(&envelope).as_bytes().clone();
    for len in 0..sent.len() {
        let opened = Packet::decode(sent.slice(..len)).map(|packet| open(&envelope, &packet));
        assert!(!matches!(opened, Ok(Ok(_))), "{len} bytes");
    }
    // Shorter tokens and data in a whole message.
    let Packet::Message(message) = closed(&envelope) else { unreachable!() };
    let parts: (&str, &[u8], &str, &[u8], &str, &[u8]) = message.parse().unwrap();
    let (c, checksum, s, signature, e, data) = parts;
    let refused = |checksum: &[u8], signature: &[u8], data: &[u8]| {
        fault_of(&envelope, &Message::new("/packet", (c, checksum, s, signature, e, data)).unwrap().into())
    };
    for len in 0..checksum.len() {
        assert_eq!(refused(&checksum[..len], signature, data), EnvelopeFault::Corrupted, "{len}");
    }
    for len in 0..signature.len() {
        assert_eq!(refused(checksum, &signature[..len], data), EnvelopeFault::InvalidSignature, "{len}");
    }
    for len in 0..data.len() {
        assert_eq!(refused(checksum, signature, &data[..len]), EnvelopeFault::Undecipherable, "{len}");
    }
}

/// What the documentation of [`Envelope`] says of sizes.
#[test]
fn an_envelope_has_the_documented_size() {
    let size = |envelope: &Envelope| closed(envelope).as_bytes().len() - gain().as_bytes().len();
    assert_eq!(size(&Envelope::plain()), 40);
    let hmac = Envelope::builder().signature(HmacSha256::new("key"));
    assert_eq!(size(&hmac.build().unwrap()), 80);
    let hmac = Envelope::builder().signature(HmacSha256::new("key")).replay_window(ReplayWindow::new());
    assert_eq!(size(&hmac.build().unwrap()), 80 + 72);
    let chacha = Envelope::builder().cipher(ChaCha20Poly1305::new(&[7; 32]));
    assert_eq!(size(&chacha.replay_window(ReplayWindow::new()).build().unwrap()), 156);
}

#[test]
fn another_key_is_refused() {
    let hmac = |key: &str| Envelope::builder().signature(HmacSha256::new(key)).build().unwrap();
    assert_eq!(fault_of(&hmac("one"), &closed(&hmac("two"))), EnvelopeFault::InvalidSignature);
    let chacha = |key: u8| Envelope::builder().cipher(ChaCha20Poly1305::new(&[key; 32])).build().unwrap();
    assert_eq!(fault_of(&chacha(1), &closed(&chacha(2))), EnvelopeFault::Undecipherable);
}

#[test]
fn an_encrypted_packet_shows_nothing_and_never_looks_the_same() {
    let envelope = Envelope::builder().cipher(ChaCha20Poly1305::new(&[7; 32])).build().unwrap();
    let (first, second) = (closed(&envelope), closed(&envelope));
    assert_ne!(first, second);
    assert!(!first.as_bytes().windows(5).any(|bytes| bytes == b"/gain"));
    assert_eq!(open(&envelope, &first).unwrap(), open(&envelope, &second).unwrap());
}

#[test]
fn keys_are_changed_without_a_gap() {
    let old = || HmacSha256::new("old").key_id("2025");
    let new = || HmacSha256::new("new").key_id("2026");
    let build = |builder: EnvelopeBuilder| builder.build().unwrap();
    let stages = [
        build(Envelope::builder().signature(old())),
        build(Envelope::builder().signature(old()).accept_signature(new())),
        build(Envelope::builder().signature(new()).accept_signature(old())),
        build(Envelope::builder().signature(new())),
    ];
    for (sender, sends) in stages.iter().enumerate() {
        for (receiver, receives) in stages.iter().enumerate() {
            let opened = open(receives, &closed(sends));
            if sender.abs_diff(receiver) <= 1 {
                assert_eq!(opened, Ok(gain()), "{sender} to {receiver}");
            }
        }
    }
    assert_eq!(fault_of(&stages[3], &closed(&stages[0])), EnvelopeFault::UnknownSignature);
    assert!(closed(&stages[0]).to_string().contains(r#""hmac-sha256:2025""#));

    // The id is a name only: another key under it is no better.
    let imposter = build(Envelope::builder().signature(HmacSha256::new("guess").key_id("2026")));
    assert_eq!(fault_of(&stages[3], &closed(&imposter)), EnvelopeFault::InvalidSignature);

    let cipher = |key: u8, id: &str| ChaCha20Poly1305::new(&[key; 32]).key_id(id);
    let sends = build(Envelope::builder().cipher(cipher(1, "a")));
    let accepts = build(Envelope::builder().cipher(cipher(2, "b")).accept_cipher(cipher(1, "a")));
    assert_eq!(open(&accepts, &closed(&sends)), Ok(gain()));
    assert_eq!(fault_of(&sends, &closed(&accepts)), EnvelopeFault::UnknownCipher);
}

#[test]
fn an_incomplete_configuration_is_refused() {
    let refused = |builder: EnvelopeBuilder| builder.build().unwrap_err();
    let hmac = || HmacSha256::new("key");
    let new = Envelope::builder;
    assert_eq!(refused(new()), EnvelopeError::Unprotected);
    assert_eq!(refused(new().accept_unchecked(true)), EnvelopeError::Unprotected);
    assert_eq!(refused(new().accept_signature(hmac())), EnvelopeError::AcceptedOnly);
    assert_eq!(refused(new().signature(hmac()).accept_cipher(Xor5a)), EnvelopeError::AcceptedOnly);
    assert_eq!(refused(new().signature(hmac()).accept_checksum(Crc32)), EnvelopeError::AcceptedOnly);
    assert_eq!(refused(new().signature(hmac()).accept_signature(hmac())), EnvelopeError::RepeatedName);
    assert_eq!(refused(new().signature(hmac().key_id("a\0b"))), EnvelopeError::IllegalName);
    let id = |len: usize| "x".repeat(len - "hmac-sha256:".len());
    assert!(new().signature(hmac().key_id(id(255))).build().is_ok());
    assert_eq!(refused(new().signature(hmac().key_id(id(256)))), EnvelopeError::IllegalName);

    let stamped = || new().replay_window(ReplayWindow::new());
    assert_eq!(refused(stamped()), EnvelopeError::Unprotected);
    assert_eq!(refused(stamped().checksum(Crc32)), EnvelopeError::ReplayUnauthenticated);
    assert_eq!(refused(stamped().cipher(Xor5a)), EnvelopeError::ReplayUnauthenticated);
    let chacha = || ChaCha20Poly1305::new(&[7; 32]);
    assert_eq!(
        refused(stamped().cipher(chacha()).accept_cipher(Xor5a)),
        EnvelopeError::ReplayUnauthenticated
    );
    assert!(stamped().cipher(chacha()).build().is_ok());
    assert!(stamped().signature(hmac()).cipher(Xor5a).build().is_ok());
}

#[test]
fn errors_say_what_is_wrong() {
    let error = with_functions("a").packet_in(gain(), &mut Meta::from_peer(Peer::LOCAL)).unwrap_err();
    assert_eq!(error.to_string(), "not an envelope");
    assert_eq!(EnvelopeError::Unprotected.to_string(), "the envelope protects nothing");
    assert_eq!(ProtocolError.to_string(), "the protocol of an envelope refuses");
    assert_eq!(
        tokio_osc::Error::from(EnvelopeError::RepeatedName).to_string(),
        "two protocols of an envelope have the same name"
    );
}

#[test]
fn no_debug_shows_a_key() {
    let key = *b"0123456789abcdefghijklmnopqrstuv";
    let (hmac, chacha) = (HmacSha256::new(key), ChaCha20Poly1305::new(&key));
    let functions = format!("{hmac:?} {chacha:?} {hmac:#?} {chacha:#?}");
    let envelope = Envelope::builder().signature(hmac).cipher(chacha).replay_window(ReplayWindow::new());
    let builder = format!("{envelope:?}");
    let shown = format!("{functions} {builder} {:?}", envelope.build().unwrap());
    assert!(shown.contains("hmac-sha256") && shown.contains("chacha20-poly1305"), "{shown}");
    for trace in ["0123456789ab", "48, 49, 50", "30313233", "30, 31, 32"] {
        assert!(!shown.contains(trace), "{shown}");
    }
}

/// Functions that refuse or panic on one side.
struct Unable;

impl Checksum for Unable {
    fn name(&self) -> &'static str {
        "unable"
    }

    fn compute(&self, _: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        Err(ProtocolError)
    }
}

impl Signature for Unable {
    fn name(&self) -> &'static str {
        "unable"
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        panic!("no key")
    }

    fn verify(&self, _: &[u8], signature: &[u8]) -> Result<(), ProtocolError> {
        panic!("the first byte is {}", signature[0])
    }
}

impl Cipher for Unable {
    fn name(&self) -> &'static str {
        "unable"
    }

    fn seal(&self, _: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        Err(ProtocolError)
    }

    fn open(&self, _: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        panic!("no key")
    }
}

/// Threat 70: a function that refuses or panics costs its packet, and no more.
#[test]
fn an_error_of_a_function_is_an_error_of_the_packet() {
    let data = gain().as_bytes().clone();
    let named = |at: usize| -> Packet {
        let name = |index: usize| if index == at { "unable" } else { "" };
        Message::new("/packet", (name(0), &b""[..], name(1), &b""[..], name(2), data.clone())).unwrap().into()
    };
    let cases = [
        (Envelope::builder().checksum(Unable), EnvelopeFault::ChecksumFailed, EnvelopeFault::Corrupted),
        (
            Envelope::builder().signature(Unable),
            EnvelopeFault::SigningFailed,
            EnvelopeFault::InvalidSignature,
        ),
        (Envelope::builder().cipher(Unable), EnvelopeFault::EncryptionFailed, EnvelopeFault::Undecipherable),
    ];
    for (at, (builder, out, inward)) in cases.into_iter().enumerate() {
        let envelope = builder.build().unwrap();
        for _ in 0..2 {
            let error = envelope.packet_out(gain(), &mut Meta::from_peer(Peer::LOCAL)).unwrap_err();
            assert_eq!(error.kind(), EncodeErrorKind::Refused(out.text()));
            assert_eq!(fault_of(&envelope, &named(at)), inward);
        }
    }
}

/// Threat 70: envelopes in envelopes are opened one at a time, on a small stack.
#[test]
fn a_thousand_envelopes_in_each_other_are_one_and_its_content() {
    on_a_small_stack(|| {
        let envelope = Envelope::plain();
        let mut nested = gain();
        let mut levels = vec![nested.clone()];
        for _ in 0..1_000 {
            nested = close(&envelope, &nested);
            levels.push(nested.clone());
        }
        assert!(nested.as_bytes().len() > 40_000);
        while let Some(level) = levels.pop() {
            assert_eq!(nested, level);
            match open(&envelope, &nested) {
                Ok(inner) => nested = inner,
                Err(kind) => assert_eq!(kind, DecodeErrorKind::Refused(EnvelopeFault::NotAnEnvelope.text())),
            }
        }
        assert_eq!(nested, gain());
    });
}

#[test]
fn the_packet_inside_is_decoded_by_options_of_its_own() {
    let sloppy = Bytes::from_static(b"/a\0\xff,\0\0\0");
    let sent = Message::new("/packet", ("", &b""[..], "", &b""[..], "", sloppy)).unwrap();
    let mut meta = Meta::from_peer(Peer::LOCAL);
    let mut repairs = *meta.repairs();
    repairs.nonzero_padding = 2;
    meta.set_repairs(repairs);
    Envelope::plain().packet_in(sent.clone().into(), &mut meta).unwrap();
    let mut expected = Repairs::default();
    expected.nonzero_padding = 3;
    assert_eq!(*meta.repairs(), expected);

    let signed = || Envelope::builder().signature(HmacSha256::new("key"));
    let strict = signed().decode_options(DecodeOptions::strict()).build().unwrap();
    let umlaut = Message::new("/a", "é").unwrap().into();
    assert_eq!(open(&strict, &close(&strict, &umlaut)), Err(DecodeErrorKind::IllegalCharacter));
    assert_eq!(open(&signed().build().unwrap(), &close(&strict, &umlaut)).unwrap(), umlaut);
}

#[test]
fn an_unencrypted_packet_is_a_view_of_the_frame_it_came_in() {
    let sent = closed(&with_functions("ca"));
    let opened = open(&with_functions("ca"), &sent).unwrap();
    let frame = sent.as_bytes().as_ptr_range();
    assert!(frame.contains(&opened.as_bytes().as_ptr()));
}

#[test]
fn an_envelope_inside_a_bundle_is_an_ordinary_message() {
    let sent = closed(&with_functions("a"));
    let bundled = Bundle::immediately().with(sent).into_packet().unwrap();
    assert_eq!(fault_of(&with_functions("a"), &bundled), EnvelopeFault::NotAnEnvelope);
    let elsewhere = Message::new("/packets", ("", &b""[..], "", &b""[..], "", &b""[..])).unwrap();
    assert_eq!(fault_of(&Envelope::plain(), &elsewhere.into()), EnvelopeFault::NotAnEnvelope);
}

proptest! {
    /// Any packet arrives, however it is guarded.
    #[test]
    fn all_packets_survive(packet in strategies::packet()) {
        let window = |builder: EnvelopeBuilder| builder.replay_window(ReplayWindow::new()).build().unwrap();
        let stamped = || window(Envelope::builder().signature(HmacSha256::new("key")).cipher(Xor5a));
        for (sender, receiver) in [
            (Envelope::plain(), Envelope::plain()),
            (crc_hmac_chacha(), crc_hmac_chacha()),
            (stamped(), stamped()),
        ] {
            let opened = open(&receiver, &close(&sender, &packet)).unwrap();
            prop_assert_eq!(opened.as_bytes(), packet.as_bytes());
        }
    }

    /// No packet of a stranger is accepted, and none panics.
    #[test]
    fn no_packet_of_a_stranger_is_accepted(packet in strategies::packet()) {
        prop_assert!(open(&crc_hmac_chacha(), &packet).is_err());
    }

    /// Envelopes of any parts: only an error or a packet comes of them.
    #[test]
    fn envelopes_of_any_parts_do_not_panic(
        names in prop::array::uniform3(prop::sample::select(
            &["", "crc32", "hmac-sha256", "chacha20-poly1305", "xor5a", "other"][..],
        )),
        tokens in prop::array::uniform2(prop::collection::vec(any::<u8>(), 0..40)),
        data in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let [checksum, signature] = &tokens;
        let parts = (names[0], checksum.as_slice(), names[1], signature.as_slice(), names[2], data.as_slice());
        let packet = Packet::from(Message::new("/packet", parts).unwrap());
        for letters in ["c", "a", "ca", "cae"] {
            prop_assert!(open(&with_functions(letters), &packet).is_err());
        }
        prop_assert!(open(&crc_hmac_chacha(), &packet).is_err());
        // These two have no key: the decrypted bytes may be a packet.
        let _ = open(&with_functions("e"), &packet);
        let _ = open(&Envelope::plain(), &packet);
    }
}
