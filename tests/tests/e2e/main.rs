//! The release binary among real servers: each module is one promise of the product, from the workload's wire to the
//! upstream's. One program, so that it links once.

mod audit;
mod author;
mod compose;
mod config;
mod crash;
mod decisions;
mod hardship;
mod hostile;
mod issuer;
mod mediation;
mod oidc;
mod openbao;
mod policy;
mod readme;
mod reload;
mod renewal;
mod scrub;
mod shadow;
mod signatures;
mod status;
mod streaming;
mod tls;
mod tutorial;
mod waiters;
