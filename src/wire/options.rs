//! The limits and tolerance of decoding.

use super::{AddressPolicy, MissingTypeTags, TextPolicy};
use crate::types::TypeTagSet;

macro_rules! options {
    ($(#[$meta:meta])* pub struct $options:ident { $($(#[$doc:meta])* $name:ident: $type:ty = $default:expr,)* }) => {
        $(#[$meta])*
        pub struct $options {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl $options {
            pub(crate) const DEFAULT: Self = Self { $($name: $default,)* };

            $(
                #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
                pub const fn $name(mut self, value: $type) -> Self {
                    self.$name = value;
                    self
                }
            )*
        }
    };
}

options! {
    /// The limits and the tolerance of decoding.
    ///
    /// | | [`strict`](DecodeOptions::strict) | [`default`](DecodeOptions::default) | [`lenient`](DecodeOptions::lenient) |
    /// |-|--------|---------|---------|
    /// | accepts | OSC 1.0 to the letter | also dialects that are unambiguous | also faults whose repair is a guess |
    /// | [`missing_type_tags`](DecodeOptions::missing_type_tags) | reject | no arguments | untyped |
    /// | [`text_policy`](DecodeOptions::text_policy) | ASCII | any | any |
    /// | [`address_policy`](DecodeOptions::address_policy) | pattern | any | any |
    /// | [`accept_nonzero_padding`](DecodeOptions::accept_nonzero_padding) | no | yes | yes |
    /// | [`accept_zero_time_tags`](DecodeOptions::accept_zero_time_tags) | no | yes | yes |
    /// | [`accept_missing_padding`](DecodeOptions::accept_missing_padding) | no | no | yes |
    /// | [`accept_missing_comma`](DecodeOptions::accept_missing_comma) | no | no | yes |
    /// | [`accept_zero_tail`](DecodeOptions::accept_zero_tail) | no | no | yes |
    /// | [`accept_bare_addresses`](DecodeOptions::accept_bare_addresses) | no | no | no |
    /// | [`allowed_type_tags`](DecodeOptions::allowed_type_tags) | all | all | all |
    ///
    /// [`Repairs`](crate::packet::Repairs) counts the accepted faults. Exceeding a limit is an error for the
    /// whole packet.
    ///
    /// Decoding reads every byte a fixed number of times, and never allocates by a claimed size. A packet shares the
    /// received bytes. Bundles nested more than 8 deep take 16 bytes per level while decoding. Only packets that
    /// `lenient` repairs are copied, once, to at most twice their size.
    ///
    /// ```
    /// use tokio_osc::packet::{DecodeErrorKind, DecodeOptions};
    /// use tokio_osc::{Bytes, Packet};
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
        /// Maximum depth of bundles. A bundle without inner bundles has depth 1. Default 32. Each level of a
        /// packet takes at least 20 bytes.
        max_bundle_depth: usize = 32,
        /// Maximum depth of arrays. An array without inner arrays has depth 1. Default 32, at most 255 (owned
        /// arguments are a tree). Reading a whole array nested `n` deep visits its innermost elements `n` times.
        max_array_depth: u8 = 32,
        /// Maximum number of type tags per message, brackets included. Default 65,536. A type tag without data takes one
        /// byte of the packet, but 40 bytes as an owned [`Arg`](crate::Arg).
        max_args: usize = 65_536,
        /// Maximum number of elements per bundle, without those of inner bundles. Default 16,384. The
        /// smallest element takes 8 bytes.
        max_elements: usize = 16_384,
        /// Maximum number of bytes of an address or pattern. Default 4,096.
        max_address_len: usize = 4_096,
        /// Maximum number of parts of an address or pattern. Default 128.
        max_address_parts: usize = 128,
        /// How a message without a type tag string is interpreted. Default
        /// [`NoArguments`](MissingTypeTags::NoArguments).
        missing_type_tags: MissingTypeTags = MissingTypeTags::NoArguments,
        /// The bytes allowed in text. Default [`Any`](TextPolicy::Any).
        text_policy: TextPolicy = TextPolicy::Any,
        /// The characters allowed in addresses. Default [`Any`](AddressPolicy::Any).
        address_policy: AddressPolicy = AddressPolicy::Any,
        /// The type tags that arguments may have. Default [`ALL`](TypeTagSet::ALL). Another type tag is
        /// an error for the whole packet. A type tag that OSC does not define costs its message only.
        allowed_type_tags: TypeTagSet = TypeTagSet::ALL,
        /// Whether padding bytes may be other than NUL, as `SuperCollider` sends them. Default true.
        accept_nonzero_padding: bool = true,
        /// Whether the time tag 0 of a bundle, which many devices send, is treated as
        /// [`TimeTag::IMMEDIATELY`](crate::TimeTag::IMMEDIATELY). The bytes are not changed, and it is counted. Default
        /// true; with `false` it is an instant in 1900, as in the specification.
        accept_zero_time_tags: bool = true,
        /// Whether the last string or blob of a packet may lack its padding and its NUL. A packet that was cut off inside
        /// its last string is then accepted too. Default false.
        accept_missing_padding: bool = false,
        /// Whether a type tag string may lack its comma, if all its characters are type tags and the arguments take
        /// exactly the bytes after it. Default false.
        accept_missing_comma: bool = false,
        /// Whether zeros may follow the arguments of a message or the last element of a bundle, as from senders with a
        /// buffer of fixed size. Default false.
        accept_zero_tail: bool = false,
        /// Whether the address of a message may lack its slash. Some libraries send such names; others are the `#reply` of
        /// the query draft, and the command numbers of `SuperCollider`
        /// ([`Message::numeric_address`](crate::Message::numeric_address)). `#bundle` is still a bundle. In routes,
        /// subscriptions and requests, use [`Pattern::exact`](crate::Pattern::exact) and
        /// [`Pattern::number`](crate::Pattern::number) for them; `//` matches them too. Default false.
        accept_bare_addresses: bool = false,
    }
}

/// The default profile.
impl Default for DecodeOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl DecodeOptions {
    /// Accepts OSC 1.0 to the letter: type tag strings are required, padding is NUL, text is ASCII, and addresses
    /// contain only the characters of the specification, pattern characters included.
    pub fn strict() -> Self {
        Self {
            missing_type_tags: MissingTypeTags::Reject,
            text_policy: TextPolicy::Ascii,
            address_policy: AddressPolicy::Pattern,
            accept_nonzero_padding: false,
            accept_zero_time_tags: false,
            ..Self::DEFAULT
        }
    }

    /// Accepts everything that can be interpreted, as long as the address begins with a slash. If this
    /// requires a guess, the packet is rewritten to the OSC 1.0 form of the guess, so that it can be relayed.
    ///
    /// Packets decoded in borrowed form ([`PacketRef`](crate::packet::PacketRef)) cannot be rewritten:
    /// missing padding, missing commas and trailing zeros are then refused.
    ///
    /// ```
    /// use tokio_osc::packet::DecodeOptions;
    /// use tokio_osc::{Bytes, Packet};
    ///
    /// let cut_short = Bytes::from_static(b"/name\0\0\0s\0\0\0cello");
    /// let (packet, repairs) = Packet::decode_with(cut_short, &DecodeOptions::lenient())?;
    /// assert_eq!(packet.to_string(), r#"/name ,s "cello""#);
    /// assert_eq!((repairs.missing_padding, repairs.missing_commas), (1, 1));
    /// assert_eq!(packet.as_bytes().len(), 20);
    /// # Ok::<(), tokio_osc::packet::DecodeError>(())
    /// ```
    pub fn lenient() -> Self {
        Self {
            missing_type_tags: MissingTypeTags::Untyped,
            accept_missing_padding: true,
            accept_missing_comma: true,
            accept_zero_tail: true,
            ..Self::DEFAULT
        }
    }

    /// Creates options without limits, for trusted input.
    pub(crate) fn unlimited() -> Self {
        Self {
            max_bundle_depth: usize::MAX,
            max_array_depth: u8::MAX,
            max_args: usize::MAX,
            max_elements: usize::MAX,
            max_address_len: usize::MAX,
            max_address_parts: usize::MAX,
            accept_bare_addresses: true,
            missing_type_tags: MissingTypeTags::Untyped,
            ..Self::DEFAULT
        }
    }

    /// Returns `true` if some faults are repaired by rewriting.
    pub(crate) const fn mends(&self) -> bool {
        self.accept_missing_padding || self.accept_missing_comma || self.accept_zero_tail
    }
}
