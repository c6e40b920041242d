//! Functions and async functions as handlers.
//!
//! Three traits share the work, so that compiler errors name the part that does not fit: [`Function`] covers
//! the function, [`Extract`] its parameters, [`Returned`] its result. Users do not name them: the bound of a
//! route is `Handler`, which combines all three.

use std::future::Future;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::signature::Signature;
use super::{Context, FromContext, IntoReply, Rejection, Replies};

/// A function or closure of up to 8 parameters.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an OSC handler",
    label = "not an OSC handler",
    note = "a handler is a `fn`, an `async fn` or a closure of up to 8 extractors that is `Send`, `Sync` and `'static`, not its result; options of its route follow `on(handler)`, as in `on(handler).tags(…)`",
    note = "a closure that captures and awaits is written `move |…| {{ let c = c.clone(); async move {{ … }} }}`"
)]
pub trait Function<T>: Send + Sync + 'static {
    /// The return type.
    type Output;

    /// Calls it.
    fn call(&self, parameters: T) -> Self::Output;
}

/// The parameters of a handler: a tuple of extractors.
pub trait Extract<S>: Sized {
    /// Describes what the parameters need.
    fn describe(signature: &mut Signature);

    /// Extracts all parameters.
    ///
    /// # Errors
    /// Returns the rejection of the first parameter that cannot be extracted.
    fn extract(context: &Context<'_, S>) -> Result<Self, Rejection>;
}

/// The result of a handler: a value, or a future of one. `K` distinguishes the two.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of an OSC handler",
    label = "this handler returns `{Self}`",
    note = "a handler returns `()`, or a reply: `(address, arguments)`, `Message`, `Bundle`, or `Option`, `Result` or `Vec` of them; or a type of your own that implements `IntoReply`; or a future of one of these"
)]
pub trait Returned<K> {
    /// The value.
    type Value;
    /// The future, or `()`.
    type Pending;

    /// Converts the result.
    fn outcome(self) -> Outcome
    where
        Self::Value: IntoReply,
        Self::Pending: Send + 'static;
}

/// The outcome of a call.
pub enum Outcome {
    Now(Replies),
    Later(BoxFuture<'static, Replies>),
}

/// A call without effect and without a reply.
impl Default for Outcome {
    fn default() -> Self {
        Self::Now(Replies::none())
    }
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now(reply) => f.debug_tuple("Now").field(reply).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// Marks immediate results.
#[derive(Debug)]
pub struct AtOnce;

/// Marks results that are futures.
#[derive(Debug)]
pub struct Awaited;

impl<T: IntoReply> Returned<AtOnce> for T {
    type Value = T;
    type Pending = ();

    fn outcome(self) -> Outcome {
        Outcome::Now(self.into_reply())
    }
}

impl<F: Future> Returned<Awaited> for F {
    type Value = F::Output;
    type Pending = F;

    fn outcome(self) -> Outcome
    where
        F::Output: IntoReply,
        F: Send + 'static,
    {
        Outcome::Later(self.map(IntoReply::into_reply).boxed())
    }
}

/// The outcome of a call: the handler ran, or did not get its parameters. Few are rejected: behind a pointer,
/// that does not make each result larger.
pub(crate) type Called = Result<Outcome, Box<Rejection>>;

/// A type-erased handler.
pub(super) type Erased<S> = Arc<dyn Fn(&Context<'_, S>) -> Called + Send + Sync>;

/// Calls a macro with the names of 0 to 8 types.
macro_rules! up_to_8 {
    ($implement:ident) => {
        $implement!();
        $implement!(A);
        $implement!(A B);
        $implement!(A B C);
        $implement!(A B C D);
        $implement!(A B C D E);
        $implement!(A B C D E F);
        $implement!(A B C D E F G);
        $implement!(A B C D E F G H);
    };
}
pub(super) use up_to_8;

macro_rules! parameters {
    ($($name:ident)*) => {
        impl<Func, Out, $($name),*> Function<($($name,)*)> for Func
        where
            Func: Fn($($name),*) -> Out + Send + Sync + 'static,
        {
            type Output = Out;

            #[allow(non_snake_case, reason = "the type's name serves as the variable's")]
            fn call(&self, ($($name,)*): ($($name,)*)) -> Out {
                self($($name),*)
            }
        }

        impl<S, $($name: FromContext<S>),*> Extract<S> for ($($name,)*) {
            #[allow(unused_variables, reason = "for the handler without parameters")]
            fn describe(signature: &mut Signature) {
                $($name::describe(signature);)*
            }

            #[allow(unused_variables, clippy::unused_unit, reason = "for the handler without parameters")]
            fn extract(context: &Context<'_, S>) -> Result<Self, Rejection> {
                Ok(($($name::from_context(context)?,)*))
            }
        }
    };
}

up_to_8!(parameters);
