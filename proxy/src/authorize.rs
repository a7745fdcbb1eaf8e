//! Asks the policy, and turns its decision into a permit or a refusal.

mod permit;

pub use permit::{Permit, Terms};
