//! The sidecar: everything a request passes through, from listener to upstream.

pub mod listener;
pub mod request;
