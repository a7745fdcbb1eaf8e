//! The policies that come with the product, compiled by OPA from `rego/`.

/// Entrypoint of the shipped policies.
pub const ENTRYPOINT: &str = "claviger/authz/decision";

/// Deny by default; known workloads may read, and write when they say what for.
pub const BASELINE: &[u8] = include_bytes!("../rego/dist/baseline.tar.gz");

/// Picks the weakest of a route's credentials and scopes that serves the request.
pub const LEAST_PRIVILEGE: &[u8] = include_bytes!("../rego/dist/least-privilege.tar.gz");

/// What policies may call here, for OPA's `--capabilities`.
pub const CAPABILITIES: &str = include_str!("../rego/capabilities.json");

#[cfg(test)]
mod tests;
