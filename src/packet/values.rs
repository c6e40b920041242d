//! OSC values without a corresponding Rust type.

use crate::types::Arg;

/// Nil, type tag `N`. `Option::None` is written as nil too.
///
/// ```
/// use tokio_osc::packet::Nil;
/// use tokio_osc::Message;
///
/// assert_eq!(Message::new("/preset", Nil)?, Message::new("/preset", None::<i32>)?);
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Nil;

/// Impulse, type tag `I`: the "bang" of OSC 1.1, called infinitum in OSC 1.0.
///
/// ```
/// use tokio_osc::packet::Impulse;
/// use tokio_osc::Message;
///
/// let message = Message::new("/bang", Impulse)?;
/// assert_eq!(message.to_string(), "/bang ,I impulse");
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Impulse;

/// Text with the type tag `S` instead of `s`.
///
/// ```
/// use tokio_osc::packet::Symbol;
/// use tokio_osc::Message;
///
/// let message = Message::new("/set", (Symbol("frequency"), 440))?;
/// assert_eq!(message.to_string(), "/set ,Si \"frequency\" 440");
/// assert_eq!(message.parse::<(Symbol<String>, i32)>()?.0, Symbol("frequency".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Symbol<T>(pub T);

/// An argument list inside `[` and `]`.
///
/// ```
/// use tokio_osc::packet::Array;
/// use tokio_osc::Message;
///
/// let message = Message::new("/chord", ("major", Array([60, 64, 67])))?;
/// assert_eq!(message.to_string(), "/chord ,s[iii] \"major\" [ 60 64 67 ]");
///
/// let (name, Array(notes)) = message.parse::<(&str, Array<Vec<i32>>)>()?;
/// assert_eq!((name, notes), ("major", vec![60, 64, 67]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Array<T>(pub T);

/// Reads a value of exactly this type, without conversion.
///
/// ```
/// use tokio_osc::packet::Exact;
/// use tokio_osc::Message;
///
/// let message = Message::new("/gain", 1)?;
/// assert_eq!(message.parse::<f32>()?, 1.0);
/// assert!(message.parse::<Exact<f32>>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Exact<T>(pub T);

/// A number that is neither NaN nor infinite. `f32` and `f64` accept all values.
///
/// ```
/// use tokio_osc::packet::{ArgsErrorKind, Finite};
/// use tokio_osc::Message;
///
/// assert_eq!(Message::new("/gain", 0.5_f32)?.parse::<Finite<f32>>()?.0, 0.5);
///
/// let message = Message::new("/gain", f32::NAN)?;
/// assert!(message.parse::<f32>()?.is_nan());
/// let error = message.parse::<Finite<f32>>().unwrap_err();
/// assert_eq!(error.kind(), ArgsErrorKind::OutOfRange);
/// assert_eq!(error.to_string(), "argument 0: the value of a float32 (f) does not fit a finite number");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Finite<T>(pub T);

/// The remaining arguments, of any types. It may be empty.
///
/// ```
/// use tokio_osc::packet::Rest;
/// use tokio_osc::Message;
///
/// let message = Message::new("/log", ("level", 3, "text"))?;
/// let (level, Rest(more)) = message.parse::<(&str, Rest)>()?;
/// assert_eq!((level, more.len()), ("level", 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rest(pub Vec<Arg>);
