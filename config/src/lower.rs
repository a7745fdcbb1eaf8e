//! From the file's shapes to the model: every rule that needs more than one value.
//!
//! Parts are lowered one by one, each as far as it goes, so that one run finds what is wrong with all of them.

mod block;
mod credential;
mod endpoint;
mod listener;
mod policy;
mod report;
mod route;
mod section;

use crate::model::Config;
use crate::node::Node;
use crate::raw;
use crate::{Draft, DraftCredential, Env, Findings};
use block::Block;

/// Lowers the whole file; what is wrong with it goes to `findings`.
pub(crate) fn lower(root: &Node, env: Env<'_>, mut findings: Findings) -> Draft {
    let root = Block::root(root);
    // Top-level keys and the version; the parts follow one by one.
    root.decode::<raw::File>(&mut findings);

    let listeners = listener::lower(&root, &mut findings);
    let metrics = section::metrics(&root, &listeners, &mut findings);
    let drafts = credential::lower(&root, &mut findings);
    let routes = route::lower(&root, &mut findings);
    let policy = policy::lower(&root, &mut findings);
    let identity = section::identity(&root, &mut findings);
    let audit = section::audit(&root, &mut findings);
    let decision_logs = report::decision_logs(&root, &mut findings);
    let status = report::status(&root, &mut findings);
    let state = section::state(&root, env, &mut findings);
    let limits = section::limits(&root, &mut findings);
    credential::warn_of_unused(&drafts, &routes, &mut findings);

    let kinds: Vec<DraftCredential> = drafts.iter().map(credential::Lowered::draft).collect();
    let whole = || {
        Some(Config {
            listeners,
            routes,
            credentials: drafts.into_iter().map(credential::Lowered::whole).collect::<Option<_>>()?,
            policy: policy.clone()?,
            identity: identity?,
            audit: audit?,
            decision_logs: decision_logs.clone(),
            status: status.clone(),
            metrics,
            compiled_policies_dir: state.as_ref()?.compiled_policies_dir.clone(),
            state_dir: state?.dir,
            limits: limits?,
        })
    };
    let config = if findings.has_errors() { None } else { whole() };
    Draft { config, credentials: kinds, policy, decision_logs, status, findings }
}
