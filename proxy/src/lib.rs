//! The sidecar: everything a request passes through, from listener to upstream.

pub mod admin;
pub mod audit;
pub mod authorize;
pub mod cli;
pub mod clock;
pub mod connection;
pub mod credential;
pub mod error;
pub mod exchange;
pub mod identity;
pub mod inject;
pub mod listener;
pub mod pipeline;
pub mod process;
pub mod refuse;
pub mod request;
pub mod route;
pub mod run;
pub mod service;
pub mod snapshot;
pub mod tally;
pub mod telemetry;
pub mod tls;
pub mod upstream;
pub mod worker;
