//! The sidecar: everything a request passes through, from listener to upstream.

pub mod admin;
pub mod authorize;
pub mod clock;
pub mod credential;
pub mod error;
pub mod tls;
