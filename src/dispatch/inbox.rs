//! Handlers that run when and where their owner calls them: calls wait in an inbox until it is processed.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use futures::FutureExt;

use super::handler::{Extract, Outcome, up_to_8};
use super::mailbox::{Mailbox, MailboxLimits, Pushed, Weigh};
use super::on::{Handler, On};
use super::process::{Budget, Progress};
use super::{Context, Replies};
use crate::packet::Overflow;

/// Handlers that run when and where their owner calls them, while I/O and time tags are handled in the
/// background. For games, plug-ins and user interfaces, whose state belongs to one thread.
///
/// [`on`](Inbox::on) converts a handler for use in a [`Router`](crate::Router). When a message matches such a
/// route, its parameters are extracted at once, and the call waits in the inbox until the owner calls
/// [`process`](Inbox::process), on any thread, inside or outside of a runtime. The handlers get the `&mut S`
/// that is passed to `process`; it need not be `Send`, and may borrow.
///
/// Calls run in the order of dispatch, across all routes. The calls of the messages of a bundle are adjacent
/// if one server posts to the inbox, and are posted when the bundle is due. A budget may end between two of
/// them. In the statistics of the server, a message is handled when its call is queued.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::dispatch::Inbox;
/// use tokio_osc::packet::Overflow;
/// use tokio_osc::{Args, Captures, Router};
///
/// #[derive(Default)]
/// struct Game { pitch: [f32; 8], paused: bool }
///
/// let mut inbox = Inbox::new(1_024).overflow(Overflow::DropOldest);
/// let freq = |game: &mut Game, Captures(n): Captures<usize>, Args(hz): Args<f32>| {
///     if let Some(pitch) = game.pitch.get_mut(n) { *pitch = hz; }
/// };
/// let router = Router::new()
///     .route("/synth/*/freq", inbox.on(freq))
///     .route("/pause", inbox.on(|game: &mut Game, Args(on): Args<bool>| game.paused = on))
///     .route("/ping", |Args(n): Args<i32>| ("/pong", n));       // runs in the background
/// // … Server::new(router).listen(…).spawn() …
///
/// let mut game = Game::default();
/// for _frame in 0..3 {
///     inbox.process(&mut game, Duration::from_millis(2));
///     // … draw …
/// }
/// ```
pub struct Inbox<S> {
    shared: Arc<InboxShared>,
    handlers: Vec<OwnHandler<S>>,
}

type OwnHandler<S> = Box<dyn FnMut(&mut S, Parameters) + Send>;
type Parameters = Box<dyn Any + Send>;

struct InboxShared {
    mailbox: Mailbox<Letter>,
    dropped: AtomicU64,
    /// The number of [`Post`]s.
    posts: AtomicUsize,
}

/// A queued call.
struct Letter {
    handler: usize,
    /// Of the message that its parameters may hold.
    bytes: usize,
    parameters: Parameters,
}

impl Weigh for Letter {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl<S> Inbox<S> {
    /// Creates an inbox for at most `capacity` waiting calls (at least 1), with at most 16 MiB of messages
    /// ([`bytes`](Inbox::bytes)).
    pub fn new(capacity: usize) -> Self {
        Self::with(Mailbox::new(MailboxLimits::of_items(capacity), Overflow::default()))
    }

    /// Sets how many bytes of messages the waiting calls may hold. At this limit the inbox is full. Default 16 MiB.
    pub fn bytes(self, bytes: usize) -> Self {
        let mailbox = &self.shared.mailbox;
        mailbox.set_limits(MailboxLimits { bytes, ..mailbox.limits() });
        self
    }

    /// Sets what happens when the inbox is full. Default [`Overflow::Wait`]: then a server waits for the owner, with
    /// all its routes. Must be set before the first handler.
    ///
    /// # Panics
    /// Panics if there is a handler.
    #[track_caller]
    pub fn overflow(self, overflow: Overflow) -> Self {
        assert!(self.handlers.is_empty(), "the policy of an inbox is set before its first handler");
        Self::with(Mailbox::new(self.shared.mailbox.limits(), overflow))
    }

    fn with(mailbox: Mailbox<Letter>) -> Self {
        let shared = InboxShared { mailbox, dropped: AtomicU64::new(0), posts: AtomicUsize::new(0) };
        Self { shared: Arc::new(shared), handlers: Vec::new() }
    }

    /// Converts a function or closure of `&mut S` and up to 8 extractors to a handler for
    /// [`Router::route`](crate::Router::route) that posts its calls to this inbox. The function may change
    /// its captured variables and returns nothing. To reply, take a [`Reply`](crate::Reply) and use
    /// [`try_send`](crate::Reply::try_send).
    ///
    /// The result can be cloned for several routes.
    ///
    /// ```
    /// use tokio_osc::dispatch::Inbox;
    /// use tokio_osc::{Args, Reply, Router};
    ///
    /// let mut inbox = Inbox::new(64);
    /// let mut calls = 0;
    /// let count = inbox.on(move |log: &mut Vec<i32>, Args(n): Args<i32>, reply: Reply| {
    ///     calls += 1;
    ///     log.push(n);
    ///     reply.try_send(("/seen", calls)).ok();
    /// });
    /// let router = Router::new().route("/left", count.clone()).route("/right", count);
    /// # let _ = inbox.process(&mut Vec::new(), std::time::Duration::ZERO);
    /// ```
    pub fn on<H, T>(&mut self, mut handler: H) -> Post<T>
    where
        H: InboxHandler<S, T>,
        T: Send + 'static,
    {
        let post = Post::new(&self.shared, self.handlers.len());
        self.handlers.push(Box::new(move |state, parameters| {
            if let Ok(parameters) = parameters.downcast() {
                handler.call(state, *parameters);
            }
        }));
        post
    }

    /// Runs the handlers of the waiting calls, in order, until none waits or the budget is spent.
    ///
    /// # Panics
    /// Panics if a handler does. Its call is gone then, and the others still wait.
    pub fn process(&mut self, state: &mut S, budget: impl Into<Budget>) -> Progress {
        let mut meter = budget.into().start();
        while let Poll::Ready(Some(letter)) = self.shared.mailbox.try_pop() {
            if let Some(handler) = self.handlers.get_mut(letter.handler) {
                handler(state, letter.parameters);
            }
            if meter.spend() {
                break;
            }
        }
        meter.progress(self.is_empty())
    }

    /// Waits until a call is queued. Returns `false` when the inbox is empty and no further calls are
    /// possible, because the routes were dropped. For an owner that is a task:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tokio_osc::dispatch::Inbox;
    /// # use tokio_osc::{Args, Message, Meta, Peer, Router, Server};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// # let packets = futures::stream::iter([(Ok(Message::new("/n", 7)?.into()), Meta::from_peer(Peer::LOCAL))]);
    /// let mut inbox = Inbox::new(64);
    /// let add = |sum: &mut i32, Args(n): Args<i32>| *sum += n;
    /// let router = Router::new().route("/n", inbox.on(add));
    /// let server = tokio::spawn(Server::new(router).feed("replay", packets).run());
    ///
    /// let mut sum = 0;
    /// while inbox.ready().await {
    ///     inbox.process(&mut sum, Duration::from_millis(1));
    /// }
    /// assert_eq!(sum, 7);
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    /// If the future is dropped, no call is lost.
    pub async fn ready(&mut self) -> bool {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Blocks the thread until a call is queued, for at most `timeout`. Returns whether one is.
    pub fn wait(&mut self, timeout: Duration) -> bool {
        // A wake-up before the thread parks is not lost: the next `park` returns at once.
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let begin = Instant::now();
        loop {
            if let Poll::Ready(ready) = self.poll_ready(&mut TaskContext::from_waker(&waker)) {
                return ready;
            }
            match timeout.checked_sub(begin.elapsed()) {
                Some(left) if !left.is_zero() => std::thread::park_timeout(left),
                _ => return false,
            }
        }
    }

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<bool> {
        match self.shared.mailbox.poll_filled(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            // Looked at again: the last route may have posted between the look above and its end.
            Poll::Pending if self.shared.posts.load(Ordering::Acquire) == 0 => Poll::Ready(!self.is_empty()),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Returns the number of waiting calls.
    pub fn len(&self) -> usize {
        self.shared.mailbox.len()
    }

    /// Returns whether no call waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many calls were dropped because the inbox was full.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

/// Drops the queued calls, and the calls that wait for room.
impl<S> Drop for Inbox<S> {
    fn drop(&mut self) {
        self.shared.mailbox.abandon();
    }
}

impl<S> fmt::Debug for Inbox<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("waiting", &self.len())
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A function or closure of `&mut S` and up to 8 extractors, for [`Inbox::on`].
///
/// ```
/// use tokio_osc::dispatch::Inbox;
/// use tokio_osc::{Args, Router};
///
/// fn set(level: &mut f32, Args(value): Args<f32>) {
///     *level = value;
/// }
///
/// let mut inbox = Inbox::new(64);
/// let router = Router::new().route("/level", inbox.on(set));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of this `Inbox`",
    note = "it is a `fn` or closure of `&mut {S}` and up to 8 extractors that returns `()`, and is `Send` and `'static`"
)]
pub trait InboxHandler<S, T>: Send + 'static {
    /// Calls it.
    fn call(&mut self, state: &mut S, parameters: T);
}

macro_rules! parameters {
    ($($name:ident)*) => {
        impl<S, Func, $($name),*> InboxHandler<S, ($($name,)*)> for Func
        where
            Func: FnMut(&mut S, $($name),*) + Send + 'static,
        {
            #[allow(non_snake_case, reason = "the type's name serves as the variable's")]
            fn call(&mut self, state: &mut S, ($($name,)*): ($($name,)*)) {
                self(state, $($name),*);
            }
        }
    };
}

up_to_8!(parameters);

/// A handler for routes that posts its calls to an [`Inbox`]. Created by [`Inbox::on`]. After the inbox was
/// dropped, its calls are dropped.
///
/// ```
/// use tokio_osc::dispatch::Inbox;
/// use tokio_osc::{Args, Router};
///
/// let mut inbox = Inbox::new(64);
/// let post = inbox.on(|level: &mut f32, Args(value): Args<f32>| *level = value);
/// let router = Router::new().route("/level", post);
/// ```
pub struct Post<T> {
    shared: Arc<InboxShared>,
    handler: usize,
    of: PhantomData<fn(T)>,
}

impl<T> Post<T> {
    fn new(shared: &Arc<InboxShared>, handler: usize) -> Self {
        shared.posts.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(shared), handler, of: PhantomData }
    }
}

impl<T> Drop for Post<T> {
    fn drop(&mut self) {
        if self.shared.posts.fetch_sub(1, Ordering::Release) == 1 {
            self.shared.mailbox.wake_reader();
        }
    }
}

/// Marks handlers that post to an inbox.
#[doc(hidden)]
#[derive(Debug)]
pub struct Posted;

#[diagnostic::do_not_recommend]
impl<S, T: Extract<S> + Send + 'static> Handler<S, Posted> for Post<T> {
    fn into_on(self) -> On<S> {
        On::new::<Self, T>(Arc::new(move |context| {
            // A copy: a waiting call must not keep a larger buffer alive.
            let message = context.message.as_ref().to_owned();
            let bundle = context.bundle.map(|bundle| bundle.as_ref().to_owned());
            let Context { meta, endpoint, state, replies, .. } = *context;
            let (message, bundle) = (&message, bundle.as_ref());
            let parameters =
                T::extract(&Context { message, bundle, meta, endpoint, state, replies }).map_err(Box::new)?;
            let bytes = bundle.map_or(message.as_bytes().len(), |bundle| bundle.as_bytes().len());
            let letter = Letter { handler: self.handler, bytes, parameters: Box::new(parameters) };
            let letter = match self.shared.mailbox.try_push(letter) {
                Ok(pushed) => {
                    self.shared.count(pushed);
                    return Ok(Outcome::default());
                }
                Err(letter) => letter,
            };
            let shared = Arc::clone(&self.shared);
            let post = async move {
                shared.count(shared.mailbox.push(letter).await);
                Replies::none()
            };
            Ok(Outcome::Later(post.boxed()))
        }))
    }
}

impl InboxShared {
    fn count(&self, pushed: Pushed) {
        self.dropped.fetch_add(pushed.dropped(), Ordering::Relaxed);
    }
}

impl<T> Clone for Post<T> {
    fn clone(&self) -> Self {
        Self::new(&self.shared, self.handler)
    }
}

impl<T> fmt::Debug for Post<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("handler", &self.handler).finish_non_exhaustive()
    }
}
