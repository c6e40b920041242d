//! Routes: the handler, where it runs, and the conditions.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::about::About;
use super::conditions::Condition;
use super::handler::{Called, Erased};
use super::instances::Instances;
use super::signature::Signature;
use super::table::Reach;
use super::{Context, Lane, Method};
use crate::packet::Message;
use crate::pattern::{Part, Pattern};
use crate::types::{Address, Text, TextBuf};
use crate::user_function::Panicked;

/// The data of a call.
pub(super) struct Endpoint<S> {
    /// The name of the route: its pattern, or a description where it has none.
    pub(super) name: Arc<str>,
    pub(super) pattern: Pattern,
    captures: CaptureRule,
    pub(super) handler: Erased<S>,
    pub(super) extra: Option<Arc<dyn Any + Send + Sync>>,
    pub(super) signature: Arc<Signature>,
    pub(super) about: Arc<About>,
}

/// The source of a route's captures.
#[derive(Clone)]
pub(super) struct CaptureRule {
    /// The pattern whose parts are captures: that of the route, or for an instance the pattern that it was
    /// created from.
    pattern: Pattern,
    /// For a prefix route: a pattern of the part below the prefix.
    below: Option<Pattern>,
    /// For an instance: the values, and the number of trailing parts that contain them.
    filled: Arc<[TextBuf]>,
    filled_parts: usize,
}

impl CaptureRule {
    pub(super) fn new(pattern: Pattern, reach: Reach, filled: Vec<TextBuf>) -> Self {
        let below = (reach == Reach::Below).then(|| below(&pattern)).flatten();
        let filled_parts = if filled.is_empty() { 0 } else { capturing_parts(&pattern) };
        Self { pattern, below, filled: filled.into(), filled_parts }
    }

    fn of<'a>(&'a self, address: &'a [u8]) -> Option<Vec<Text<'a>>> {
        let mut captures = Vec::new();
        // An instance has its values, whatever the sender wrote. Only a prefix route may have more captures.
        if self.filled_parts == 0 || capturing_parts(&self.pattern) > self.filled_parts {
            captures = self.taken_from(address)?;
            captures.truncate(captures.len().saturating_sub(self.filled_parts));
        }
        captures.extend(self.filled.iter().map(Text::from));
        Some(captures)
    }

    /// The parts of the address that match parts of the pattern other than plain text. An address with `//` has any
    /// number of names there, so `None`.
    fn taken_from<'a>(&self, address: &'a [u8]) -> Option<Vec<Text<'a>>> {
        if address.windows(2).any(|pair| pair == b"//") {
            return None;
        }
        self.pattern.captures_of(address).or_else(|| {
            let mut captures = self.below.as_ref()?.captures_of(address)?;
            captures.pop();
            Some(captures)
        })
    }

    /// The captures after a prefix.
    fn behind(&self, prefix: &str) -> Self {
        let behind = |pattern: &Pattern| {
            // Cannot fail: the pattern of the route is longer, and was checked.
            pattern.behind(prefix).unwrap_or_else(|_| pattern.clone())
        };
        let pattern = behind(&self.pattern);
        let below = self.below.as_ref().and_then(|_| below(&pattern));
        Self { pattern, below, ..self.clone() }
    }
}

fn capturing_parts(pattern: &Pattern) -> usize {
    let parts = pattern.parts().filter(|part| !matches!(part, Part::Literal(_)));
    if pattern.is_exact() { 0 } else { parts.count() }
}

/// The pattern of all addresses below another.
fn below(pattern: &Pattern) -> Option<Pattern> {
    let text = pattern.as_bytes();
    let text = text.strip_suffix(b"/").unwrap_or(text);
    Pattern::new([text, b"//"].concat()).ok()
}

impl<S> Endpoint<S> {
    pub(super) fn call(&self, context: &Context<'_, S>) -> Called {
        (self.handler)(context)
    }

    /// Returns the captures of this address. `None` if it has none.
    pub(super) fn captures<'a>(&'a self, address: &'a [u8]) -> Option<Vec<Text<'a>>> {
        self.captures.of(address)
    }

    /// The same behind a prefix, where its pattern is this.
    pub(super) fn behind(&self, prefix: &str, pattern: Pattern) -> Self {
        let name = if is_named_by(&self.name, &self.pattern) {
            pattern.to_string().into()
        } else {
            Arc::clone(&self.name)
        };
        let captures = self.captures.behind(prefix);
        Self { name, pattern, captures, ..self.handled_by(Arc::clone(&self.handler)) }
    }

    /// Replaces the handler.
    pub(super) fn handled_by<S2>(&self, handler: Erased<S2>) -> Endpoint<S2> {
        Endpoint {
            name: Arc::clone(&self.name),
            pattern: self.pattern.clone(),
            captures: self.captures.clone(),
            handler,
            extra: self.extra.clone(),
            signature: Arc::clone(&self.signature),
            about: Arc::clone(&self.about),
        }
    }
}

fn is_named_by(name: &str, pattern: &Pattern) -> bool {
    name.as_bytes() == pattern.as_bytes()
}

/// The options of a route.
#[derive(Clone, Default)]
pub(super) struct RouteOptions {
    pub(super) conditions: Vec<Condition>,
    pub(super) extra: Option<ExtraValue>,
    pub(super) lane: Option<Lane>,
    pub(super) instances: Option<Instances>,
    pub(super) about: About,
}

/// The value for [`Extra`](crate::dispatch::Extra), and the name of its type.
#[derive(Clone)]
pub(super) struct ExtraValue {
    pub(super) value: Arc<dyn Any + Send + Sync>,
    pub(super) type_name: &'static str,
}

/// A handler and the data about its route. `S` is the router's state.
pub(crate) struct Route<S> {
    pub(super) endpoint: Arc<Endpoint<S>>,
    pub(super) conditions: Vec<Condition>,
    pub(super) lane: Option<Lane>,
}

impl<S> Route<S> {
    pub(super) fn new(
        name: &str,
        pattern: Pattern,
        captures: CaptureRule,
        handler: Erased<S>,
        signature: Arc<Signature>,
        options: &RouteOptions,
    ) -> Self {
        let extra = options.extra.as_ref().map(|extra| Arc::clone(&extra.value));
        let (name, about) = (name.into(), Arc::new(options.about.clone()));
        let endpoint = Arc::new(Endpoint { name, pattern, captures, handler, extra, signature, about });
        Self { endpoint, conditions: options.conditions.clone(), lane: options.lane.clone() }
    }

    /// Returns what others can know of it, if it has a single address.
    pub(super) fn method(&self, pattern: &Pattern, reach: Reach) -> Option<Method> {
        let chosen = self.conditions.iter().any(|condition| matches!(condition, Condition::Where(_)));
        if reach != Reach::Exact || chosen || !(pattern.is_literal() || pattern.is_exact()) {
            return None;
        }
        let (signature, about) = (Arc::clone(&self.endpoint.signature), Arc::clone(&self.endpoint.about));
        Some(Method { address: Address::from_wire(pattern.as_bytes().to_vec().into()), signature, about })
    }

    /// Returns `true` if a message with a matching address fulfils the conditions of this route.
    pub(super) fn takes(&self, message: &Message) -> Result<bool, Panicked> {
        for condition in &self.conditions {
            if !condition.holds(message)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<S> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.endpoint.name).finish()
    }
}
