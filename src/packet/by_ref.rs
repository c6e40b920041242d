//! Traits of owned packets that are implemented by their borrowed form: equality and text.

use std::fmt;

use super::{Bundle, Message, Packet};

macro_rules! by_ref {
    ($($owned:ident)*) => {$(
        impl PartialEq for $owned {
            fn eq(&self, other: &Self) -> bool {
                self.as_ref() == other.as_ref()
            }
        }

        impl Eq for $owned {}

        impl fmt::Debug for $owned {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.as_ref().fmt(f)
            }
        }

        /// Canonical lines, without a line feed after the last.
        impl fmt::Display for $owned {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.as_ref(), f)
            }
        }
    )*};
}

by_ref!(Message Bundle Packet);
