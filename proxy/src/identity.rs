//! Who is calling: facts that the kernel gives of a connection's other end, never what the workload says of itself.

mod cgroup;
pub mod process;
pub mod tcp;
pub mod unix;
pub mod workload;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Mutex;

pub use self::workload::{Facts, Identity};
use crate::connection::{Connection, Peer};
use crate::error::Error;
use crate::exchange::Exchange;

use crate::request::Request;

/// Control groups whose paths are remembered.
const GROUPS_MAX: usize = 1_024;

/// A request that the gate let in, with the exchange it belongs to.
pub struct Inbound {
    /// The canonical request; on the heap, as it goes through many hands.
    pub request: Box<Request>,
    /// Its record in the making.
    pub exchange: Rc<Exchange>,
}

/// A request whose caller is known. Minted by [`Identifier::identify`].
pub struct Identified {
    request: Box<Request>,
    exchange: Rc<Exchange>,
    identity: Rc<Identity>,
}

impl Identified {
    /// The canonical request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Who sent it.
    pub fn identity(&self) -> &Rc<Identity> {
        &self.identity
    }

    /// Gives up its parts to the next stage.
    pub fn into_parts(self) -> (Box<Request>, Rc<Exchange>, Rc<Identity>) {
        (self.request, self.exchange, self.identity)
    }
}

/// Asks the kernel, once per connection, and again before a credential is put on a request.
pub struct Identifier {
    netlink: RefCell<tcp::Netlink>,
    /// Of all workers: one search at a time finds the sockets of many.
    processes: Arc<Mutex<process::Finder>>,
    /// Paths of control groups by their ids; `None` for those that are not to be seen from here.
    groups: RefCell<HashMap<u64, Option<String>>>,
    /// Counts the worker's ticks: a connection is verified once in each.
    tick: Cell<u64>,
}

impl Identifier {
    /// One for each worker; keeps its socket to the kernel open.
    pub fn new(processes: Arc<Mutex<process::Finder>>) -> Self {
        Self { netlink: RefCell::default(), processes, groups: RefCell::default(), tick: Cell::new(1) }
    }

    /// The worker's clock has ticked: what was verified before is verified anew.
    pub fn tick(&self) {
        self.tick.set(self.tick.get() + 1);
    }

    /// Finds out who sent a request, and refuses callers that the listener does not take.
    pub async fn identify(&self, inbound: Inbound) -> Result<Identified, Error> {
        let Inbound { request, exchange } = inbound;
        let connection = exchange.connection();
        if connection.identity.get().is_none() {
            connection.verified.set(self.tick.get());
            // once for each connection, and large
            let found = Rc::new(Box::pin(self.look_up(connection.peer())).await);
            // requests of one connection come one after the other, so nobody else has set it
            connection.identity.get_or_init(|| found);
        }
        let identity = Rc::clone(connection.identity.get().expect("it was set just now"));
        exchange.saw_identity(&identity);
        if let Some(callers) = &connection.listener().callers
            && !identity.facts().uid.is_some_and(|uid| callers.contains(&uid))
        {
            return Err(Error::CallerNotAllowed);
        }
        Ok(Identified { request, exchange, identity })
    }

    /// Whether the other end is still who it was. Asks the kernel at most once a tick for each connection.
    pub fn verify(&self, connection: &Connection, identity: &Identity) -> Result<(), Error> {
        if connection.verified.get() == self.tick.get() {
            return Ok(());
        }
        let same = match connection.peer() {
            Peer::Unix(peer) => peer.still_alive(),
            Peer::Tcp { peer, local } => self.same_socket(*peer, *local, identity),
            Peer::Pretended { .. } => true,
        };
        if !same {
            return Err(Error::CallerNotAllowed);
        }
        connection.verified.set(self.tick.get());
        Ok(())
    }

    /// A socket that cannot be found was not known before either, or its owner has closed it and reads no answer.
    fn same_socket(&self, peer: SocketAddr, local: SocketAddr, identity: &Identity) -> bool {
        match self.netlink.borrow_mut().lookup(peer, local) {
            Ok(Some(found)) => {
                Some(found.inode) == identity.inode() && Some(found.uid) == identity.facts().uid
            }
            Ok(None) | Err(_) => identity.inode().is_none(),
        }
    }

    async fn look_up(&self, peer: &Peer) -> Identity {
        match peer {
            Peer::Unix(peer) => {
                let process = self.processes.lock().await.facts(peer.pid);
                // a pid that was given to another process since it connected must not lend its facts
                let process = process.filter(|_| peer.still_alive());
                let facts = Facts {
                    uid: Some(peer.uid),
                    gid: Some(peer.gid),
                    pid: Some(peer.pid),
                    exe: process.as_ref().and_then(|process| process.exe.clone()),
                    cgroup: process.and_then(|process| process.cgroup),
                };
                Identity::new(facts, None)
            }
            Peer::Tcp { peer, local } => self.look_up_tcp(*peer, *local).await,
            Peer::Pretended { uid } => Identity::new(Facts { uid: *uid, ..Facts::default() }, None),
        }
    }

    async fn look_up_tcp(&self, peer: SocketAddr, local: SocketAddr) -> Identity {
        let found = match self.netlink.borrow_mut().lookup(peer, local) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the kernel does not tell who owns a connection");
                None
            }
        };
        let Some(socket) = found else { return Identity::new(Facts::default(), None) };
        let group = self.group(socket.cgroup_id).await;
        let process = self.owner(socket.inode, socket.uid).await;
        let facts = Facts {
            uid: Some(socket.uid),
            gid: process.as_ref().and_then(|process| process.gid),
            pid: process.as_ref().map(|process| process.pid),
            exe: process.as_ref().and_then(|process| process.exe.clone()),
            cgroup: group.or_else(|| process.and_then(|process| process.cgroup)),
        };
        Identity::new(facts, Some(socket.inode))
    }

    /// The path of the group that the socket table names, where the unified hierarchy is mounted.
    async fn group(&self, id: Option<u64>) -> Option<String> {
        let id = id?;
        if let Some(known) = self.groups.borrow().get(&id) {
            return known.clone();
        }
        let path = tokio::task::spawn_blocking(move || cgroup::path(id)).await.ok().flatten();
        let mut groups = self.groups.borrow_mut();
        if groups.len() >= GROUPS_MAX {
            groups.clear();
        }
        groups.insert(id, path.clone());
        path
    }

    /// Reading the open files of a busy process takes milliseconds, which no other request should wait for.
    async fn owner(&self, inode: u32, uid: u32) -> Option<process::Process> {
        let mut finder = Arc::clone(&self.processes).lock_owned().await;
        if let Some(process) = finder.known(inode) {
            return Some(process);
        }
        tokio::task::spawn_blocking(move || finder.search(inode, uid)).await.ok().flatten()
    }
}
