//! Serial lines: microcontrollers that send and receive OSC over SLIP.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use serial2_tokio::SerialPort;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use super::bind_error::BindError;
use super::stream::{Connect, StreamOptions};

/// Default bits per second, that of most boards with USB.
const BAUD: u32 = 115_200;

/// A serial line, as `/dev/ttyACM0` or `COM3`, at 8 data bits, no parity, one stop bit and no flow control.
///
/// The libraries for Arduino, CNMAT's `OSC` and `MicroOsc`, frame packets with [`Slip`](crate::Slip) and an END on
/// both sides, which is `Slip::new()`:
///
/// ```no_run
/// use std::time::Duration;
/// use tokio_osc::channel::Serial;
/// use tokio_osc::{Args, Channel, Client, Router, Server, Slip};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A board whose messages go to routes. It may be unplugged and come back.
/// let board = Serial::new("/dev/ttyACM0").settle(Duration::from_secs(2));
/// let board = Channel::reconnecting_with(board, Slip::new()).on_connect(("/hello", ())).open()?;
/// let router = Router::new().route("/analog/*", |Args(volts): Args<f32>| println!("{volts}"));
/// let server = Server::new(router).listen("board", board).spawn();
///
/// // A board that is only sent to.
/// let leds = Client::reconnecting_with(Serial::new("/dev/ttyUSB0").baud(9_600), Slip::new()).spawn()?;
/// leds.send(("/led/1", true)).await?;
/// # Ok(()) }
/// ```
///
/// It implements [`Connect`], for [`Channel::reconnecting_with`](crate::Channel::reconnecting_with) and
/// [`Client::reconnecting_with`](crate::Client::reconnecting_with). A board that is unplugged ends the connection.
/// The next attempt opens the path again; a path such as `/dev/serial/by-id/…` stays the same on another socket.
/// [`open`](Serial::open) opens the line once.
///
/// A small board loses packets that arrive too fast: its buffer holds a few hundred bytes to 4 KiB, and there is no flow
/// control. Send to it through a [`Pacer`](crate::tools::Pacer).
#[derive(Clone, Debug)]
pub struct Serial {
    path: PathBuf,
    baud: u32,
    settle: Duration,
}

impl Serial {
    /// Creates the options of a line at 115,200 bits per second.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), baud: BAUD, settle: Duration::ZERO }
    }

    /// Sets the bits per second. Default 115,200. Boards whose USB is not a converter ignore it.
    pub fn baud(mut self, baud: u32) -> Self {
        self.baud = baud;
        self
    }

    /// Sets the time to wait after the line was opened, until the board is ready. Bytes that it sends meanwhile are
    /// discarded. Default none; an Arduino Uno restarts when its line is opened, and needs two seconds.
    pub fn settle(mut self, pause: Duration) -> Self {
        self.settle = pause;
        self
    }

    /// Returns the path of the line.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the line as a byte stream, for [`Channel::io`](crate::Channel::io) and
    /// [`Client::io`](crate::Client::io).
    ///
    /// # Errors
    /// Returns an error if the path cannot be opened, is not a serial line, or does not have this speed.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with I/O enabled.
    ///
    /// # Cancel safety
    /// If the future is dropped, the line is closed.
    pub async fn open(&self) -> Result<SerialStream, BindError> {
        let opened = self.clone().connected().await;
        opened.map_err(BindError::cannot(format_args!("open serial {}", self.path.display())))
    }

    async fn connected(self) -> io::Result<SerialStream> {
        let port = SerialPort::open(&self.path, self.baud)?;
        if !self.settle.is_zero() {
            sleep(self.settle).await;
            // The boot loader of a board writes text, often at another speed.
            port.discard_input_buffer()?;
        }
        Ok(SerialStream { port, closing: false })
    }
}

impl Connect for Serial {
    type Io = SerialStream;

    fn connect(&mut self, _options: &StreamOptions) -> BoxFuture<'static, io::Result<SerialStream>> {
        self.clone().connected().boxed()
    }
}

/// An open serial line. Returned by [`Serial::open`].
pub struct SerialStream {
    port: SerialPort,
    closing: bool,
}

impl AsyncRead for SerialStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The other side cannot close a line. Without this, closing would wait for that until a timeout.
        if self.closing {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.port).poll_read(cx, buffer)
    }
}

impl AsyncWrite for SerialStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.port).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_flush(cx)
    }

    /// A line has no half that could be shut down. The kernel writes what it holds when the line is closed.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closing = true;
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for SerialStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SerialStream").field(&self.port).finish()
    }
}
