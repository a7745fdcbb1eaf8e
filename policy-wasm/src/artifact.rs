//! Compiled modules kept on disk, so that a restart does not compile again.
//!
//! Machine code from a file runs in this process, so the file must be ours alone: the folder and the file belong to this
//! user, nobody else may even read them, links are not followed, and a checksum shows that the content is whole. That
//! does not stop a process of the same user; where the workload shares the sidecar's user, do not keep artefacts.

use std::fs::{DirBuilder, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, open, openat, renameat, unlinkat};
use rustix::process::geteuid;
use wasmtime::{Engine, Module};

const ARTIFACT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// More than a sidecar has policies at any time; a full folder is emptied.
const ARTIFACTS_MAX: usize = 16;
const FOLDER_MODE: u32 = 0o700;
const OTHERS_MODE: u32 = 0o077;

/// A folder of ours, opened once so that it cannot be exchanged under us.
pub(crate) struct Store {
    folder: OwnedFd,
}

impl Store {
    /// Opens the folder, making it where it is missing. `None` where it is not ours alone.
    pub(crate) fn open(path: &Path) -> Option<Store> {
        if !path.exists() {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).ok()?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = open(path, flags, Mode::empty()).ok()?;
        is_ours(&fstat(&folder).ok()?, FileType::Directory).then_some(Store { folder })
    }

    /// The module, if this engine compiled these bytes before.
    pub(crate) fn load(&self, engine: &Engine, wasm: &[u8]) -> Option<Module> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.folder, name_of(engine, wasm), flags, Mode::empty()).ok()?;
        if !is_ours(&fstat(&file).ok()?, FileType::RegularFile) {
            return None;
        }
        let mut content = Vec::new();
        File::from(file).take(ARTIFACT_BYTES_MAX).read_to_end(&mut content).ok()?;
        let (checksum, code) = content.split_at_checked(SHA256_OUTPUT_LEN)?;
        if digest(&SHA256, code).as_ref() != checksum {
            return None;
        }
        trusted(engine, code)
    }

    /// Keeps the module. Failing is no error: the next start compiles again.
    pub(crate) fn keep(&self, engine: &Engine, wasm: &[u8], module: &Module) {
        if self.write(&name_of(engine, wasm), module).is_none() {
            tracing::warn!("a compiled policy could not be kept; the next start compiles it again");
        }
    }

    fn write(&self, name: &str, module: &Module) -> Option<()> {
        let code = module.serialize().ok()?;
        self.make_room();
        let unfinished = format!("{name}.{}", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, &unfinished, flags, Mode::RUSR | Mode::WUSR).ok()?;
        let mut file = File::from(file);
        file.write_all(digest(&SHA256, &code).as_ref()).ok()?;
        file.write_all(&code).ok()?;
        renameat(&self.folder, unfinished, &self.folder, name).ok()
    }

    fn make_room(&self) {
        let Ok(entries) = rustix::fs::Dir::read_from(&self.folder) else { return };
        let files: Vec<_> =
            entries.flatten().filter(|entry| entry.file_type() == FileType::RegularFile).collect();
        if files.len() >= ARTIFACTS_MAX {
            for file in files {
                // A file that cannot be removed is found again the next time.
                let _ = unlinkat(&self.folder, file.file_name(), AtFlags::empty());
            }
        }
    }
}

fn is_ours(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
        && stat.st_uid == geteuid().as_raw()
        && stat.st_mode & OTHERS_MODE == 0
}

/// The module's content and the engine's version, settings and target.
fn name_of(engine: &Engine, wasm: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{}-{:016x}.cwasm", hex::encode(digest(&SHA256, wasm)), hasher.finish())
}

#[expect(unsafe_code, reason = "machine code can only be taken over on trust")]
fn trusted(engine: &Engine, code: &[u8]) -> Option<Module> {
    // SAFETY: `deserialize` wants bytes that `Module::serialize` wrote. The file lies in a folder that only this user
    // may enter, belongs to this user and is closed to all others; it is whole by its checksum, and its name holds the
    // digest of the module it was compiled from. Wasmtime itself checks version, target and settings.
    unsafe { Module::deserialize(engine, code) }.ok()
}

#[cfg(test)]
mod tests;
