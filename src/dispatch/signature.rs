//! The signature of a handler, known without running it.

use std::any::{Any, TypeId, type_name};

use crate::packet::{ArgTypes, OwnedArgs, Rest};

/// The signature of a handler. Its extractors fill it in with
/// [`FromContext::describe`](crate::dispatch::FromContext::describe).
///
/// ```
/// use tokio_osc::Args;
/// use tokio_osc::dispatch::{FromContext, Signature};
///
/// let mut signature = Signature::default();
/// <Args<(f32, i32)> as FromContext<()>>::describe(&mut signature);
/// assert_eq!(signature.args(), Some("(f32, i32)"));
/// assert_eq!(signature.types().unwrap().tags(), "fi");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Signature {
    args: Option<&'static str>,
    types: Option<ArgTypes>,
    pub(super) extras: Vec<(TypeId, &'static str)>,
    /// Whether it may take an extra value: it requires one, has an optional one, or does not describe itself.
    pub(super) takes_extra: bool,
    pub(super) bundle: bool,
}

impl Signature {
    /// Records that the handler reads the arguments as this type.
    pub fn takes_args<T: OwnedArgs>(&mut self) {
        self.args = Some(type_name::<T>());
        self.types = Some(ArgTypes::of::<T>());
    }

    /// Records that the handler requires an extra value of this type. For extractors that use
    /// [`Extra`](crate::dispatch::Extra): adding a route without the value then panics.
    pub fn needs_extra<T: Any>(&mut self) {
        self.extras.push((TypeId::of::<T>(), type_name::<T>()));
        self.takes_extra = true;
    }

    /// Returns the name of the type of the arguments, if they are read.
    pub fn args(&self) -> Option<&'static str> {
        self.args
    }

    /// Returns the types of the arguments, if they are read.
    pub fn types(&self) -> Option<&ArgTypes> {
        self.types.as_ref()
    }

    /// Records that the handler can read arguments of any types, unless another parameter says which.
    pub(super) fn takes_any_args(&mut self) {
        self.types.get_or_insert_with(ArgTypes::of::<Rest>);
    }

    /// Adds what a parameter reads, but not its requirements, because it is optional.
    pub(super) fn optional(&mut self, describe: fn(&mut Self)) {
        let mut inner = Self::default();
        describe(&mut inner);
        self.args = inner.args.or(self.args);
        self.types = inner.types.or(self.types.take());
        self.takes_extra |= inner.takes_extra;
    }
}
