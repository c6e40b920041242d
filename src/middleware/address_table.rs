//! Numbers in place of addresses that both sides know.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;

use super::{Flow, Middleware};
use crate::packet::{EncodeError, Meta};
use crate::types::texts;
use crate::wire::{DecodeError, DecodeErrorKind, FieldKind, Fields, put_text, rewrite};

/// The address that a number follows, on the wire.
const MARK: &[u8; 4] = b"/\0\0\0";
/// The first byte of a number that would read as type tags.
const COMMA: u8 = b',';
/// What a table adds to a packet at most, unless another limit is set.
const MAX_GROWTH: usize = 1_024 * 1_024;

/// A layer that sends numbers in place of addresses: address compression, as osc4py3 has it. Both
/// sides are given the same table beforehand.
///
/// ```text
///   plain        2f 66 6f 6f 00 00 00 00               2c 69 00 00   00 00 00 01     "/foo"   ",i" 1
///   compressed   2f 00 00 00             00 00 00 2a   2c 69 00 00   00 00 00 01     "/" 42   ",i" 1
/// ```
///
/// It works on each message of a bundle, however deep, and both ways; for one way see
/// [`only_in`](Middleware::only_in). Addresses that are not in the table are sent and taken as they
/// are. A number that is not in it is an error item ([`UNKNOWN_CODE`](Self::UNKNOWN_CODE)). The address
/// `/` marks a number: a message to it cannot be told apart, and is refused
/// ([`RESERVED_ADDRESS`](Self::RESERVED_ADDRESS)). A table without entries does nothing.
///
/// What arrives grows by the table's addresses, at most by [`max_growth`](AddressTable::max_growth);
/// the channel's [`DecodeOptions`](crate::packet::DecodeOptions) judge the result, and its error offsets are
/// those of the plain packet. The work is one pass over the packet.
///
/// ```
/// use tokio_osc::middleware::AddressTable;
/// use tokio_osc::{Args, Client, Router, Server, Udp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let table = AddressTable::new([("/stage/left/light/1/intensity", 1), ("/done", 2)])?;
/// let channel = Udp::new("127.0.0.1:0").middleware(table.clone()).bind().await?;
/// let client = Udp::new(channel.local_addr()?).middleware(table).client().await?;
/// let router = Router::new().route("/stage/left/light/1/intensity", |Args(n): Args<i32>| ("/done", n));
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
    /// Why a number that is not in the table is refused: the text of
    /// [`DecodeErrorKind::Refused`].
    pub const UNKNOWN_CODE: &str = "a number that stands for no address";

    /// Why a message to `/` is not sent: the text of
    /// [`EncodeErrorKind::Refused`](crate::packet::EncodeErrorKind::Refused).
    pub const RESERVED_ADDRESS: &str = "the address / marks a number of the table of addresses";

    /// A table of addresses, or address patterns, and the numbers that stand for them.
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
    /// A number whose first byte is a comma (0x2c000000 to 0x2cffffff): it would read as type tags;
    /// an address or a number that is there twice; text that does not begin with a slash, holds a
    /// NUL, or is `/`.
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

    /// The bytes that the table may add to a packet that arrives; more is an error
    /// ([`FrameTooLong`](DecodeErrorKind::FrameTooLong)): a few bytes must not become many. Default
    /// 1 MiB.
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

    /// Appends the message with its address; returns what that adds to it.
    fn expand(&self, message: &[u8], at: usize, plain: &mut Vec<u8>) -> Result<usize, DecodeError> {
        let Some(behind) = message.strip_prefix(MARK) else {
            plain.extend_from_slice(message);
            return Ok(0);
        };
        let code_at = at + MARK.len();
        let Some((code, rest)) = behind.split_first_chunk() else {
            return Err(DecodeError::new(DecodeErrorKind::Truncated, code_at));
        };
        let Some(address) = self.addresses.get(&i32::from_be_bytes(*code)) else {
            return Err(DecodeError::refused(Self::UNKNOWN_CODE).at(code_at));
        };
        plain.extend_from_slice(address);
        plain.extend_from_slice(rest);
        Ok(address.len().saturating_sub(MARK.len() + code.len()))
    }

    /// Appends the message with the number of its address.
    fn compress(&self, message: &[u8], at: usize, compressed: &mut Vec<u8>) -> Result<(), EncodeError> {
        let address = Fields::new(message).next().filter(|field| field.kind == FieldKind::Address);
        let text = address.map(|address| address.text()).unwrap_or_default();
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

/// Why a table of addresses cannot be used.
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
    /// The ways in which an entry of a table is wrong.
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
        /// The number is there twice.
        DuplicateCode => "is there twice",
        /// The address is there twice.
        DuplicateAddress => "has an address that is there twice",
        /// The address does not begin with a slash, holds a NUL, or is `/`.
        Address => "has an address without a slash, of a slash alone, or with a NUL",
    }
}

impl AddressTableError {
    /// What is wrong.
    pub const fn kind(&self) -> AddressTableErrorKind {
        self.kind
    }

    /// The number of the entry.
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
