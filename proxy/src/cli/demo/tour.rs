//! The tour: six things that the sidecar promises, each tried for real and proved by what the others saw of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::chapter::Chapter;
use super::scene::{LISTENER, ROUTE, Scene, TOKEN_TTL_MAX};
use super::upstream::abbreviated;
use super::workload::{Answer, Call};
use crate::audit::verify::{Known, verify};
use crate::run::{End, Sidecar};
use crate::snapshot::{Purpose, Snapshot};

/// Waited beyond a token's end, so that it is surely over.
const AFTERWARDS: Duration = Duration::from_millis(100);
/// What the workload asks for.
const ORDERS: &str = "/orders";
/// A credential that the workload should not have, and that should get it nowhere.
const GUESSED: &str = "guessed-by-the-workload";
/// Characters of an id or a hash that are shown.
const HASH_CHARS: usize = 8;

/// What a visit to a chapter showed.
pub(super) struct Visit {
    /// What was sent and what came back, in order.
    pub(super) lines: Vec<Line>,
    /// What is thereby proved, or why it is not.
    pub(super) proof: Result<String, String>,
}

/// A line of a visit.
pub(super) enum Line {
    /// As a person would type it.
    Sent(String),
    /// What that led to.
    Seen(String),
}

/// A sidecar, and one who tries it.
pub(super) struct Tour<'a> {
    scene: &'a Scene,
    sidecar: Option<Sidecar>,
    address: String,
    /// The token that the last call was made with, as the upstream saw it.
    token: String,
    /// Requests that the sidecar was sent.
    calls: u64,
}

impl<'a> Tour<'a> {
    /// Starts the sidecar of `scene`.
    pub(super) async fn start(scene: &'a Scene) -> Result<Self, String> {
        let (snapshot, findings) = Snapshot::build(&scene.config, Purpose::Serve);
        let snapshot =
            snapshot.ok_or_else(|| findings.render(&scene.config, claviger_config::Style::Plain))?;
        let sidecar = Sidecar::start(snapshot)
            .await
            .map_err(|error| format!("{error}; --port chooses another port"))?;
        let address = sidecar.address(LISTENER).unwrap_or_default().to_owned();
        Ok(Self { scene, sidecar: Some(sidecar), address, token: String::new(), calls: 0 })
    }

    /// Where the sidecar listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Tries what a chapter claims.
    pub(super) async fn visit(&mut self, chapter: Chapter) -> Visit {
        let mut lines = Vec::new();
        let proof = match chapter {
            Chapter::Allowed => self.allowed(&mut lines).await,
            Chapter::Denied => self.denied(&mut lines).await,
            Chapter::Injected => self.injected(&mut lines).await,
            Chapter::Rotated => self.rotated(&mut lines).await,
            Chapter::Revoked => self.revoked(&mut lines).await,
            Chapter::Audited => self.audited(&mut lines),
        };
        Visit { lines, proof }
    }

    async fn allowed(&mut self, lines: &mut Vec<Line>) -> Result<String, String> {
        let answer = self.read(None, lines).await?;
        let id = answer.header("claviger-request-id").ok_or("the answer has no Claviger-Request-Id")?;
        lines.push(seen(format!("{} from the upstream, on the record as {id}", answer.status)));
        Ok(format!("GET {ORDERS} without a credential: {}", answer.status))
    }

    async fn denied(&mut self, lines: &mut Vec<Line>) -> Result<String, String> {
        let requests = self.scene.upstream.diary().requests;
        let issued = self.scene.issuer.ledger().issued();
        let answer = self.call(Method::POST, None, lines).await?;
        let problem = answer.problem();
        let text = |key: &str| problem[key].as_str().ok_or_else(|| format!("the refusal has no {key}"));
        let (code, reason, rule, hint) = (text("code")?, text("reason")?, text("rule")?, text("hint")?);
        lines.push(seen(format!("{}  {code}: {reason}  (rule {rule})", answer.status)));
        lines.push(seen(format!("hint: {hint}")));
        expect(answer.status == 403 && code == "denied", "the answer is not a denial")?;
        expect(
            self.scene.upstream.diary().requests == requests,
            "the upstream saw the request all the same",
        )?;
        expect(self.scene.issuer.ledger().issued() == issued, "a token was asked for all the same")?;
        Ok(format!(
            "POST {ORDERS}: {} {code}, {reason} (rule {rule}); nothing reached the upstream",
            answer.status
        ))
    }

    async fn injected(&mut self, lines: &mut Vec<Line>) -> Result<String, String> {
        let guessed = format!("Bearer {GUESSED}");
        self.read(Some(("Authorization", &guessed)), lines).await?;
        let headers = self.scene.upstream.diary().headers;
        let arrived = headers
            .values()
            .any(|value| value.as_bytes().windows(GUESSED.len()).any(|part| part == GUESSED.as_bytes()));
        expect(!arrived, "the workload's own Authorization arrived")?;
        let shown = abbreviated(&self.token);
        lines.push(seen(format!("the upstream received one header  Authorization: Bearer {shown}")));
        Ok(format!(
            "the upstream saw one Authorization, Bearer {shown} from the issuer, and not the workload's own"
        ))
    }

    async fn rotated(&mut self, lines: &mut Vec<Line>) -> Result<String, String> {
        let before = self.token.clone();
        lines.push(Line::Sent(format!("sleep {}", TOKEN_TTL_MAX.as_secs())));
        tokio::time::sleep(TOKEN_TTL_MAX + AFTERWARDS).await;
        self.read(None, lines).await?;
        let (old, new) = (abbreviated(&before), abbreviated(&self.token));
        let issued = self.scene.issuer.ledger().issued();
        lines.push(seen(format!(
            "the upstream received  Bearer {new}  after  Bearer {old}; {issued} tokens issued so far"
        )));
        expect(before != self.token, "the token is still the same")?;
        expect(issued >= 2, "the issuer was not asked again")?;
        Ok(format!("Bearer {old} became Bearer {new}; the issuer has issued {issued}"))
    }

    async fn revoked(&mut self, lines: &mut Vec<Line>) -> Result<String, String> {
        self.read(None, lines).await?;
        lines.push(seen(format!("200 with Bearer {}, the last token", abbreviated(&self.token))));
        lines.push(Line::Sent("kill -TERM $(pidof claviger)".into()));
        let ledger = self.scene.issuer.ledger();
        let sidecar = self.sidecar.take().ok_or("the sidecar has stopped before")?;
        let end = sidecar.drain(std::future::pending::<()>()).await;
        let (issued, living) = (ledger.issued(), ledger.living());
        lines.push(seen(format!("drained; the issuer has revoked {} of {issued} tokens", issued - living)));
        let straight = self.scene.upstream.address().to_string();
        let bearer = format!("Bearer {}", self.token);
        let call = Call { header: Some(("Authorization", &bearer)), ..Call::read(&straight, ORDERS) };
        lines.push(Line::Sent(call.as_curl(&format!("Bearer {}", abbreviated(&self.token)))));
        let answer = call.send().await?;
        lines.push(seen(format!("{} from the upstream itself", answer.status)));
        expect(end == End::Drained, "the sidecar did not drain")?;
        expect(living == 0, "the issuer still honours a token")?;
        expect(answer.status == 401, "the upstream still takes the last token")?;
        Ok(format!(
            "{issued} of {issued} tokens revoked on the drain; the last one is answered with {}",
            answer.status
        ))
    }

    fn audited(&mut self, lines: &mut Vec<Line>) -> Result<String, String> {
        let path = self.scene.audit();
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let records =
            verify(std::slice::from_ref(&path), Known::default()).map_err(|fault| fault.to_string())?;
        let allowed = text.lines().find(|line| line.contains(r#""outcome":"allow""#));
        let denied = text.lines().position(|line| line.contains(r#""outcome":"deny""#));
        let denied_at = denied.ok_or("the denial is not on the record")?;
        lines.push(Line::Sent("claviger audit verify audit.jsonl".into()));
        lines.push(seen(format!("ok: {records} records, as")));
        for line in [allowed.unwrap_or_default(), text.lines().nth(denied_at).unwrap_or_default()] {
            lines.push(seen(abridged(line)?));
        }
        let named = self.touched(&text, denied_at, lines)?;
        expect(records >= self.calls, "some request is not on the record")?;
        expect(!self.scene.issuer.ledger().leaks_into(&text), "a token is on the record")?;
        Ok(format!("ok: {records} records, none with a token in it; one byte changed: {named}"))
    }

    /// Changes one byte of a copy, and returns how the verifier names the place.
    fn touched(&self, text: &str, line: usize, lines: &mut Vec<Line>) -> Result<String, String> {
        let mut touched: Vec<_> = text.lines().map(str::to_owned).collect();
        touched[line] = touched[line].replacen(r#""method":"POST""#, r#""method":"PAST""#, 1);
        let copy = self.scene.folder().join("touched.jsonl");
        fs::write(&copy, touched.join("\n") + "\n")
            .map_err(|error| format!("{}: {error}", copy.display()))?;
        lines.push(Line::Sent(format!(
            "sed '{}s/POST/PAST/' audit.jsonl > touched.jsonl; claviger audit verify touched.jsonl",
            line + 1
        )));
        let fault =
            verify(&[PathBuf::from(&copy)], Known::default()).err().ok_or("the change goes unseen")?;
        let named = without_folder(&fault.to_string(), self.scene.folder());
        lines.push(seen(named.clone()));
        expect(
            named.starts_with(&format!("touched.jsonl:{}:", line + 1)),
            "the verifier names another line",
        )?;
        Ok(named)
    }

    /// A permitted read through the sidecar, and the token that the upstream saw with it.
    async fn read(
        &mut self,
        header: Option<(&'static str, &str)>,
        lines: &mut Vec<Line>,
    ) -> Result<Answer, String> {
        let answer = self.call(Method::GET, header, lines).await?;
        expect(answer.status == 200, &format!("the answer is {} {}", answer.status, answer.problem()))?;
        self.token =
            self.scene.upstream.diary().token().ok_or("the upstream did not see exactly one bearer token")?;
        Ok(answer)
    }

    async fn call(
        &mut self,
        method: Method,
        header: Option<(&'static str, &str)>,
        lines: &mut Vec<Line>,
    ) -> Result<Answer, String> {
        let path = format!("/{ROUTE}{ORDERS}");
        let call = Call { method, address: &self.address, path: &path, header };
        lines.push(Line::Sent(call.as_curl(header.map_or("", |(_, value)| value))));
        self.calls += 1;
        call.send().await
    }
}

fn seen(text: String) -> Line {
    Line::Seen(text)
}

fn expect(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// A record in brief.
fn abridged(line: &str) -> Result<String, String> {
    let record: Value =
        serde_json::from_str(line).map_err(|error| format!("a record is not JSON: {error}"))?;
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    let short = |pointer: &str| text(pointer).chars().take(HASH_CHARS).collect::<String>();
    Ok(format!(
        "seq {}  {:4} {}  {:5}  {:19}  prev {}…  hash {}…",
        record["seq"],
        text("/request/method"),
        text("/request/path"),
        text("/decision/outcome"),
        text("/decision/rule"),
        short("/prev"),
        short("/hash"),
    ))
}

fn without_folder(text: &str, folder: &Path) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_in_brief() {
        let check = |line: &str, brief: Result<&str, ()>| {
            assert_eq!(abridged(line).as_deref().map_err(|_| ()), brief, "{line}");
        };
        let line = r#"{"seq":3,"request":{"method":"POST","path":"/a"},"decision":{"outcome":"deny","rule":"r"},
            "prev":"0123456789","hash":"abcdefghij"}"#;
        check(line, Ok("seq 3  POST /a  deny   r                    prev 01234567…  hash abcdefgh…"));
        let line = r#"{"seq":3,"request":{"method":"GET"},"decision":null,"prev":"0","hash":"1"}"#;
        check(line, Ok("seq 3  GET  -  -      -                    prev 0…  hash 1…"));
        check("torn", Err(()));
    }
}
