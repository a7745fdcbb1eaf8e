//! What the demo needs before the sidecar can start: an issuer, an upstream, and a private folder with the files that
//! a real installation would have.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use claviger_config::Source;
use claviger_policy::shipped;

use super::issuer::{CLIENT_ID, Issuer};
use super::upstream::Upstream;

/// How long the sidecar uses a token, whatever the issuer says: short, so that rotation is soon seen.
pub(super) const TOKEN_TTL_MAX: Duration = Duration::from_secs(2);
/// The configured listener.
pub(super) const LISTENER: &str = "app";
/// The configured route.
pub(super) const ROUTE: &str = "api";

const CONFIG: &str = "claviger.yaml";
const BUNDLE: &str = "bundle.tar.gz";
const CLIENT_SECRET: &str = "client_secret";
const AUDIT: &str = "audit.jsonl";

/// Everything round the sidecar.
pub(super) struct Scene {
    /// Gives tokens.
    pub(super) issuer: Issuer,
    /// Takes them.
    pub(super) upstream: Upstream,
    /// The configuration, as it is written in the folder.
    pub(super) config: Source,
    folder: Folder,
}

/// A folder that only we can read, removed when dropped.
struct Folder(PathBuf);

impl Scene {
    /// Starts the servers and writes the files; `port` is where the sidecar shall listen, 0 for any.
    pub(super) async fn set(port: u16) -> Result<Self, String> {
        let folder =
            Folder::make().map_err(|error| format!("the demo has no folder for its files: {error}"))?;
        Self::set_in(folder, port).await.map_err(|error| format!("the demo cannot be set up: {error}"))
    }

    async fn set_in(folder: Folder, port: u16) -> io::Result<Self> {
        let issuer = Issuer::start().await?;
        let upstream = Upstream::start(Arc::clone(issuer.ledger())).await?;
        let config = configuration(&folder.0, port, &issuer, &upstream);
        write_private(&folder.0.join(BUNDLE), shipped::BASELINE)?;
        write_private(&folder.0.join(CLIENT_SECRET), issuer.client_secret().as_bytes())?;
        write_private(&folder.0.join(CONFIG), config.as_bytes())?;
        let config = Source::new(folder.0.join(CONFIG).display().to_string(), config);
        Ok(Self { issuer, upstream, config, folder })
    }

    /// Where the files are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// The record.
    pub(super) fn audit(&self) -> PathBuf {
        self.folder.0.join(AUDIT)
    }
}

impl Folder {
    fn make() -> io::Result<Self> {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let path = std::env::temp_dir().join(format!("claviger-demo-{}", &id[24..]));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the demo's files are left behind");
        }
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

fn configuration(folder: &Path, port: u16, issuer: &Issuer, upstream: &Upstream) -> String {
    // JSON's form of a string is YAML's too, and nothing in it is expanded
    let at = |name: &str| serde_json::Value::from(folder.join(name).display().to_string()).to_string();
    let (issuer, upstream, ttl_max) = (issuer.address(), upstream.address(), TOKEN_TTL_MAX.as_secs());
    let (secret, bundle, audit, state) = (at(CLIENT_SECRET), at(BUNDLE), at(AUDIT), at("state"));
    let entrypoint = shipped::ENTRYPOINT;
    format!(
        "\
version: 1
listeners:
  {LISTENER}: {{ bind: 127.0.0.1:{port}, mode: reverse }}
routes:
  {ROUTE}:
    upstream: http://{upstream}
    credential: token
    allow_private: true     # the upstream is on loopback,
    allow_plaintext: true   # without TLS
credentials:
  token:
    source:
      oauth2_client_credentials:
        token_url: http://{issuer}/token
        revoke_url: http://{issuer}/revoke
        client_id: {CLIENT_ID}
        client_secret: {{ file: {secret} }}
        scopes: [orders]
        allow_plaintext: true
    inject: {{ bearer: {{}} }}
    ttl_max: {ttl_max}s
policy:
  bundle: {{ file: {bundle} }}
  entrypoint: {entrypoint}
audit: {{ file: {{ path: {audit} }}, required: true }}
state: {{ dir: {state} }}
limits: {{ workers: 1 }}
"
    )
}
