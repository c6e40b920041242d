//! What must hold beside the address for a route to take a message.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::packet::Message;
use crate::types::TypeTag;

#[derive(Clone)]
pub(super) enum Condition {
    Tags(Tags),
    Where(Arc<dyn Fn(&Message) -> bool + Send + Sync>),
}

/// A predicate of the user panicked.
pub(super) struct Panicked;

impl Condition {
    pub(super) fn holds(&self, message: &Message) -> Result<bool, Panicked> {
        match self {
            Self::Tags(tags) => Ok(tags.take(message.type_tags())),
            Self::Where(predicate) => {
                catch_unwind(AssertUnwindSafe(|| predicate(message))).map_err(|_| Panicked)
            }
        }
    }
}

/// Type tag strings that a route takes: `"f|ii"` is one float, or two integers.
#[derive(Clone, Debug)]
pub(super) struct Tags(Arc<str>);

impl Tags {
    /// Fails with the first character that is not a type tag of OSC.
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
