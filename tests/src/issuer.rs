//! An OAuth2 token endpoint that can fail in every way a real one cannot be made to.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::canary::Canaries;
use crate::case::Case;
use crate::http1::{Reader, Request};
use crate::upstream::{listen, runtime};

const HUGE_BYTES: usize = 3 << 20;

/// How the token endpoint behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A token, after the delay that is set.
    Granting,
    /// A token, after longer than any client waits.
    Slow,
    /// The connection closes without an answer.
    Down,
    /// 500, with the token in the error text.
    Failing,
    /// 401 `invalid_client`, with the token in the error text.
    Refusing,
    /// 200 with HTML around the token.
    Garbage,
    /// A good answer inside three MiB.
    Huge,
    /// A good answer under a 307 to another path.
    Redirecting,
    /// A token with a line break and a header in it.
    LineBreak,
    /// A token with a letter outside ASCII.
    NotAscii,
    /// An empty token.
    Empty,
}

struct State {
    mode: Mode,
    expires_in: Value,
    delay: Duration,
    calls: Vec<Request>,
    tokens: Vec<String>,
    revoked: Vec<String>,
    strays: Vec<String>,
}

/// A running issuer; each issue has a token of its own, watched for.
pub struct Issuer {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
    port: u16,
}

impl Issuer {
    /// Starts one that grants tokens of five minutes.
    pub fn start(case: &Case) -> Issuer {
        let (listener, port) = listen((Ipv4Addr::LOCALHOST, 0).into());
        let state = State {
            mode: Mode::Granting,
            expires_in: json!(300),
            delay: Duration::ZERO,
            calls: Vec::new(),
            tokens: Vec::new(),
            revoked: Vec::new(),
            strays: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let task = runtime().spawn(accept(listener, Arc::clone(&state), case.canaries()));
        Issuer { state, task, port }
    }

    /// Changes its behaviour from the next call on.
    pub fn behave(&self, mode: Mode) {
        self.state.lock().expect("no panic in here").mode = mode;
    }

    /// Changes what it says of a token's life, in seconds or in nonsense.
    pub fn expires_in(self, value: impl Into<Value>) -> Issuer {
        self.state.lock().expect("no panic in here").expires_in = value.into();
        self
    }

    /// Thinks so long before it grants.
    pub fn delay(self, delay: Duration) -> Issuer {
        self.state.lock().expect("no panic in here").delay = delay;
        self
    }

    /// The calls of the token endpoint.
    pub fn calls(&self) -> Vec<Request> {
        self.state.lock().expect("no panic in here").calls.clone()
    }

    /// The token of each call, in order.
    pub fn tokens(&self) -> Vec<String> {
        self.state.lock().expect("no panic in here").tokens.clone()
    }

    /// The tokens that were handed to the revocation endpoint.
    pub fn revoked(&self) -> Vec<String> {
        self.state.lock().expect("no panic in here").revoked.clone()
    }

    /// Targets of requests for anything else: nobody has business there.
    pub fn strays(&self) -> Vec<String> {
        self.state.lock().expect("no panic in here").strays.clone()
    }

    /// An `oauth2_client_credentials` source at this issuer.
    pub fn source(&self, case: &Case) -> Value {
        let secret = case.secret_file(&case.mint("the client secret"));
        json!({ "oauth2_client_credentials": {
            "token_url": format!("http://127.0.0.1:{}/token", self.port),
            "revoke_url": format!("http://127.0.0.1:{}/revoke", self.port),
            "client_id": "tests",
            "client_secret": { "file": secret },
            "auth": "basic",
            "allow_plaintext": true,
        } })
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>, canaries: Arc<Canaries>) {
    while let Ok((client, _)) = listener.accept().await {
        let (state, canaries) = (Arc::clone(&state), Arc::clone(&canaries));
        tokio::spawn(async move {
            // a client that hangs up on a slow or huge answer is part of the tests
            let _ = serve(client, &state, &canaries).await;
        });
    }
}

async fn serve(client: TcpStream, state: &Mutex<State>, canaries: &Canaries) -> std::io::Result<()> {
    let mut reader = Reader::new(client);
    while let Some(mut request) = reader.head().await? {
        reader.body(&mut request).await?;
        let target = request.target.clone();
        let (wait, answer) = match target.as_str() {
            "/token" => token(request, state, canaries),
            "/revoke" => revoke(&request, state),
            _ => stray(target, state, canaries),
        };
        tokio::time::sleep(wait).await;
        if answer.is_empty() {
            return Ok(());
        }
        reader.stream().write_all(&answer).await?;
    }
    Ok(())
}

/// How long the call takes, and its answer; no answer means that the connection closes.
fn token(request: Request, state: &Mutex<State>, canaries: &Canaries) -> (Duration, Vec<u8>) {
    let token = canaries.mint("an issued token");
    let mut state = state.lock().expect("no panic in here");
    state.calls.push(request);
    state.tokens.push(token.clone());
    let grant = |token: &str| json!({ "access_token": token, "token_type": "Bearer", "expires_in": state.expires_in });
    let error = |code: &str| json!({ "error": code, "error_description": token });
    let answer = match state.mode {
        Mode::Granting | Mode::Slow => reply("200 OK", "", &grant(&token).to_string()),
        Mode::Down => Vec::new(),
        Mode::Failing => reply("500 Broken", "", &error("server_error").to_string()),
        Mode::Refusing => reply("401 Unauthorized", "", &error("invalid_client").to_string()),
        Mode::Garbage => reply("200 OK", "", &format!("<html>{token}</html>")),
        Mode::Huge => reply("200 OK", "", &huge(grant(&token))),
        Mode::Redirecting => reply("307 Elsewhere", "Location: /elsewhere\r\n", &grant(&token).to_string()),
        Mode::LineBreak => reply("200 OK", "", &grant(&format!("{token}\r\nX-Smuggled: yes")).to_string()),
        Mode::NotAscii => reply("200 OK", "", &grant(&format!("{token}é")).to_string()),
        Mode::Empty => reply("200 OK", "", &grant("").to_string()),
    };
    let wait = if state.mode == Mode::Slow { Duration::from_secs(8) } else { state.delay };
    (wait, answer)
}

fn huge(mut grant: Value) -> String {
    grant["padding"] = json!("x".repeat(HUGE_BYTES));
    grant.to_string()
}

fn revoke(request: &Request, state: &Mutex<State>) -> (Duration, Vec<u8>) {
    let form = String::from_utf8_lossy(&request.body).into_owned();
    let token = form.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
    state.lock().expect("no panic in here").revoked.push(token.to_owned());
    (Duration::ZERO, reply("200 OK", "", "{}"))
}

/// Whoever follows a redirect gets a token, so that following it is seen.
fn stray(target: String, state: &Mutex<State>, canaries: &Canaries) -> (Duration, Vec<u8>) {
    state.lock().expect("no panic in here").strays.push(target);
    let grant =
        json!({ "access_token": canaries.mint("a stray token"), "token_type": "Bearer", "expires_in": 300 });
    (Duration::ZERO, reply("200 OK", "", &grant.to_string()))
}

fn reply(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}
