//! The sidecar: everything a request passes through.
