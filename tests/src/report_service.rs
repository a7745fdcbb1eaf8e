//! A server that takes what a sidecar reports, as OPA's decision log and status services do, keeps it, and can refuse it in
//! every way.

use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::case::Case;
use crate::http1::{Reader, Request};
use crate::upstream::{listen, runtime};

/// How the server behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 200.
    Taking,
    /// This status, with these further header lines.
    Answering(u16, &'static str),
    /// 413 for bodies over so many bytes, as they are on the wire.
    Cramped(u64),
    /// Nothing at all for longer than anybody waits.
    Slow,
}

struct State {
    mode: Mode,
    requests: Vec<Request>,
    taken: Vec<Value>,
}

/// A running server; it stops with its owner.
pub struct ReportService {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
    port: u16,
}

impl ReportService {
    /// Starts one that takes everything. What it is sent counts as seen by others: no secret may be in it.
    pub fn start(case: &Case) -> ReportService {
        let (listener, port) = listen((Ipv4Addr::LOCALHOST, 0).into());
        let state =
            Arc::new(Mutex::new(State { mode: Mode::Taking, requests: Vec::new(), taken: Vec::new() }));
        let (shared, canaries) = (Arc::clone(&state), case.canaries());
        let task = runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (state, canaries) = (Arc::clone(&shared), Arc::clone(&canaries));
                let seen = move |body: &Value| canaries.sink("a report", body.to_string());
                // a client that hangs up is part of the tests
                tokio::spawn(async move { drop(serve(client, &state, seen).await) });
            }
        });
        ReportService { state, task, port }
    }

    /// Changes its behaviour from the next request on.
    pub fn behave(&self, mode: Mode) {
        self.state.lock().expect("no panic in here").mode = mode;
    }

    /// Every request so far, taken or not.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().expect("no panic in here").requests.clone()
    }

    /// The bodies that were taken.
    pub fn taken(&self) -> Vec<Value> {
        self.state.lock().expect("no panic in here").taken.clone()
    }

    /// The events that were taken, where bodies are lists of them.
    pub fn events(&self) -> Vec<Value> {
        let list = |body: Value| body.as_array().cloned().unwrap_or_else(|| panic!("not a list: {body}"));
        self.taken().into_iter().flat_map(list).collect()
    }

    /// `http` for this server.
    pub fn settings(&self) -> Value {
        let url = format!("http://127.0.0.1:{}/reports", self.port);
        json!({ "url": url, "allow_plaintext": true, "timeout": "1s" })
    }
}

impl Drop for ReportService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(client: TcpStream, state: &Mutex<State>, seen: impl Fn(&Value)) -> std::io::Result<()> {
    let mut reader = Reader::new(client);
    while let Some(mut request) = reader.head().await? {
        reader.body(&mut request).await?;
        let body = document(&request);
        seen(&body);
        let (answer, slow) = {
            let mut state = state.lock().expect("no panic in here");
            let (status, headers) = match state.mode {
                Mode::Taking => (200, ""),
                Mode::Answering(status, headers) => (status, headers),
                Mode::Cramped(bytes_max) if request.body_bytes > bytes_max => (413, ""),
                Mode::Cramped(_) => (204, ""),
                Mode::Slow => (200, ""),
            };
            let slow = state.mode == Mode::Slow;
            if status < 300 && !slow {
                state.taken.push(body);
            }
            state.requests.push(request);
            // an answer's text is nobody's business
            let text = "canary-of-the-report-service";
            let text = if status == 204 { "" } else { text };
            let length =
                if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", text.len()) };
            (format!("HTTP/1.1 {status} X\r\n{headers}{length}\r\n{text}"), slow)
        };
        if slow {
            tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        }
        reader.stream().write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// The body as JSON, unpacked where its head says so.
fn document(request: &Request) -> Value {
    assert_eq!(request.body.len() as u64, request.body_bytes, "reports are kept whole");
    let mut text = request.body.clone();
    if request.header("content-encoding") == Some("gzip") {
        text.clear();
        let mut packed = flate2::read::GzDecoder::new(&request.body[..]);
        packed.read_to_end(&mut text).expect("gzip, as the head says");
    }
    serde_json::from_slice(&text).expect("a report is JSON")
}
