//! Parses endpoints.

use super::error::{EndpointError, EndpointFault};
use super::query::Query;
use super::{Endpoint, Location, Scheme};

pub(super) fn endpoint(text: &str) -> Result<Endpoint, EndpointError> {
    let (scheme, rest) = match text.split_once("://") {
        Some((name, rest)) => (Some(scheme(name)?), rest),
        None => (None, text),
    };
    let transport = scheme.unwrap_or(Scheme::Udp);
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let mut prefix = String::new();
    let location = match transport {
        Scheme::Unix | Scheme::UnixSlip if place.starts_with('/') => Location::Path(decode(place)?.into()),
        Scheme::Unix | Scheme::UnixSlip => return Err(EndpointFault::Path.into()),
        _ => {
            let (host_port, path) = place.split_once('/').unwrap_or((place, ""));
            if !path.is_empty() {
                prefix = format!("/{}", decode(path)?);
            }
            // RFC 6874 writes the percent sign before an interface as `%25`. Users write it as `%`.
            Location::Host(host_port.replacen("%25", "%", 1).parse()?)
        }
    };
    let mut query = Query::default();
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) =
            option.split_once('=').ok_or_else(|| EndpointFault::NoValue(option.to_owned()))?;
        if !query.set(transport, name, &decode(value)?)? {
            return Err(EndpointFault::Option(name.to_owned(), transport).into());
        }
    }
    Ok(Endpoint { scheme, location, prefix, query })
}

fn scheme(name: &str) -> Result<Scheme, EndpointError> {
    let schemes = [Scheme::Udp, Scheme::Tcp, Scheme::TcpSlip, Scheme::Unix, Scheme::UnixSlip];
    let found = schemes.into_iter().find(|scheme| scheme.to_string() == name);
    found.ok_or_else(|| EndpointFault::Scheme(name.to_owned()).into())
}

fn decode(text: &str) -> Result<String, EndpointError> {
    let illegal = || EndpointError::from(EndpointFault::Percent(text.to_owned()));
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
