//! Credentials: sources issue them under a permit, leases bound their use, one cache shares them.

pub mod cache;
#[cfg(test)]
mod fake;
pub(crate) mod forms;
pub(crate) mod issuer;
pub(crate) mod jitter;
pub mod lease;
pub(crate) mod material;
pub mod secret;
pub mod source;
