//! Evaluates Rego policies compiled to WebAssembly by OPA.
//!
//! A [`Bundle`] is what OPA's compiler wrote, read with bounds. A [`Policy`] is a bundle compiled once for this
//! process and checked for everything that could go wrong later. An [`Evaluator`] belongs to one thread and turns an
//! [`Input`] into a [`Decision`]; whatever is not a decision is an [`EvalError`], never a permit.
//!
//! The crate knows no HTTP client and no secret; everything that comes out of a module's memory is taken as hostile.

mod artifact;
mod builtins;
mod bundle;
mod decision;
mod engine;
mod error;
mod evaluator;
pub mod input;
mod inspection;
mod instance;
mod limits;
mod mask;
mod native;
mod patterns;
mod policy;
mod redirect;
mod rewrite;
pub mod shipped;
#[cfg(test)]
mod testing;
mod trace;
mod value;

pub use bundle::{Bundle, SignatureAlgorithm, Signer, UnusableKey, VerificationKey, Verifier};
pub use decision::{AnswerChanges, Decision, Denial, Dialect, Permission, QueryChanges, decision_schema};
pub use error::{BundleError, EvalError, LoadError, SignatureError};
pub use evaluator::Evaluator;
pub use input::{Input, input_schema};
pub use inspection::{Inspection, NeededBuiltin, Standing};
pub use limits::Limits;
pub use mask::{Mask, MaskError, Masked};
pub use policy::{InputMode, Policy};
pub use trace::Trace;
