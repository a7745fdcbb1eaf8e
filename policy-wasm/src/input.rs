//! The document that a policy judges, version 1: verified facts, and under `claimed` what the workload says of itself.
//!
//! Absent facts are absent keys. Header names are lower-case; nothing here may be a secret.

pub mod body;
pub mod ext_authz;
mod schema;
mod time;
pub(crate) mod unknown;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use self::body::Body;
pub use schema::input_schema;
pub use time::Time;
pub(crate) use time::english_weekday;
pub use unknown::Unknown;

/// The version of this document's form.
pub const VERSION: u32 = 1;

/// A name with its values in order.
pub type Named<'a> = (Cow<'a, str>, Vec<Cow<'a, str>>);

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "input", deny_unknown_fields)]
pub struct Input<'a> {
    /// Always [`VERSION`].
    pub version: u32,
    /// The request's id, the same as in the audit.
    pub id: &'a str,
    /// When the request is judged.
    pub time: Time,
    /// Who asks.
    pub workload: Workload<'a>,
    /// The verified task token, where one was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task<'a>>,
    /// What the workload says without proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Claimed<'a>>,
    /// What is asked.
    pub request: Request<'a>,
    /// Where it would go.
    pub route: Route<'a>,
    /// The route's credential, where it has one and no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential<'a>>,
    /// How it came in.
    pub network: Network<'a>,
    /// Which sidecar asks.
    pub context: Context<'a>,
}

/// The workload, as kernel and platform vouch for it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Workload<'a> {
    /// User id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Group id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Process id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Path of the executable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exe: Option<&'a str>,
    /// Control group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<&'a str>,
    /// SPIFFE id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spiffe_id: Option<&'a str>,
    /// The SPIFFE id's trust domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_domain: Option<&'a str>,
    /// The pod it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Kubernetes<'a>>,
    /// The configured environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<&'a str>,
    /// The configured labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<&'a BTreeMap<String, String>>,
}

/// A Kubernetes identity.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Kubernetes<'a> {
    /// Namespace.
    pub namespace: &'a str,
    /// Service account.
    pub service_account: &'a str,
    /// Pod name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<&'a str>,
}

/// A verified task token.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Task<'a> {
    /// The task's id.
    pub id: &'a str,
    /// What the task is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<&'a str>,
    /// Issued at, nanoseconds since 1970.
    pub issued_ns: i64,
    /// Valid until, nanoseconds since 1970.
    pub expires_ns: i64,
    /// How many more requests it is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_left: Option<u64>,
    /// Further claims of the token.
    pub claims: &'a serde_json::Map<String, serde_json::Value>,
}

/// Claims without proof.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Claimed<'a> {
    /// The `Claviger-Purpose` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<&'a str>,
}

/// The canonical request: what is judged here is what is sent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Request<'a> {
    /// Method.
    pub method: &'a str,
    /// `http` or `https`, towards the upstream.
    pub scheme: &'a str,
    /// Host of the upstream.
    pub host: &'a str,
    /// Port of the upstream.
    pub port: u16,
    /// Path on the upstream's wire.
    pub path: &'a str,
    /// The decoded parts of the path.
    pub segments: &'a [Cow<'a, str>],
    /// Percent-decoded values by name, in order.
    #[serde(serialize_with = "as_map")]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub query: &'a [Named<'a>],
    /// Values by lower-case name; never a credential.
    #[serde(serialize_with = "as_map")]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub headers: &'a [Named<'a>],
    /// Credential headers that the workload sent, which are not passed on.
    pub presented: &'a [&'a str],
    /// Protocol of the inbound request.
    pub protocol: &'a str,
    /// Media type without looking into the headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<&'a str>,
    /// Length of the body where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// The body, where the policy asks for it: a JSON value, other text, or null where there is none or not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub body: Option<Body<'a>>,
    /// Whether the body was longer than the policy asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_truncated: Option<bool>,
}

/// The chosen route.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Route<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its upstream as configured.
    pub upstream: &'a str,
    /// The credentials on offer.
    pub credentials: &'a [&'a str],
}

/// A credential, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Credential<'a> {
    /// Its name.
    pub name: &'a str,
    /// The kind of its source.
    pub kind: &'a str,
    /// The configured scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<&'a [String]>,
    /// Whether a lease is at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<bool>,
    /// How long that lease lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
}

/// The connection that the request came on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Network<'a> {
    /// The listener's name.
    pub listener: &'a str,
    /// `reverse`, `forward` or `transparent`.
    pub mode: &'a str,
    /// Address of the other end, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<&'a str>,
}

/// The sidecar itself.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Context<'a> {
    /// Its name or instance id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<&'a str>,
    /// The policy's revision, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<&'a str>,
    /// Whether this evaluation is only compared, never obeyed.
    pub shadow: bool,
}

pub(crate) fn as_map<S: Serializer>(fields: &[Named<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(fields.len()))?;
    for (name, values) in fields {
        map.serialize_entry(name, values)?;
    }
    map.end()
}

#[cfg(test)]
mod tests;
