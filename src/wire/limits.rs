//! What a decoder accepts: the limits and the tolerance, each with its default.

/// The limits and the tolerance of decoding.
///
/// | profile | accepts |
/// |---------|---------|
/// | [`strict`](DecodeOptions::strict) | OSC 1.0 to the letter |
/// | [`default`](DecodeOptions::default) | also the dialects that lose no information |
///
/// What a tolerant decode mended is counted in [`Repairs`](crate::Repairs). A limit that is exceeded is an error for the
/// whole packet. Memory: decoding allocates nothing in proportion to a claimed size; a packet is
/// its own bytes and a view of them.
///
/// ```
/// use tokio_osc::{Bytes, DecodeErrorKind, DecodeOptions, Packet};
///
/// let no_type_tags = Bytes::from_static(b"/info\0\0\0");
/// assert!(Packet::decode(no_type_tags.clone()).is_ok());
///
/// let error = Packet::decode_with(no_type_tags, &DecodeOptions::strict()).unwrap_err();
/// assert_eq!(error.kind(), DecodeErrorKind::MissingTypeTags);
/// assert_eq!(error.offset(), 8);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeOptions {
    /// How deep bundles may nest; a bundle without bundles in it has depth 1. Default 32.
    pub max_bundle_depth: usize,
    /// How deep arrays may nest; an array without arrays in it has depth 1. Default 32, at most
    /// 255 (owned arguments are a tree).
    pub max_array_depth: u8,
    /// Type tags per message, brackets included. Default 65,536.
    pub max_args: usize,
    /// Elements per bundle, those of inner bundles not included. Default 16,384.
    pub max_elements: usize,
    /// Bytes of an address or pattern. Default 4,096.
    pub max_address_len: usize,
    /// Parts of an address or pattern. Default 128.
    pub max_address_parts: usize,
    /// Whether a message may end after its address, as pre-1.0 senders and `/info` requests to
    /// mixers do: it then has no arguments. Default true, strict false.
    pub accept_missing_type_tags: bool,
    /// Whether padding bytes may be other than NUL, as SuperCollider sends them. Default true,
    /// strict false.
    pub accept_nonzero_padding: bool,
    /// Whether text and addresses may hold bytes outside ASCII, and addresses spaces, `#` and
    /// control characters. Default true, strict false.
    pub accept_any_text: bool,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            max_bundle_depth: 32,
            max_array_depth: 32,
            max_args: 65_536,
            max_elements: 16_384,
            max_address_len: 4_096,
            max_address_parts: 128,
            accept_missing_type_tags: true,
            accept_nonzero_padding: true,
            accept_any_text: true,
        }
    }
}

macro_rules! setters {
    ($($name:ident: $type:ty),* $(,)?) => {$(
        #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
        pub const fn $name(mut self, value: $type) -> Self {
            self.$name = value;
            self
        }
    )*};
}

impl DecodeOptions {
    /// OSC 1.0 to the letter: type tag strings are required, padding is NUL, text is ASCII and
    /// addresses hold only the characters of the specification (pattern characters included).
    pub fn strict() -> Self {
        Self {
            accept_missing_type_tags: false,
            accept_nonzero_padding: false,
            accept_any_text: false,
            ..Self::default()
        }
    }

    setters! {
        max_bundle_depth: usize,
        max_array_depth: u8,
        max_args: usize,
        max_elements: usize,
        max_address_len: usize,
        max_address_parts: usize,
        accept_missing_type_tags: bool,
        accept_nonzero_padding: bool,
        accept_any_text: bool,
    }
}
