//! Credentials: sources issue them under a permit, leases bound their use, one cache shares them.

pub mod lease;
pub mod secret;
pub mod source;
