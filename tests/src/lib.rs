//! The world around the release binary: real servers where they exist, fakes that record or fail where those cannot be
//! made to misbehave, and a search for secrets through everything that was said at the end of every case.
//!
//! A test starts with [`needs!`], makes a [`case::Case`], starts the far sides and a [`sidecar::Sidecar`], and asserts.
//! Nothing here knows the product's code: only its binary, its configuration file and its wire.

pub mod bundle;
pub mod bundle_service;
pub mod canary;
pub mod case;
pub mod client;
pub mod config;
pub mod http1;
pub mod issuer;
pub mod nginx;
pub mod oidc;
pub mod openbao;
pub mod pki;
pub mod process;
pub mod report_service;
pub mod sidecar;
pub mod tool;
pub mod upstream;
pub mod wait;

pub use bundle_service::BundleService;
pub use case::Case;
pub use client::{Connection, Response};
pub use config::Config;
pub use issuer::Issuer;
pub use report_service::ReportService;
pub use sidecar::Sidecar;
pub use upstream::Upstream;
