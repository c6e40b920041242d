//! Where to listen and where to send: a URL, or the short forms of `oscsend` and `oscdump`.

use std::net::ToSocketAddrs as _;
use std::str::FromStr;

use tokio_osc::Endpoint;
use tokio_osc::channel::EndpointError;

/// Where to listen. A port alone, also as `:9000` or `osc.udp://:9000/`, means every IPv4 and IPv6
/// address of this host.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) url: Endpoint,
    /// The same port of the IPv6 addresses.
    pub(crate) v6: Option<Endpoint>,
}

impl FromStr for Listen {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let v4 = with_host(text, "*");
        let v6 = with_host(text, "[::]").map(|url| url.parse()).transpose()?;
        Ok(Self { url: v4.as_deref().unwrap_or(text).parse()?, v6 })
    }
}

/// Where to send. A port alone is a port of this host.
pub(crate) fn parse_peer(text: &str) -> Result<Endpoint, EndpointError> {
    with_host(text, "127.0.0.1").as_deref().unwrap_or(text).parse()
}

/// The URL with the address of its host, if it is known at once. It is looked up on this thread, because starting a
/// thread of the runtime takes longer than sending a message.
pub(crate) fn looked_up(url: &Endpoint) -> Endpoint {
    let text = url.to_string();
    let authority = text.strip_prefix("osc.udp://").filter(|rest| !rest.contains('?'));
    let addresses = authority.and_then(|rest| rest.split('/').next()?.to_socket_addrs().ok());
    let addresses: Vec<_> = addresses.into_iter().flatten().collect();
    // As the library chooses.
    let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    address.map_or_else(|| url.clone(), |address| url.at(*address))
}

/// The URL with this host, if it names a port alone.
fn with_host(text: &str, host: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://").map_or(("osc.udp", text), |(scheme, rest)| (scheme, rest));
    let port =
        if text.contains("://") { rest.strip_prefix(':')? } else { rest.strip_prefix(':').unwrap_or(rest) };
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    let (number, options) = port.split_at(digits);
    let is_port = digits > 0 && matches!(options.bytes().next(), None | Some(b'/' | b'?'));
    is_port.then(|| format!("{scheme}://{host}:{number}{options}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_port_alone_is_every_address_or_this_host() {
        for (text, v4, v6) in [
            ("9000", "osc.udp://*:9000/", "osc.udp://[::]:9000/"),
            (":9000", "osc.udp://*:9000/", "osc.udp://[::]:9000/"),
            ("osc.tcp://:9000/", "osc.tcp://*:9000/", "osc.tcp://[::]:9000/"),
            ("osc.udp://:9000?reuse=true", "osc.udp://*:9000/?reuse=true", "osc.udp://[::]:9000/?reuse=true"),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!((listen.url.to_string(), listen.v6.unwrap().to_string()), (v4.into(), v6.into()));
        }
        assert_eq!(parse_peer("9000").unwrap().to_string(), "osc.udp://127.0.0.1:9000/");
        assert_eq!(parse_peer(":9000").unwrap().to_string(), "osc.udp://127.0.0.1:9000/");
    }

    #[test]
    fn a_name_is_looked_up_where_one_address_is_enough() {
        for (text, found) in [
            ("localhost:9000", "osc.udp://127.0.0.1:9000/"),
            ("[::1]:9000", "osc.udp://[::1]:9000/"),
            ("osc.udp://localhost:9000/?family=ipv4", "osc.udp://localhost:9000/?family=ipv4"),
            ("osc.tcp://localhost:9000/", "osc.tcp://localhost:9000/"),
        ] {
            assert_eq!(looked_up(&text.parse().unwrap()).to_string(), found);
        }
    }

    #[test]
    fn what_names_a_host_is_left_alone() {
        for text in ["127.0.0.1:9000", "osc.tcp://stage:9000/", "osc.unix:///tmp/9000"] {
            assert!(text.parse::<Listen>().unwrap().v6.is_none(), "{text}");
        }
        for text in ["", ":", "9000x", "127.0.0.1", "osc.udp://9000/"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
