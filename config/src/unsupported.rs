//! The settings of version 1 that are not built yet: refused by name, since a protection that is configured
//! and silently missing is worse than none.

use crate::expand::join;
use crate::node::{Entry, Node, Value};
use crate::{Findings, Location};

/// When a setting is refused.
enum When {
    /// As soon as it is there.
    Present,
    /// When it has this value.
    Equals(&'static str),
}

/// Each setting by its path; `*` is any name.
const NOT_YET: &[(&str, When)] = &[
    ("admin", When::Present),
    ("identity.kubernetes", When::Present),
    ("identity.spiffe", When::Present),
    ("listeners.*.mode", When::Equals("forward")),
    ("listeners.*.mode", When::Equals("transparent")),
    ("routes.*.tls.client", When::Present),
    ("routes.*.websocket", When::Equals("true")),
];

/// Rejects every setting that is not built yet.
pub(crate) fn refuse(root: &mut Node, findings: &mut Findings) {
    for (pattern, when) in NOT_YET {
        let steps: Vec<&str> = pattern.split('.').collect();
        refuse_at(root, &steps, "", when, findings);
    }
}

fn refuse_at(node: &mut Node, steps: &[&str], path: &str, when: &When, findings: &mut Findings) {
    let Some((step, rest)) = steps.split_first() else { return };
    let Value::Mapping(entries) = &mut node.value else { return };
    for entry in entries.iter_mut().filter(|entry| *step == "*" || entry.key == *step) {
        let path = join(path, &entry.key);
        if !rest.is_empty() {
            refuse_at(&mut entry.value, rest, &path, when, findings);
        } else if let Some((what, location)) = matched(entry, when) {
            findings.error("not_supported_yet", path, location, format!("{what} is not supported yet"));
            entry.value.reject();
        }
    }
}

/// What is refused and where, if it is: a key at the key, a value at the value.
fn matched(entry: &Entry, when: &When) -> Option<(String, Location)> {
    match (when, &entry.value.value) {
        (When::Present, _) => Some((format!("`{}`", entry.key), entry.location)),
        (When::Equals(wanted), Value::Scalar(scalar)) if scalar.text.eq_ignore_ascii_case(wanted) => {
            Some((format!("`{}: {}`", entry.key, scalar.written()), entry.value.location))
        }
        (When::Equals(_), _) => None,
    }
}
