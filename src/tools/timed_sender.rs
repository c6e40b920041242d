//! Sends bundles for an instant, with time tags by the peer's clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::packet::{ClockOffset, EncodeError, IntoPacket, SendError};
use crate::schedule::{Clock, Reading, SystemClock};
use crate::{Bundle, Client, TimeTag};

/// The longest delay. A time tag means the nearest instant with its number, so one more than half an era (68 years)
/// ahead would mean the past. A day is left for clocks that differ.
const LONGEST: Duration = Duration::from_secs((1 << 31) - 24 * 60 * 60);

/// Sends packets that run at a given instant.
///
/// Instants are by the local clock. Time tags are by the clock of the peer: the clock offset is subtracted
/// from all of them, including those of inner bundles.
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
    /// Creates a sender that uses this client and the system clock, without a clock offset.
    pub fn new(client: Client) -> Self {
        Self { client, clock: Arc::new(SystemClock), offset: ClockOffset::ZERO }
    }

    /// Sets the local clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the clock offset, our clock minus the peer's, as [`ClockSync`](crate::tools::ClockSync) measures
    /// it. Default zero.
    pub fn clock_offset(mut self, offset: ClockOffset) -> Self {
        self.offset = offset;
        self
    }

    /// Changes the clock offset, from the next packet on.
    pub fn set_clock_offset(&mut self, offset: ClockOffset) {
        self.offset = offset;
    }

    /// Sends a packet that runs at `when`. A bundle becomes an inner bundle and keeps its time tag.
    ///
    /// # Errors
    /// Same as [`Client::send`].
    ///
    /// # Cancel safety
    /// Same as [`Client::send`].
    pub async fn send_at(&self, when: SystemTime, packet: impl IntoPacket) -> Result<(), SendError> {
        self.client.send(self.bundle_at(when, packet)?).await
    }

    /// Sends a packet that runs after `delay`, at most 68 years, the range of a time tag.
    ///
    /// # Errors
    /// Same as [`Client::send`].
    ///
    /// # Cancel safety
    /// Same as [`Client::send`].
    pub async fn send_in(&self, delay: Duration, packet: impl IntoPacket) -> Result<(), SendError> {
        let Reading { wall, .. } = self.clock.now();
        self.send_at(wall.checked_add(delay.min(LONGEST)).unwrap_or(wall), packet).await
    }

    /// Creates the bundle that [`send_at`](Self::send_at) sends.
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded.
    pub fn bundle_at(&self, when: SystemTime, packet: impl IntoPacket) -> Result<Bundle, EncodeError> {
        let bundle = Bundle::at(TimeTag::at(when)).with(packet).build()?;
        Ok(self.offset.bundle_to_peer(&bundle))
    }

    /// Returns the client.
    pub fn client(&self) -> &Client {
        &self.client
    }
}
