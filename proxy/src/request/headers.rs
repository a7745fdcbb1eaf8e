//! What each request header is to us: carried, rewritten, removed, or refused.
//!
//! Upstreams in the CGI tradition read `_` and `-` in names as one character, so a name is judged under that folding too.

use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, IF_RANGE, RANGE};

/// The longest name with `_` that is looked at under folding; longer ones are refused.
const FOLDED_BYTES_MAX: usize = 64;

/// What becomes of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Meant for this connection alone: removed.
    HopByHop,
    /// A workload's own credential, or a part of one: removed, and told to the policy in `presented`.
    Carrier,
    /// Ours (`claviger-*`): read by us, removed.
    Own,
    /// Says where a request comes from or what it really is, as only a trusted proxy may: removed.
    Forwarding,
    /// Says how the message is delimited and to whom it goes: removed, and written anew by us.
    Framing,
    /// For the upstream: carried as it is.
    EndToEnd,
    /// Another header under the folding of some upstreams: refused.
    Ambiguous,
}

/// The headers that are not end-to-end, by name.
#[rustfmt::skip]
const KNOWN: &[(Class, &[&str])] = &[
    (Class::HopByHop, &["connection", "keep-alive"]),
    (Class::Framing, &[
        "content-length", "expect", "host", "http2-settings", "te", "trailer", "transfer-encoding", "upgrade",
    ]),
    (Class::Carrier, &[
        "access-token", "api-key", "api-token", "apikey", "auth-token", "authentication", "authorization", "circle-token",
        "cookie", "cookie2", "dd-api-key", "dd-application-key", "deploy-token", "dpop", "job-token",
        "ocp-apim-subscription-key", "private-token", "proxy-authorization", "signature", "signature-input", "token",
        "x-access-key", "x-access-token", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token",
        "x-amz-signature", "x-amz-signedheaders", "x-api-key", "x-api-token", "x-apikey", "x-auth", "x-auth-email",
        "x-auth-key", "x-auth-token", "x-authorization", "x-client-secret", "x-consul-token", "x-cookie", "x-figma-token",
        "x-functions-key", "x-github-token", "x-gitlab-token", "x-goog-api-key", "x-goog-iam-authorization-token",
        "x-hasura-admin-secret", "x-honeycomb-team", "x-insert-key", "x-jfrog-art-api", "x-ms-authorization-auxiliary",
        "x-ms-copy-source-authorization", "x-nomad-token", "x-original-authorization", "x-plex-token", "x-private-token",
        "x-query-key", "x-rapidapi-key", "x-registry-auth", "x-rundeck-auth-token", "x-sentry-auth",
        "x-serverless-authorization", "x-session-token", "x-shopify-access-token", "x-token", "x-user-token",
        "x-vault-token",
    ]),
    (Class::Forwarding, &[
        "client-cert", "client-cert-chain", "client-ip", "early-data", "fastly-client-ip", "forwarded", "front-end-https",
        "max-forwards", "proxy", "remote-addr", "remote-user", "ssl-client-cert", "true-client-ip", "via",
        "x-accel-redirect", "x-azure-clientip", "x-azure-socketip", "x-client-cert", "x-client-ip", "x-cluster-client-ip",
        "x-forwarded", "x-forwarder-for", "x-host", "x-host-override", "x-http-method", "x-http-method-override",
        "x-method-override", "x-middleware-subrequest", "x-originating-ip", "x-override-url", "x-proxyuser-ip", "x-real-ip",
        "x-remote-addr", "x-remote-ip", "x-remote-user", "x-rewrite-url", "x-scheme", "x-true-client-ip", "x-url-scheme",
        "x-webauth-user",
    ]),
];

/// The headers that are not end-to-end, by how their names begin.
#[rustfmt::skip]
const FAMILIES: &[(Class, &[&str])] = &[
    (Class::Own, &["claviger-"]),
    (Class::HopByHop, &["proxy-"]),
    (Class::Forwarding, &[
        "cf-", "x-appengine-", "x-auth-request-", "x-envoy-", "x-forwarded-", "x-goog-authenticated-user-",
        "x-ms-client-principal", "x-original-", "x-ssl-",
    ]),
];

/// Judges a header by its lower-case name.
pub fn class(name: &str) -> Class {
    if name.bytes().any(|byte| byte == b'_') { folded_class(name) } else { plain_class(name) }
}

/// Whether a value is visible ASCII, space and tab: what every reader takes for the same text.
pub fn value_is_plain(value: &[u8]) -> bool {
    value.iter().fold(true, |plain, byte| plain & (matches!(byte, b' '..=b'~') | (*byte == b'\t')))
}

/// Judges a name with `_` in it: what we remove anyway is removed, all else has two readings.
fn folded_class(name: &str) -> Class {
    if name.len() > FOLDED_BYTES_MAX || !name.is_ascii() {
        return Class::Ambiguous;
    }
    let mut folded = [0; FOLDED_BYTES_MAX];
    for (to, from) in folded.iter_mut().zip(name.bytes()) {
        *to = if from == b'_' { b'-' } else { from };
    }
    let folded = std::str::from_utf8(&folded[..name.len()]).expect("ASCII is UTF-8");
    match plain_class(folded) {
        removed @ (Class::Carrier | Class::Own | Class::Forwarding) => removed,
        Class::HopByHop | Class::Framing | Class::EndToEnd | Class::Ambiguous => Class::Ambiguous,
    }
}

/// Judges a name without `_`: by itself, else by its family.
fn plain_class(name: &str) -> Class {
    known_class(name).or_else(|| family_class(name)).unwrap_or(Class::EndToEnd)
}

/// Looks a whole name up.
fn known_class(name: &str) -> Option<Class> {
    let mut slot = slot(name.as_bytes());
    while let Some((known, class)) = INDEX[slot] {
        if known == name {
            return Some(class);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

/// Looks the beginning of a name up.
fn family_class(name: &str) -> Option<Class> {
    if !name.starts_with(['c', 'p', 'x']) {
        return None;
    }
    let is_member = |families: &[&str]| families.iter().any(|family| name.starts_with(family));
    FAMILIES.iter().find(|(_, families)| is_member(families)).map(|(class, _)| *class)
}

/// Room for [`KNOWN`] four times over, so that most lookups end at the first slot.
const SLOTS: usize = 512;

/// [`KNOWN`] as a hash table with linear probing, made at compile time.
static INDEX: [Option<(&str, Class)>; SLOTS] = index();

/// Where a name stands in the index if no other took its place (FNV-1a).
const fn slot(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ hash >> 16) as usize % SLOTS
}

/// Fills the index.
const fn index() -> [Option<(&'static str, Class)>; SLOTS] {
    let mut index = [None; SLOTS];
    let mut group = 0;
    while group < KNOWN.len() {
        let (class, names) = KNOWN[group];
        let mut at = 0;
        while at < names.len() {
            let mut slot = slot(names[at].as_bytes());
            while index[slot].is_some() {
                slot = (slot + 1) % SLOTS;
            }
            index[slot] = Some((names[at], class));
            at += 1;
        }
        group += 1;
    }
    index
}

/// Asks for an answer in which a secret can be found: not encoded, and whole, since a part could cut a secret in two.
pub fn ask_readable(headers: &mut HeaderMap) {
    headers.remove(RANGE);
    headers.remove(IF_RANGE);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}

#[cfg(test)]
mod tests;
