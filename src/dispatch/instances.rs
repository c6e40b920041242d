//! Routes over a set of names: one literal route for each name, with the name as its capture.

use std::collections::HashSet;
use std::fmt;

use crate::pattern::{Part, Pattern};
use crate::types::TextBuf;

/// Maximum number of routes for one pattern.
const MAX_INSTANCES: usize = 4_096;

/// Values for [`On::instances`](crate::dispatch::On::instances): for one `*` anything that can be iterated and
/// displayed, such as `1..=8`; for up to 4 `*` a tuple of these.
///
/// ```
/// use tokio_osc::dispatch::on;
/// use tokio_osc::{Captures, Router};
///
/// let router = Router::new()
///     .route("/1/fader*", on(|Captures(n): Captures<u8>| println!("{n}")).instances(1..=4))
///     .route("/*/*/gain", on(|Captures((side, n)): Captures<(String, u8)>| println!("{side} {n}"))
///         .instances((["in", "out"], 1..=8)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of names for `instances`",
    note = "for one `*` it is anything that can be iterated and displayed, such as `1..=8` or `[\"in\", \"out\"]`; for several `*` a tuple of them"
)]
pub trait IntoInstances<K> {
    #[doc(hidden)]
    fn into_instances(self) -> Vec<Vec<String>>;
}

/// Marks values for one `*`.
#[doc(hidden)]
#[derive(Debug)]
pub struct One;

/// Marks values for several `*`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Several;

impl<I: IntoIterator<Item: fmt::Display>> IntoInstances<One> for I {
    fn into_instances(self) -> Vec<Vec<String>> {
        vec![texts(self)]
    }
}

macro_rules! several {
    ($($name:ident)*) => {
        impl<$($name: IntoIterator<Item: fmt::Display>),*> IntoInstances<Several> for ($($name,)*) {
            #[allow(non_snake_case, reason = "the type's name serves as the variable's")]
            fn into_instances(self) -> Vec<Vec<String>> {
                let ($($name,)*) = self;
                vec![$(texts($name)),*]
            }
        }
    };
}

several!(A B);
several!(A B C);
several!(A B C D);

fn texts(values: impl IntoIterator<Item: fmt::Display>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

/// The values for each `*` of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Instances(pub(super) Vec<Vec<String>>);

/// One instance of a pattern: its address and values.
pub(super) struct Instance {
    pub(super) address: Pattern,
    pub(super) values: Vec<TextBuf>,
}

impl Instances {
    /// Returns all combinations. The last value changes first.
    ///
    /// # Panics
    /// Panics if the pattern has another number of `*` or other wildcards, if a value cannot be a part of an
    /// address or is given twice, or if there are too many instances.
    #[track_caller]
    pub(super) fn of(&self, pattern: &Pattern) -> Vec<Instance> {
        let text = pattern.as_bytes();
        let pieces: Vec<&[u8]> = text.split(|&byte| byte == b'*').collect();
        let (stars, sets) = (pieces.len() - 1, self.0.len());
        assert!(
            !text.iter().any(|byte| matches!(byte, b'?' | b'[' | b'{'))
                && !pattern.parts().any(|part| part == Part::Descend),
            "route {pattern:?}: a route with `instances` has no pattern but `*`"
        );
        assert!(
            stars == sets,
            "route {pattern:?} has {stars} `*`, but `instances` was given values for {sets}"
        );
        let count = self.0.iter().map(Vec::len).try_fold(1_usize, usize::checked_mul);
        assert!(
            count.is_some_and(|count| count <= MAX_INSTANCES),
            "route {pattern:?} has more than {MAX_INSTANCES} instances"
        );
        let mut all = vec![(pieces[0].to_vec(), Vec::new())];
        for (values, rest) in self.0.iter().zip(&pieces[1..]) {
            let mut seen = HashSet::new();
            for value in values {
                assert!(
                    is_name(value),
                    "route {pattern:?}: the instance {value:?} cannot be a part of an address"
                );
                assert!(seen.insert(value), "route {pattern:?}: the instance {value:?} is given twice");
            }
            let with = |(text, before): &(Vec<u8>, Vec<TextBuf>), value: &String| {
                let value = value.as_bytes();
                let text = [text, value, *rest].concat();
                (text, before.iter().cloned().chain([TextBuf::new(value.to_vec())]).collect())
            };
            all = all.iter().flat_map(|begun| values.iter().map(|value| with(begun, value))).collect();
        }
        let instance = |(text, values)| Some(Instance { address: Pattern::new(text).ok()?, values });
        let instances: Vec<_> = all.into_iter().filter_map(instance).collect();
        assert!(Some(instances.len()) == count, "route {pattern:?}: an instance is too long");
        instances
    }
}

fn is_name(value: &str) -> bool {
    let literal = || Pattern::new(format!("/{value}")).is_ok_and(|pattern| pattern.is_literal());
    !value.is_empty() && !value.contains('/') && literal()
}
