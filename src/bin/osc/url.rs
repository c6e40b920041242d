//! Where to send and where to listen: `osc.udp://HOST:PORT/`, as liblo writes it.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::failure::Failure;

/// `osc.udp://HOST:PORT/`, or `HOST:PORT` for short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    host: String,
    port: u16,
}

impl Url {
    /// The address of the host. Of a name with both, an IPv4 address is taken rather than an IPv6
    /// one: much OSC software speaks only IPv4.
    pub(crate) async fn resolve(&self) -> Result<SocketAddr, Failure> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(|error| Failure::at(self, error))?.collect();
        let preferred = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        preferred.copied().ok_or_else(|| Failure::at(self, "the host has no address"))
    }
}

impl From<SocketAddr> for Url {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            return write!(f, "osc.udp://[{host}]:{port}/");
        }
        write!(f, "osc.udp://{host}:{port}/")
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("osc.udp", text));
        if scheme != "osc.udp" {
            return Err(format!("unsupported scheme `{scheme}`, `osc.udp` is the one there is"));
        }
        if let Some((_, option)) = rest.split_once('?') {
            return Err(format!("unsupported option `{option}`"));
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('/') {
            return Err("a URL has no path, only HOST:PORT".into());
        }
        let (host, port) = authority.rsplit_once(':').ok_or("no port, HOST:PORT is needed")?;
        let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
        Ok(Self { host: parse_host(host)?, port })
    }
}

fn parse_host(host: &str) -> Result<String, String> {
    let Some(inner) = host.strip_prefix('[') else {
        return match host {
            "" => Err("no host, HOST:PORT is needed".into()),
            _ if host.contains(':') => Err("an IPv6 address stands in brackets, as in [::1]:9000".into()),
            _ => Ok(host.into()),
        };
    };
    let address = inner.strip_suffix(']').unwrap_or_default();
    let (number, _scope) = address.split_once('%').unwrap_or((address, ""));
    match number.parse::<Ipv6Addr>() {
        Ok(_) => Ok(address.into()),
        Err(_) => Err(format!("`{host}` is no IPv6 address in brackets")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_a_url_is_read_and_written() {
        for (text, written) in [
            ("osc.udp://127.0.0.1:9000/", "osc.udp://127.0.0.1:9000/"),
            ("osc.udp://mixer.local:9000", "osc.udp://mixer.local:9000/"),
            ("localhost:0", "osc.udp://localhost:0/"),
            ("[::1]:9000", "osc.udp://[::1]:9000/"),
            ("osc.udp://[fe80::1%eth0]:9000/", "osc.udp://[fe80::1%eth0]:9000/"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(url.to_string(), written);
            assert_eq!(written.parse::<Url>().unwrap(), url);
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_its_reason() {
        for (text, reason) in [
            ("osc.tcp://127.0.0.1:9000/", "unsupported scheme `osc.tcp`"),
            ("osc.udp://239.1.2.3:9000/?interface=lo", "unsupported option `interface=lo`"),
            ("osc.udp://127.0.0.1:9000/synth/", "no path"),
            ("127.0.0.1", "no port"),
            ("127.0.0.1:65536", "`65536` is no port"),
            (":9000", "no host"),
            ("::1:9000", "in brackets"),
            ("[::1:9000", "no IPv6 address in brackets"),
            ("[localhost]:9000", "no IPv6 address in brackets"),
        ] {
            let error = text.parse::<Url>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
