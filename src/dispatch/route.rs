//! One route: what it calls, where that runs, and what must hold beside the address.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::handler::{Erased, Outcome};
use super::table::Reach;
use super::{Context, Lane, Rejection};
use crate::packet::Message;
use crate::pattern::Pattern;
use crate::types::{Text, TypeTag};

/// What a call needs, where and when it runs decided.
pub(super) struct Endpoint<S> {
    pub(super) pattern: Pattern,
    /// For a route that takes what lies below its pattern: a pattern of that.
    below: Option<Pattern>,
    pub(super) handler: Arc<Erased<S>>,
    pub(super) extra: Option<Arc<dyn Any + Send + Sync>>,
}

impl<S> Endpoint<S> {
    pub(super) fn call(&self, context: &Context<'_, S>) -> Result<Outcome, Rejection> {
        (self.handler)(context)
    }

    /// What the address has in the place of the parts of the pattern that are not plain text. An
    /// address with `//` has any number of names there, hence none.
    pub(super) fn captures<'a>(&self, address: &'a [u8]) -> Option<Vec<Text<'a>>> {
        if address.windows(2).any(|pair| pair == b"//") {
            return None;
        }
        self.pattern.captures_of(address).or_else(|| {
            let mut captures = self.below.as_ref()?.captures_of(address)?;
            captures.pop();
            Some(captures)
        })
    }

    /// The same for another pattern, with another handler.
    pub(super) fn moved<S2>(&self, pattern: Pattern, handler: Arc<Erased<S2>>) -> Endpoint<S2> {
        let below = self.below.as_ref().and_then(|_| below(&pattern));
        Endpoint { pattern, below, handler, extra: self.extra.clone() }
    }
}

/// The addresses below those of a pattern.
fn below(pattern: &Pattern) -> Option<Pattern> {
    let text = pattern.as_bytes();
    let text = text.strip_suffix(b"/").unwrap_or(text);
    Pattern::new([text, b"//"].concat()).ok()
}

impl<S> Clone for Endpoint<S> {
    fn clone(&self) -> Self {
        Self {
            pattern: self.pattern.clone(),
            below: self.below.clone(),
            handler: Arc::clone(&self.handler),
            extra: self.extra.clone(),
        }
    }
}

/// A handler and what is known of its route. `S` is the router's state.
pub(crate) struct Route<S> {
    pub(super) endpoint: Arc<Endpoint<S>>,
    pub(super) conditions: Vec<Condition>,
    pub(super) lane: Option<Lane>,
}

impl<S> Route<S> {
    pub(super) fn new(pattern: Pattern, handler: Erased<S>) -> Self {
        Self::reaching(pattern, Reach::Exact, handler)
    }

    pub(super) fn reaching(pattern: Pattern, reach: Reach, handler: Erased<S>) -> Self {
        let below = (reach == Reach::Below).then(|| below(&pattern)).flatten();
        let endpoint = Endpoint { pattern, below, handler: Arc::new(handler), extra: None };
        Self { endpoint: Arc::new(endpoint), conditions: Vec::new(), lane: None }
    }

    /// Whether a message whose address matches is one for this route.
    pub(super) fn takes(&self, message: &Message) -> Result<bool, Panicked> {
        for condition in &self.conditions {
            if !condition.holds(message)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<S> Clone for Route<S> {
    fn clone(&self) -> Self {
        Self {
            endpoint: Arc::clone(&self.endpoint),
            conditions: self.conditions.clone(),
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

/// A predicate of the user did not come back.
pub(super) struct Panicked;

impl Condition {
    fn holds(&self, message: &Message) -> Result<bool, Panicked> {
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
        f.debug_tuple("Route").field(&self.endpoint.pattern).finish()
    }
}
