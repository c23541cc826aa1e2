//! What the kernel says of datagrams.
//!
//! *Responsible for*: how many it dropped since it runs. *Not responsible for*: whose they were: it counts those of all sockets.

use anyhow::{Context as _, Result};

/// Datagrams that found no room in the buffer of a socket, of all sockets.
pub(crate) fn dropped() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/net/snmp").context("the kernel's counters")?;
    read(&text).context("the kernel counts no dropped datagrams")
}

/// Names stand in one line, their values in the next.
fn read(text: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with("Udp:"));
    let index = lines.next()?.split_whitespace().position(|name| name == "RcvbufErrors")?;
    lines.next()?.split_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_under_its_name_is_read() {
        let text = "Icmp: InMsgs\nIcmp: 4\nUdp: InDatagrams NoPorts RcvbufErrors\nUdp: 10 2 7\nUdpLite: InDatagrams\nUdpLite: 0\n";
        assert_eq!(read(text), Some(7));
        assert_eq!(read("Udp: InDatagrams\nUdp: 1\n"), None);
    }
}
