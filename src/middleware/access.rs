//! A layer that allows or denies networks.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::packet::{Meta, Peer};
use crate::wire::DecodeError;

/// A layer that drops the packets of peers outside the allowed networks, before they are decoded. They are
/// counted as [`FilterStats::dropped_in`](super::FilterStats::dropped_in).
///
/// A peer is allowed if none of the denied networks contains its address, and one of the allowed networks
/// does. Without allowed networks, every address that is not denied is allowed. A peer without an IP address,
/// on a Unix socket or within the process, is always allowed.
///
/// The source address of a datagram is easily forged. On an untrusted network, use it together with an
/// [`Envelope`](super::Envelope) that authenticates packets. A channel of connections refuses a connection
/// before it reads from it with [`StreamOptions::accept_if`](crate::channel::StreamOptions::accept_if) and
/// [`allows`](Access::allows).
///
/// ```
/// use tokio_osc::middleware::Access;
/// use tokio_osc::{Client, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let access = Access::new().allow("192.168.1.0/24")?.allow("::1")?.deny("192.168.1.66")?;
/// let channel = Udp::new("127.0.0.1:0").middleware(access).bind().await?;
/// # Client::udp(channel.local_addr()?).await?.send(("/not/heard", ())).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Access {
    allowed: Vec<Range>,
    denied: Vec<Range>,
}

impl Access {
    /// Creates a layer that allows every peer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows a network: an address, or an address and the length of its prefix, such as `10.0.0.0/8` or
    /// `fd00::/8`. Bits after the prefix are ignored.
    ///
    /// # Errors
    /// Returns an error if the text is neither.
    pub fn allow(mut self, network: &str) -> Result<Self, NetworkError> {
        self.allowed.push(Range::parse(network)?);
        Ok(self)
    }

    /// Denies a network, written as for [`allow`](Access::allow). It is denied even inside an allowed network.
    ///
    /// # Errors
    /// Same as [`allow`](Access::allow).
    pub fn deny(mut self, network: &str) -> Result<Self, NetworkError> {
        self.denied.push(Range::parse(network)?);
        Ok(self)
    }

    /// Returns `true` if packets of this peer pass.
    ///
    /// ```
    /// use tokio_osc::channel::StreamOptions;
    /// use tokio_osc::middleware::Access;
    ///
    /// # fn main() -> Result<(), tokio_osc::middleware::NetworkError> {
    /// let access = Access::new().allow("127.0.0.0/8")?;
    /// assert!(!access.allows(([192, 0, 2, 7], 9000).into()));
    /// let options = StreamOptions::default().accept_if(move |peer| access.allows(peer));
    /// # let _ = options;
    /// # Ok(()) }
    /// ```
    pub fn allows(&self, peer: Peer) -> bool {
        let Some(address) = peer.ip() else { return true };
        let within = |ranges: &[Range]| ranges.iter().any(|range| range.contains(address));
        !within(&self.denied) && (self.allowed.is_empty() || within(&self.allowed))
    }
}

impl Middleware for Access {
    fn frame_in(&self, frame: Bytes, meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        Ok(if self.allows(meta.peer) { Flow::Pass(frame) } else { Flow::Drop })
    }
}

/// The addresses that share the first bits of one.
#[derive(Clone, Copy, Debug)]
struct Range {
    address: IpAddr,
    prefix: u8,
}

impl Range {
    fn parse(text: &str) -> Result<Self, NetworkError> {
        let error = || NetworkError { text: text.to_owned() };
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), |prefix| prefix.parse().map_err(|_| error()))?;
        if prefix > bits {
            return Err(error());
        }
        Ok(Self { address, prefix })
    }

    /// An IPv4 address that a socket of both families reports as IPv6 counts as IPv4.
    fn contains(self, address: IpAddr) -> bool {
        let differs_at = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differs_at >= u32::from(self.prefix)
    }
}

/// A text that [`Access`] cannot read as a network.
///
/// ```
/// use tokio_osc::middleware::Access;
///
/// let error = Access::new().allow("10.0.0.0/33").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`10.0.0.0/33` is not a network: expected an IP address, or one with a prefix length such as 10.0.0.0/8",
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NetworkError {
    text: String,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        write!(
            f,
            "`{text}` is not a network: expected an IP address, or one with a prefix length such as 10.0.0.0/8"
        )
    }
}

impl std::error::Error for NetworkError {}

readable! { struct NetworkError { text } }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_and_the_length_of_its_prefix() -> Result<(), NetworkError> {
        let contains =
            |network: &str, address: IpAddr| Range::parse(network).map(|range| range.contains(address));
        for (network, inside, outside) in [
            ("10.0.0.0/8", [10, 255, 0, 1], [11, 0, 0, 1]),
            ("192.168.1.7", [192, 168, 1, 7], [192, 168, 1, 6]),
            ("192.168.1.7/31", [192, 168, 1, 6], [192, 168, 1, 8]),
        ] {
            assert!(contains(network, inside.into())?, "{network}");
            assert!(!contains(network, outside.into())?, "{network}");
        }
        assert!(contains("0.0.0.0/0", [192, 0, 2, 1].into())?);
        assert!(contains("fd00::/8", [0xfdff, 0, 0, 0, 0, 0, 0, 1].into())?);
        assert!(!contains("fd00::/8", [0xfe00, 0, 0, 0, 0, 0, 0, 1].into())?);
        assert!(!contains("::/0", [10, 0, 0, 1].into())?, "IPv4 is another family");
        let mapped = [0, 0, 0, 0, 0, 0xffff, 0x0a00, 1];
        assert!(contains("10.0.0.0/8", mapped.into())?);
        Ok(())
    }

    #[test]
    fn other_texts_are_errors() {
        for text in [
            "",
            "/8",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "localhost",
            "10.0.0.0:80",
        ] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn denied_networks_win_and_peers_without_an_address_pass() -> Result<(), NetworkError> {
        let peer = |last| Peer::from(([10, 0, 0, last], 1));
        let access = Access::new().allow("10.0.0.0/24")?.deny("10.0.0.6/31")?;
        assert!(access.allows(peer(5)));
        assert!(!access.allows(peer(6)));
        assert!(!access.allows(([10, 0, 1, 5], 1).into()));
        assert!(access.allows(Peer::LOCAL));
        assert!(Access::new().deny("10.0.0.6")?.allows(([192, 0, 2, 1], 1).into()));
        Ok(())
    }
}
