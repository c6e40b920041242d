//! Layers made from a single function.

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::packet::{EncodeError, Meta, Packet};
use crate::wire::DecodeError;

macro_rules! hooks {
    ($($(#[$doc:meta])* $hook:ident: $layer:ident $method:ident($value:ty) $error:ty;)*) => {$(
        $(#[$doc])*
        pub fn $hook<F>(hook: F) -> impl Middleware
        where
            F: Fn($value, &mut Meta) -> Flow<$value> + Send + Sync + 'static,
        {
            $layer(hook)
        }

        struct $layer<F>(F);

        impl<F> Middleware for $layer<F>
        where
            F: Fn($value, &mut Meta) -> Flow<$value> + Send + Sync + 'static,
        {
            fn $method(&self, value: $value, meta: &mut Meta) -> Result<Flow<$value>, $error> {
                Ok((self.0)(value, meta))
            }
        }
    )*};
}

hooks! {
    /// Creates a layer from a function for incoming packets. It passes each packet on, replaces it, or drops
    /// it. Its changes to the [`Meta`] reach the handlers.
    ///
    /// ```
    /// use tokio_osc::middleware::{Flow, on_packet_in};
    /// use tokio_osc::{Args, Client, Message, Packet, Router, Server, Udp};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Udp::new("127.0.0.1:0")
    ///     .middleware(on_packet_in(|packet, _meta| match &packet {
    ///         Packet::Message(message) if message.address() == "/debug" => Flow::Drop,
    ///         Packet::Message(message) if message.address() == "/old" => {
    ///             let replaced = Message::new("/new", message.parse::<i32>().unwrap_or_default());
    ///             replaced.map_or(Flow::Drop, |message| Flow::Pass(message.into()))
    ///         }
    ///         _ => Flow::Pass(packet),
    ///     }))
    ///     .bind()
    ///     .await?;
    /// let client = Client::udp(channel.local_addr()?).await?;
    /// let router = Router::new().route("/new", |Args(n): Args<i32>| ("/heard", n));
    /// let server = Server::new(router).listen("udp", channel).spawn();
    ///
    /// let reply = client.request(("/old", 7), "/heard").await?;
    /// assert_eq!(reply.parse::<i32>()?, 7);
    /// # server.shutdown().await;
    /// # Ok(()) }
    /// ```
    on_packet_in: OnPacketIn packet_in(Packet) DecodeError;

    /// Creates a layer from a function for outgoing packets to [`meta.peer`](Meta#structfield.peer). It
    /// passes each packet on, replaces it, or drops it.
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use tokio_osc::codec::Codec;
    /// use tokio_osc::middleware::{Flow, on_packet_out};
    /// use tokio_osc::{Packet, Slip};
    /// use tokio_util::codec::Framed;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let quiet = on_packet_out(|packet, _meta| match &packet {
    ///     Packet::Message(message) if message.address() == "/debug" => Flow::Drop,
    ///     _ => Flow::Pass(packet),
    /// });
    /// let (here, there) = tokio::io::duplex(256);
    /// let mut here = Framed::new(here, Codec::new(Slip::new()).middleware(quiet));
    /// here.send(("/debug", 1)).await?;
    /// here.send(("/gain", 0.5_f32)).await?;
    ///
    /// let mut there = Framed::new(there, Codec::new(Slip::new()));
    /// assert_eq!(there.next().await.expect("the pipe is open")??.to_string(), "/gain ,f 0.5");
    /// # Ok(()) }
    /// ```
    on_packet_out: OnPacketOut packet_out(Packet) EncodeError;

    /// Creates a layer from a function for incoming frames, before they are decoded: the bytes of a datagram,
    /// or of one frame of a stream.
    ///
    /// ```
    /// use futures::{SinkExt, StreamExt};
    /// use tokio_osc::codec::Codec;
    /// use tokio_osc::middleware::{Flow, on_frame_in, on_frame_out};
    /// use tokio_osc::{Bytes, LengthPrefix};
    /// use tokio_util::codec::Framed;
    ///
    /// /// No guard at all: see the envelope for one.
    /// fn flip(frame: Bytes) -> Bytes {
    ///     frame.iter().map(|byte| !byte).collect()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (here, there) = tokio::io::duplex(256);
    /// let codec = Codec::new(LengthPrefix::new())
///     .middleware(on_frame_out(|frame, _| Flow::Pass(flip(frame))));
    /// Framed::new(here, codec).send(("/gain", 0.5_f32)).await?;
    ///
    /// let codec = Codec::new(LengthPrefix::new())
///     .middleware(on_frame_in(|frame, _| Flow::Pass(flip(frame))));
    /// let packet = Framed::new(there, codec).next().await.expect("the pipe is open")?;
    /// assert_eq!(packet?.to_string(), "/gain ,f 0.5");
    /// # Ok(()) }
    /// ```
    on_frame_in: OnFrameIn frame_in(Bytes) DecodeError;

    /// Creates a layer from a function for the bytes of outgoing packets, before they are framed.
    /// [`on_frame_in`] has an example with both.
    ///
    /// ```
    /// use tokio_osc::middleware::{Flow, on_frame_out};
    /// use tokio_osc::Udp;
    ///
    /// let show = on_frame_out(|frame, meta| {
    ///     println!("{} bytes to {}", frame.len(), meta.peer);
    ///     Flow::Pass(frame)
    /// });
    /// let options = Udp::new("127.0.0.1:9000").middleware(show);
    /// # drop(options);
    /// ```
    on_frame_out: OnFrameOut frame_out(Bytes) EncodeError;
}
