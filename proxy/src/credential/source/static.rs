//! `static`: a secret from a file or a variable, for what cannot be short-lived. A changed file is a rotation.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use claviger_config::{Findings, Kind, SecretRef};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, IssueError, Source, SourceKind, built, fault};
use crate::authorize::Permit;
use crate::clock;
use crate::credential::lease::{Issued, Lease};
use crate::credential::material;
use crate::credential::secret::Secret;

pub(super) const KIND: SourceKind =
    SourceKind { name: "static", example: EXAMPLE, schema: || schemars::schema_for!(Settings), build };

const EXAMPLE: &str = "
source:
  static: { file: /run/secrets/api-key }
inject:
  header: { name: X-Api-Key }
";

/// The file is looked at no more often than this.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(900);
/// A file that was written so recently may be written again without a new time of change.
const SETTLED_AFTER_SECONDS: i64 = 3;

/// Where the secret is: exactly one of both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// A file that holds it; one newline at its end does not count. It is watched.
    file: Option<PathBuf>,
    /// A variable of our environment that holds it.
    env: Option<String>,
}

struct Static {
    reference: SecretRef,
    seen: Mutex<Option<Seen>>,
}

/// The file as it was when last looked at.
struct Seen {
    at: Instant,
    /// `None` when there was none.
    stamp: Option<Stamp>,
    /// `None` when what was there is no secret.
    secret: Option<Secret>,
}

/// Changes whenever the file does, unless it is written twice within the clock's grain.
#[derive(PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    size: u64,
    inode: u64,
    device: u64,
}

fn build(kind: &Kind, findings: &mut Findings) -> Option<Box<dyn Source>> {
    built(kind, findings, |settings: Settings, findings| {
        let reference = match (settings.file, settings.env) {
            (Some(path), None) => SecretRef::File(path),
            (None, Some(name)) => SecretRef::Env(name),
            (Some(_), Some(_)) => {
                fault(kind, "", "conflict", "`file` and `env` exclude each other", findings);
                return None;
            }
            (None, None) => {
                fault(kind, "", "missing_key", "`file` or `env` is missing here", findings);
                return None;
            }
        };
        Some(Static { reference, seen: Mutex::new(None) })
    })
}

impl Source for Static {
    fn issue<'a>(&'a self, _permit: &'a Permit) -> Call<'a, Issued> {
        Box::pin(async {
            let secret = material::secret(&self.reference)?;
            Ok(Issued { secret, lifetime: None, scopes: Vec::new(), handle: None, renewable: false })
        })
    }

    fn outdated(&self, lease: &Lease) -> bool {
        match &self.reference {
            SecretRef::File(path) => self.changed(path, lease),
            SecretRef::Env(_) => false,
        }
    }
}

impl Static {
    /// Whether the file holds another secret. A file that is gone or unusable for now changes nothing.
    fn changed(&self, path: &Path, lease: &Lease) -> bool {
        let now = clock::monotonic();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref().is_none_or(|seen| now.saturating_duration_since(seen.at) >= LOOKED_AT_EVERY) {
            *seen = Some(self.look(Stamp::of(path), seen.take(), now));
        }
        let secret = seen.as_ref().and_then(|seen| seen.secret.as_ref());
        secret.is_some_and(|secret| !secret.same_as(lease.secret()))
    }

    fn look(&self, stamp: Option<Stamp>, last: Option<Seen>, now: Instant) -> Seen {
        let settled = stamp.as_ref().is_none_or(Stamp::is_settled);
        match last {
            Some(last) if last.stamp == stamp && settled => Seen { at: now, ..last },
            Some(_) | None => Seen { at: now, secret: stamp.as_ref().and_then(|_| self.read()), stamp },
        }
    }

    fn read(&self) -> Option<Secret> {
        let read: Result<Secret, IssueError> = material::secret(&self.reference);
        read.ok()
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            size: metadata.len(),
            inode: metadata.ino(),
            device: metadata.dev(),
        })
    }

    fn is_settled(&self) -> bool {
        let now_seconds = clock::now().nanoseconds() / 1_000_000_000;
        now_seconds - self.modified.0 >= SETTLED_AFTER_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{issue, kind, lease, permit};
    use super::*;

    fn of_file(path: &Path) -> Static {
        Static { reference: SecretRef::File(path.to_owned()), seen: Mutex::new(None) }
    }

    #[test]
    fn takes_exactly_one_place() {
        let check = |settings: &str, code: Option<&str>| {
            let mut findings = Findings::default();
            assert_eq!(
                build(&kind("static", settings), &mut findings).is_some(),
                code.is_none(),
                "{settings}"
            );
            assert_eq!(findings.iter().map(|finding| finding.code).next(), code, "{settings}");
        };
        check("{ file: /run/secret }", None);
        check("{ env: TOKEN }", None);
        check("{}", Some("missing_key"));
        check("{ file: /run/secret, env: TOKEN }", Some("conflict"));
        check("{ fiel: /run/secret }", Some("unknown_key"));
    }

    #[test]
    fn a_lease_of_it_has_no_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        std::fs::write(&path, "token\n").expect("written");
        let issued = issue(&of_file(&path), &permit()).expect("issued");
        assert!(
            issued.lifetime.is_none() && issued.secret.same_as(&Secret::new("token".into()).expect("valid"))
        );
    }

    #[test]
    fn a_changed_file_outdates_its_lease() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let check = |change: &dyn Fn(&PathBuf), expected: bool| {
            std::fs::write(&path, "one").expect("written");
            let source = of_file(&path);
            let lease = lease(issue(&source, &permit()).expect("issued"));
            assert!(!source.outdated(&lease));
            change(&path);
            // a look is forced: the next would be due a moment later
            *source.seen.lock().expect("not poisoned") = None;
            assert_eq!(source.outdated(&lease), expected);
        };
        let write = |text: &'static str| move |path: &PathBuf| std::fs::write(path, text).expect("written");
        check(&write("two"), true);
        check(&write("one\n"), false);
        check(&write(""), false);
        check(&|path| std::fs::remove_file(path).expect("removed"), false);
        check(
            &|path| {
                let fresh = path.with_extension("fresh");
                std::fs::write(&fresh, "three").expect("written");
                std::fs::rename(fresh, path).expect("renamed");
            },
            true,
        );
    }
}
