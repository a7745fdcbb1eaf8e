//! What an operator sees: health, metrics, and the public keys of signing sources.

pub mod metrics;
