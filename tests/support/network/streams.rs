//! A network for connections between clients and one server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinSet, yield_now};

use super::Dice;

/// Clients connect to [`addr`](Self::addr). It ends when it is dropped, with all connections.
pub struct TcpNetwork {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    _task: JoinSet<()>,
}

struct Shared {
    server: Mutex<SocketAddr>,
    dice: Mutex<Dice>,
    /// The most bytes that pass at once; zero for all.
    pieces: Mutex<usize>,
    delay: Mutex<Duration>,
    condition: watch::Sender<Condition>,
    reset: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Condition {
    /// Nothing is read: bytes wait, and arrive later.
    stalled: bool,
    /// All bytes are lost, and neither side learns of it.
    cut: bool,
    /// How often it was cut. A connection that was cut once loses all that follows.
    cuts: u64,
}

impl TcpNetwork {
    pub async fn to(server: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server: Mutex::new(server),
            dice: Mutex::new(Dice::new(seed)),
            pieces: Mutex::default(),
            delay: Mutex::default(),
            condition: watch::Sender::default(),
            reset: Notify::new(),
        });
        let mut task = JoinSet::new();
        task.spawn(Arc::clone(&shared).run(listener));
        Self { addr, shared, _task: task }
    }

    /// The server has another address now.
    pub fn move_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap() = server;
    }

    /// Bytes pass in pieces of random length up to `most`, zero for all, each after a random part of the time.
    pub fn cut_up(&self, most: usize, delay: Duration) {
        *self.shared.pieces.lock().unwrap() = most;
        *self.shared.delay.lock().unwrap() = delay;
    }

    /// Holds all bytes back until [`heal`](Self::heal).
    pub fn stall(&self) {
        self.shared.condition.send_modify(|now| now.stalled = true);
    }

    /// Loses all bytes, and what closes a connection. New connections are made, and lead nowhere.
    pub fn cut(&self) {
        self.shared.condition.send_modify(|now| (now.cut, now.cuts) = (true, now.cuts + 1));
    }

    /// New connections pass again. Those that were cut stay so, until they are closed or reset.
    pub fn heal(&self) {
        self.shared.condition.send_modify(|now| (now.cut, now.stalled) = (false, false));
    }

    /// Resets all connections.
    pub fn reset(&self) {
        self.shared.reset.notify_waiters();
    }
}

impl Shared {
    async fn run(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let (client, _) = listener.accept().await.unwrap();
            connections.spawn(Arc::clone(&self).connect(client));
            while connections.try_join_next().is_some() {}
        }
    }

    async fn connect(self: Arc<Self>, client: TcpStream) {
        let born = *self.condition.borrow();
        if born.cut {
            let mut client = client;
            let (read, _) = client.split();
            tokio::select! {
                () = lose(read) => {}
                () = self.reset.notified() => {}
            }
            return;
        }
        let server = *self.server.lock().unwrap();
        // Its drop closes the client's connection: no server is there.
        let Ok(server) = TcpStream::connect(server).await else { return };
        self.join(client, server, born.cuts).await;
    }

    async fn join(&self, mut client: TcpStream, mut server: TcpStream, cuts: u64) {
        {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let both = async {
                tokio::join!(
                    self.carry(from_client, to_server, cuts),
                    self.carry(from_server, to_client, cuts)
                )
            };
            tokio::select! {
                _ = both => return,
                () = self.reset.notified() => {}
            }
        }
        for side in [&client, &server] {
            let _ = SockRef::from(side).set_linger(Some(Duration::ZERO));
        }
    }

    /// Carries one direction to its end.
    async fn carry(&self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, cuts: u64) {
        let mut condition = self.condition.subscribe();
        let mut buffer = vec![0; 16_384];
        loop {
            let passes = condition.wait_for(|now| !now.stalled || now.cuts != cuts);
            let is_cut = passes.await.unwrap().cuts != cuts;
            let read = tokio::select! {
                biased;
                _ = condition.changed(), if !is_cut => continue,
                read = from.read(&mut buffer) => read,
            };
            let read = match read {
                _ if is_cut => return lose(from).await,
                // The end passes as well; an error becomes one.
                Ok(0) | Err(_) => {
                    let _ = to.shutdown().await;
                    return;
                }
                Ok(read) => read,
            };
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                let (piece, delay) = self.piece(rest.len());
                if to.write_all(&rest[..piece]).await.is_err() {
                    return;
                }
                rest = &rest[piece..];
                if delay.is_zero() { yield_now().await } else { tokio::time::sleep(delay).await }
            }
        }
    }

    /// How many bytes pass next, and after how long the others.
    fn piece(&self, waiting: usize) -> (usize, Duration) {
        let mut dice = self.dice.lock().unwrap();
        let delay = dice.part_of(*self.delay.lock().unwrap());
        match *self.pieces.lock().unwrap() {
            0 => (waiting, delay),
            most => (waiting.min(1 + dice.roll(most)), delay),
        }
    }
}

/// Reads, and never closes.
async fn lose(mut from: impl AsyncRead + Unpin) {
    let mut buffer = vec![0; 16_384];
    while from.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    std::future::pending::<()>().await;
}
