//! What stands for UDP sockets where there are none.

#[derive(Debug)]
pub(crate) enum UdpSocketState {}

impl UdpSocketState {
    pub(crate) fn refusals(&self) -> u64 {
        match *self {}
    }
}
