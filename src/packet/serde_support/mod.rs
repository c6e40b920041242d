//! Feature `serde`: serialization of packets, and Rust structs as argument lists.

mod arg_reader;
mod form;
mod from_list;
mod to_list;

use std::fmt;

use crate::types::Arg;

pub use from_list::from_args;
pub use to_list::to_args;

/// The error of converting between values and argument lists.
///
/// ```
/// use tokio_osc::packet::from_args;
/// use tokio_osc::Message;
///
/// let message = Message::new("/note", ("sixty", 0.5_f32))?;
/// let error = from_args::<(u8, f32)>(&message).unwrap_err();
/// println!("{error}");
/// # Ok::<(), tokio_osc::packet::EncodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SerdeError {
    message: String,
}

impl fmt::Display for SerdeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

readable! { struct SerdeError { message } }

impl std::error::Error for SerdeError {}

impl serde::ser::Error for SerdeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string() }
    }
}

impl serde::de::Error for SerdeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string() }
    }
}

/// The form of a Rust value: one argument, or the members of a struct, a tuple or a sequence.
enum Form {
    One(Arg),
    List(Vec<Arg>),
}
