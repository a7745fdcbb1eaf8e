//! What is known of one connection: its listener, its two ends, and who is at the other one.

use std::cell::{Cell, OnceCell, RefCell};
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
    /// The workload's address as text, as policies see it.
    peer_text: Option<Box<str>>,
    exchanges_begun: Cell<u64>,
    exchanges_ended: Cell<u64>,
    /// The value of `Host` that was last found to be one of the listener's: most connections have but one.
    host_admitted: RefCell<Box<[u8]>>,
    /// Looked up with the first request.
    pub(crate) identity: OnceCell<Rc<Identity>>,
    /// The worker's tick at which the identity was last found unchanged.
    pub(crate) verified: Cell<u64>,
}

impl Connection {
    /// A connection of which only its two ends are known.
    pub fn new(listener: Rc<ListenerFacts>, peer: Peer) -> Self {
        let peer_text = match &peer {
            Peer::Tcp { peer, .. } => Some(peer.to_string().into()),
            Peer::Unix(_) | Peer::Pretended { .. } => None,
        };
        Self {
            listener,
            peer,
            peer_text,
            exchanges_begun: Cell::new(0),
            exchanges_ended: Cell::new(0),
            host_admitted: RefCell::default(),
            identity: OnceCell::new(),
            verified: Cell::new(0),
        }
    }

    /// The listener that it came in on.
    pub fn listener(&self) -> &ListenerFacts {
        &self.listener
    }

    /// Its two ends.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The workload's address, where it has one, as `127.0.0.1:51234`.
    pub fn peer_text(&self) -> Option<&str> {
        self.peer_text.as_deref()
    }

    /// A request has begun.
    pub(crate) fn begin_exchange(&self) {
        self.exchanges_begun.set(self.exchanges_begun.get() + 1);
    }

    /// Its answer has ended.
    pub(crate) fn end_exchange(&self) {
        self.exchanges_ended.set(self.exchanges_ended.get() + 1);
    }

    /// How many requests have begun.
    pub fn exchanges_begun(&self) -> u64 {
        self.exchanges_begun.get()
    }

    /// Whether no request is under way.
    pub fn is_idle(&self) -> bool {
        self.exchanges_begun.get() == self.exchanges_ended.get()
    }

    /// Checks a value of `Host` by `judge`, unless it is the one that this connection last passed with.
    pub(crate) fn admit_host<E>(&self, host: &[u8], judge: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        if !host.is_empty() && **self.host_admitted.borrow() == *host {
            return Ok(());
        }
        judge()?;
        self.host_admitted.replace(host.into());
        Ok(())
    }
}
