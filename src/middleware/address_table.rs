//! Address compression: numbers instead of addresses that both sides know.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::packet::{EncodeError, Meta};
use crate::types::texts;
use crate::wire::{DecodeError, DecodeErrorKind, FieldKind, Fields, put_text, rewrite};

/// The address that precedes a number on the wire.
const MARK: &[u8; 4] = b"/\0\0\0";
/// The first byte of a number that a decoder would read as type tags.
const COMMA: u8 = b',';
/// Default limit of the bytes that a table adds to a packet.
const MAX_GROWTH: usize = 1_024 * 1_024;

/// A layer that sends numbers instead of addresses: the address compression of osc4py3. Both sides are
/// configured with the same table.
///
/// ```text
///   plain        2f 66 6f 6f 00 00 00 00               2c 69 00 00   00 00 00 01     "/foo"   ",i" 1
///   compressed   2f 00 00 00             00 00 00 2a   2c 69 00 00   00 00 00 01     "/" 42   ",i" 1
/// ```
///
/// The layer handles every message of a bundle, at any depth, in both directions; for one direction see
/// [`only_in`](Middleware::only_in). An address that is not in the table is sent and received unchanged. An
/// unknown number is an error item ([`UNKNOWN_CODE`](Self::UNKNOWN_CODE)). The address `/` marks a number, so
/// a message to `/` is refused ([`RESERVED_ADDRESS`](Self::RESERVED_ADDRESS)). A table without entries does
/// nothing.
///
/// Incoming packets grow by the addresses of the table, at most by [`max_growth`](AddressTable::max_growth).
/// The [`DecodeOptions`](crate::packet::DecodeOptions) of the channel apply to the result, and error offsets
/// are offsets in the expanded packet. The layer passes over the packet once.
///
/// ```
/// use tokio_osc::middleware::AddressTable;
/// use tokio_osc::{Args, Client, Router, Server, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let table = AddressTable::new([("/stage/left/light/1/intensity", 1), ("/done", 2)])?;
/// let channel = Udp::new("127.0.0.1:0").middleware(table.clone()).bind().await?;
/// let client = Udp::new(channel.local_addr()?).middleware(table).client().await?;
/// let router = Router::new()
///     .route("/stage/left/light/1/intensity", |Args(n): Args<i32>| ("/done", n));
/// let server = Server::new(router).listen("udp", channel).spawn();
///
/// let reply = client.request(("/stage/left/light/1/intensity", 100), "/done").await?;
/// assert_eq!(reply.parse::<i32>()?, 100);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AddressTable {
    codes: HashMap<Box<[u8]>, i32>,
    /// The addresses with their padding.
    addresses: HashMap<i32, Box<[u8]>>,
    max_growth: usize,
}

impl AddressTable {
    /// The reason for refusing a number that is not in the table: the text of [`DecodeErrorKind::Refused`].
    pub const UNKNOWN_CODE: &str = "a number that is not in the table of addresses";

    /// The reason for refusing to send a message to `/`: the text of
    /// [`EncodeErrorKind::Refused`](crate::packet::EncodeErrorKind::Refused).
    pub const RESERVED_ADDRESS: &str = "the address / marks a number of the table of addresses";

    /// Creates a table of addresses or address patterns and their numbers.
    ///
    /// ```
    /// use tokio_osc::middleware::{AddressTable, AddressTableErrorKind};
    ///
    /// assert!(AddressTable::new([("/foo", 42), ("/bar", -1)]).is_ok());
    ///
    /// let error = AddressTable::new([("/foo", 0x2c69_0000)]).unwrap_err();
    /// assert_eq!(error.kind(), AddressTableErrorKind::ReservedCode);
    /// ```
    ///
    /// # Errors
    /// Returns an error if the first byte of a number is a comma (0x2c000000 to 0x2cffffff), which a decoder
    /// would read as type tags; if an address or a number is listed twice; or if an address does not begin
    /// with a slash, contains a NUL, or is `/`.
    pub fn new<A: AsRef<[u8]>>(
        entries: impl IntoIterator<Item = (A, i32)>,
    ) -> Result<Self, AddressTableError> {
        let mut table = Self { codes: HashMap::new(), addresses: HashMap::new(), max_growth: MAX_GROWTH };
        for (address, code) in entries {
            let kind = table.add(address.as_ref(), code);
            kind.map_err(|kind| AddressTableError { kind, code })?;
        }
        Ok(table)
    }

    /// Sets how many bytes the table may add to an incoming packet. A packet that would grow more is an error
    /// ([`FrameTooLong`](DecodeErrorKind::FrameTooLong)), so that a few bytes cannot become many. Default 1
    /// MiB.
    #[must_use]
    pub const fn max_growth(mut self, bytes: usize) -> Self {
        self.max_growth = bytes;
        self
    }

    fn add(&mut self, address: &[u8], code: i32) -> Result<(), AddressTableErrorKind> {
        if code.to_be_bytes()[0] == COMMA {
            return Err(AddressTableErrorKind::ReservedCode);
        }
        if address.first() != Some(&b'/') || address.len() == 1 || address.contains(&0) {
            return Err(AddressTableErrorKind::Address);
        }
        let mut on_wire = Vec::new();
        put_text(&mut on_wire, address);
        if self.addresses.insert(code, on_wire.into()).is_some() {
            return Err(AddressTableErrorKind::DuplicateCode);
        }
        if self.codes.insert(address.into(), code).is_some() {
            return Err(AddressTableErrorKind::DuplicateAddress);
        }
        Ok(())
    }

    /// Appends the message with its address, and returns the number of bytes added.
    fn expand(&self, message: &[u8], at: usize, plain: &mut Vec<u8>) -> Result<usize, DecodeError> {
        // Plain addresses pass, so that a peer may use the table for some addresses only.
        let Some(behind) = message.strip_prefix(MARK) else {
            plain.extend_from_slice(message);
            return Ok(0);
        };
        let code_at = at + MARK.len();
        let Some((code, rest)) = behind.split_first_chunk() else {
            return Err(DecodeError::new(DecodeErrorKind::Truncated, code_at));
        };
        // Refused and not passed on: without its address the message would reach the route of `/`.
        let Some(address) = self.addresses.get(&i32::from_be_bytes(*code)) else {
            return Err(DecodeError::refused(Self::UNKNOWN_CODE).at(code_at));
        };
        plain.extend_from_slice(address);
        plain.extend_from_slice(rest);
        // A short address can be smaller than its number; shrinking does not count against the limit.
        Ok(address.len().saturating_sub(MARK.len() + code.len()))
    }

    /// Appends the message with the number of its address.
    fn compress(&self, message: &[u8], at: usize, compressed: &mut Vec<u8>) -> Result<(), EncodeError> {
        let address = Fields::new(message).next().filter(|field| field.kind == FieldKind::Address);
        let text = address.map(|address| address.text()).unwrap_or_default();
        // The receiver would read the first argument as a number.
        if text == b"/" {
            return Err(EncodeError::refused(Self::RESERVED_ADDRESS).at(at));
        }
        let (Some(address), Some(code)) = (address, self.codes.get(text)) else {
            compressed.extend_from_slice(message);
            return Ok(());
        };
        compressed.extend_from_slice(MARK);
        compressed.extend_from_slice(&code.to_be_bytes());
        compressed.extend_from_slice(message.get(address.bytes.len()..).unwrap_or_default());
        Ok(())
    }
}

impl Middleware for AddressTable {
    fn frame_in(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, DecodeError> {
        if self.addresses.is_empty() {
            return Ok(Flow::Pass(frame));
        }
        let mut growth = 0_usize;
        let plain = rewrite(&frame, |message: &[u8], at, plain: &mut Vec<u8>| {
            // Summed over all messages of the frame: a bundle of many short messages grows the most.
            growth = growth.saturating_add(self.expand(message, at, plain)?);
            if growth > self.max_growth {
                return Err(DecodeError::new(DecodeErrorKind::FrameTooLong, at));
            }
            Ok(())
        });
        plain.map(Flow::Pass)
    }

    fn frame_out(&self, frame: Bytes, _meta: &mut Meta) -> Result<Flow<Bytes>, EncodeError> {
        if self.codes.is_empty() {
            return Ok(Flow::Pass(frame));
        }
        rewrite(&frame, |message: &[u8], at, out: &mut Vec<u8>| self.compress(message, at, out))
            .map(Flow::Pass)
    }
}

/// The error of a table of addresses that is not valid.
///
/// ```
/// use tokio_osc::middleware::{AddressTable, AddressTableErrorKind};
///
/// let error = AddressTable::new([("/gain", 1), ("/pan", 1)]).unwrap_err();
/// assert_eq!((error.kind(), error.code()), (AddressTableErrorKind::DuplicateCode, 1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AddressTableError {
    kind: AddressTableErrorKind,
    code: i32,
}

texts! {
    /// The kinds of [`AddressTableError`].
    ///
    /// ```
    /// use tokio_osc::middleware::{AddressTable, AddressTableErrorKind};
    ///
    /// let error = AddressTable::new([("gain", 1)]).unwrap_err();
    /// assert_eq!(error.kind(), AddressTableErrorKind::Address);
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum AddressTableErrorKind {
        /// The number reads as type tags: its first byte is a comma.
        ReservedCode => "reads as type tags",
        /// The number is listed twice.
        DuplicateCode => "is listed twice",
        /// The address is listed twice.
        DuplicateAddress => "has an address that is listed twice",
        /// The address does not begin with a slash, contains a NUL, or is `/`.
        Address => "has an address without a slash, of a slash alone, or with a NUL",
    }
}

impl AddressTableError {
    /// Returns the kind of the error.
    pub const fn kind(&self) -> AddressTableErrorKind {
        self.kind
    }

    /// Returns the number of the entry.
    pub const fn code(&self) -> i32 {
        self.code
    }
}

impl fmt::Display for AddressTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, code } = self;
        match kind {
            AddressTableErrorKind::ReservedCode => write!(f, "the number {code:#010x} {kind}"),
            _ => write!(f, "the number {code} {kind}"),
        }
    }
}

readable! { struct AddressTableError { kind, code } }

impl std::error::Error for AddressTableError {}
