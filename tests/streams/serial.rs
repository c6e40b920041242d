//! Serial lines, over pairs of pseudo-terminals.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use futures::StreamExt;
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::mpsc;
use tokio_osc::channel::{ConnectionEvent, Serial};
use tokio_osc::client::ClientState;
use tokio_osc::packet::{DecodeErrorKind, IntoPacket};
use tokio_osc::{Args, Channel, Client, Router, Server, Slip, State};

use crate::support::ms;

/// `/led ,T` as CNMAT's library for Arduino sends it: END on both sides.
const LED: &[u8] = b"\xc0/led\0\0\0\0,T\0\0\xc0";

/// A board, and the line to it at a path that stays the same when the board is plugged in again.
struct Board {
    input: Receiver,
    output: Sender,
    /// Our side, so that the line is there before it is opened.
    _line: File,
}

impl Board {
    /// Plugs a board in.
    fn new(path: &Path) -> Self {
        let port = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK).unwrap();
        grantpt(&port).unwrap();
        unlockpt(&port).unwrap();
        let terminal = ptsname_r(&port).unwrap();
        let line = File::options().read(true).write(true).open(&terminal).unwrap();
        let mut raw = tcgetattr(&line).unwrap();
        cfmakeraw(&mut raw);
        tcsetattr(&line, SetArg::TCSANOW, &raw).unwrap();
        let port = OwnedFd::from(port);
        let _ = std::fs::remove_file(path);
        symlink(terminal, path).unwrap();
        // Tokio's pipes take anything that can be polled.
        let input = Receiver::from_owned_fd_unchecked(port.try_clone().unwrap()).unwrap();
        Self { input, output: Sender::from_owned_fd_unchecked(port).unwrap(), _line: line }
    }

    async fn says(&mut self, bytes: &[u8]) {
        self.output.write_all(bytes).await.unwrap();
    }

    async fn hears(&mut self, expected: &[u8]) {
        let mut heard = vec![0; expected.len()];
        self.input.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, expected);
    }
}

/// A path of this test's own.
fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("tokio-osc-{name}-{}", std::process::id()))
}

#[tokio::test]
async fn packets_travel_both_ways_over_a_line_in_slip_frames() {
    let path = path("line");
    let mut board = Board::new(&path);
    let line = Serial::new(&path).open().await.unwrap();
    let mut channel = Channel::io(line, Slip::new());
    board.says(LED).await;
    let (packet, meta) = channel.next().await.unwrap();
    assert_eq!(packet.unwrap().to_string(), "/led ,T true");
    // The ends of frames and the bytes that stand for them are escaped in both directions.
    let (outlet, pump) = (channel.outlet(), async { channel.next().await });
    let replied = async {
        outlet.send_to(meta.peer, ("/m", 0xdb_c0_i32)).await.unwrap();
        board.hears(b"\xc0/m\0\0,i\0\0\0\0\xdb\xdd\xdb\xdc\xc0").await;
    };
    tokio::select! {
        _ = pump => panic!("nothing was sent"),
        () = replied => {}
    }
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn closing_a_client_of_a_line_does_not_wait_for_the_board() {
    let path = path("closing");
    let mut board = Board::new(&path);
    let client = Client::io(Serial::new(&path).open().await.unwrap(), Slip::new());
    client.send(("/led", true)).await.unwrap();
    // The board goes on sending, and never closes its side.
    board.says(LED).await;
    let closing = tokio::time::timeout(ms(900), client.close());
    closing.await.expect("less than the second that a stream lingers").unwrap();
    board.hears(LED).await;
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_board_that_is_unplugged_and_comes_back_is_found_again() {
    let path = path("unplugged");
    let mut board = Board::new(&path);
    let line = Channel::reconnecting_with(Serial::new(&path), Slip::new())
        .on_connect(("/led", true))
        .backoff(ms(5), ms(20))
        .open()
        .unwrap();
    let mut events = line.events();
    let (heard, mut hearing) = mpsc::unbounded_channel();
    let router = Router::with_state(heard).route(
        "/n",
        |State(heard): State<mpsc::UnboundedSender<i32>>, Args(n): Args<i32>| {
            heard.send(n).unwrap();
            ("/m", n)
        },
    );
    let server = Server::new(router).listen("board", line).spawn();
    for round in 0..3 {
        loop {
            if let ConnectionEvent::Connected(_) = events.recv().await.unwrap() {
                break;
            }
        }
        board.hears(LED).await;
        let n = [b"\xc0/n\0\0,i\0\0\0\0\0", &[round][..], b"\xc0"].concat();
        board.says(&n).await;
        assert_eq!(hearing.recv().await, Some(i32::from(round)));
        board.hears(&[b"\xc0/m\0\0,i\0\0\0\0\0", &[round][..], b"\xc0"].concat()).await;
        std::fs::remove_file(&path).unwrap();
        drop(board);
        loop {
            if let ConnectionEvent::Disconnected { .. } = events.recv().await.unwrap() {
                break;
            }
        }
        board = Board::new(&path);
    }
    assert!(server.shutdown().await.connected >= 3);
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_reconnecting_client_waits_for_a_board_that_is_not_plugged_in_yet() {
    let path = path("later");
    let client = Client::reconnecting_with(Serial::new(&path).baud(9_600), Slip::new())
        .backoff(ms(5), ms(20))
        .spawn()
        .unwrap();
    let mut states = client.states();
    client.send(("/led", true)).await.unwrap();
    let mut board = Board::new(&path);
    while !matches!(states.recv().await.unwrap(), ClientState::Connected) {}
    board.hears(LED).await;
    std::fs::remove_file(&path).unwrap();
}

/// What a board writes while it starts is not OSC: with a pause it is discarded, without it is an item that cannot
/// be read, and the next packet is read.
#[tokio::test]
async fn what_a_board_writes_while_it_starts_is_discarded_or_is_a_malformed_packet() {
    let path = path("starting");
    let noise = b"boot v2\r\n\xc0";
    for (settle, malformed) in [(ms(0), 1), (ms(100), 0)] {
        let mut board = Board::new(&path);
        board.says(noise).await;
        let line = Serial::new(&path).settle(settle).open().await.unwrap();
        let mut channel = Channel::io(line, Slip::new());
        board.says(LED).await;
        let mut errors = 0;
        let packet = loop {
            match channel.next().await.unwrap().0 {
                Ok(packet) => break packet,
                Err(error) => {
                    assert_eq!(error.kind(), DecodeErrorKind::Unaligned);
                    errors += 1;
                }
            }
        };
        assert_eq!(packet, ("/led", true).into_packet().unwrap());
        assert_eq!(errors, malformed);
    }
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_line_that_cannot_be_opened_is_named() {
    let error = Serial::new("/dev/no-such-line").open().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot open serial /dev/no-such-line: no such file or directory");
}
