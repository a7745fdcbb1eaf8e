//! `credentials`: where secrets come from and how they are put on a request. The kinds stay sealed.

use super::block::Block;
use crate::model::{Credential, Kind, Route};
use crate::node::Value;
use crate::{DraftCredential, Finding, Findings, raw};

const REFRESH_AHEAD: f64 = 0.8;

/// A credential as far as it could be lowered.
pub(super) struct Lowered {
    name: String,
    location: crate::Location,
    source: Option<Kind>,
    inject: Option<Kind>,
    settings: Option<raw::Credential>,
}

impl Lowered {
    /// What a kind's own crate can judge of it.
    pub(super) fn draft(&self) -> DraftCredential {
        DraftCredential { name: self.name.clone(), source: self.source.clone(), inject: self.inject.clone() }
    }

    /// The credential, if nothing is wrong with it.
    pub(super) fn whole(self) -> Option<Credential> {
        let settings = self.settings?;
        Some(Credential {
            name: self.name,
            source: self.source?,
            inject: self.inject?,
            ttl_max: settings.ttl_max.map(|span| span.as_std()),
            refresh_ahead: settings.refresh_ahead.map_or(REFRESH_AHEAD, |fraction| fraction.0),
            location: self.location,
        })
    }
}

/// Every credential, as far as it goes.
pub(super) fn lower(root: &Block<'_>, findings: &mut Findings) -> Vec<Lowered> {
    let Some(section) = root.key("credentials") else { return Vec::new() };
    let named = section.named(findings);
    named.into_iter().map(|(name, block)| lower_one(name, &block, findings)).collect()
}

fn lower_one(name: &str, block: &Block<'_>, findings: &mut Findings) -> Lowered {
    let settings = block.decode::<raw::Credential>(findings);
    let mut kind = |key| block.key(key).and_then(|block| only_kind(&block, findings));
    Lowered {
        name: name.to_owned(),
        location: block.key_at,
        source: kind("source"),
        inject: kind("inject"),
        settings,
    }
}

/// The only key of the block and its settings.
pub(super) fn only_kind(block: &Block<'_>, findings: &mut Findings) -> Option<Kind> {
    match &block.node.value {
        Value::Mapping(entries) => match entries.as_slice() {
            [entry] => {
                let settings = block.under(entry);
                Some(Kind {
                    name: entry.key.clone(),
                    location: entry.location,
                    path: settings.path,
                    settings: entry.value.clone(),
                })
            }
            [] => {
                block.error("missing_kind", "exactly one kind is expected here", findings);
                None
            }
            [first, second, ..] => {
                let message = format!("only one kind can stand here, and `{}` is there already", first.key);
                findings.error("two_kinds", block.path.clone(), second.location, message);
                None
            }
        },
        Value::Scalar(_) | Value::Sequence(_) => {
            block.error("wrong_type", "a kind is a mapping with one key, as `bearer: {}`", findings);
            None
        }
        Value::Rejected { .. } | Value::Dropped => None,
    }
}

/// A credential that no route offers is allowed, and probably a slip.
pub(super) fn warn_of_unused(credentials: &[Lowered], routes: &[Route], findings: &mut Findings) {
    if findings.has_errors() {
        return;
    }
    for unused in
        credentials.iter().filter(|it| !routes.iter().any(|route| route.credentials.contains(&it.name)))
    {
        let path = format!("credentials.{}", unused.name);
        let message = format!("no route offers the credential `{}`", unused.name);
        findings.push(Finding::warning("unused_credential", path, unused.location, message));
    }
}
