//! Descriptions of routes, for people and for programs that look for controls.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::signature::Signature;
use super::value::Shown;
use crate::packet::ArgTypes;
use crate::types::{Address, Arg};

/// The description of one argument of a route.
///
/// ```
/// use tokio_osc::dispatch::on;
/// use tokio_osc::{Arg, Args, Router};
///
/// fn pan(Args((x, law)): Args<(f32, String)>) { /* … */ }
///
/// let router = Router::new()
///     .route("/pan", on(pan).range(0, -1.0_f32..=1.0).unit(0, "ratio").choices(1, ["sine", "linear"]));
/// let pan = router.namespace().method("/pan").expect("a route of this address");
/// assert_eq!(pan.arg(0).max(), Some(&Arg::from(1.0_f32)));
/// assert_eq!(pan.arg(1).choices().len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AboutArg {
    pub(super) min: Option<Arg>,
    pub(super) max: Option<Arg>,
    pub(super) choices: Vec<Arg>,
    pub(super) unit: Option<String>,
}

impl AboutArg {
    /// Returns the smallest value.
    pub fn min(&self) -> Option<&Arg> {
        self.min.as_ref()
    }

    /// Returns the largest value.
    pub fn max(&self) -> Option<&Arg> {
        self.max.as_ref()
    }

    /// Returns the legal values, if there are only these. Otherwise empty.
    pub fn choices(&self) -> &[Arg] {
        &self.choices
    }

    /// Returns the unit, such as `gain.db`.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }
}

/// The description of a route.
#[derive(Clone, Default)]
pub(super) struct About {
    pub(super) text: Option<String>,
    pub(super) args: Vec<AboutArg>,
    pub(super) value: Option<ShownValue>,
    pub(super) read_only: bool,
    pub(super) critical: bool,
}

/// A value with its type forgotten, and the types of its arguments. They are unknown if it cannot be encoded.
#[derive(Clone)]
pub(super) struct ShownValue {
    pub(super) value: Arc<dyn Shown>,
    types: Option<ArgTypes>,
}

impl ShownValue {
    pub(super) fn new(value: Arc<dyn Shown>) -> Self {
        let message = value.message(&Address::from_wire(Bytes::from_static(b"/value"))).ok();
        Self { value, types: message.map(|message| ArgTypes::written(message.type_tags())) }
    }

    pub(super) fn types(&self) -> Option<&ArgTypes> {
        self.types.as_ref()
    }
}

impl About {
    /// Returns the description of one argument, to be changed. At most 256 arguments are described.
    pub(super) fn arg(&mut self, index: usize) -> &mut AboutArg {
        let index = index.min(MAX_ARGS);
        if self.args.len() <= index {
            self.args.resize_with(index + 1, AboutArg::default);
        }
        &mut self.args[index]
    }

    /// Checks that the description fits the handler.
    #[track_caller]
    pub(super) fn check(&self, route: &str, handler: &str, signature: &Signature) {
        let value = self.value.as_ref();
        assert!(
            value.is_some() || !self.read_only,
            "route {route:?} is `read_only` and has no `value` to read"
        );
        let Some(types) = signature.types() else {
            assert!(
                self.args.is_empty(),
                "route {route:?} describes argument {}, but the handler `{handler}` takes no arguments",
                self.args.len() - 1
            );
            return;
        };
        if types.has_rest() {
            return;
        }
        let taken = arguments(types.tags());
        assert!(
            self.args.len() <= taken,
            "route {route:?} describes argument {}, counted from 0, but the handler `{handler}` takes {taken}",
            self.args.len() - 1
        );
        if let Some(shown) = value.and_then(ShownValue::types) {
            assert!(
                types.alternatives().any(|tags| tags == shown.tags()),
                "route {route:?} has a value with the type tags `{}`, but the handler `{handler}` takes `{}`",
                shown.tags(),
                types.tags()
            );
        }
    }
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About").field("text", &self.text).field("args", &self.args).finish_non_exhaustive()
    }
}

/// Index of the last argument that is described.
const MAX_ARGS: usize = 255;

/// The number of arguments of a string of type tags. An array is one.
fn arguments(tags: &str) -> usize {
    let mut depth = 0_usize;
    let mut count = 0;
    for tag in tags.chars() {
        depth -= usize::from(tag == ']');
        count += usize::from(depth == 0 && tag != ']');
        depth += usize::from(tag == '[');
    }
    count
}
