//! Names as arguments of a send: one name, a list, or nested lists.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The name of the local router. A packet to it is dispatched as if it had been received, without a network.
/// It exists if the node [has a server](crate::node::NodeBuilder). Handlers find this name in
/// [`Meta::channel`](crate::Meta::channel).
///
/// ```
/// use tokio_osc::node::LOCAL;
/// use tokio_osc::{Node, Router};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new().route("/cue", || println!("cue"));
/// let node = Node::builder().router(router).spawn()?;
/// node.send(LOCAL, ("/cue", ())).await?;
/// node.shutdown().await;
/// # Ok(()) }
/// ```
pub const LOCAL: &str = "local";

/// All destinations, except [`LOCAL`].
///
/// ```
/// use tokio_osc::node::ALL;
/// use tokio_osc::{Channel, Client, Node};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Channel::udp("127.0.0.1:0").await?;
/// let node = Node::new();
/// node.add("lights", Client::udp(channel.local_addr()?).await?)?;
/// let report = node.send(ALL, ("/blackout", ())).await?;
/// assert_eq!(report.sent(), 1);
/// # Ok(()) }
/// ```
pub const ALL: &str = "all";

/// Names of channels and groups: one name, or arrays, slices, vectors, sets and tuples of names, nested to
/// any depth.
///
/// ```
/// use tokio_osc::node::{ALL, LOCAL, Targets};
///
/// fn names(targets: impl Targets) -> Vec<String> {
///     let mut names = Vec::new();
///     targets.each_name(&mut |name| names.push(name.to_owned()));
///     names
/// }
///
/// assert_eq!(names("lights"), ["lights"]);
/// assert_eq!(names(["lights", "sound"]), ["lights", "sound"]);
/// assert_eq!(names(("lights", vec!["sound", "video"], [LOCAL])), ["lights", "sound", "video", LOCAL]);
/// assert_eq!(names(ALL), [ALL]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name channels of a node",
    note = "give a name, or an array, slice, `Vec`, set or tuple of names"
)]
pub trait Targets {
    /// Calls a function with each name, in order. A name may be passed more than once; the packet is sent to
    /// it once.
    fn each_name(&self, name: &mut dyn FnMut(&str));
}

impl Targets for str {
    fn each_name(&self, name: &mut dyn FnMut(&str)) {
        name(self);
    }
}

macro_rules! through {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> Targets for $type {
            fn each_name(&self, name: &mut dyn FnMut(&str)) {
                (**self).each_name(name);
            }
        }
    )*};
}

through!(
    [] String,
    [] Cow<'_, str>,
    [T: Targets + ?Sized] &T,
    [T: Targets + ?Sized] Box<T>,
    [T: Targets + ?Sized] Arc<T>,
);

macro_rules! lists {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> Targets for $type {
            fn each_name(&self, name: &mut dyn FnMut(&str)) {
                for names in self {
                    names.each_name(name);
                }
            }
        }
    )*};
}

lists!(
    [T: Targets] [T],
    [T: Targets, const N: usize] [T; N],
    [T: Targets] Vec<T>,
    [T: Targets] BTreeSet<T>,
    [T: Targets, S: std::hash::BuildHasher] HashSet<T, S>,
);

macro_rules! tuples {
    ($(($($part:ident)+))*) => {$(
        impl<$($part: Targets),+> Targets for ($($part,)+) {
            fn each_name(&self, name: &mut dyn FnMut(&str)) {
                #[allow(non_snake_case, reason = "the parts are called as their types")]
                let ($($part,)+) = self;
                $($part.each_name(name);)+
            }
        }
    )*};
}

tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}
