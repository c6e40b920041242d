//! One route: a handler, the pattern it answers, and the conditions beyond that.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::handler::{Handler, Outcome};
use super::{Context, Lane, Rejection};
use crate::packet::Message;
use crate::pattern::Pattern;
use crate::types::TypeTag;

/// A handler and what is known of its route. `S` is the router's state.
pub(crate) struct Route<S> {
    pub(super) pattern: Pattern,
    pub(super) handler: Arc<Handler<S>>,
    pub(super) conditions: Vec<Condition>,
    pub(super) extra: Option<Arc<dyn Any + Send + Sync>>,
    pub(super) lane: Option<Lane>,
}

impl<S> Route<S> {
    pub(super) fn new(pattern: Pattern, handler: Handler<S>) -> Self {
        Self { pattern, handler: Arc::new(handler), conditions: Vec::new(), extra: None, lane: None }
    }

    /// Whether a message whose address matches is one for this route.
    pub(super) fn takes(&self, message: &Message) -> bool {
        self.conditions.iter().all(|condition| condition.holds(message))
    }

    pub(super) fn call(&self, context: &Context<'_, S>) -> Result<Outcome, Rejection> {
        (self.handler)(context)
    }
}

impl<S> Clone for Route<S> {
    fn clone(&self) -> Self {
        Self {
            pattern: self.pattern.clone(),
            handler: Arc::clone(&self.handler),
            conditions: self.conditions.clone(),
            extra: self.extra.clone(),
            lane: self.lane.clone(),
        }
    }
}

/// What must hold beside the address.
#[derive(Clone)]
pub(super) enum Condition {
    Tags(Tags),
    Where(Arc<dyn Fn(&Message) -> bool + Send + Sync>),
}

impl Condition {
    fn holds(&self, message: &Message) -> bool {
        match self {
            Self::Tags(tags) => tags.take(message.type_tags()),
            Self::Where(predicate) => predicate(message),
        }
    }
}

/// Type tag strings that a route takes: `"f|ii"` is one float, or two integers.
#[derive(Clone, Debug)]
pub(super) struct Tags(Arc<str>);

impl Tags {
    /// `None` if it names a type tag that OSC does not define.
    pub(super) fn new(selector: &str) -> Option<Self> {
        let known = |byte| byte == b'|' || TypeTag::from_byte(byte).is_some();
        selector.bytes().all(known).then(|| Self(selector.into()))
    }

    fn take(&self, type_tags: &str) -> bool {
        let type_tags = type_tags.strip_prefix(',').unwrap_or(type_tags);
        self.0.split('|').any(|alternative| alternative == type_tags)
    }
}

impl<S> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.pattern).finish()
    }
}
