//! A gzipped tar in memory: the only place where an archive is opened.

use std::collections::HashSet;
use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::error::BundleError;

const UNPACKED_BYTES_MAX: u64 = 128 * 1024 * 1024;
const ENTRIES_MAX: usize = 4096;
const BLOCK_BYTES: usize = 512;
const PATH_CHARS_SHOWN_MAX: usize = 120;

/// A regular file, its path relative to the bundle's root.
pub(super) struct File {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl File {
    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(_, name)| name)
    }

    /// The directories above the file.
    pub(super) fn directories(&self) -> impl Iterator<Item = &str> {
        self.path.rsplit_once('/').into_iter().flat_map(|(directories, _)| directories.split('/'))
    }
}

/// All regular files in the order of the archive.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<File>, BundleError> {
    let tar = inflate(bytes)?;
    let mut archive = Archive::new(tar.as_slice());
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    let mut end = 0;
    for (index, entry) in archive.entries().map_err(unreadable)?.enumerate() {
        if index == ENTRIES_MAX {
            return Err(BundleError::TooManyEntries { entries_max: ENTRIES_MAX });
        }
        let entry = entry.map_err(unreadable)?;
        let size = entry.size().checked_next_multiple_of(BLOCK_BYTES as u64).unwrap_or(u64::MAX);
        end = entry.raw_file_position().saturating_add(size);
        let Some(file) = read_entry(entry)? else { continue };
        if !seen.insert(file.path.clone()) {
            return Err(BundleError::Duplicate { path: file.path });
        }
        files.push(file);
    }
    ends_at(&tar, end)?;
    Ok(files)
}

/// After the last entry there are two blocks of zeros and nothing else: another reader could take what else there was for
/// further files, and without the blocks files may be missing.
fn ends_at(tar: &[u8], end: u64) -> Result<(), BundleError> {
    let rest = usize::try_from(end).ok().and_then(|end| tar.get(end..)).unwrap_or_default();
    let cause = match rest.len() >= 2 * BLOCK_BYTES {
        false => "the archive has no end",
        true if rest.iter().any(|&byte| byte != 0) => "something stands after the archive's end",
        true => return Ok(()),
    };
    Err(BundleError::Unreadable { cause: cause.to_owned() })
}

/// To the end, so that gzip's own checksum is verified and a truncated file is seen.
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, BundleError> {
    let mut tar = Vec::new();
    MultiGzDecoder::new(bytes).take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut tar).map_err(unreadable)?;
    if tar.len() as u64 > UNPACKED_BYTES_MAX {
        return Err(BundleError::UnpacksTooLarge { bytes_max: UNPACKED_BYTES_MAX });
    }
    Ok(tar)
}

fn read_entry(mut entry: Entry<'_, &[u8]>) -> Result<Option<File>, BundleError> {
    let path = inner_path(&entry.path_bytes())?;
    let kind = entry.header().entry_type();
    if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader) {
        return Ok(None);
    }
    if kind != EntryType::Regular {
        return Err(BundleError::NotAFile { path });
    }
    if is_sparse(&mut entry)? {
        return Err(BundleError::NotAFile { path });
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 != entry.size() {
        return Err(BundleError::Unreadable { cause: "a file is cut off".to_owned() });
    }
    Ok(Some(File { path, bytes }))
}

/// A file with holes that says so in extended headers only, which not every reader looks at.
fn is_sparse(entry: &mut Entry<'_, &[u8]>) -> Result<bool, BundleError> {
    let Some(extensions) = entry.pax_extensions().map_err(unreadable)? else { return Ok(false) };
    for extension in extensions {
        if extension.map_err(unreadable)?.key_bytes().starts_with(b"GNU.sparse.") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// OPA writes `/data.json`, tar users `./data.json`; both mean the root of the bundle.
fn inner_path(raw: &[u8]) -> Result<String, BundleError> {
    let unsafe_path = || BundleError::UnsafePath { path: shown(raw) };
    let path = std::str::from_utf8(raw).map_err(|_| unsafe_path())?;
    let path = path.strip_prefix('/').or_else(|| path.strip_prefix("./")).unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    if path.is_empty() || path == "." || path.split('/').all(plain) {
        Ok(path.to_owned())
    } else {
        Err(unsafe_path())
    }
}

fn shown(raw: &[u8]) -> String {
    raw.escape_ascii().to_string().chars().take(PATH_CHARS_SHOWN_MAX).collect()
}

fn unreadable(error: std::io::Error) -> BundleError {
    BundleError::Unreadable { cause: error.to_string() }
}
