//! Some of the differences with what an operator needs to understand them, as JSON lines in the state directory: who asked
//! for what, and what both policies said. No header, no query, no body; the record has the same facts and no fewer.
//!
//! The file is a ring of two halves: a full one takes the place of the one before.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use claviger_policy::{Decision, EvalError, Policy};
use rustix::fs::{Mode, OFlags, open, openat, renameat};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::difference::Difference;
use crate::admin::metrics::shadow::{DifferenceLabels, SampleResult};
use crate::clock;
use crate::observe::Judgement;

const NAME: &str = "shadow.jsonl";
const NAME_BEFORE: &str = "shadow.jsonl.1";
/// Of each half.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Between two samples whose labels are the same.
const GAP: Duration = Duration::from_secs(1);
const TEXT_BYTES_MAX: usize = 1024;

/// The file, and when each kind of difference was kept last. The labels are bounded, and so is this.
pub(super) struct Samples {
    dir: PathBuf,
    kept: HashMap<DifferenceLabels, Instant>,
}

/// One difference with its circumstances.
pub(super) struct Sample<'a> {
    pub(super) judgement: &'a Judgement,
    /// The shadow's.
    pub(super) policy: &'a Policy,
    pub(super) decision: &'a Result<Decision, EvalError>,
    pub(super) difference: &'a Difference,
}

impl Samples {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), kept: HashMap::new() }
    }

    /// Keeps it, unless one like it was kept a moment ago.
    pub(super) fn keep(&mut self, labels: &DifferenceLabels, sample: &Sample<'_>) -> SampleResult {
        let now = clock::monotonic();
        if self.kept.get(labels).is_some_and(|kept| now.saturating_duration_since(*kept) < GAP) {
            return SampleResult::skipped;
        }
        self.kept.insert(labels.clone(), now);
        match self.write(&line(sample)) {
            Ok(()) => SampleResult::kept,
            Err(error) => {
                tracing::warn!(%error, "a sample of the shadow cannot be kept");
                SampleResult::failed
            }
        }
    }

    /// The folder is ours alone, and the file is opened for each line: there is one a second of a kind at most.
    fn write(&self, line: &str) -> io::Result<()> {
        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder: OwnedFd = open(&self.dir, folder, Mode::empty())?;
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let append = || openat(&folder, NAME, flags, Mode::RUSR | Mode::WUSR).map(File::from);
        let mut file = append()?;
        if file.metadata()?.len() + line.len() as u64 > FILE_BYTES_MAX {
            renameat(&folder, NAME, &folder, NAME_BEFORE)?;
            file = append()?;
        }
        file.write_all(line.as_bytes())
    }
}

fn line(sample: &Sample<'_>) -> String {
    let Judgement { id, time, route, method, host, path, workload, policy, decision, .. } = sample.judgement;
    let workload: Option<&RawValue> = serde_json::from_str(workload).ok();
    let mut line = json!({
        "time": String::from_utf8_lossy(&time.rfc3339()),
        "id": id,
        "workload": workload,
        "request": { "method": cut(method), "route": &**route, "host": host, "path": cut(path) },
        "active": said(policy, decision),
        "shadow": said(sample.policy, sample.decision),
        "differs": sample.difference.keys,
    })
    .to_string();
    line.push('\n');
    line
}

fn said(policy: &Policy, decision: &Result<Decision, EvalError>) -> Value {
    json!({
        "outcome": super::outcome(decision).as_str(),
        "rule": super::rule(decision),
        "reason": super::reason(decision).as_deref().map(cut),
        "revision": policy.revision(),
        "digest": policy.digest(),
    })
}

/// As much of a text as is kept, in whole characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::super::super::testing;
    use super::*;
    use crate::admin::metrics::OutcomeLabel;

    fn labels(rule: &str) -> DifferenceLabels {
        DifferenceLabels { active: OutcomeLabel::allow, shadow: OutcomeLabel::deny, rule: rule.to_owned() }
    }

    fn keep(samples: &mut Samples, rule: &str, path: &str) -> SampleResult {
        let mut judgement = testing::judgement(r#"{"request":{"headers":{"x":["canary"]}}}"#);
        judgement.path = path.to_owned();
        let decision = Decision::read(br#"[{"result":{"allow":false,"rule":"r","reason":"because"}}]"#);
        let policy = Arc::clone(&judgement.policy);
        let difference = Difference { keys: vec!["outcome"] };
        let sample =
            Sample { judgement: &judgement, policy: &policy, decision: &decision, difference: &difference };
        samples.keep(&labels(rule), &sample)
    }

    #[test]
    fn a_sample_tells_who_and_what_and_not_the_headers() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut samples = Samples::new(folder.path());
        assert_eq!(keep(&mut samples, "a", "/p"), SampleResult::kept);
        assert_eq!(keep(&mut samples, "a", "/p"), SampleResult::skipped);
        assert_eq!(keep(&mut samples, "b", &"/é".repeat(4000)), SampleResult::kept);
        let file = folder.path().join(NAME);
        let text = std::fs::read_to_string(&file).expect("it is there");
        assert!(!text.contains("canary"), "{text}");
        let first: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
        assert_eq!(first["request"]["path"], "/p");
        assert_eq!((&first["active"]["outcome"], &first["shadow"]["rule"]), (&json!("allow"), &json!("r")));
        assert_eq!(text.lines().count(), 2);
        assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_file_is_bounded_and_trouble_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let samples = Samples::new(folder.path());
        let line = format!("{}\n", "x".repeat(100_000));
        (0..50).for_each(|_| samples.write(&line).expect("written"));
        let files: Vec<_> = std::fs::read_dir(folder.path()).expect("there").flatten().collect();
        assert_eq!(files.len(), 2);
        assert!(files.iter().all(|file| file.metadata().expect("there").len() <= FILE_BYTES_MAX));
        std::os::unix::fs::symlink("/dev/null", folder.path().join("link")).expect("a link");
        let mut elsewhere = Samples::new(&folder.path().join("link"));
        assert_eq!(keep(&mut elsewhere, "a", "/p"), SampleResult::failed);
    }
}
