//! Who owns the other end of a loopback TCP connection: the peer's socket in the kernel's own table.

mod netlink;
mod table;

use std::io;
use std::net::SocketAddr;

use netlink::Query;

/// The owner of a connected socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpPeer {
    /// The user that made the socket.
    pub uid: u32,
    /// The socket's own number, which no other socket has while it lives.
    pub inode: u32,
    /// The control group that made the socket, by its number in the cgroup file system.
    pub cgroup_id: Option<u64>,
}

/// One worker's way to the kernel's socket table: a query for exactly one socket, or, where queries are not permitted
/// or not built in, the whole table.
#[derive(Default)]
pub struct Netlink {
    /// A socket for queries, once it has been seen to find what is there.
    query: Option<Query>,
}

impl Netlink {
    /// Finds the socket at `peer` that is connected to us at `local`. `None` where there is none, or nobody has it
    /// open any more.
    pub fn lookup(&mut self, peer: SocketAddr, local: SocketAddr) -> io::Result<Option<TcpPeer>> {
        let (peer, local) = (canonical(peer), canonical(local));
        if self.query.is_none() {
            self.query = proven_query(local, peer);
        }
        let found = match &mut self.query {
            Some(query) => query.find(peer, local)?,
            None => table::find(peer, local)?,
        };
        Ok(found
            .filter(|socket| socket.state.is_connected() && socket.peer.inode != 0)
            .map(|socket| socket.peer))
    }
}

/// A way to ask that finds our own end of the connection: a kernel without these queries says "not found" to all.
fn proven_query(local: SocketAddr, peer: SocketAddr) -> Option<Query> {
    let mut query = Query::open().ok()?;
    query.find(local, peer).ok()?.map(|_| query)
}

/// An IPv4 address that travels as IPv6 is the IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    peer: TcpPeer,
    state: State,
}

/// The state of a TCP socket, by the kernel's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State(u8);

impl State {
    /// Whether the socket still belongs to its connection: established, or half closed and waiting for the rest.
    /// Opening, listening, closing and waiting sockets say nothing of who sends.
    fn is_connected(self) -> bool {
        const ESTABLISHED: u8 = 1;
        const FIN_WAIT1: u8 = 4;
        const FIN_WAIT2: u8 = 5;
        const CLOSE_WAIT: u8 = 8;
        matches!(self.0, ESTABLISHED | FIN_WAIT1 | FIN_WAIT2 | CLOSE_WAIT)
    }
}

#[cfg(test)]
mod tests;
