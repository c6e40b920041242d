//! A network for datagrams between clients and one server.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::Dice;

/// What happens to datagrams, in percent of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub lost: usize,
    pub doubled: usize,
    /// Held back until the next datagram in this direction has passed, however long that takes.
    pub overtaken: usize,
    /// Each takes a random part of this time.
    pub delay: Duration,
    /// Nothing passes.
    pub cut: bool,
}

/// How many datagrams have come and gone in one direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    pub sent: usize,
    pub lost: usize,
    pub doubled: usize,
    pub arrived: usize,
}

/// Clients send to [`addr`](Self::addr), and the server answers to where that came from. It ends when it is dropped.
pub struct UdpNetwork {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    _task: JoinSet<()>,
}

struct Shared {
    front: UdpSocket,
    server: Mutex<SocketAddr>,
    faults: Mutex<Faults>,
    there: Direction,
    back: Direction,
}

#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

struct Direction {
    dice: Mutex<Dice>,
    traffic: Mutex<Traffic>,
    /// What was passed on, in order, each as often as it was.
    arrivals: Mutex<Vec<Vec<u8>>>,
    held: Mutex<Option<Datagram>>,
}

/// A datagram, the socket that it leaves by if it is a client's, and where to.
#[derive(Clone)]
struct Datagram {
    bytes: Vec<u8>,
    by: Option<Arc<UdpSocket>>,
    to: SocketAddr,
}

impl UdpNetwork {
    pub fn to(server: SocketAddr, seed: u64) -> Self {
        let front = bind();
        let addr = front.local_addr().unwrap();
        let shared = Arc::new(Shared {
            front,
            server: Mutex::new(server),
            faults: Mutex::default(),
            there: Direction::new(seed),
            back: Direction::new(seed << 8),
        });
        let mut task = JoinSet::new();
        task.spawn(Arc::clone(&shared).run());
        Self { addr, shared, _task: task }
    }

    pub fn set(&self, faults: Faults) {
        *self.shared.faults.lock().unwrap() = faults;
    }

    /// The server has another address now.
    pub fn move_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap() = server;
    }

    /// Lets the datagrams pass that wait to be overtaken.
    pub fn release(&self) {
        self.shared.release(Way::There);
        self.shared.release(Way::Back);
    }

    /// From the clients to the server.
    pub fn there(&self) -> Traffic {
        *self.shared.there.traffic.lock().unwrap()
    }

    /// From the server to the clients.
    pub fn back(&self) -> Traffic {
        *self.shared.back.traffic.lock().unwrap()
    }

    /// What the server was sent, in order.
    pub fn arrivals(&self) -> Vec<Vec<u8>> {
        self.shared.there.arrivals.lock().unwrap().clone()
    }
}

fn bind() -> UdpSocket {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    UdpSocket::from_std(socket).unwrap()
}

impl Direction {
    fn new(seed: u64) -> Self {
        let (traffic, arrivals, held) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { dice: Mutex::new(Dice::new(seed)), traffic, arrivals, held }
    }
}

impl Shared {
    /// Each client has a socket of its own towards the server.
    async fn run(self: Arc<Self>) {
        let mut sockets = HashMap::new();
        let mut answers = JoinSet::new();
        let mut buffer = vec![0; 65_536];
        loop {
            // An error tells of an earlier datagram to a closed port.
            let Ok((len, from)) = self.front.recv_from(&mut buffer).await else { continue };
            let by = sockets.entry(from).or_insert_with(|| {
                let socket = Arc::new(bind());
                answers.spawn(Arc::clone(&self).answer(Arc::clone(&socket), from));
                socket
            });
            let (by, to) = (Some(Arc::clone(by)), *self.server.lock().unwrap());
            self.carry(Way::There, Datagram { bytes: buffer[..len].to_vec(), by, to });
        }
    }

    async fn answer(self: Arc<Self>, socket: Arc<UdpSocket>, to: SocketAddr) {
        let mut buffer = vec![0; 65_536];
        loop {
            let Ok((len, _)) = socket.recv_from(&mut buffer).await else { continue };
            self.carry(Way::Back, Datagram { bytes: buffer[..len].to_vec(), by: None, to });
        }
    }

    fn carry(self: &Arc<Self>, way: Way, datagram: Datagram) {
        let faults = *self.faults.lock().unwrap();
        let direction = self.direction(way);
        let mut dice = direction.dice.lock().unwrap();
        // Drawn in every case: what happens to one does not change what happens to the next.
        let (lost, doubled) = (dice.chance(faults.lost), dice.chance(faults.doubled));
        let overtaken = dice.chance(faults.overtaken);
        let delay = dice.part_of(faults.delay);
        drop(dice);
        let mut traffic = direction.traffic.lock().unwrap();
        traffic.sent += 1;
        if lost || faults.cut {
            traffic.lost += 1;
            return;
        }
        traffic.doubled += usize::from(doubled);
        drop(traffic);
        let mut held = direction.held.lock().unwrap();
        let copies = 1 + usize::from(doubled);
        let due = if overtaken && held.is_none() {
            *held = Some(datagram.clone());
            vec![datagram; copies - 1]
        } else {
            repeat_n(datagram, copies).chain(held.take()).collect()
        };
        drop(held);
        if delay.is_zero() {
            self.pass(way, due);
            return;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            this.pass(way, due);
        });
    }

    fn release(&self, way: Way) {
        let held = self.direction(way).held.lock().unwrap().take();
        self.pass(way, held.into_iter().collect());
    }

    fn pass(&self, way: Way, datagrams: Vec<Datagram>) {
        let direction = self.direction(way);
        // Held while they are sent, so that it has their order.
        let mut arrivals = direction.arrivals.lock().unwrap();
        for Datagram { bytes, by, to } in datagrams {
            // Before it is sent, so that the numbers are never behind the receiver.
            direction.traffic.lock().unwrap().arrived += 1;
            let sent = SockRef::from(by.as_deref().unwrap_or(&self.front)).send_to(&bytes, &to.into());
            arrivals.push(bytes);
            // A full buffer would be a loss that was not drawn.
            assert!(sent.is_ok(), "{sent:?}");
        }
    }

    fn direction(&self, way: Way) -> &Direction {
        match way {
            Way::There => &self.there,
            Way::Back => &self.back,
        }
    }
}
