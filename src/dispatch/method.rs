//! A route, as other programs see it.

use std::fmt;
use std::sync::Arc;

use futures::{Stream, StreamExt, stream};

use super::about::{About, AboutArg};
use super::signature::Signature;
use crate::packet::{ArgTypes, Message};
use crate::types::Address;

/// A route of a single address, which the OSC specification calls an OSC method. See
/// [`Namespace`](crate::dispatch::Namespace).
#[derive(Clone)]
pub struct Method {
    pub(super) address: Address,
    pub(super) signature: Arc<Signature>,
    pub(super) about: Arc<About>,
}

impl Method {
    /// Returns its address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns its description: see [`On::about`](crate::dispatch::On::about).
    pub fn about(&self) -> Option<&str> {
        self.about.text.as_deref()
    }

    /// Returns the types of the arguments that its handler reads; if it reads none, those of its
    /// [`value`](crate::dispatch::On::value). `None` if it has neither.
    pub fn types(&self) -> Option<&ArgTypes> {
        self.signature.types().or_else(|| self.about.value.as_ref()?.types())
    }

    /// Returns the description of an argument, counted from 0.
    pub fn arg(&self, index: usize) -> AboutArg {
        self.about.args.get(index).cloned().unwrap_or_default()
    }

    /// Returns the descriptions of its arguments, up to the last argument that has one.
    pub(super) fn args(&self) -> &[AboutArg] {
        &self.about.args
    }

    /// Returns the present value, as a message to its address. `None` if the route has no
    /// [`value`](crate::dispatch::On::value), or one that cannot be encoded.
    pub fn value(&self) -> Option<Message> {
        self.about.value.as_ref()?.value.message(&self.address).ok()
    }

    /// Returns the present value and each later one, as messages to its address. Empty if the route has no value. A
    /// reader that is slower than the changes misses values, never the last.
    pub fn values(&self) -> impl Stream<Item = Message> + Send + Unpin + use<> {
        match &self.about.value {
            Some(shown) => shown.value.messages(self.address.clone()),
            None => stream::empty().boxed(),
        }
    }

    /// Returns `true` if it has a value that can be read.
    pub fn is_readable(&self) -> bool {
        self.about.value.is_some()
    }

    /// Returns `false` if no messages should be sent to it: see [`On::read_only`](crate::dispatch::On::read_only).
    pub fn is_writable(&self) -> bool {
        !self.about.read_only
    }

    /// Returns `true` if messages to it must not be lost: see [`On::critical`](crate::dispatch::On::critical).
    pub fn is_critical(&self) -> bool {
        self.about.critical
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("address", &self.address)
            .field("types", &self.types())
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}
