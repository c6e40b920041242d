//! The options of an endpoint: `?interface=eth0&ttl=4`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::Scheme;
use super::error::EndpointError;
use crate::channel::address::host_port::IpFamily;
use crate::channel::address::interface::Interface;

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the user's")]
pub(in crate::channel) struct Query {
    pub(in crate::channel) interfaces: Vec<Interface>,
    pub(in crate::channel) all_interfaces: bool,
    pub(in crate::channel) ttl: Option<u8>,
    pub(in crate::channel) dscp: Option<u8>,
    pub(in crate::channel) device: Option<String>,
    pub(in crate::channel) receive_buffer: Option<usize>,
    pub(in crate::channel) send_buffer: Option<usize>,
    pub(in crate::channel) reuse: bool,
    pub(in crate::channel) reply_port: Option<u16>,
    pub(in crate::channel) local: Option<u16>,
    pub(in crate::channel) broadcast: bool,
    pub(in crate::channel) multicast_loop: bool,
    pub(in crate::channel) groups: Vec<IpAddr>,
    pub(in crate::channel) sources: Vec<IpAddr>,
    pub(in crate::channel) family: Option<IpFamily>,
    pub(in crate::channel) single_end: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            all_interfaces: false,
            ttl: None,
            dscp: None,
            device: None,
            receive_buffer: None,
            send_buffer: None,
            reuse: false,
            reply_port: None,
            local: None,
            broadcast: false,
            multicast_loop: true,
            groups: Vec::new(),
            sources: Vec::new(),
            family: None,
            single_end: false,
        }
    }
}

impl Query {
    /// Sets an option. Returns `false` if the scheme has no option of this name.
    pub(super) fn set(&mut self, scheme: Scheme, name: &str, value: &str) -> Result<bool, EndpointError> {
        match (scheme, name) {
            (Scheme::Udp, "interface") if value == "all" => self.all_interfaces = true,
            (Scheme::Udp, "interface") if !value.is_empty() => self.interfaces.push(value.into()),
            (Scheme::Udp, "ttl") => self.ttl = Some(read(name, value)?),
            (Scheme::Udp, "dscp") => self.dscp = Some(read(name, value)?),
            (Scheme::Udp, "device") if !value.is_empty() => self.device = Some(value.to_owned()),
            (Scheme::Udp, "receive_buffer") => self.receive_buffer = Some(read(name, value)?),
            (Scheme::Udp, "send_buffer") => self.send_buffer = Some(read(name, value)?),
            (Scheme::Udp, "reuse") => self.reuse = read(name, value)?,
            (Scheme::Udp, "reply_port") => self.reply_port = Some(read(name, value)?),
            (Scheme::Udp, "local") => self.local = Some(read(name, value)?),
            (Scheme::Udp, "broadcast") => self.broadcast = read(name, value)?,
            (Scheme::Udp, "loop") => self.multicast_loop = read(name, value)?,
            (Scheme::Udp, "group") => self.groups.push(read(name, value)?),
            (Scheme::Udp, "source") => self.sources.push(read(name, value)?),
            (Scheme::Udp | Scheme::Tcp | Scheme::TcpSlip, "family") => {
                self.family = Some(match value {
                    "ipv4" => IpFamily::V4,
                    "ipv6" => IpFamily::V6,
                    _ => return Err(EndpointError::value(name, value)),
                });
            }
            (Scheme::TcpSlip | Scheme::UnixSlip, "end") => {
                self.single_end = match value {
                    "single" => true,
                    "double" => false,
                    _ => return Err(EndpointError::value(name, value)),
                };
            }
            (Scheme::Udp, "interface" | "device") => return Err(EndpointError::value(name, value)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Returns an option that is set and applies to groups only.
    pub(in crate::channel) fn of_groups(&self) -> Option<&'static str> {
        let set = [
            (!self.multicast_loop, "loop"),
            (!self.groups.is_empty(), "group"),
            (!self.sources.is_empty(), "source"),
        ];
        set.into_iter().find_map(|(set, name)| set.then_some(name))
    }

    /// Returns `true` if options other than the address family are set.
    pub(super) fn has_options(&self) -> bool {
        *self != Self { family: self.family, ..Self::default() }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut push = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
        for interface in &self.interfaces {
            push("interface", Some(interface.to_string()));
        }
        push("interface", self.all_interfaces.then(|| "all".to_owned()));
        push("ttl", self.ttl.as_ref().map(ToString::to_string));
        push("dscp", self.dscp.as_ref().map(ToString::to_string));
        push("device", self.device.clone());
        push("receive_buffer", self.receive_buffer.as_ref().map(ToString::to_string));
        push("send_buffer", self.send_buffer.as_ref().map(ToString::to_string));
        push("reuse", self.reuse.then(|| "true".to_owned()));
        push("reply_port", self.reply_port.as_ref().map(ToString::to_string));
        push("local", self.local.as_ref().map(ToString::to_string));
        push("broadcast", self.broadcast.then(|| "true".to_owned()));
        push("loop", (!self.multicast_loop).then(|| "false".to_owned()));
        for group in &self.groups {
            push("group", Some(group.to_string()));
        }
        for source in &self.sources {
            push("source", Some(source.to_string()));
        }
        push("family", self.family.map(|family| format!("ip{family:?}").to_lowercase()));
        push("end", self.single_end.then(|| "single".to_owned()));
        pairs
    }
}

fn read<T: FromStr>(name: &str, value: &str) -> Result<T, EndpointError> {
    value.parse().map_err(|_| EndpointError::value(name, value))
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '?';
        for (name, value) in self.pairs() {
            write!(f, "{before}{name}={}", encode(&value, ":"))?;
            before = '&';
        }
        Ok(())
    }
}

/// Writes `%XX` for bytes that are neither letters, digits, `-._~` nor in `kept`.
pub(super) fn encode(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte);
        if plain {
            encoded.push(byte.into());
        } else {
            encoded.extend(['%', hex(byte >> 4), hex(byte & 0x0f)]);
        }
    }
    encoded
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or_default().to_ascii_uppercase()
}
