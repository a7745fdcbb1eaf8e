//! Credentials: sources issue them under a permit, leases bound their use, one cache shares them.

pub mod cache;
#[cfg(test)]
mod fake;
mod issuer;
mod jitter;
pub mod lease;
mod material;
pub mod secret;
pub mod source;
