//! Conditions of a route, in addition to its address.

use std::sync::Arc;

use crate::packet::Message;
use crate::types::TypeTag;
use crate::user_function::{Panicked, UserFunction};

#[derive(Clone)]
pub(super) enum Condition {
    Tags(Tags),
    Where(Arc<Predicate>),
}

/// A user's function that decides whether a route takes a message.
pub(super) struct Predicate {
    function: Box<dyn Fn(&Message) -> bool + Send + Sync>,
    user: UserFunction,
}

impl Predicate {
    /// Of the route with this name.
    pub(super) fn new(route: String, function: impl Fn(&Message) -> bool + Send + Sync + 'static) -> Self {
        Self { function: Box::new(function), user: UserFunction::new(route) }
    }
}

impl Condition {
    pub(super) fn holds(&self, message: &Message) -> Result<bool, Panicked> {
        match self {
            Self::Tags(tags) => Ok(tags.take(message.type_tags())),
            Self::Where(predicate) => predicate.user.call(|| (predicate.function)(message)),
        }
    }
}

/// The type tag strings that a route accepts: `"f|ii"` is one float, or two integers.
#[derive(Clone, Debug)]
pub(super) struct Tags(Arc<str>);

impl Tags {
    /// Returns the first character that is not an OSC type tag as the error.
    pub(super) fn new(selector: &str) -> Result<Self, char> {
        let known = |tag| tag == '|' || u8::try_from(tag).is_ok_and(|tag| TypeTag::from_byte(tag).is_some());
        match selector.chars().find(|&tag| !known(tag)) {
            Some(unknown) => Err(unknown),
            None => Ok(Self(selector.into())),
        }
    }

    fn take(&self, type_tags: &str) -> bool {
        let type_tags = type_tags.strip_prefix(',').unwrap_or(type_tags);
        self.0.split('|').any(|alternative| alternative == type_tags)
    }
}
