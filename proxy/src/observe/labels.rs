//! By which labels servers of the operator's tell this sidecar from others.

use std::collections::BTreeMap;

use claviger_config::Identity;

/// OPA's `labels`: what the configuration says, the id of this process, and the version.
pub type Labels = BTreeMap<String, String>;

/// Ours over the configuration's where they have the same name.
pub fn labels(identity: &Identity, sidecar: &str) -> Labels {
    let mut labels = identity.labels.clone();
    let environment = identity.environment.iter().map(|environment| ("environment", environment.as_str()));
    let own = [("id", sidecar), ("version", env!("CARGO_PKG_VERSION"))];
    labels.extend(environment.chain(own).map(|(name, value)| (name.to_owned(), value.to_owned())));
    labels
}
