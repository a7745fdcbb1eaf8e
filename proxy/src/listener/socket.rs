//! Binds listeners and accepts from them. One acceptor hands sockets to the workers: shared ports would let any
//! process of the same user take a share of the connections.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use claviger_config::Bind;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, mpsc};

use super::{Accepted, AcceptedSocket};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// The wait after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a socket could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot listen on {address}: {source}")]
pub struct BindError {
    what: String,
    address: String,
    source: io::Error,
}

/// A bound socket.
pub struct Listening {
    socket: Socket,
}

enum Socket {
    Tcp(TcpListener),
    Unix { listener: UnixListener, path: PathBuf },
}

/// Binds `address`; `what` names who wants it, as `listener app`. Must be called within a tokio runtime.
pub fn bind(what: &str, address: &Bind) -> Result<Listening, BindError> {
    let fail = |address: String| move |source| BindError { what: what.to_owned(), address, source };
    let socket = match address {
        Bind::Tcp(address) => Socket::Tcp(bind_tcp(*address).map_err(fail(address.to_string()))?),
        Bind::Unix(path) => {
            let listener = bind_unix(path).map_err(fail(format!("unix:{}", path.display())))?;
            Socket::Unix { listener, path: path.clone() }
        }
    };
    Ok(Listening { socket })
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG.cast_signed())?;
    TcpListener::from_std(socket.into())
}

/// Replaces a socket file that nobody listens on; a live one is an error.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file there is not a socket"));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"));
        }
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    // who may call is decided by `callers` and the policy, so that a workload of another uid can connect
    fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

impl Listening {
    /// The address that it really has, for the log.
    pub fn address(&self) -> String {
        match &self.socket {
            Socket::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "tcp".into(), |address| address.to_string())
            }
            Socket::Unix { path, .. } => format!("unix:{}", path.display()),
        }
    }

    /// The TCP address that it really has.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            Socket::Unix { .. } => None,
        }
    }

    /// The next connection, on the runtime that bound the socket.
    async fn accept(&self) -> io::Result<AcceptedSocket> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(AcceptedSocket::Tcp(stream.into_std()?))
            }
            Socket::Unix { listener, .. } => Ok(AcceptedSocket::Unix(listener.accept().await?.0.into_std()?)),
        }
    }

    /// Accepts until dropped, and gives each connection to the next worker in turn. While `slots` are used up, one
    /// connection waits here and the others in the backlog: a slot that were taken beforehand would be lost to the
    /// other listeners.
    pub async fn hand_out(
        self,
        listener: usize,
        workers: Vec<mpsc::Sender<Accepted>>,
        slots: Arc<Semaphore>,
    ) {
        for worker in workers.iter().cycle() {
            let socket = self.accept_patiently().await;
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            if worker.send(Accepted { listener, socket, slot }).await.is_err() {
                return;
            }
        }
    }

    /// The next connection; what keeps it from coming is logged and waited for.
    pub async fn accept_patiently(&self) -> AcceptedSocket {
        loop {
            match self.accept().await {
                Ok(socket) => return socket,
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            }
            // out of descriptors: wait for some to come back instead of spinning
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Socket::Unix { path, .. } = &self.socket {
            let _ = fs::remove_file(path);
        }
    }
}
