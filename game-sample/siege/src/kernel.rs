//! What the kernel says of datagrams.
//!
//! *Responsible for*: how many it dropped at some sockets. *Not responsible for*: those that a sender could not send.

use anyhow::{Context as _, Result};

/// Datagrams that found no room in the buffers of the sockets that are bound to these ports, since those were bound.
pub(crate) fn dropped(ports: &[u16]) -> Result<u64> {
    let mut all = 0;
    for table in ["/proc/net/udp", "/proc/net/udp6"] {
        let text = std::fs::read_to_string(table).with_context(|| format!("the kernel's {table}"))?;
        all += read(&text, ports);
    }
    Ok(all)
}

/// A socket a line: the second column is its address and port in hexadecimal digits, the last one what was dropped.
fn read(text: &str, ports: &[u16]) -> u64 {
    let of_line = |line: &str| {
        let mut columns = line.split_whitespace();
        let port = u16::from_str_radix(columns.nth(1)?.rsplit(':').next()?, 16).ok()?;
        let dropped: u64 = columns.next_back()?.parse().ok()?;
        ports.contains(&port).then_some(dropped)
    };
    text.lines().skip(1).filter_map(of_line).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_the_ports_are_added_up_and_no_others() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
                     1: 0100007F:1151 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 7\n\
                     2: 0100007F:1152 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 30\n\
                     3: 0200007F:1153 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 200\n";
        assert_eq!(read(text, &[0x1151, 0x1153]), 207);
        assert_eq!(read(text, &[1]), 0);
    }
}
