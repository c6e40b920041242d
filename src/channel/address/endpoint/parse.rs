//! Reading an endpoint.

use std::fmt;

use super::{Endpoint, Location, Query, Scheme};
use crate::channel::address::host_port::{HostPort, HostPortError};

pub(super) fn endpoint(text: &str) -> Result<Endpoint, EndpointError> {
    let (scheme, rest) = match text.split_once("://") {
        Some((name, rest)) => (scheme(name)?, rest),
        None => (Scheme::Udp, text),
    };
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let location = match scheme {
        Scheme::Unix | Scheme::UnixSlip if place.starts_with('/') => Location::Path(decode(place)?.into()),
        Scheme::Unix | Scheme::UnixSlip => return Err(Why::Path.into()),
        _ => Location::Host(host(place)?),
    };
    let mut query = Query::default();
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').ok_or_else(|| Why::NoValue(option.to_owned()))?;
        if !query.set(scheme, name, &decode(value)?)? {
            return Err(Why::Option(name.to_owned(), scheme).into());
        }
    }
    Ok(Endpoint { scheme, location, query })
}

fn scheme(name: &str) -> Result<Scheme, EndpointError> {
    let schemes = [Scheme::Udp, Scheme::Tcp, Scheme::TcpSlip, Scheme::Unix, Scheme::UnixSlip];
    let found = schemes.into_iter().find(|scheme| scheme.to_string() == name);
    found.ok_or_else(|| Why::Scheme(name.to_owned()).into())
}

fn host(text: &str) -> Result<HostPort, EndpointError> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.contains('/') {
        return Err(Why::HostWithPath.into());
    }
    // RFC 6874 writes the sign before an interface as `%25`; people write it as it is.
    Ok(text.replacen("%25", "%", 1).parse()?)
}

fn decode(text: &str) -> Result<String, EndpointError> {
    let illegal = || EndpointError::from(Why::Percent(text.to_owned()));
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(illegal()) };
        decoded.push(u8::try_from(high * 16 + low).map_err(|_| illegal())?);
    }
    String::from_utf8(decoded).map_err(|_| illegal())
}

/// Why a text is no [`Endpoint`].
///
/// ```
/// use tokio_osc::Endpoint;
///
/// let error = "osc.udp://10.0.0.7:9000/?ttl=far".parse::<Endpoint>().unwrap_err();
/// assert_eq!(error.to_string(), "`far` is no value of `ttl`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Scheme(String),
    Host(HostPortError),
    HostWithPath,
    Path,
    NoValue(String),
    Option(String, Scheme),
    Value { name: String, value: String },
    Percent(String),
}

impl EndpointError {
    pub(super) fn value(name: &str, value: &str) -> Self {
        Why::Value { name: name.to_owned(), value: value.to_owned() }.into()
    }
}

impl From<Why> for EndpointError {
    fn from(why: Why) -> Self {
        Self { why }
    }
}

impl From<HostPortError> for EndpointError {
    fn from(error: HostPortError) -> Self {
        Why::Host(error).into()
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Scheme(name) => {
                write!(f, "`{name}` is none of osc.udp, osc.tcp, osc.tcp+slip, osc.unix, osc.unix+slip")
            }
            Why::Host(error) => error.fmt(f),
            Why::HostWithPath => f.write_str("there is no path, only HOST:PORT"),
            Why::Path => f.write_str("a Unix socket has a whole path, as in osc.unix:///run/osc"),
            Why::NoValue(option) => write!(f, "`{option}` has no value, NAME=VALUE is needed"),
            Why::Option(name, scheme) => write!(f, "`{name}` is no option of {scheme}"),
            Why::Value { name, value } => write!(f, "`{value}` is no value of `{name}`"),
            Why::Percent(text) => write!(f, "`{text}`: %XX stands for a byte, and together they are UTF-8"),
        }
    }
}

impl std::error::Error for EndpointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.why {
            Why::Host(error) => error.source(),
            _ => None,
        }
    }
}
