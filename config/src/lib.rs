//! A configuration file becomes a Config in which wrong states cannot be written.
//!
//! [`parse`] reads as much of a file as can be understood and tells of everything that is wrong with it, each
//! with its line. Kinds of sources and injections are decoded elsewhere with [`decode`], into the same findings.

mod decode;
mod expand;
mod finding;
mod lower;
mod model;
mod node;
mod raw;
mod schema;
mod source;
mod suggest;
mod unsupported;
mod value;

pub use decode::decode;
pub use finding::{FINDINGS_MAX, Finding, Findings, Location, Severity, Style};
pub use model::{
    Audit, Bind, BundleService, BundleSource, Config, Credential, DecisionLogs, Endpoint, Identity, Kind,
    Limits, Listener, Located, Mode, Policy, PolicyInput, Route, Scheme, SignatureAlg, Sink, StatusReports,
    Timeouts, Upstream, Verify, VerifyKey,
};
pub use node::Node;
pub use schema::schema;
pub use source::{FILE_BYTES_MAX, Source, Unreadable};
pub use suggest::nearest;
pub use value::{ClientCertificate, Duration, HttpUrl, SecretRef, Size, TlsSettings};

/// Looks a variable of the environment up.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What could be understood of a file. Whoever knows the kinds judges them too, adds to the findings, and only
/// then asks whether there are errors.
#[derive(Debug)]
pub struct Draft {
    /// The whole; there is none if there is any error in it.
    pub config: Option<Config>,
    /// The kinds of every credential, also when something else is wrong.
    pub credentials: Vec<DraftCredential>,
    /// The policy, also when something else is wrong.
    pub policy: Option<Policy>,
    /// Where decisions are sent, also when something else is wrong.
    pub decision_logs: Option<DecisionLogs>,
    /// Where it is told how the sidecar is, likewise.
    pub status: Option<StatusReports>,
    /// What is wrong.
    pub findings: Findings,
}

impl Draft {
    /// What is left of a file that cannot even be taken apart.
    fn nothing(findings: Findings) -> Self {
        let credentials = Vec::new();
        Self { config: None, credentials, policy: None, decision_logs: None, status: None, findings }
    }
}

/// The kinds of one credential, as far as they are there.
#[derive(Debug)]
pub struct DraftCredential {
    /// Its key under `credentials`.
    pub name: String,
    /// Where the secret comes from.
    pub source: Option<Kind>,
    /// How it is put on a request.
    pub inject: Option<Kind>,
}

/// Reads a configuration, with variables from `env`.
pub fn parse(source: &Source, env: Env<'_>) -> Draft {
    let mut findings = Findings::default();
    let Some(mut root) = Node::read(source.text(), &mut findings) else {
        return Draft::nothing(findings);
    };
    expand::expand(&mut root, env, &mut findings);
    unsupported::refuse(&mut root, &mut findings);
    lower::lower(&root, env, findings)
}
