//! The file as it may be written, for serde and for the JSON Schema. The doc comments are what editors show.
//!
//! A [`Part`] is judged on its own, so that an error in one does not hide those of another.

mod endpoint;
mod report;
mod text;
mod verify;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::model::Bind;
use crate::value::{Authority, Duration, HostName, HttpUrl, Size};
pub(crate) use endpoint::{BundleService, Endpoint};
pub(crate) use report::{DecisionLogs, Receiver, StatusReports};
pub(crate) use text::{Entrypoint, Fraction, HeaderName, Version};
pub(crate) use verify::Verify;

/// A Claviger configuration.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "each part is judged on its own; this shape knows the keys and the schema")]
pub(crate) struct File {
    /// The version of this format: 1.
    version: Version,
    /// Where requests come in, by name.
    listeners: Part<BTreeMap<String, Listener>>,
    /// Where requests may go, by name; on a reverse listener the name is the first segment of the path.
    routes: Part<BTreeMap<String, Route>>,
    /// What may be put on requests, by name.
    credentials: Option<Part<BTreeMap<String, Credential>>>,
    /// Who decides.
    policy: Part<Policy>,
    /// What is known of the workload beside the connection's own facts.
    identity: Option<Part<Identity>>,
    /// Where the record of every request goes; standard output by default.
    audit: Option<Part<Audit>>,
    /// Where every decision is sent; nowhere by default.
    decision_logs: Option<Part<DecisionLogs>>,
    /// Where it is told how the sidecar is; nowhere by default.
    status: Option<Part<StatusReports>>,
    /// Where `/metrics`, `/livez` and `/readyz` are served; nowhere by default.
    metrics: Option<Part<Metrics>>,
    /// Where private state is kept between starts.
    state: Option<Part<State>>,
    /// Bounds.
    limits: Option<Part<Limits>>,
}

/// Where requests come in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listener {
    /// A loopback address and port, or `unix:/path`; port 0 takes a free one.
    pub(crate) bind: Bind,
    /// How requests come in.
    pub(crate) mode: Mode,
    /// Who may call; any local caller by default, and the policy sees who.
    pub(crate) callers: Option<Callers>,
    /// Host names accepted beside the loopback names and the bind address.
    #[serde(default)]
    pub(crate) hosts: Vec<HostName>,
    /// Allows an address that other machines can reach.
    #[serde(default)]
    pub(crate) unsafe_bind: bool,
}

/// How requests come in.
#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// `http://listener/<route>/<path>`.
    Reverse,
}

/// Who may call.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Callers {
    /// The user ids that may.
    pub(crate) uids: Vec<u32>,
}

/// One upstream and the credentials on offer for it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("not" = { "required": ["credential", "credentials"] }))]
pub(crate) struct Route {
    /// `scheme://host[:port][/base-path]`.
    pub(crate) upstream: HttpUrl,
    /// The only credential on offer; not beside `credentials`.
    pub(crate) credential: Option<String>,
    /// The credentials on offer, of which the policy picks one.
    pub(crate) credentials: Option<Vec<String>>,
    /// Authorities that select this route where the path does not; the upstream's by default.
    pub(crate) hosts: Option<Vec<Authority>>,
    /// How long each part of an exchange may take.
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    /// Whom to trust.
    #[serde(default)]
    pub(crate) tls: Tls,
    /// Must be false: not supported yet.
    #[schemars(extend("const" = false))]
    #[expect(dead_code, reason = "`true` is refused before, and `false` says what is so")]
    websocket: Option<bool>,
    /// Takes the request's credential out of its answer; true by default.
    pub(crate) scrub: Option<bool>,
    /// Response headers that never reach the workload; `[set-cookie]` by default.
    pub(crate) strip_response_headers: Option<Vec<HeaderName>>,
    /// Allows private, loopback and link-local addresses.
    #[serde(default)]
    pub(crate) allow_private: bool,
    /// Allows a credential over http://.
    #[serde(default)]
    pub(crate) allow_plaintext: bool,
}

/// How long each part of an exchange with the upstream may take.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timeouts {
    /// Resolve, connect and TLS together; 5s by default.
    pub(crate) connect: Option<Duration>,
    /// From the end of the request's head to the response's head; 30s by default.
    pub(crate) response: Option<Duration>,
    /// Between two pieces of a body; 60s by default.
    pub(crate) idle: Option<Duration>,
}

/// Whom to trust.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// A PEM file of roots trusted beside the system's.
    pub(crate) ca: Option<PathBuf>,
}

/// A source of secrets and how a secret is put on a request.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credential {
    /// Where the secret comes from: one kind and its settings.
    #[expect(dead_code, reason = "the kind is judged by whoever implements it")]
    source: Part<Source>,
    /// How it is put on a request: one kind and its settings.
    #[expect(dead_code, reason = "the kind is judged by whoever implements it")]
    inject: Part<Injection>,
    /// Never use a credential longer than this, whatever the issuer says.
    pub(crate) ttl_max: Option<Duration>,
    /// The fraction of its life after which use renews it; 0.8 by default.
    pub(crate) refresh_ahead: Option<Fraction>,
}

/// The policy and its limits.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    /// Where the compiled policy is.
    pub(crate) bundle: Bundle,
    /// Who must have signed it; without it, only bundles without a signature are taken.
    pub(crate) verify: Option<Verify>,
    /// The entrypoint that yields the decision, as `claviger/authz/decision`.
    pub(crate) entrypoint: Entrypoint,
    /// The document that the policy sees.
    #[serde(default)]
    pub(crate) input: Input,
    /// How long one evaluation may take; 5ms by default.
    pub(crate) eval_timeout: Option<Duration>,
    /// Memory that one policy instance may have, from 1MiB to 4GiB; 64MiB by default.
    pub(crate) memory_max: Option<Size>,
    /// A second policy, which judges every request too and is never obeyed.
    pub(crate) shadow: Option<Shadow>,
}

/// A second policy, for a look at what it would do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shadow {
    /// Where it is; entrypoint, input and limits are those of the first.
    pub(crate) bundle: Bundle,
}

/// Where the compiled policy is: exactly one of `file` and `http`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["file"] }, { "required": ["http"] }]))]
pub(crate) struct Bundle {
    /// An OPA bundle (`bundle.tar.gz`) or a bare `policy.wasm`; a change of the file is followed.
    pub(crate) file: Option<PathBuf>,
    /// A server that hands out OPA bundles.
    pub(crate) http: Option<BundleService>,
}

/// The document that the policy sees.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Input {
    /// Claviger's own.
    #[default]
    Mediation,
    /// That of OPA's Envoy plugin.
    ExtAuthz,
}

/// What is known of the workload.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    /// As `production`.
    pub(crate) environment: Option<String>,
    /// Free names and values.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
}

/// Where the record goes: exactly one of `file` and `stdout`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["file"] }, { "required": ["stdout"] }]))]
pub(crate) struct Audit {
    /// JSON lines in a file of this process alone.
    pub(crate) file: Option<AuditFile>,
    /// JSON lines on standard output.
    pub(crate) stdout: Option<AuditStdout>,
    /// Refuse to mediate when the record cannot be written; false by default.
    #[serde(default)]
    pub(crate) required: bool,
}

/// JSON lines in a file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditFile {
    /// The file; it is made if it is not there.
    pub(crate) path: PathBuf,
}

/// JSON lines on standard output; there is nothing to set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditStdout {}

/// Where metrics and health are served.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    /// An address and a port, or `unix:/path`.
    pub(crate) bind: Bind,
}

/// Where private state is kept.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// A directory; `$XDG_STATE_HOME/claviger` by default.
    pub(crate) dir: PathBuf,
    /// Whether the machine code of policies is kept there from start to start: only where the workload has another uid
    /// than the sidecar. Off by default.
    #[serde(default)]
    pub(crate) compiled_policies: bool,
}

/// Bounds.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Open downstream connections; 10000 by default.
    pub(crate) connections: Option<u64>,
    /// The head of a request, from 1KiB to 1MiB; 64KiB by default.
    pub(crate) header_bytes: Option<Size>,
    /// From a request's head to the response's head; 5m by default.
    pub(crate) request_timeout: Option<Duration>,
    /// Worker threads; the CPUs that the cgroup grants by default.
    pub(crate) workers: Option<u64>,
}

/// Something that is judged on its own: here it counts only that it is there.
pub(crate) struct Part<T>(PhantomData<T>);

impl<'de, T> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Part<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The kinds of sources; their schemas come from whoever implements them.
pub(crate) struct Source;

/// The kinds of injections; likewise.
pub(crate) struct Injection;

/// The kinds of proof that servers of the operator's ask for; likewise.
pub(crate) struct EndpointAuth;

/// The schema of all kinds of a sort is known by its name alone.
macro_rules! schema_from_outside {
    ($type:ty) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                Schema::default()
            }
        }
    };
}
schema_from_outside!(Source);
schema_from_outside!(Injection);
schema_from_outside!(EndpointAuth);
