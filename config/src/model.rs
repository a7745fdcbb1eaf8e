//! The checked configuration: whoever holds a [`Config`] need not check anything again.
//!
//! Settings of a kind (a source, an injection, an audit sink) stay an opaque [`Kind`] here: the crate that
//! implements the kind decodes them, so that a kind is whole in its own file.

mod policy;
mod report;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Location, Node};
pub use policy::{
    BundleService, BundleSource, Endpoint, Policy, PolicyInput, SignatureAlg, Verify, VerifyKey,
};
pub use report::{DecisionLogs, StatusReports};

/// A whole configuration, version 1.
#[derive(Debug)]
pub struct Config {
    /// Where requests come in; at least one, in the order of the file.
    pub listeners: Vec<Listener>,
    /// Where they may go; at least one, in the order of the file.
    pub routes: Vec<Route>,
    /// What may be put on them.
    pub credentials: Vec<Credential>,
    /// Who decides.
    pub policy: Policy,
    /// What is known of the workload beside the connection's own facts.
    pub identity: Identity,
    /// Where the record goes.
    pub audit: Audit,
    /// Where every decision is sent, if anywhere.
    pub decision_logs: Option<DecisionLogs>,
    /// Where it is told how the sidecar is, if anywhere.
    pub status: Option<StatusReports>,
    /// Where `/metrics`, `/livez` and `/readyz` are served, if anywhere.
    pub metrics: Option<Bind>,
    /// Where private state is kept between starts.
    pub state_dir: PathBuf,
    /// Where the machine code of policies is kept between starts, if it is.
    pub compiled_policies_dir: Option<PathBuf>,
    /// Every bound that an operator may choose.
    pub limits: Limits,
}

/// One way in.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Its key under `listeners`.
    pub name: String,
    /// Its socket.
    pub bind: Bind,
    /// How requests come in through it.
    pub mode: Mode,
    /// The only uids that may call, if limited.
    pub callers: Option<Vec<u32>>,
    /// Host names accepted beside the loopback names and the bind address; lower case.
    pub hosts: Vec<String>,
    /// Where it stands in the file.
    pub location: Location,
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// TCP; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A unix socket at an absolute path.
    Unix(PathBuf),
}

/// How requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `http://listener/<route>/<path>`.
    Reverse,
}

/// One upstream and the credentials on offer for it.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its key under `routes`, and the first segment of a path on a reverse listener.
    pub name: String,
    /// Where it leads.
    pub upstream: Upstream,
    /// The names of the credentials on offer; none means that nothing is injected.
    pub credentials: Vec<String>,
    /// Authorities that select it where the path does not; lower case, the upstream's own by default.
    pub hosts: Vec<String>,
    /// How long each part of an exchange may take.
    pub timeouts: Timeouts,
    /// A PEM file of roots trusted beside the system's.
    pub tls_ca: Option<Located<PathBuf>>,
    /// Whether the request's credential is taken out of its answer.
    pub scrub: bool,
    /// Response headers that never reach the workload; lower case.
    pub strip_response_headers: Vec<String>,
    /// Whether it may resolve to private, loopback or link-local addresses.
    pub allow_private: bool,
    /// Where it stands in the file.
    pub location: Location,
}

/// `scheme://host[:port][/base-path]`, canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Lower-case A-label name, IPv4 address, or IPv6 address without brackets.
    pub host: String,
    /// The scheme's default where none was given.
    pub port: u16,
    /// Empty, or starts with `/` and does not end with one; canonical.
    pub base_path: String,
}

impl Upstream {
    /// `host`, or `host:port` where the port is not the scheme's own; IPv6 addresses in brackets.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }
}

/// The protocol spoken to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plaintext.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As a URL spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL that names none.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// How long each part of an exchange with the upstream may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolve, connect and TLS together; 5 s by default.
    pub connect: Duration,
    /// From the end of the request's head to the response's head; 30 s by default.
    pub response: Duration,
    /// Between two pieces of a body; 60 s by default.
    pub idle: Duration,
}

/// A source of secrets and how a secret is put on a request.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Its key under `credentials`.
    pub name: String,
    /// Where the secret comes from.
    pub source: Kind,
    /// How it is put on a request.
    pub inject: Kind,
    /// A lease is never used longer than this.
    pub ttl_max: Option<Duration>,
    /// The fraction of a lease's life after which use renews it; over 0, at most 1, 0.8 by default.
    pub refresh_ahead: f64,
    /// Where it stands in the file.
    pub location: Location,
}

/// A one-key map: which kind, and its settings, still to be decoded by whoever implements it.
#[derive(Debug, Clone)]
pub struct Kind {
    /// The kind's name, as `oauth2_client_credentials`.
    pub name: String,
    /// Where the name stands.
    pub location: Location,
    /// The full path of the settings, as `credentials.idp.source.oauth2_client_credentials`.
    pub path: String,
    /// Its settings.
    pub settings: Node,
}

impl Kind {
    /// The path of the block that holds the kind, as `credentials.idp.source`: where an unknown kind is told of.
    pub fn section(&self) -> &str {
        self.path.strip_suffix(&self.name).and_then(|path| path.strip_suffix('.')).unwrap_or(&self.path)
    }
}

/// A value and where it stands in the file.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The path of its key, as `policy.entrypoint`.
    pub path: String,
    /// Where it stands.
    pub location: Location,
}

/// What is known of the workload beside the connection's own facts.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// As `production`.
    pub environment: Option<String>,
    /// Free names and values.
    pub labels: BTreeMap<String, String>,
}

/// Where the record goes.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Which sink; standard output by default.
    pub sink: Sink,
    /// Whether a request without a record is refused.
    pub required: bool,
}

/// An audit sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// JSON lines on standard output.
    Stdout,
    /// JSON lines in a file of this process alone.
    File(PathBuf),
}

/// Every bound that an operator may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open downstream connections; 10,000 by default.
    pub connections: usize,
    /// Bytes of a request head; 64 KiB by default, between 1 KiB and 1 MiB.
    pub header_bytes: usize,
    /// From the request's head to the response's head; 5 m by default.
    pub request_timeout: Duration,
    /// Worker threads; the CPUs that the cgroup grants by default.
    pub workers: Option<usize>,
}
