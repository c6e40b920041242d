//! E. Errors.

use tokio_osc::packet::{DecodeErrorKind, DecodeOptions, EncodeErrorKind, TypeTagSet};
use tokio_osc::{Bytes, Error, Message, Packet};

/// Row E01.
/// Each class of osc4py3, and the error that stands for it; all of them are one for `?`.
#[test]
fn each_class_of_error_of_osc4py3_has_a_kind_here() {
    fn invalid_data() -> Result<(), Error> {
        Message::new("/a", "\0")?;
        Ok(())
    }
    fn invalid_raw() -> Result<(), Error> {
        Packet::decode(Bytes::from_static(b"GET / HTTP/1.1\r\n"))?;
        Ok(())
    }
    assert!(
        matches!(invalid_data(), Err(Error::Encode(error)) if error.kind() == EncodeErrorKind::NulInText)
    );
    assert!(
        matches!(invalid_raw(), Err(Error::Decode(error)) if error.kind() == DecodeErrorKind::NotAPacket)
    );

    let unknown = Packet::decode(Bytes::from_static(b"/a\0\0,u\0\0")).unwrap_err();
    assert_eq!(unknown.kind(), DecodeErrorKind::UnknownTypeTag(b'u'));
    let only_floats = DecodeOptions::default().allowed_type_tags(TypeTagSet::of("f").unwrap());
    let sent = Packet::from(Message::new("/a", 1).unwrap()).check(&only_floats).unwrap_err();
    assert!(matches!(sent.kind(), EncodeErrorKind::NotAccepted(DecodeErrorKind::TypeTagNotAllowed(_))));
}

/// Row E04.
#[test]
fn an_error_says_what_and_where() {
    let error = Packet::decode(Bytes::from_static(b"/a\0\0,is\0\0\0\0\x07abcd")).unwrap_err();
    assert_eq!(error.to_string(), "a string without NUL, at byte 12");
    let error = Message::new("/a", (1, "a\0b")).unwrap_err();
    assert_eq!(error.to_string(), "argument 1: text with a NUL in it");
    let error = Message::new("/a", (1, "x")).unwrap().parse::<(i32, f32)>().unwrap_err();
    assert_eq!(error.to_string(), "argument 1: expected float32, found a string (s)");
}
