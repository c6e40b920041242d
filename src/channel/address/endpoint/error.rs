//! Errors of endpoints.

use std::fmt;

use super::Scheme;
use crate::channel::address::host_port::HostPortError;

/// The error of a text that is not a valid [`Endpoint`](crate::Endpoint).
///
/// ```
/// use tokio_osc::Endpoint;
///
/// let error = "osc.udp://10.0.0.7:9000/?ttl=far".parse::<Endpoint>().unwrap_err();
/// assert_eq!(error.to_string(), "`far` is not a value of `ttl`");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointError {
    why: EndpointFault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EndpointFault {
    Scheme(String),
    Host(HostPortError),
    Path,
    NoValue(String),
    Option(String, Scheme),
    Value {
        name: String,
        value: String,
    },
    Percent(String),
    /// The error of a constructor of one transport.
    Foreign(String),
}

impl EndpointError {
    pub(super) fn value(name: &str, value: &str) -> Self {
        EndpointFault::Value { name: name.to_owned(), value: value.to_owned() }.into()
    }
}

impl From<EndpointFault> for EndpointError {
    fn from(why: EndpointFault) -> Self {
        Self { why }
    }
}

impl From<HostPortError> for EndpointError {
    fn from(error: HostPortError) -> Self {
        EndpointFault::Host(error).into()
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            EndpointFault::Scheme(name) => {
                write!(f, "`{name}` is none of osc.udp, osc.tcp, osc.tcp+slip, osc.unix, osc.unix+slip")
            }
            EndpointFault::Host(error) => error.fmt(f),
            EndpointFault::Path => f.write_str("a Unix socket has a whole path, as in osc.unix:///run/osc"),
            EndpointFault::NoValue(option) => write!(f, "`{option}` has no value, NAME=VALUE is needed"),
            EndpointFault::Option(name, scheme) => write!(f, "`{name}` is not an option of {scheme}"),
            EndpointFault::Value { name, value } => write!(f, "`{value}` is not a value of `{name}`"),
            EndpointFault::Foreign(url) => write!(
                f,
                "`{url}`: another transport, or options: open it with `Endpoint::bind` or `Endpoint::client`"
            ),
            EndpointFault::Percent(text) => {
                write!(f, "`{text}`: %XX stands for a byte, and together they are UTF-8")
            }
        }
    }
}

readable! { struct EndpointError { why } }

impl std::error::Error for EndpointError {}
