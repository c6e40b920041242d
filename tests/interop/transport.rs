//! What packets travel by between us and a peer.

use tokio_osc::channel::BindError;
use tokio_osc::{Channel, Client, Endpoint};

/// A transport, and the framing of packets on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    /// TCP, each packet with its length before it: OSC 1.0.
    Length,
    /// TCP, SLIP with END at both ends: OSC 1.1.
    Slip,
    /// TCP, SLIP with END behind each packet only.
    SlipSingleEnd,
    /// A Unix datagram socket.
    Unix,
}

impl Transport {
    /// As the report names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Length => "TCP length",
            Self::Slip => "TCP SLIP",
            Self::SlipSingleEnd => "TCP SLIP, single END",
            Self::Unix => "Unix datagram",
        }
    }

    /// As the Python drivers name it.
    pub(crate) const fn python_name(self) -> &'static str {
        match self {
            Self::Udp | Self::Unix => "udp",
            Self::Length => "1.0",
            Self::Slip | Self::SlipSingleEnd => "1.1",
        }
    }

    pub(crate) const fn is_slip(self) -> bool {
        matches!(self, Self::Slip | Self::SlipSingleEnd)
    }

    pub(crate) async fn client(self, port: u16) -> Result<Client, BindError> {
        self.endpoint(port).client().await
    }

    /// A channel on a free port.
    pub(crate) async fn channel(self) -> Channel {
        self.endpoint(0).bind().await.unwrap()
    }

    fn endpoint(self, port: u16) -> Endpoint {
        let url = match self {
            Self::Udp => format!("osc.udp://127.0.0.1:{port}/"),
            Self::Length => format!("osc.tcp://127.0.0.1:{port}/"),
            Self::Slip => format!("osc.tcp+slip://127.0.0.1:{port}/"),
            Self::SlipSingleEnd => format!("osc.tcp+slip://127.0.0.1:{port}/?end=single"),
            Self::Unix => format!("osc.unix://{}", unix_path(port)),
        };
        url.parse().unwrap()
    }

    pub(crate) const fn liblo_scheme(self) -> &'static str {
        match self {
            Self::Udp => "osc.udp",
            Self::Length | Self::Slip | Self::SlipSingleEnd => "osc.tcp",
            Self::Unix => "osc.unix",
        }
    }

    /// Where a liblo client reaches us.
    pub(crate) fn liblo_url(self, port: u16) -> String {
        match self {
            Self::Unix => format!("osc.unix://{}", unix_path(port)),
            _ => format!("{}://127.0.0.1:{port}/", self.liblo_scheme()),
        }
    }
}

/// The path instead of a port; ours is that of port 0.
pub(crate) fn unix_path(port: u16) -> String {
    let directory = std::env::temp_dir();
    format!("{}/osc-interop-{}-{port}", directory.display(), std::process::id())
}
