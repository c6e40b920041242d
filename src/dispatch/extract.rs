//! The extractors for arguments, state and captures.

use std::any::type_name;
use std::ops::Deref;
use std::sync::Arc;

use super::signature::Signature;
use super::{CaptureError, Context, FromContext, Rejection};
use crate::packet::OwnedArgs;
use crate::types::{Text, TextBuf};

/// The arguments of the message as Rust values. See [`FromArgs`](crate::FromArgs) for the types and
/// conversions.
///
/// ```
/// use tokio_osc::{Args, Router};
///
/// async fn freq(Args((hz, wave)): Args<(f32, String)>) {
///     println!("{hz} Hz, {wave}");
/// }
///
/// let router = Router::new().route("/synth/1/freq", freq);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Args<T>(pub T);

impl<S, T: OwnedArgs> FromContext<S> for Args<T> {
    fn describe(signature: &mut Signature) {
        signature.takes_args::<T>();
    }

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(Self(context.message().parse()?))
    }
}

/// The state of the router, or a part of it. All handlers share it. It derefs to `T`.
///
/// `T` is the type passed to [`Router::with_state`](crate::Router::with_state), or the type in the `Arc`
/// passed to [`Router::with_shared`](crate::Router::with_shared), or a part of it: see [`FromState`].
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use tokio_osc::{Router, State};
///
/// let router = Router::with_state(AtomicU32::new(0))
///     .route("/hit", |hits: State<AtomicU32>| { hits.fetch_add(1, Ordering::Relaxed); });
/// ```
#[derive(Debug)]
pub struct State<T>(pub Arc<T>);

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<S, T: FromState<S>> FromContext<S> for State<T> {
    fn describe(_: &mut Signature) {}

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(Self(T::from_state(context.state())))
    }
}

/// A type that [`State`] can extract from the state `S` of a router: `S` itself, or a part of it.
///
/// A part is in its own `Arc` in the state. A handler that extracts it works in every router whose state
/// contains it.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use tokio_osc::dispatch::FromState;
/// use tokio_osc::{Router, State};
///
/// struct App {
///     hits: Arc<AtomicU32>,
///     title: String,
/// }
///
/// impl FromState<App> for AtomicU32 {
///     fn from_state(app: &Arc<App>) -> Arc<Self> {
///         Arc::clone(&app.hits)
///     }
/// }
///
/// fn hit(hits: State<AtomicU32>) {
///     hits.fetch_add(1, Ordering::Relaxed);
/// }
///
/// let app = App { hits: Arc::default(), title: "desk".to_owned() };
/// let router = Router::with_state(app)
///     .route("/hit", hit)
///     .route("/title", |app: State<App>| ("/title", app.title.clone()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the state of this router",
    label = "this handler asks for `State<{Self}>`",
    note = "the router has the state `{S}`, by `Router::with_state` or `Router::with_shared`",
    note = "a state that is in an `Arc` already is given to `Router::with_shared`; for a part of the state, implement `FromState<{S}>` for `{Self}`"
)]
pub trait FromState<S>: Sized {
    /// Returns this part of the state.
    fn from_state(state: &Arc<S>) -> Arc<Self>;
}

impl<S> FromState<S> for S {
    fn from_state(state: &Arc<S>) -> Arc<Self> {
        Arc::clone(state)
    }
}

/// The parts of the address that match the pattern parts of the route, in order.
///
/// Each part of the route that is not a plain name is a capture; `//` captures all parts that it spans. `T`
/// is a single [`FromCapture`] type, or a tuple of up to 8 of them. Their number must be exact.
///
/// The address of the message may be a pattern too. Its text is captured if the route accepts that text as a
/// name: `/synth/*/freq` captures `{1,2}` from `/synth/{1,2}/freq`, which is a `String` and not a number. Two
/// patterns may overlap without captures, such as the route `/synth/{1,2}/freq` and the message
/// `/synth/*/freq`, or any route and a message with `//`. Then a handler with `Captures` is not called
/// ([`Rejection::NoCaptures`]); a handler without captures, or with an `Option` or `Result` of them, is. If
/// senders use patterns, list the instances of the route with
/// [`On::instances`](crate::dispatch::On::instances): a message to `/mixer/{1,2}/gain` then calls the handler
/// for both.
///
/// ```
/// use tokio_osc::dispatch::on;
/// use tokio_osc::{Args, Captures, Router};
///
/// fn gain(Captures(channel): Captures<u8>, Args(gain): Args<f32>) {
///     println!("channel {channel}: {gain}");
/// }
///
/// let router = Router::new().route("/mixer/*/gain", on(gain).instances(1..=8));
/// ```
///
/// ```
/// use tokio_osc::{Args, Captures, Router};
///
/// let router = Router::new()
///     .route("/synth/*/freq", |Captures(voice): Captures<u32>, Args(hz): Args<f32>| {
///         println!("voice {voice}: {hz} Hz");
///     })
///     .route("/mixer/{in,out}/*/gain", |Captures((side, n)): Captures<(String, u8)>| {
///         println!("{side} {n}");
///     });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Captures<T>(pub T);

impl<S, T: FromCaptures> FromContext<S> for Captures<T> {
    fn describe(_: &mut Signature) {}

    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        let address = context.message().address();
        let captures = context.endpoint.captures(address.as_bytes()).ok_or(Rejection::NoCaptures)?;
        Ok(Self(T::from_captures(&captures)?))
    }
}

/// A type that [`Captures`] can extract: a [`FromCapture`] type, or a tuple of up to 8 of them.
///
/// ```
/// use tokio_osc::dispatch::FromCaptures;
/// use tokio_osc::packet::Text;
///
/// let captures = [Text::new(b"in"), Text::new(b"7")];
/// let (side, n) = <(String, u8)>::from_captures(&captures)?;
/// assert_eq!((side.as_str(), n), ("in", 7));
/// # Ok::<(), tokio_osc::dispatch::CaptureError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from the captures of an address",
    note = "a capture is a number, `bool`, `char`, `String`, a type that implements `FromCapture`, or a tuple of up to 8 of them"
)]
pub trait FromCaptures: Sized {
    /// Parses all captures.
    ///
    /// # Errors
    /// Returns an error if the number of captures differs, or one cannot be parsed.
    fn from_captures(captures: &[Text<'_>]) -> Result<Self, CaptureError>;
}

/// A type that can be parsed from one capture: all numbers, `bool`, `char`, `String` and [`TextBuf`], and
/// your own types.
///
/// ```
/// use tokio_osc::dispatch::FromCapture;
/// use tokio_osc::packet::Text;
/// use tokio_osc::{Captures, Router};
///
/// enum Side { Left, Right }
///
/// impl FromCapture for Side {
///     fn from_capture(text: Text<'_>) -> Option<Self> {
///         match text.as_bytes() {
///             b"left" => Some(Self::Left),
///             b"right" => Some(Self::Right),
///             _ => None,
///         }
///     }
/// }
///
/// let router = Router::new().route("/door/*", |Captures(side): Captures<Side>| match side {
///     Side::Left => println!("left"),
///     Side::Right => println!("right"),
/// });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from the captures of an address",
    note = "a capture is a number, `bool`, `char`, `String`, a type that implements `FromCapture`, or a tuple of up to 8 of them"
)]
pub trait FromCapture: Sized {
    /// Parses the capture. Returns `None` if the text is not a valid value.
    fn from_capture(text: Text<'_>) -> Option<Self>;
}

macro_rules! parsed {
    ($($type:ty)*) => {$(
        impl FromCapture for $type {
            fn from_capture(text: Text<'_>) -> Option<Self> {
                text.to_str().ok()?.parse().ok()
            }
        }
    )*};
}

parsed!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char String);

impl FromCapture for TextBuf {
    fn from_capture(text: Text<'_>) -> Option<Self> {
        Some(Self::new(text.as_bytes().to_vec()))
    }
}

impl<T: FromCapture> FromCaptures for T {
    fn from_captures(captures: &[Text<'_>]) -> Result<Self, CaptureError> {
        <(T,)>::from_captures(captures).map(|(value,)| value)
    }
}

fn capture<T: FromCapture>(captures: &[Text<'_>], index: usize) -> Result<T, CaptureError> {
    let Some(&text) = captures.get(index) else {
        return Err(CaptureError::missing(index, type_name::<T>()));
    };
    T::from_capture(text).ok_or_else(|| CaptureError::other(index, type_name::<T>(), text))
}

macro_rules! tuples {
    ($count:literal: $($name:ident $index:literal)*) => {
        impl<$($name: FromCapture),*> FromCaptures for ($($name,)*) {
            fn from_captures(captures: &[Text<'_>]) -> Result<Self, CaptureError> {
                if captures.len() > $count {
                    return Err(CaptureError::surplus($count, captures.len()));
                }
                Ok(($(capture::<$name>(captures, $index)?,)*))
            }
        }
    };
}

tuples!(1: A 0);
tuples!(2: A 0 B 1);
tuples!(3: A 0 B 1 C 2);
tuples!(4: A 0 B 1 C 2 D 3);
tuples!(5: A 0 B 1 C 2 D 3 E 4);
tuples!(6: A 0 B 1 C 2 D 3 E 4 F 5);
tuples!(7: A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuples!(8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
