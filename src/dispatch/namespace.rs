//! The methods of a router, for people and for other programs.

use std::fmt;
use std::sync::{Arc, Weak};

use tokio::sync::watch;

use super::about::AboutArg;
use super::routes::Dispatch;
use super::{Method, Router};
use crate::types::Arg;

/// The methods of a router: the routes of single addresses, with the types of their arguments and their
/// descriptions. It follows the routes as they are added and removed.
///
/// Returned by [`Router::namespace`](crate::Router::namespace) and
/// [`Server::namespace`](crate::Server::namespace). Printed, it is a help text with a line for each method. A clone
/// is cheap, and does not keep the router alive: after the router and its server were dropped, it is empty.
///
/// ```
/// use tokio_osc::dispatch::{Value, on};
/// use tokio_osc::{Args, Captures, Router};
///
/// fn gain(Captures(channel): Captures<u8>, Args(db): Args<f32>) { /* … */ }
/// fn recall(Args((number, name)): Args<(i32, Option<String>)>) { /* … */ }
///
/// let meter = Value::new(-90.0_f32);
/// let router = Router::new()
///     .route("/ch/*/gain", on(gain).instances(1..=2).about("Level").range(0, -60..=12).unit(0, "gain.db"))
///     .route("/recall", on(recall).about("Loads a preset"))
///     .route("/meter", on(|| ()).value(&meter).read_only())
///     .route("/any/*", || ());
/// let namespace = router.namespace();
/// assert_eq!(namespace.to_string(), "\
/// /ch/1/gain  f     Level [-60..=12 gain.db]
/// /ch/2/gain  f     Level [-60..=12 gain.db]
/// /recall     i|is  Loads a preset
/// /meter      f     read only
/// ");
/// assert_eq!(namespace.unlisted(), 1, "a pattern without instances has no single addresses");
/// let types = namespace.method("/recall").unwrap().types().unwrap().clone();
/// assert_eq!(types.alternatives().collect::<Vec<_>>(), ["i", "is"]);
/// ```
#[derive(Clone)]
pub struct Namespace {
    routes: Weak<dyn Dispatch>,
    changes: watch::Receiver<()>,
}

impl<S: Send + Sync + 'static> Router<S> {
    /// Returns the methods of the router: see [`Namespace`].
    pub fn namespace(&self) -> Namespace {
        Namespace::of(&(Arc::clone(&self.routes) as Arc<dyn Dispatch>))
    }
}

impl Namespace {
    pub(crate) fn of(routes: &Arc<dyn Dispatch>) -> Self {
        Self { changes: routes.changes(), routes: Arc::downgrade(routes) }
    }

    /// Returns the methods, in the order in which their routes were added.
    pub fn methods(&self) -> Vec<Method> {
        self.routes.upgrade().map(|routes| routes.routes().methods().0).unwrap_or_default()
    }

    /// Returns the first method of an address.
    pub fn method(&self, address: impl AsRef<[u8]>) -> Option<Method> {
        let address = address.as_ref();
        self.methods().into_iter().find(|method| method.address.as_bytes() == address)
    }

    /// Returns the number of routes that are not listed because they have no single address: patterns without
    /// [`instances`](crate::dispatch::On::instances), prefixes, predicates, regular expressions, bundles.
    pub fn unlisted(&self) -> usize {
        self.routes.upgrade().map(|routes| routes.routes().methods().1).unwrap_or_default()
    }

    /// Waits until routes were added or removed since the last call, or since the namespace was made. Returns
    /// `false` when the router and its server were dropped.
    ///
    /// # Cancel safety
    /// If the future is dropped, no change is lost.
    pub async fn changed(&mut self) -> bool {
        self.changes.changed().await.is_ok()
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.methods().iter().map(Row::of).collect();
        let width = |cell: fn(&Row) -> &String| rows.iter().map(cell).map(|cell| cell.chars().count()).max();
        let address = width(|row| &row.address).unwrap_or_default();
        let types = width(|row| &row.types).unwrap_or_default();
        for row in &rows {
            let line = format!("{:address$}  {:types$}  {}", row.address, row.types, row.about);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace").field("methods", &self.methods().len()).finish_non_exhaustive()
    }
}

/// One line of the help text.
struct Row {
    address: String,
    types: String,
    about: String,
}

impl Row {
    fn of(method: &Method) -> Self {
        let types = method.types().map(|types| {
            let alternatives: Vec<_> = types.alternatives().collect();
            format!("{}{}", alternatives.join("|"), if types.has_rest() { "…" } else { "" })
        });
        let text = method.about().map(str::to_owned);
        let args = method.args().iter().filter_map(limits);
        let marks = [(!method.is_writable(), "read only"), (method.is_critical(), "critical")];
        let marks = marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark.to_owned());
        let about: Vec<_> = text.into_iter().chain(args).chain(marks).collect();
        Self { address: method.address.to_string(), types: types.unwrap_or_default(), about: about.join(" ") }
    }
}

/// The description of an argument as text. `None` if it has none.
fn limits(arg: &AboutArg) -> Option<String> {
    let text = |value: Option<&Arg>| value.map(ToString::to_string).unwrap_or_default();
    let mut parts = Vec::new();
    if arg.min().is_some() || arg.max().is_some() {
        parts.push(format!("{}..={}", text(arg.min()), text(arg.max())));
    }
    if !arg.choices().is_empty() {
        parts.push(arg.choices().iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    }
    parts.extend(arg.unit().map(str::to_owned));
    (!parts.is_empty()).then(|| format!("[{}]", parts.join(" ")))
}
