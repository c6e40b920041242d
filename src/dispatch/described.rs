//! The options of a route that describe it.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use super::On;
use super::about::ShownValue;
use super::value::Value;
use crate::packet::IntoArgs;
use crate::types::Arg;

/// A description of the route, which [`Router::namespace`](crate::Router::namespace) shows to people and to other
/// programs. It does not change the messages that the handler receives.
impl<S> On<S> {
    /// Describes the route in a sentence.
    ///
    /// ```
    /// use tokio_osc::dispatch::on;
    /// use tokio_osc::{Args, Router};
    ///
    /// let router = Router::new()
    ///     .route("/master/mute", on(|Args(on): Args<bool>| println!("{on}")).about("Silences everything"));
    /// assert_eq!(router.namespace().to_string(), "/master/mute  T  Silences everything\n");
    /// ```
    pub fn about(mut self, text: impl Into<String>) -> Self {
        self.options.about.text = Some(text.into());
        self
    }

    /// Describes the range of an argument, counted from 0: `-60.0..=12.0`, `0..`, `..=1.0`.
    ///
    /// # Panics
    /// Panics if the range leaves out its end, as `0..8` does. Adding the route panics if the handler does not
    /// take that many arguments.
    #[track_caller]
    pub fn range<T: Into<Arg> + Clone>(mut self, index: usize, range: impl RangeBounds<T>) -> Self {
        let (min, max) = (included(range.start_bound()), included(range.end_bound()));
        let arg = self.options.about.arg(index);
        (arg.min, arg.max) = (min, max);
        self
    }

    /// Describes the unit of an argument, counted from 0: `gain.db`, `time.second`.
    ///
    /// # Panics
    /// Adding the route panics if the handler does not take that many arguments.
    pub fn unit(mut self, index: usize, unit: impl Into<String>) -> Self {
        self.options.about.arg(index).unit = Some(unit.into());
        self
    }

    /// Lists all legal values of an argument, counted from 0.
    ///
    /// # Panics
    /// Adding the route panics if the handler does not take that many arguments.
    pub fn choices<T: Into<Arg>>(mut self, index: usize, values: impl IntoIterator<Item = T>) -> Self {
        self.options.about.arg(index).choices = values.into_iter().map(Into::into).collect();
        self
    }

    /// Shows a [`Value`] as the present arguments of the route, so that other programs can read it and receive changes.
    ///
    /// # Panics
    /// Adding the route panics if the value has other type tags than the arguments of the handler.
    pub fn value<T: IntoArgs + Clone + Send + Sync + 'static>(mut self, value: &Value<T>) -> Self {
        self.options.about.value = Some(ShownValue::new(Arc::new(value.clone())));
        self
    }

    /// Marks the route as read-only, such as a meter or a sensor: other programs should not send to it.
    ///
    /// # Panics
    /// Adding the route panics if it has no [`value`](Self::value).
    pub fn read_only(mut self) -> Self {
        self.options.about.read_only = true;
        self
    }

    /// Marks the route as critical: messages to it must not be lost, so other programs should send them over a stream,
    /// such as TCP, if they can choose.
    pub fn critical(mut self) -> Self {
        self.options.about.critical = true;
        self
    }
}

/// A bound of a range that is a part of it.
#[track_caller]
fn included<T: Into<Arg> + Clone>(bound: Bound<&T>) -> Option<Arg> {
    match bound {
        Bound::Included(value) => Some(value.clone().into()),
        Bound::Unbounded => None,
        #[expect(clippy::panic, reason = "a wrong literal in the caller's source; documented")]
        Bound::Excluded(_) => panic!("a range of an argument contains its end: write `..=`"),
    }
}
