//! The one door to the network: resolves a name once, checks every address, and dials only what was checked.

mod address;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use claviger_config::Scheme;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clock;
use crate::error::Error;
use crate::route::Route;
use crate::tls;

/// Addresses tried for one name.
const ADDRESSES_MAX: usize = 16;

/// A connection to an upstream whose name is verified where it speaks TLS.
pub enum DialledStream {
    /// Plaintext, on a route that allows it.
    Plain(TcpStream),
    /// TLS, handshake done.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Dials upstreams, each with its route's rules. Made once, so that what is wrong with a route ends the start, and
/// shared by all workers.
pub struct Dialler {
    own: Arc<[SocketAddr]>,
    tls: Vec<Option<(TlsConnector, ServerName<'static>)>>,
}

impl Dialler {
    /// Reads the roots that `routes` name; their indexes are their places. `own` is never dialled.
    pub fn new(routes: &[Route], own: Arc<[SocketAddr]>) -> Result<Self, String> {
        let mut connectors: HashMap<Option<&Path>, TlsConnector> = HashMap::new();
        let mut tls = Vec::with_capacity(routes.len());
        for route in routes {
            let settings = route.settings();
            if settings.upstream.scheme == Scheme::Http {
                tls.push(None);
                continue;
            }
            let roots = settings.tls_ca.as_ref().map(|ca| ca.value.as_path());
            let connector = match connectors.get(&roots) {
                Some(known) => known.clone(),
                None => {
                    let config = tls::client_config(roots)
                        .map_err(|error| format!("route {}: {error}", route.name()))?;
                    connectors.entry(roots).or_insert(TlsConnector::from(config)).clone()
                }
            };
            let name = ServerName::try_from(settings.upstream.host.clone()).map_err(|_| {
                format!("route {}: {} cannot be verified", route.name(), settings.upstream.host)
            })?;
            tls.push(Some((connector, name)));
        }
        Ok(Self { own, tls })
    }

    /// A fresh connection for `route`: resolved, checked, connected, and verified, all within `timeouts.connect`.
    pub async fn dial(&self, route: &Route) -> Result<(DialledStream, SocketAddr), Error> {
        let deadline = clock::monotonic() + route.settings().timeouts.connect;
        let (stream, address) = timeout_at(deadline.into(), self.reach(route))
            .await
            .map_err(|_| Error::UpstreamTimeout("no connection within timeouts.connect"))??;
        let Some((connector, name)) = &self.tls[route.index()] else {
            return Ok((DialledStream::Plain(stream), address));
        };
        let stream = timeout_at(deadline.into(), connector.connect(name.clone(), stream))
            .await
            .map_err(|_| Error::UpstreamTls("no handshake within timeouts.connect".into()))?
            .map_err(|error| tls_error(&error))?;
        Ok((DialledStream::Tls(Box::new(stream)), address))
    }

    async fn reach(&self, route: &Route) -> Result<(TcpStream, SocketAddr), Error> {
        let upstream = &route.settings().upstream;
        let addresses = resolve(&upstream.host, upstream.port).await?;
        self.check(&addresses, route)?;
        let (stream, address) = connect(&addresses).await?;
        stream.set_nodelay(true).map_err(|_| Error::UpstreamUnreachable("the connection broke"))?;
        Ok((stream, address))
    }

    /// One forbidden address spoils the name: an attacker's name may mix good and bad ones.
    fn check(&self, addresses: &[SocketAddr], route: &Route) -> Result<(), Error> {
        let settings = route.settings();
        let named: Option<IpAddr> = settings.upstream.host.parse().ok();
        for address in addresses {
            if !address::allowed(address.ip(), settings.allow_private, named) || self.is_own(*address) {
                tracing::warn!(route = &**route.name(), %address, "the upstream resolves to a forbidden address");
                return Err(Error::AddressForbidden);
            }
        }
        Ok(())
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        self.own.iter().any(|own| {
            own.port() == address.port()
                && (own.ip() == address.ip() || (own.ip().is_unspecified() && address.ip().is_loopback()))
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one door to the network")]
async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let found = tokio::net::lookup_host((host, port)).await;
    let addresses: Vec<_> =
        found.map(|found| found.take(ADDRESSES_MAX).collect()).unwrap_or_else(|_| Vec::new());
    if addresses.is_empty() {
        return Err(Error::UpstreamUnreachable("its name does not resolve"));
    }
    Ok(addresses)
}

#[expect(clippy::disallowed_methods, reason = "the one door to the network")]
async fn connect(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Error> {
    let mut why = "it has no address";
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok((stream, *address)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => why = "it refuses connections",
            Err(_) => why = "no connection could be made",
        }
    }
    Err(Error::UpstreamUnreachable(why))
}

/// What TLS says of the peer is for the operator; the workload learns only that it was refused.
fn tls_error(error: &io::Error) -> Error {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    Error::UpstreamTls(cause.map_or_else(|| "the handshake broke off".to_owned(), ToString::to_string))
}

impl AsyncRead for DialledStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for DialledStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
