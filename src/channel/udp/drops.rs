//! Counts datagrams that the kernel dropped because the buffer of a socket was full: from `/proc/net/udp` on
//! Linux.

use tokio::net::UdpSocket;

/// The table is read in parts, by line number. If another socket is closed meanwhile, a line is missed. Then
/// it is read again.
const TRIES: usize = 8;

/// Returns the number of datagrams dropped so far. `None` if the system does not report it.
pub(crate) fn kernel_drops(socket: &UdpSocket, v6: bool) -> Option<u64> {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    let inode = std::fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?.ino();
    let path = if v6 { "/proc/net/udp6" } else { "/proc/net/udp" };
    (0..TRIES).find_map(|_| {
        let table = std::fs::read_to_string(path).ok()?;
        table.lines().skip(1).find_map(|line| drops_of(line, inode))
    })
}

/// A line: slot, local and remote address, state, queues, timers, retransmissions, user, timeout,
/// **inode**, references, pointer, **drops**.
fn drops_of(line: &str, inode: u64) -> Option<u64> {
    let mut fields = line.split_ascii_whitespace();
    let listed: u64 = fields.by_ref().nth(9)?.parse().ok()?;
    let drops = fields.last()?.parse().ok()?;
    (listed == inode).then_some(drops)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_socket_is_found() {
        let line = " 6113: 0100007F:2710 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 38571 2 0000000000000000 744";
        assert_eq!(drops_of(line, 38_571), Some(744));
        assert_eq!(drops_of(line, 2), None, "another socket");
        assert_eq!(drops_of("sl local_address", 2), None);
    }
}
