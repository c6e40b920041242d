//! Our side of the receiving end: a server that passes on all that its handlers get.

use std::time::SystemTime;

use tokio::sync::mpsc;
use tokio_osc::dispatch::{Context, FromContext, Rejection};
use tokio_osc::{Channel, Message, Meta, Router, Server, ServerHandle, State};

use super::program::limited;
use super::transport::Transport;

/// A message as a handler got it.
pub(crate) struct Heard {
    pub(crate) message: Message,
    pub(crate) meta: Meta,
    /// The route whose handler it is.
    pub(crate) route: String,
    /// When the handler was called.
    pub(crate) at: SystemTime,
}

impl<S> FromContext<S> for Heard {
    fn from_context(context: &Context<'_, S>) -> Result<Self, Rejection> {
        Ok(Self {
            message: context.message().clone(),
            meta: context.meta().clone(),
            route: context.route().to_string(),
            at: SystemTime::now(),
        })
    }
}

/// A server on a free port, and what its handlers got.
pub(crate) struct Ear {
    pub(crate) port: u16,
    heard: mpsc::Receiver<Heard>,
    _server: ServerHandle,
}

impl Ear {
    /// Receives every address, over UDP.
    pub(crate) async fn open() -> Self {
        Self::with_routes(&["//*"]).await
    }

    /// Receives what these routes match, once for each, over UDP.
    pub(crate) async fn with_routes(patterns: &[&'static str]) -> Self {
        Self::hearing(Transport::Udp.channel().await, patterns)
    }

    /// Receives every address.
    pub(crate) async fn over(transport: Transport) -> Self {
        Self::hearing(transport.channel().await, &["//*"])
    }

    fn hearing(channel: Channel, patterns: &[&'static str]) -> Self {
        let (hear, heard) = mpsc::channel(64);
        let mut router = Router::with_state(hear);
        for pattern in patterns {
            router = router.route(*pattern, pass_on);
        }
        let port = channel.local_addr().map_or(0, |address| address.port());
        Self { port, heard, _server: Server::new(router).listen("peers", channel).spawn() }
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Heard {
        limited("the next message", self.heard.recv()).await.expect("the server runs")
    }
}

async fn pass_on(State(hear): State<mpsc::Sender<Heard>>, heard: Heard) {
    // The test may have heard enough.
    let _ = hear.send(heard).await;
}
