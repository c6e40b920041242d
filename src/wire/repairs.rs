//! Counts of accepted faults, by kind.

macro_rules! repairs {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// Counts how often decoding accepted violations of the specification, by kind.
        ///
        /// A packet that follows OSC 1.0 has none: `Repairs::default()`. Sums saturate.
        ///
        /// ```
        /// use tokio_osc::packet::DecodeOptions;
        /// use tokio_osc::{Bytes, Packet};
        ///
        /// let packet = Bytes::from_static(b"/a\0\xff,\0\0\0");
        /// let (_, repairs) = Packet::decode_with(packet, &DecodeOptions::default())?;
        /// assert_eq!(repairs.nonzero_padding, 1);
        /// assert!(!repairs.is_none());
        /// # Ok::<(), tokio_osc::packet::DecodeError>(())
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Repairs {
            $($(#[$doc])* pub $kind: u32,)*
        }

        impl Repairs {
            pub(crate) const NONE: Self = Self { $($kind: 0,)* };
        }

        impl std::ops::AddAssign for Repairs {
            fn add_assign(&mut self, other: Self) {
                $(self.$kind = self.$kind.saturating_add(other.$kind);)*
            }
        }
    };
}

repairs! {
    /// Messages that end after their address.
    missing_type_tags,
    /// Messages without type tags, but with bytes after their address.
    untyped,
    /// Strings and blobs with a padding byte other than NUL.
    nonzero_padding,
    /// Strings and addresses that are neither ASCII nor UTF-8.
    not_utf8,
    /// Messages of a bundle that were skipped because of an undefined type tag.
    unknown_type_tags,
    /// Addresses without a slash, numbers among them.
    bare_addresses,
    /// Bundles with the time tag 0, taken for "immediately".
    zero_time_tags,
    /// Last strings and blobs that were given their NUL or padding.
    missing_padding,
    /// Type tag strings that were given their comma.
    missing_commas,
    /// Zeros taken away behind the arguments of a message or the elements of a bundle.
    zero_tails,
}

impl Repairs {
    /// Returns `true` if there were no repairs.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
