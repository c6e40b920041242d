//! The sender's side of time: bundles for an instant, tagged by the peer's clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::packet::{ClockOffset, EncodeError, IntoPacket, SendError};
use crate::schedule::{Clock, Reading, SystemClock};
use crate::{Bundle, Client, TimeTag};

/// Sends packets that are to run at an instant.
///
/// Instants are by this side's clock. The tags that go out are by the peer's: the clock offset is
/// subtracted from all of them, those of inner bundles included.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::tools::TimedSender;
/// use tokio_osc::{Channel, Client};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let receiver = Channel::udp("127.0.0.1:0").await?;
/// # let address = receiver.local_addr()?;
/// let stage = TimedSender::new(Client::udp(address).await?);
/// stage.send_in(Duration::from_millis(200), ("/cue/7/go", ())).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct TimedSender {
    client: Client,
    clock: Arc<dyn Clock>,
    offset: ClockOffset,
}

impl TimedSender {
    /// Sends through this client, by the system clock, to a peer with the same time.
    pub fn new(client: Client) -> Self {
        Self { client, clock: Arc::new(SystemClock), offset: ClockOffset::ZERO }
    }

    /// The clock of this side.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Our clock minus the peer's, as [`ClockSync`](crate::tools::ClockSync) measures it. Default zero.
    pub fn clock_offset(mut self, offset: ClockOffset) -> Self {
        self.offset = offset;
        self
    }

    /// Corrects the clock offset, from the next packet on.
    pub fn set_clock_offset(&mut self, offset: ClockOffset) {
        self.offset = offset;
    }

    /// Sends a packet that is to run at `when`. A bundle becomes an inner one, and keeps its time.
    ///
    /// # Errors
    /// As [`Client::send`].
    ///
    /// # Cancel safety
    /// As [`Client::send`].
    pub async fn send_at(&self, when: SystemTime, packet: impl IntoPacket) -> Result<(), SendError> {
        self.client.send(self.bundle_at(when, packet)?).await
    }

    /// Sends a packet that is to run after `delay`.
    ///
    /// # Errors
    /// As [`Client::send`].
    ///
    /// # Cancel safety
    /// As [`Client::send`].
    pub async fn send_in(&self, delay: Duration, packet: impl IntoPacket) -> Result<(), SendError> {
        let Reading { wall, .. } = self.clock.now();
        self.send_at(wall.checked_add(delay).unwrap_or(wall), packet).await
    }

    /// The bundle that [`send_at`](Self::send_at) sends.
    ///
    /// # Errors
    /// The packet cannot be encoded.
    pub fn bundle_at(&self, when: SystemTime, packet: impl IntoPacket) -> Result<Bundle, EncodeError> {
        let bundle = Bundle::at(TimeTag::at(when)).with(packet).build()?;
        Ok(self.offset.bundle_to_peer(&bundle))
    }

    /// The client that it sends through.
    pub fn client(&self) -> &Client {
        &self.client
    }
}
