//! How the answer of `policy replay` looks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Drift, Origin, Replayed, Unjudged};
use crate::cli::policy::page::{Hue, Page, shown};
use crate::cli::policy::recording::verdict_json;
use crate::cli::policy::verdict::Verdict;

/// Drifts that are shown to people.
const SHOWN_MAX: usize = 50;

/// What is said of every replay of our own records.
const NOT_ON_RECORD: &str =
    "a record of the audit holds no headers, query or body, nor, without -c, what the configuration says";

/// The answer in the making.
pub(super) struct Report<'a> {
    replayed: &'a Replayed,
}

impl<'a> Report<'a> {
    pub(super) fn of(replayed: &'a Replayed) -> Self {
        Self { replayed }
    }

    pub(super) fn to_json(&self) -> Value {
        let Replayed { policy, counts, same, drift, unjudged, unjudged_count } = self.replayed;
        json!({
            "bundle": { "digest": policy.digest(), "revision": policy.revision(), "entrypoint": policy.entrypoint() },
            "decisions": counts.decisions,
            "same": same,
            "drift": drift.iter().map(drift_json).collect::<Vec<_>>(),
            "unjudged": unjudged.iter().map(unjudged_json).collect::<Vec<_>>(),
            "unjudged_count": unjudged_count,
            "looks_at": self.looks_at(),
            "passed_over": counts.passed_over,
            "note": NOT_ON_RECORD,
        })
    }

    /// How often the policy looks at what is not known, by what that is.
    fn looks_at(&self) -> BTreeMap<&str, usize> {
        let mut looks_at = BTreeMap::new();
        for place in self.replayed.unjudged.iter().flat_map(|unjudged| &unjudged.looks_at) {
            *looks_at.entry(place.as_str()).or_default() += 1;
        }
        looks_at
    }

    pub(super) fn human(&self) -> String {
        let Replayed { counts, drift, .. } = self.replayed;
        let mut page = Page::for_stdout();
        for drift in drift.iter().take(SHOWN_MAX) {
            show(&mut page, drift);
        }
        if drift.len() > SHOWN_MAX {
            page.line(&format!("and {} more", drift.len() - SHOWN_MAX));
        }
        self.sum_up(&mut page);
        for (why, count) in &counts.passed_over {
            page.row("passed over", &format!("{count} {why}"));
        }
        page.into_text()
    }

    fn sum_up(&self, page: &mut Page) {
        let Replayed { policy, counts, same, drift, unjudged_count, .. } = self.replayed;
        page.row("bundle", &format!("{}  {}", shown(policy.revision()), policy.digest()));
        page.row("decisions", &counts.decisions.to_string());
        page.row("same", &same.to_string());
        let hue = if drift.is_empty() { Hue::Green } else { Hue::Red };
        let count = page.paint(hue, &drift.len().to_string());
        page.row("drift", &count);
        page.row("unjudged", &unjudged_count.to_string());
        if *unjudged_count > 0 {
            let places =
                self.looks_at().into_iter().map(|(place, count)| format!("{} in {count}", shown(place)));
            page.rows("looks at", &places.collect::<Vec<_>>());
            page.row("", NOT_ON_RECORD);
        }
    }
}

fn drift_json(drift: &Drift) -> Value {
    let mut told = origin_json(&drift.origin, &drift.now);
    told["differs"] = json!(drift.differs);
    told
}

fn unjudged_json(unjudged: &Unjudged) -> Value {
    let mut told = origin_json(&unjudged.origin, &unjudged.now);
    told["looks_at"] = json!(unjudged.looks_at);
    told
}

fn origin_json(origin: &Origin, now: &Verdict) -> Value {
    let Origin { file, line, id, time, method, route, path, was } = origin;
    json!({
        "file": file, "line": line, "id": id, "time": time, "method": method, "route": route, "path": path,
        "was": { "outcome": was.outcome, "reason": was.reason, "rule": was.rule,
                 "credential": was.credential, "decision": was.decision },
        "now": verdict_json(now),
    })
}

fn show(page: &mut Page, drift: &Drift) {
    let Origin { id, time, method, route, path, was, .. } = &drift.origin;
    let or_dash = |text: &Option<String>| shown(text.as_deref().unwrap_or("-"));
    let change = page.paint(Hue::Red, &format!("{} -> {}", shown(&was.outcome), drift.now.outcome()));
    let target = format!("{}{}", or_dash(route), or_dash(path));
    page.line(&format!("{change}  {}  {target}  {}  {}", or_dash(method), shown(time), shown(id)));
    let differs = drift.differs.join(", ");
    let word = |rule: Option<&str>, reason: Option<&str>| {
        [rule, reason].into_iter().flatten().map(shown).collect::<Vec<_>>().join(": ")
    };
    let now = drift.now.to_json();
    let why = now["reason"].as_str().or_else(|| now["error"].as_str());
    page.row("  was", &word(was.rule.as_deref(), was.reason.as_deref()));
    page.row("  now", &word(now["rule"].as_str(), why));
    if differs != "outcome" {
        page.row("  differs", &shown(&differs));
    }
}
