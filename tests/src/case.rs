//! One test's world: a directory, its secrets, and the search for them at its end.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::canary::Canaries;
use crate::tool::test_name;

/// A test's own directory and secrets. Start it first: what is started after it ends before it, and then every output is
/// searched. The directory is kept, and named, when the test fails.
pub struct Case {
    dir: PathBuf,
    canaries: Arc<Canaries>,
    names: AtomicUsize,
}

impl Case {
    /// A fresh directory under the system's temporary one.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Case {
        let dir = tempfile::Builder::new().prefix(&format!("claviger-{}-", test_name())).tempdir();
        let dir = dir.expect("the temporary directory is writable").keep();
        Case { dir, canaries: Arc::default(), names: AtomicUsize::new(1) }
    }

    /// Where this case keeps its files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The secrets of this case, for whoever makes or sees some.
    pub fn canaries(&self) -> Arc<Canaries> {
        Arc::clone(&self.canaries)
    }

    /// A name that no other file of this case has.
    pub fn name(&self, stem: &str) -> String {
        format!("{stem}-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Writes a private file.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.join(name);
        std::fs::write(&path, content).expect("the case's directory is writable");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("the file is ours");
        path
    }

    /// A new secret, watched for.
    pub fn mint(&self, what: &str) -> String {
        self.canaries.mint(what)
    }

    /// A file that holds a secret, as an orchestrator would mount it; watched for.
    pub fn secret_file(&self, secret: &str) -> PathBuf {
        self.canaries.watch("a secret file's content", secret);
        self.file(&self.name("secret"), secret)
    }

    /// All that the case's processes wrote, but for the secrets that the case itself laid down.
    fn sink_files(&self) {
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let ours = |name: &str| name.starts_with("secret-") || name.ends_with(".key");
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !ours(&name) {
                self.canaries.sink(&name, std::fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln_kept(&self.dir);
            return;
        }
        self.sink_files();
        let sightings = self.canaries.sightings();
        assert!(
            sightings.is_empty(),
            "secrets were seen, look in {}:\n{}",
            self.dir.display(),
            sightings.join("\n")
        );
        // a directory that stays behind harms nobody
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
fn eprintln_kept(dir: &Path) {
    eprintln!("kept: {}", dir.display());
}
