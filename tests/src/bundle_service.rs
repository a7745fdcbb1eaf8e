//! A bundle service that follows OPA's protocol, long polling included, and that can fail in every way a real one cannot
//! be made to.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::http1::{Reader, Request};
use crate::upstream::{listen, runtime};
use crate::wait::free_port;

/// Longer than a bundle may be, packed.
const HUGE_BYTES: usize = (32 << 20) + 1;
const HOLDING: &str = "application/vnd.openpolicyagent.bundles";

/// How the service behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As a file server: the bundle with its ETag, 304 for who has it already.
    Polled,
    /// The same, and who has it already waits for the next as long as asked to.
    Holding,
    /// Says that it holds, and gives these bundles in turn, at once, whatever is asked.
    Alternating(Vec<Vec<u8>>),
    /// Only who brings this bearer token is served.
    Locked(String),
    /// 404.
    NotFound,
    /// 500.
    Failing,
    /// 200 with text.
    Garbage,
    /// Half of the bundle, as if it were whole.
    Truncated,
    /// The connection closes within the bundle.
    CutOff,
    /// A body without an end that is announced.
    Huge,
    /// Nothing at all for longer than anybody waits.
    Slow,
    /// The bundle under a redirect to another path.
    Redirecting,
}

struct State {
    mode: Mode,
    bundle: Vec<u8>,
    served: usize,
    requests: Vec<Request>,
}

/// A running service; it stops with its owner.
pub struct BundleService {
    state: Arc<Mutex<State>>,
    version: watch::Sender<u64>,
    task: JoinHandle<()>,
    port: u16,
}

impl BundleService {
    /// Starts one with this bundle on a free port.
    pub fn start(bundle: Vec<u8>, mode: Mode) -> BundleService {
        BundleService::start_at(free_port(), bundle, mode)
    }

    /// The same on a port that is known beforehand.
    pub fn start_at(port: u16, bundle: Vec<u8>, mode: Mode) -> BundleService {
        let (listener, port) = listen((Ipv4Addr::LOCALHOST, port).into());
        let state = Arc::new(Mutex::new(State { mode, bundle, served: 0, requests: Vec::new() }));
        let (version, seen) = watch::channel(1);
        let shared = Arc::clone(&state);
        let task = runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (state, seen) = (Arc::clone(&shared), seen.clone());
                // a client that hangs up is part of the tests
                tokio::spawn(async move { drop(serve(client, &state, seen).await) });
            }
        });
        BundleService { state, version, task, port }
    }

    /// Changes its behaviour from the next request on; whoever waits is answered first.
    pub fn behave(&self, mode: Mode) {
        self.state.lock().expect("no panic in here").mode = mode;
        self.version.send_modify(|version| *version += 1);
    }

    /// Has a newer bundle from now on.
    pub fn publish(&self, bundle: Vec<u8>) {
        self.state.lock().expect("no panic in here").bundle = bundle;
        self.version.send_modify(|version| *version += 1);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().expect("no panic in here").requests.clone()
    }

    /// `policy.bundle` for this service, asked every second.
    pub fn settings(&self) -> Value {
        BundleService::settings_at(self.port)
    }

    /// The same for a service that is not there yet.
    pub fn settings_at(port: u16) -> Value {
        let url = format!("http://127.0.0.1:{port}/bundles/authz.tar.gz");
        json!({ "http": { "url": url, "allow_plaintext": true, "poll": "1s", "timeout": "1s" } })
    }
}

impl Drop for BundleService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    client: TcpStream,
    state: &Mutex<State>,
    mut version: watch::Receiver<u64>,
) -> std::io::Result<()> {
    let mut reader = Reader::new(client);
    while let Some(request) = reader.head().await? {
        let mode = {
            let mut state = state.lock().expect("no panic in here");
            state.requests.push(request.clone());
            state.mode.clone()
        };
        if mode == Mode::Slow {
            tokio::time::sleep(Duration::from_secs(30)).await;
            return Ok(());
        }
        let newest = *version.borrow_and_update();
        if let (Mode::Holding, Some(wait)) = (&mode, hold(&request, newest)) {
            // whether there is news or not: who waited is answered with what there is now
            let _ = timeout(wait, version.changed()).await;
        }
        let answer = answer(&request, state, *version.borrow());
        reader.stream().write_all(&answer).await?;
        if matches!(mode, Mode::CutOff | Mode::Huge) {
            return Ok(());
        }
    }
    Ok(())
}

/// How long a request that knows the newest bundle asks to be held.
fn hold(request: &Request, version: u64) -> Option<Duration> {
    let known = request.header("if-none-match") == Some(&etag(version));
    let wait = request.header("prefer")?.split(';').find_map(|part| part.strip_prefix("wait="));
    wait.filter(|_| known).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs)
}

fn etag(version: u64) -> String {
    format!("\"v{version}\"")
}

fn answer(request: &Request, state: &Mutex<State>, version: u64) -> Vec<u8> {
    let mut state = state.lock().expect("no panic in here");
    let bundle = state.bundle.clone();
    let tagged = |kind: &str| format!("ETag: {}\r\nContent-Type: {kind}\r\n", etag(version));
    let fresh = request.header("if-none-match") == Some(&etag(version));
    let plain = "Content-Type: application/gzip\r\n";
    match &state.mode {
        Mode::Locked(token) if request.header("authorization") != Some(&format!("Bearer {token}")) => {
            reply("401 Unauthorized", "", b"")
        }
        Mode::Polled | Mode::Locked(_) if fresh => {
            reply("304 Not Modified", &tagged("application/gzip"), b"")
        }
        Mode::Polled | Mode::Locked(_) => reply("200 OK", &tagged("application/gzip"), &bundle),
        Mode::Holding if fresh => reply("304 Not Modified", &tagged(HOLDING), b""),
        Mode::Holding => reply("200 OK", &tagged(HOLDING), &bundle),
        Mode::Alternating(bundles) => {
            let next = bundles[state.served % bundles.len()].clone();
            state.served += 1;
            let head = format!("ETag: \"n{}\"\r\nContent-Type: {HOLDING}\r\n", state.served);
            reply("200 OK", &head, &next)
        }
        Mode::NotFound => reply("404 Not Found", plain, &bundle),
        Mode::Failing => reply("500 Broken", plain, &bundle),
        Mode::Garbage => reply("200 OK", plain, b"<html>not a bundle</html>"),
        Mode::Truncated => reply("200 OK", plain, &bundle[..bundle.len() / 2]),
        Mode::CutOff => {
            let mut answer = reply("200 OK", plain, &bundle);
            answer.truncate(answer.len() - bundle.len() / 2);
            answer
        }
        Mode::Huge => {
            let head = format!("HTTP/1.1 200 OK\r\n{plain}Connection: close\r\n\r\n").into_bytes();
            [head, vec![0x1f; HUGE_BYTES]].concat()
        }
        Mode::Redirecting => {
            let away = format!("Location: /elsewhere\r\n{plain}");
            if request.target == "/elsewhere" {
                reply("200 OK", plain, &bundle)
            } else {
                reply("307 Elsewhere", &away, &bundle)
            }
        }
        Mode::Slow => Vec::new(),
    }
}

fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length =
        if status.starts_with("304") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("HTTP/1.1 {status}\r\n{headers}{length}\r\n");
    [head.as_bytes(), body].concat()
}
