//! Kinds of errors that are a text each.

/// An enum whose variants have a fixed text: what `Display` writes, and `text` in constants.
macro_rules! texts {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $kind:ident => $text:literal,)* }) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$doc])* $kind,)*
        }

        impl $name {
            /// All of them, in the order above.
            #[allow(dead_code, reason = "few kinds are found by their text")]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// What `Display` writes.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$kind => $text,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.text())
            }
        }
    };
}

pub(crate) use texts;
