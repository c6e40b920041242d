//! Placeholders for UDP sockets without the feature `net`.

#[derive(Debug)]
pub(crate) enum UdpSocketState {}

impl UdpSocketState {
    pub(crate) fn refusals(&self) -> u64 {
        match *self {}
    }
}
