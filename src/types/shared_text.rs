//! Types that are text in shared bytes.

/// Text in shared bytes: how it is read, and what is printed of it.
macro_rules! shared_text {
    ($name:ident, $bytes:tt) => {
        impl $name {
            /// Borrows the text, whose methods convert it to a `str`.
            pub fn as_text(&self) -> $crate::types::Text<'_> {
                $crate::types::Text::new(&self.$bytes)
            }

            /// Returns the bytes as sent.
            pub fn as_bytes(&self) -> &[u8] {
                &self.$bytes
            }

            /// Returns the bytes as sent, without a copy.
            pub fn into_bytes(self) -> ::bytes::Bytes {
                self.$bytes
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.as_text(), f)
            }
        }

        /// Invalid UTF-8 is shown as U+FFFD.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.as_text(), f)
            }
        }
    };
}

pub(crate) use shared_text;
