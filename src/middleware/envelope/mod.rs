//! The `/packet` envelope of osc4py3: a packet in a message, with a checksum, a signature and
//! encryption.

mod builder;
#[cfg(feature = "crypto")]
mod crypto;
mod fault;
mod protocol;
mod replay;
mod stamp;

use std::sync::Arc;

use bytes::Bytes;

pub use builder::{EnvelopeBuilder, EnvelopeError};
#[cfg(feature = "crypto")]
pub use crypto::{ChaCha20Poly1305, Crc32, HmacSha256};
pub use fault::EnvelopeFault;
pub use protocol::{Checksum, Cipher, ProtocolError, Signature};
pub use replay::ReplayWindow;

use super::{Flow, Middleware};
use crate::packet::{EncodeError, EncodeErrorKind, Message, Meta, Packet};
use crate::types::Text;
use crate::wire::DecodeError;
use protocol::{Protocols, call};
use replay::Replay;
use stamp::Stamp;

/// Protects the packets of a channel, a client or a codec. Each packet is sent inside a message that carries
/// its checksum, its signature and the packet itself, encrypted or plain. The format is that of osc4py3's
/// `advanced_packet_control`, byte for byte.
///
/// ```text
/// /packet ,sbsbsb   checksum protocol    checksum
///                   signature protocol   signature
///                   cipher protocol      the packet, or what it was encrypted to
/// ```
///
/// When sending, the checksum and the signature are computed over the plain packet, which is encrypted last.
/// When receiving, the packet is decrypted, then its signature is checked, then its checksum, then it is
/// decoded. Only one level is opened: an envelope inside an envelope remains a message to `/packet`.
///
/// No check is skipped. Every configured part must be present, by a configured protocol. Parts that are not
/// configured must be absent. A packet that is not an envelope is refused. Every refusal is an
/// [`EnvelopeFault`] in an error item of the channel, which goes on. The error of a packet in the envelope
/// has its offset in that packet.
///
/// # What it protects, and what it does not
///
/// The adversary can read, change, drop, delay, repeat and create packets, but has no key.
///
/// | against | use |
/// |---------|----------|
/// | bit errors | a [`Checksum`]; it does not stop an adversary |
/// | forged and changed packets | a [`Signature`], or an authenticated [`Cipher`] |
/// | reading | a [`Cipher`] |
/// | packets that are recorded and sent again, or sent back to their sender | a [`ReplayWindow`] with one of the two |
///
/// It does not protect against:
/// - **Traffic analysis**: the sender, the receiver, the time and the size of packets remain visible, and so
///   do the names of the protocols and keys.
/// - **Information in a checksum or signature of an encrypted packet**: as in osc4py3, both are computed over
///   the plain packet and sent unencrypted. A checksum lets a reader test a guess. Equal packets have equal
///   signatures, unless a [`ReplayWindow`] stamps them. `ChaCha20Poly1305` needs neither.
/// - **Loss and order**: packets may be dropped, and delayed within the window and the tolerance.
/// - **Other holders of the key**: a receiver that can check a signature can forge it. A packet for one
///   receiver is also accepted, once, by another receiver with the same key. Use a different key for each
///   pair.
/// - **Restarts**: a window starts empty. Packets that were sent within the time tolerance before a restart
///   are accepted once more.
/// - **The address of a UDP sender**: it is not signed. Replies go to where the packet came from.
/// - **Denial of service**: a forged packet costs a decryption or the check of a signature. The network can
///   be flooded, and the clock can be set.
/// - **Key management**: keys are not negotiated, exchanged or stored. Recorded packets can be read by anyone
///   who obtains the key later. TLS does all this on a stream: see the example `tls`.
///
/// # Size
///
/// An envelope adds 40 bytes, plus its names and tokens, plus 72 bytes for a stamp: 80 bytes with
/// `HmacSha256`, 156 with `ChaCha20Poly1305` and a [`ReplayWindow`]. The largest packet that fits a datagram
/// is smaller by this.
///
/// # Several channels
///
/// Clones share their sequence numbers and replay window. Give clones to all channels that use the same keys.
/// Two envelopes are two senders.
///
#[cfg_attr(feature = "crypto", doc = "```")]
#[cfg_attr(not(feature = "crypto"), doc = "```ignore")]
/// use tokio_osc::middleware::{ChaCha20Poly1305, Envelope, EnvelopeFault, Flow, Middleware, ReplayWindow};
/// use tokio_osc::packet::IntoPacket;
/// use tokio_osc::{Meta, Peer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = [7; 32];
/// let envelope = || {
///     let cipher = ChaCha20Poly1305::new(&key);
///     Envelope::builder().cipher(cipher).replay_window(ReplayWindow::new()).build()
/// };
/// let (here, there) = (envelope()?, envelope()?);
///
/// let mut meta = Meta::from_peer(Peer::LOCAL);
/// let Flow::Pass(sent) = here.packet_out(("/gain", 0.5_f32).into_packet()?, &mut meta)? else { return Ok(()) };
/// assert!(sent.to_string().starts_with(r#"/packet ,sbsbsb "" <> "" <> "chacha20-poly1305""#));
///
/// let received = there.packet_in(sent.clone(), &mut meta)?;
/// assert_eq!(received, Flow::Pass(("/gain", 0.5_f32).into_packet()?));
///
/// let error = there.packet_in(sent, &mut meta).unwrap_err();      // again
/// assert_eq!(EnvelopeFault::of(&error), Some(EnvelopeFault::Replayed));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Envelope {
    config: Arc<EnvelopeBuilder>,
    replay: Option<Arc<Replay>>,
}

const ADDRESS: &str = "/packet";
const TYPE_TAGS: &str = ",sbsbsb";

impl Envelope {
    /// Starts the configuration of an envelope.
    pub fn builder() -> EnvelopeBuilder {
        EnvelopeBuilder::new()
    }

    /// Creates an envelope without protection, as osc4py3 does without functions.
    pub fn plain() -> Self {
        EnvelopeBuilder::new().into_envelope()
    }

    fn close(&self, packet: &Packet) -> Result<Message, EncodeError> {
        let EnvelopeBuilder { checksums, signatures, ciphers, .. } = &*self.config;
        // The stamp comes first: the signature and the cipher must cover it, or it could be replaced.
        let plain = self.stamped(packet)?;
        let checksum = by_sending(checksums, EnvelopeFault::ChecksumFailed, |by| by.compute(&plain))?;
        // Over the plain packet, not over the encrypted one, because osc4py3 checks it after decrypting.
        let signature = by_sending(signatures, EnvelopeFault::SigningFailed, |by| by.sign(&plain))?;
        let (cipher, sealed) = by_sending(ciphers, EnvelopeFault::EncryptionFailed, |by| by.seal(&plain))?;
        let token = |(name, token): (_, Option<Vec<u8>>)| (name, token.unwrap_or_default());
        let data = sealed.map_or(plain, Bytes::from);
        Message::new(ADDRESS, (token(checksum), token(signature), (cipher, data)))
    }

    fn stamped(&self, packet: &Packet) -> Result<Bytes, EncodeError> {
        let packet = packet.as_bytes();
        let Some(replay) = &self.replay else { return Ok(packet.clone()) };
        replay.stamp().before(packet).ok_or_else(|| EncodeError::new(EncodeErrorKind::TooLarge, packet.len()))
    }

    /// Returns the packet in the envelope if all checks pass.
    fn open(&self, packet: &Packet, meta: &Meta) -> Result<Bytes, EnvelopeFault> {
        let EnvelopeParts { checksum, signature, cipher: (cipher_name, data) } = EnvelopeParts::of(packet)?;
        // All names are checked before anything is decrypted: a packet without a required part costs no
        // cryptography.
        let cipher = self.config.ciphers.expected(cipher_name, &[])?;
        let signed_by = self.unless_ignored(&self.config.signatures, signature)?;
        let summed_by = self.unless_ignored(&self.config.checksums, checksum)?;

        let plain = match cipher {
            Some(cipher) => call(|| cipher.open(&data), EnvelopeFault::Undecipherable)?.into(),
            None => data,
        };
        // The signature before the checksum: a forged packet must not learn whether its checksum is right.
        if let Some(by) = signed_by {
            call(|| by.verify(&plain, signature.1), EnvelopeFault::InvalidSignature)?;
        }
        if let Some(by) = summed_by {
            call(|| by.verify(&plain, checksum.1), EnvelopeFault::Corrupted)?;
        }
        let Some(replay) = &self.replay else { return Ok(plain) };
        // Last: only a genuine packet may enter its sender into the memory of the window.
        let (stamp, packet) = Stamp::split(&plain).ok_or(EnvelopeFault::NoStamp)?;
        replay.admit(stamp, meta.received_at)?;
        Ok(packet)
    }

    /// The protocol that must have created a token.
    fn unless_ignored<'a, P: ?Sized>(
        &self,
        protocols: &'a Protocols<P>,
        (name, token): (Text<'_>, &[u8]),
    ) -> Result<Option<&'a P>, EnvelopeFault> {
        // A kind that is configured is never skipped, whatever the option says.
        if self.config.accept_unchecked && protocols.sending.is_none() {
            return Ok(None);
        }
        protocols.expected(name, token)
    }
}

impl Middleware for Envelope {
    fn packet_in(&self, packet: Packet, meta: &mut Meta) -> Result<Flow<Packet>, DecodeError> {
        let plain = self.open(&packet, meta)?;
        let (packet, repairs) = Packet::decode_with(plain, &self.config.options)?;
        // The envelope and the packet in it are decoded separately; the receiver needs the repairs of both.
        let mut sum = *meta.repairs();
        sum += repairs;
        meta.set_repairs(sum);
        Ok(Flow::Pass(packet))
    }

    fn packet_out(&self, packet: Packet, _meta: &mut Meta) -> Result<Flow<Packet>, EncodeError> {
        Ok(Flow::Pass(self.close(&packet)?.into()))
    }
}

/// The name of the protocol for sending and its output. Both are empty if there is none.
fn by_sending<P: ?Sized>(
    protocols: &Protocols<P>,
    fault: EnvelopeFault,
    function: impl FnOnce(&P) -> Result<Vec<u8>, ProtocolError>,
) -> Result<(&str, Option<Vec<u8>>), EncodeError> {
    let Some(named) = &protocols.sending else { return Ok(("", None)) };
    let token = call(|| function(&named.protocol), fault)?;
    Ok((&named.name, Some(token)))
}

/// The arguments of an envelope.
struct EnvelopeParts<'a> {
    checksum: (Text<'a>, &'a [u8]),
    signature: (Text<'a>, &'a [u8]),
    cipher: (Text<'a>, Bytes),
}

impl<'a> EnvelopeParts<'a> {
    fn of(packet: &'a Packet) -> Result<Self, EnvelopeFault> {
        let Packet::Message(message) = packet else { return Err(EnvelopeFault::NotAnEnvelope) };
        if message.address() != ADDRESS {
            return Err(EnvelopeFault::NotAnEnvelope);
        }
        // Compared exactly: `parse` would also accept symbols and other tags that osc4py3 does not write.
        if message.type_tags() != TYPE_TAGS {
            return Err(EnvelopeFault::WrongArguments);
        }
        let (checksum, signature, cipher) = message.parse().map_err(|_| EnvelopeFault::WrongArguments)?;
        Ok(Self { checksum, signature, cipher })
    }
}
