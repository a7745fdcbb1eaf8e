//! A recording HTTP/1.1 upstream, plain or TLS. The first segment of the path chooses what it does:
//!
//! | path | answer |
//! |---|---|
//! | `/status/NNN` | that status, the body `upstream says so` |
//! | `/slow/MS` | 200 after that many milliseconds |
//! | `/big/BYTES` | 200 with that many bytes |
//! | `/sink` | 200 with the received body's length, read without keeping it |
//! | `/once401` | 401 for the first credential seen on a path, 200 with both in it for any other |
//! | `/garbage` | bytes that are not HTTP |
//! | `/cut` | a hundred bytes announced, thirteen sent |
//! | `/hangup` | a whole answer, then the connection closes |
//! | `/mirror/HOW` | the caller's credential: see `upstream/mirror.rs` |
//! | anything else | 200, `{"method": …, "target": …, "body_bytes": …}` |

mod mirror;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::http1::{Reader, Request};
use crate::pki::Leaf;

static CHUNK: [u8; 64 << 10] = [b'x'; 64 << 10];

/// The one runtime of every far side in this process, away from the tests' own threads.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("threads can be started")
    })
}

/// Listens on a port of 127.0.0.1, with a backlog for thousands of clients at once.
pub(crate) fn listen(address: SocketAddr) -> (TcpListener, u16) {
    let listener = StdListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    // std listens with 128; a second call widens the backlog
    rustix::net::listen(&listener, 4096).expect("a listening socket may listen");
    listener.set_nonblocking(true).expect("a socket can be non-blocking");
    let port = listener.local_addr().expect("it is bound").port();
    let _inside = runtime().enter();
    (TcpListener::from_std(listener).expect("the runtime has an event loop"), port)
}

/// What reached the upstream.
#[derive(Default)]
struct Record {
    requests: Mutex<Vec<Request>>,
    refused_tokens: Mutex<HashMap<String, String>>,
    connections: AtomicUsize,
    bytes: AtomicU64,
}

/// A running upstream; it stops with its owner.
pub struct Upstream {
    record: Arc<Record>,
    task: JoinHandle<()>,
    port: u16,
    scheme: &'static str,
}

impl Upstream {
    /// Over plain HTTP, on a free port of 127.0.0.1.
    pub fn plain() -> Upstream {
        Upstream::start((Ipv4Addr::LOCALHOST, 0).into(), None)
    }

    /// Over TLS with a certificate, on a free port of 127.0.0.1.
    pub fn tls(leaf: &Leaf) -> Upstream {
        Upstream::start((Ipv4Addr::LOCALHOST, 0).into(), Some(acceptor(leaf)))
    }

    /// Over plain HTTP at an address of its own, for the demo's containers.
    pub fn at(address: SocketAddr) -> Upstream {
        Upstream::start(address, None)
    }

    fn start(address: SocketAddr, tls: Option<TlsAcceptor>) -> Upstream {
        let (listener, port) = listen(address);
        let record = Arc::new(Record::default());
        let scheme = if tls.is_some() { "https" } else { "http" };
        let task = runtime().spawn(accept(listener, tls, Arc::clone(&record)));
        Upstream { record, task, port, scheme }
    }

    /// Its URL: by name over TLS, by address without.
    pub fn url(&self) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}", self.scheme, self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every request so far, in the order in which their bodies ended.
    pub fn requests(&self) -> Vec<Request> {
        self.record.requests.lock().expect("no panic in here").clone()
    }

    /// The latest request; fails when there was none.
    pub fn last(&self) -> Request {
        self.requests().pop().expect("nothing reached the upstream")
    }

    /// The bearer tokens that arrived, in order.
    pub fn bearers(&self) -> Vec<String> {
        let bearer =
            |request: &Request| request.header("authorization")?.strip_prefix("Bearer ").map(str::to_owned);
        self.requests().iter().filter_map(bearer).collect()
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.record.connections.load(Ordering::SeqCst)
    }

    /// Application bytes received so far, below TLS where there is some.
    pub fn bytes(&self) -> u64 {
        self.record.bytes.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(leaf: &Leaf) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(&leaf.certificate).expect("a PEM file");
    let chain = chain.collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(&leaf.key).expect("a PEM key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a key that fits");
    TlsAcceptor::from(Arc::new(config))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, record: Arc<Record>) {
    while let Ok((client, _)) = listener.accept().await {
        record.connections.fetch_add(1, Ordering::SeqCst);
        let (tls, record) = (tls.clone(), Arc::clone(&record));
        tokio::spawn(async move {
            // a client that hangs up or refuses our certificate is part of the tests
            let _ = match tls {
                None => serve(client, &record).await,
                Some(tls) => match tls.accept(client).await {
                    Ok(client) => serve(client, &record).await,
                    Err(error) => Err(error),
                },
            };
        });
    }
}

async fn serve(client: impl AsyncRead + AsyncWrite + Unpin, record: &Record) -> std::io::Result<()> {
    let mut reader = Reader::new(client);
    loop {
        let counted = reader.bytes;
        let head = reader.head().await;
        record.bytes.fetch_add(reader.bytes - counted, Ordering::SeqCst);
        let Some(mut request) = head? else { return Ok(()) };
        if request.header("expect").is_some() {
            reader.stream().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        reader.body(&mut request).await?;
        record.requests.lock().expect("no panic in here").push(request.clone());
        if !answer(reader.stream(), &request, record).await? {
            return Ok(());
        }
    }
}

/// Answers one request; whether the connection goes on.
async fn answer(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &Request,
    record: &Record,
) -> std::io::Result<bool> {
    let path = request.target.split('?').next().unwrap_or_default();
    let (what, number) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    match what {
        "status" => send(client, request, number.parse().unwrap_or(500), b"upstream says so").await?,
        "slow" => {
            tokio::time::sleep(Duration::from_millis(number.parse().unwrap_or(0))).await;
            send(client, request, 200, b"slow but sure").await?;
        }
        "big" => stream(client, number.parse().unwrap_or(0)).await?,
        "sink" => send(client, request, 200, request.body_bytes.to_string().as_bytes()).await?,
        "once401" => {
            let (status, seen) = once401(request, record);
            send(client, request, status, seen.as_bytes()).await?;
        }
        "mirror" => return mirror::answer(client, request, number).await,
        "garbage" => client.write_all(b"this is not HTTP at all\r\n\r\n").await?,
        "cut" => client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot a hundred").await?,
        _ => send(client, request, 200, echo(request).as_bytes()).await?,
    }
    client.flush().await?;
    Ok(!matches!(what, "garbage" | "cut" | "hangup"))
}

/// Refuses the first credential that a path sees, whoever brings it; what it saw.
fn once401(request: &Request, record: &Record) -> (u16, String) {
    let token = request.header("authorization").unwrap_or_default().to_owned();
    let mut refused = record.refused_tokens.lock().expect("no panic in here");
    let first = refused.entry(request.target.clone()).or_insert_with(|| token.clone());
    if *first == token { (401, String::new()) } else { (200, format!("{token}\n{first}")) }
}

fn echo(request: &Request) -> String {
    let Request { method, target, body_bytes, .. } = request;
    serde_json::json!({ "method": method, "target": target, "body_bytes": body_bytes }).to_string()
}

async fn send(
    client: &mut (impl AsyncWrite + Unpin),
    request: &Request,
    status: u16,
    body: &[u8],
) -> std::io::Result<()> {
    let silent = status == 204 || request.method == "HEAD";
    let mut answer = format!("HTTP/1.1 {status} Answer\r\n");
    if status != 204 {
        answer += &format!("Content-Length: {}\r\n", body.len());
    }
    let body = if silent { b"" } else { body };
    client.write_all(&[answer.as_bytes(), b"\r\n", body].concat()).await
}

async fn stream(client: &mut (impl AsyncWrite + Unpin), bytes: u64) -> std::io::Result<()> {
    client.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n").as_bytes()).await?;
    let mut left = bytes;
    while left > 0 {
        let piece = CHUNK.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        client.write_all(&CHUNK[..piece]).await?;
        left -= piece as u64;
    }
    Ok(())
}
