//! The kernel's TCP table as text, for where it takes no queries: `/proc/net/tcp` and `/proc/net/tcp6`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Socket, State, TcpPeer};

/// About 400,000 sockets.
const TABLE_BYTES_MAX: u64 = 64 << 20;

/// The socket at `at` that is connected to `to`.
pub(super) fn find(at: SocketAddr, to: SocketAddr) -> io::Result<Option<Socket>> {
    // A socket for both families is among those of IPv6 also where it carries IPv4.
    let tables: &[&str] =
        if at.is_ipv4() { &["/proc/net/tcp", "/proc/net/tcp6"] } else { &["/proc/net/tcp6"] };
    for table in tables {
        match File::open(table) {
            Ok(file) => {
                if let Some(socket) = find_in(BufReader::new(file.take(TABLE_BYTES_MAX)), at, to)? {
                    return Ok(Some(socket));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

pub(super) fn find_in(mut table: impl BufRead, at: SocketAddr, to: SocketAddr) -> io::Result<Option<Socket>> {
    let mut line = String::new();
    while table.read_line(&mut line)? > 0 {
        if let Some((ends, socket)) = row(&line)
            && ends == (at, to)
        {
            return Ok(Some(socket));
        }
        line.clear();
    }
    Ok(None)
}

/// One row: its two ends, and what it says of the socket. `None` for the heading.
fn row(line: &str) -> Option<((SocketAddr, SocketAddr), Socket)> {
    let mut fields = line.split_ascii_whitespace();
    let mut next = || fields.next();
    next()?;
    let ends = (address(next()?)?, address(next()?)?);
    let state = State(u8::from_str_radix(next()?, 16).ok()?);
    let _queues_timer_retries = (next()?, next()?, next()?);
    let uid = next()?.parse().ok()?;
    next()?;
    let inode = next()?.parse().ok()?;
    Some((ends, Socket { peer: TcpPeer { uid, inode, cgroup_id: None }, state }))
}

/// `0100007F:1F90`: words of the address in the machine's byte order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (words, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(words.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match words.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for at in 0..4 {
                octets[at * 4..at * 4 + 4].copy_from_slice(&word(at)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}
