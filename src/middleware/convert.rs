//! Arguments turned into types that the receiver knows.

use crate::packet::{
    ArgRef, ArgsWriter, EncodeError, EncodeErrorKind, IntoArgs, Message, MessageRef, Packet,
};
use crate::types::{TypeTag, TypeTagSet};
use crate::wire::{DecodeErrorKind, rewrite};

/// Why an argument that cannot be converted is refused.
const REFUSED: &str = "its type is not allowed, and its value has no equal in one that is";

/// The packet with its arguments in allowed types; an error names the argument that has no equal there.
pub(super) fn convert(packet: &Packet, allowed: TypeTagSet) -> Result<Packet, EncodeError> {
    let frame = rewrite(packet.as_bytes(), |message: &[u8], at, out: &mut Vec<u8>| {
        let message = MessageRef::decode(message).map_err(|error| not_accepted(error.kind(), at))?;
        if let Some(index) = message.args().position(|arg| !fits(arg, allowed)) {
            return Err(EncodeError::new(EncodeErrorKind::ArgumentRefused(REFUSED), index));
        }
        let args = Converted(message, allowed);
        let converted = match message.numeric_address() {
            Some(number) => Message::with_numeric_address(number, args)?,
            None => Message::with_bare_address(message.address().as_bytes(), args)?,
        };
        out.extend_from_slice(converted.as_bytes());
        Ok(())
    })?;
    Packet::decode(frame).map_err(|error| not_accepted(error.kind(), error.offset()))
}

fn not_accepted(kind: DecodeErrorKind, at: usize) -> EncodeError {
    EncodeError::new(EncodeErrorKind::NotAccepted(kind), at)
}

/// Whether an argument has an allowed type once it is converted.
fn fits(arg: ArgRef<'_>, allowed: TypeTagSet) -> bool {
    match converted(arg, allowed) {
        ArgRef::Array(array) => {
            let brackets = allowed.contains(TypeTag::ArrayBegin) && allowed.contains(TypeTag::ArrayEnd);
            brackets && array.iter().all(|arg| fits(arg, allowed))
        }
        arg => allowed.contains(arg.type_tag()),
    }
}

/// The same value in an allowed type, if it has one: a double is rounded, all else is kept as it is.
fn converted(arg: ArgRef<'_>, allowed: TypeTagSet) -> ArgRef<'_> {
    let other = match arg {
        _ if allowed.contains(arg.type_tag()) => None,
        ArgRef::Float64(value) => single(value).map(ArgRef::Float32),
        ArgRef::Int64(value) => i32::try_from(value).ok().map(ArgRef::Int32),
        ArgRef::Bool(value) => Some(ArgRef::Int32(value.into())),
        ArgRef::Symbol(text) => Some(ArgRef::String(text)),
        _ => None,
    };
    other.filter(|other| allowed.contains(other.type_tag())).unwrap_or(arg)
}

/// A double as a float; `None` if it is too large for one.
fn single(value: f64) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what is meant")]
    let rounded = value as f32;
    (rounded.is_finite() || !value.is_finite()).then_some(rounded)
}

/// The arguments of a message, each converted.
struct Converted<'a>(MessageRef<'a>, TypeTagSet);

impl IntoArgs for Converted<'_> {
    fn write_args<W: ArgsWriter>(&self, out: &mut W) {
        self.0.args().for_each(|arg| write(arg, self.1, out));
    }
}

fn write<W: ArgsWriter>(arg: ArgRef<'_>, allowed: TypeTagSet, out: &mut W) {
    match converted(arg, allowed) {
        ArgRef::Array(array) => out.array(|out| array.iter().for_each(|arg| write(arg, allowed, out))),
        arg => arg.write_args(out),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::packet::{Array, Bundle, IntoPacket, Symbol, TimeTag};

    fn converted(packet: impl IntoPacket, allowed: &str) -> Result<String, String> {
        let packet = packet.into_packet().unwrap();
        let converted = convert(&packet, TypeTagSet::of(allowed).unwrap());
        converted.map(|packet| packet.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn values_take_an_allowed_type_where_they_have_one() {
        let args = (0.1, 7_i64, true, false, Symbol("saw"), "text", 8);
        assert_eq!(converted(("/a", args), "ifs").unwrap(), "/a ,fiiissi 0.1 7 1 0 \"saw\" \"text\" 8");
        assert_eq!(converted(("/a", (0.1, 1)), "idf").unwrap(), "/a ,di 0.1 1", "what is allowed stays");
        assert_eq!(converted(("/a", Array((0.5, 7_i64))), "if[]").unwrap(), "/a ,[fi] [0.5 7]");
        assert_eq!(converted(("/a", f64::INFINITY), "f").unwrap(), "/a ,f inf");
        let inner = Bundle::at(TimeTag::IMMEDIATELY).with(("/b", true));
        let both = converted(Bundle::at(TimeTag::IMMEDIATELY).with(("/a", 0.5)).with(inner), "if").unwrap();
        assert!(both.contains("/a ,f 0.5") && both.contains("/b ,i 1"), "{both}");
    }

    #[test]
    fn the_argument_that_has_no_equal_is_named() {
        let says = |index| Err(format!("argument {index}: {REFUSED}"));
        assert_eq!(converted(("/a", (1, i64::MAX)), "i"), says(1));
        assert_eq!(converted(("/a", 1e300), "f"), says(0));
        assert_eq!(converted(("/a", (1, 2, 0.5_f32)), "i"), says(2), "a float is not rounded to an integer");
        assert_eq!(converted(("/a", (1, Array(0.5))), "if"), says(1), "brackets count");
        assert_eq!(converted(("/a", true), "f"), says(0));
    }
}
