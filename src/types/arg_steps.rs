//! A walk through an owned argument, so that `Clone`, `==` and `Display` use no stack in proportion to
//! nesting.

use bytes::Bytes;

use super::Arg;

/// A step of a walk through an argument.
#[derive(Clone, Copy)]
pub(crate) enum ArgStep<'a> {
    /// An array with this many elements begins.
    Begin(usize),
    /// The innermost open array ends.
    End,
    /// Anything but an array.
    Scalar(&'a Arg),
}

/// An iterator over the steps of an argument.
pub(crate) struct ArgSteps<'a> {
    first: Option<&'a Arg>,
    open: Vec<std::slice::Iter<'a, Arg>>,
}

impl Arg {
    /// Returns the steps of the walk, in the order of the wire.
    pub(crate) fn steps(&self) -> ArgSteps<'_> {
        ArgSteps { first: Some(self), open: Vec::new() }
    }
}

impl<'a> Iterator for ArgSteps<'a> {
    type Item = ArgStep<'a>;

    fn next(&mut self) -> Option<ArgStep<'a>> {
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => self.open.last_mut()?.next(),
        };
        Some(match next {
            Some(Arg::Array(elements)) => {
                self.open.push(elements.iter());
                ArgStep::Begin(elements.len())
            }
            Some(scalar) => ArgStep::Scalar(scalar),
            None => {
                self.open.pop();
                ArgStep::End
            }
        })
    }
}

impl Clone for Arg {
    fn clone(&self) -> Self {
        let mut open: Vec<Vec<Self>> = Vec::new();
        for step in self.steps() {
            let value = match step {
                ArgStep::Begin(len) => {
                    open.push(Vec::with_capacity(len));
                    continue;
                }
                ArgStep::End => Self::Array(open.pop().unwrap_or_default()),
                ArgStep::Scalar(scalar) => clone_scalar(scalar),
            };
            match open.last_mut() {
                Some(array) => array.push(value),
                None => return value,
            }
        }
        Self::Nil
    }
}

fn clone_scalar(scalar: &Arg) -> Arg {
    match (scalar, scalar.as_scalar()) {
        (Arg::String(text), _) => Arg::String(text.clone()),
        (Arg::Symbol(text), _) => Arg::Symbol(text.clone()),
        (Arg::Blob(bytes), _) => Arg::Blob(bytes.clone()),
        (_, Some(borrowed)) => borrowed.to_scalar(Bytes::copy_from_slice),
        (_, None) => Arg::Nil,
    }
}

/// Equal type and equal bits, as for [`ArgRef`](crate::packet::ArgRef).
impl PartialEq for Arg {
    fn eq(&self, other: &Self) -> bool {
        self.steps().eq(other.steps())
    }
}

impl Eq for Arg {}

impl PartialEq for ArgStep<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Begin(a), Self::Begin(b)) => a == b,
            (Self::End, Self::End) => true,
            (Self::Scalar(a), Self::Scalar(b)) => a.as_scalar() == b.as_scalar(),
            _ => false,
        }
    }
}
