//! Repeated packets, for peers that forget their subscribers.

use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::Client;
use crate::packet::{EncodeError, IntoPacket, Packet, SendErrorKind};

/// The minimum interval.
const SHORTEST: Duration = Duration::from_millis(1);

/// Sends a packet repeatedly until it is dropped. Created by
/// [`Client::keep_alive`](crate::Client::keep_alive).
#[derive(Debug)]
#[must_use = "the packets stop when it is dropped"]
pub struct KeepAlive {
    task: AbortHandle,
}

impl Client {
    /// Sends a packet now, and again after each `every` (at least 1 ms), until the [`KeepAlive`] is dropped
    /// or the connection ends. Use it for mixers over UDP, which forget clients that stay silent. It has a
    /// task, and keeps the client alive. If a send fails, the error is traced, and the next packet is sent at
    /// its time. For a reconnecting client, see
    /// [`Reconnecting::keep_alive`](crate::client::Reconnecting::keep_alive).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio_osc::{Channel, Client};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tokio_osc::Error> {
    /// let mut mixer = Channel::udp("127.0.0.1:0").await?;
    /// let client = Client::udp(mixer.local_addr()?).await?;
    /// let subscribed = client.keep_alive(Duration::from_millis(10), ("/xremote", ()))?;
    /// for _ in 0..3 {
    ///     let (packet, _) = mixer.recv().await.expect("the channel is open");
    ///     assert_eq!(packet?.to_string(), "/xremote ,");
    /// }
    /// drop(subscribed);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the packet cannot be encoded.
    ///
    /// # Panics
    /// Panics if called outside of a Tokio runtime with time enabled.
    pub fn keep_alive(&self, every: Duration, packet: impl IntoPacket) -> Result<KeepAlive, EncodeError> {
        let (client, packet) = (self.clone(), packet.into_packet()?);
        let task = tokio::spawn(send_each(client, every.max(SHORTEST), packet)).abort_handle();
        Ok(KeepAlive { task })
    }
}

async fn send_each(client: Client, every: Duration, packet: Packet) {
    let mut ticks = interval(every);
    // After a pause of the runtime, one packet is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match client.send(packet.clone()).await {
            Err(error) if error.kind() == SendErrorKind::Closed => return,
            Err(error) => tracing::debug!(target: "tokio_osc::client", %error, "keep-alive not sent"),
            Ok(()) => {}
        }
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        self.task.abort();
    }
}
