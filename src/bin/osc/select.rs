//! Packets by the addresses of their messages: `--filter` and `--plot`.

use tokio_osc::Pattern;
use tokio_osc::packet::{MessageRef, PacketRef};

/// Whether a message of the packet shares an address with the pattern.
pub(crate) fn selects(pattern: &Pattern, packet: PacketRef<'_>) -> bool {
    packet.messages().any(|message| names(pattern, message))
}

/// Whether the message shares an address with the pattern.
pub(crate) fn names(pattern: &Pattern, message: MessageRef<'_>) -> bool {
    match Pattern::new(message.address().as_bytes().to_vec()) {
        Ok(address) => pattern.overlaps(&address),
        // An address that is not a valid pattern stands for itself.
        Err(_) => pattern.matches(&message.to_owned().to_address()),
    }
}
