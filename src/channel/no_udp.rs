//! What stands for UDP sockets where there are none.

#[derive(Debug)]
pub(crate) enum UdpSocketState {}
