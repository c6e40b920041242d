//! What a handler asks for, known without running it.

use std::any::{Any, TypeId, type_name};

/// What a handler asks for, known without running it. Its extractors fill it in:
/// [`FromContext::describe`](crate::dispatch::FromContext::describe).
///
/// ```
/// use tokio_osc::Args;
/// use tokio_osc::dispatch::{FromContext, Signature};
///
/// let mut signature = Signature::default();
/// <Args<(f32, i32)> as FromContext<()>>::describe(&mut signature);
/// assert_eq!(signature.args(), Some("(f32, i32)"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Signature {
    args: Option<&'static str>,
    pub(super) extras: Vec<(TypeId, &'static str)>,
    /// Whether it takes an extra value, be it that it can do without, or has not said that it takes none.
    pub(super) takes_extra: bool,
    pub(super) bundle: bool,
}

impl Signature {
    /// The handler reads the arguments as this type.
    pub fn takes_args<T>(&mut self) {
        self.args = Some(type_name::<T>());
    }

    /// The handler cannot run without an extra value of this type. For extractors that use
    /// [`Extra`](crate::dispatch::Extra): a route without such a value then panics when it is made.
    pub fn needs_extra<T: Any>(&mut self) {
        self.extras.push((TypeId::of::<T>(), type_name::<T>()));
        self.takes_extra = true;
    }

    /// The name of the type that the arguments are read as, if they are.
    pub fn args(&self) -> Option<&'static str> {
        self.args
    }

    /// Takes over what a parameter reads, and nothing that it needs: it may be missing.
    pub(super) fn optional(&mut self, describe: fn(&mut Self)) {
        let mut inner = Self::default();
        describe(&mut inner);
        self.args = inner.args.or(self.args);
        self.takes_extra |= inner.takes_extra;
    }
}
