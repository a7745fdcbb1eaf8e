//! What is known of one connection: its listener, its two ends, and who is at the other one.

use std::cell::{Cell, OnceCell};
use std::net::SocketAddr;
use std::rc::Rc;

use crate::identity::unix::UnixPeer;
use crate::identity::workload::Identity;

/// The two ends of a connection.
pub enum Peer {
    /// TCP: the workload's address and ours.
    Tcp {
        /// The workload's side.
        peer: SocketAddr,
        /// Our side.
        local: SocketAddr,
    },
    /// A unix socket: what the kernel says of who connected.
    Unix(UnixPeer),
    /// A request that is explained, not carried: who it pretends to be.
    Pretended {
        /// The uid to judge by.
        uid: Option<u32>,
    },
}

/// What a listener's requests have in common.
#[derive(Debug, Clone)]
pub struct ListenerFacts {
    /// Its name in the configuration.
    pub name: String,
    /// The only uids that may call, if limited.
    pub callers: Option<Vec<u32>>,
    /// Names that `Host` may have beside the loopback names; lower case.
    pub hosts: Vec<String>,
}

/// What is known of one connection.
pub struct Connection {
    listener: Rc<ListenerFacts>,
    peer: Peer,
    /// Looked up with the first request.
    pub(crate) identity: OnceCell<Rc<Identity>>,
    /// The worker's tick at which the identity was last found unchanged.
    pub(crate) verified: Cell<u64>,
}

impl Connection {
    /// A connection of which only its two ends are known.
    pub fn new(listener: Rc<ListenerFacts>, peer: Peer) -> Self {
        Self { listener, peer, identity: OnceCell::new(), verified: Cell::new(0) }
    }

    /// The listener that it came in on.
    pub fn listener(&self) -> &ListenerFacts {
        &self.listener
    }

    /// Its two ends.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The workload's address, where it has one.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        match self.peer {
            Peer::Tcp { peer, .. } => Some(peer),
            Peer::Unix(_) | Peer::Pretended { .. } => None,
        }
    }
}
