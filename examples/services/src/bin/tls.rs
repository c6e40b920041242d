//! OSC over TLS, with a self-signed certificate: a custom listener wraps each connection.
//!
//! ```text
//! cargo run -p tokio-osc-services --bin tls
//! ```

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Timeout, timeout};
use tokio_osc::channel::{Listener, StreamOptions};
use tokio_osc::{Args, Channel, Client, Peer, Router, Server, Slip};
use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor, TlsConnector};

const HANDSHAKE: Duration = Duration::from_secs(10);

/// Accepts TCP connections, and yields them after their TLS handshake. At most 64 handshakes run at a time, each for at
/// most ten seconds, so that peers that never finish cost a bounded amount.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: FuturesUnordered<Timeout<Accept<TcpStream>>>,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Io, Peer)>> {
        while self.handshakes.len() < 64 {
            match self.listener.poll_accept(cx)? {
                Poll::Ready((stream, _)) => {
                    self.handshakes.push(timeout(HANDSHAKE, self.acceptor.accept(stream)));
                }
                Poll::Pending => break,
            }
        }
        while let Poll::Ready(Some(done)) = self.handshakes.poll_next_unpin(cx) {
            match done.unwrap_or_else(|late| Err(late.into())) {
                Ok(stream) => {
                    let peer = stream.get_ref().0.peer_addr()?.into();
                    return Poll::Ready(Ok((stream, peer)));
                }
                Err(error) => eprintln!("handshake failed: {error}"),
            }
        }
        Poll::Pending
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());

    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = TlsListener {
        listener,
        acceptor: TlsAcceptor::from(Arc::new(config)),
        handshakes: FuturesUnordered::new(),
    };
    let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
    let channel = Channel::listen_on(listener, Slip::new(), StreamOptions::default());
    let server = Server::new(router).listen("tls", channel).spawn();

    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost")?, TcpStream::connect(address).await?)
        .await?;
    let client = Client::io(stream, Slip::new());
    println!("encrypted: {}", client.request(("/ping", 7), "/pong").await?);
    server.shutdown().await;
    Ok(())
}
