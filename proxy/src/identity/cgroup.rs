//! The path of a control group by the id that the kernel's socket table gives: the inode of its folder in the unified
//! hierarchy. So the group is known also where the process may not be looked into.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the unified hierarchy is mounted, alone or beside the older ones.
const ROOTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
/// Groups that are looked at in one search.
const GROUPS_MAX: usize = 8_192;

/// The path of group `id` below the root of the hierarchy, as `/kubepods/pod1`. May look at thousands of folders.
pub(super) fn path(id: u64) -> Option<String> {
    let root = ROOTS.iter().map(Path::new).find(|root| root.join("cgroup.controllers").exists())?;
    find(root, id)
}

fn find(root: &Path, id: u64) -> Option<String> {
    let mut waiting: Vec<PathBuf> = vec![root.to_owned()];
    for _ in 0..GROUPS_MAX {
        let group = waiting.pop()?;
        if fs::metadata(&group).is_ok_and(|folder| folder.ino() == id) {
            let below = group.strip_prefix(root).ok()?.to_str()?;
            return Some(format!("/{below}"));
        }
        let entries = fs::read_dir(&group).into_iter().flatten().flatten();
        waiting.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_the_inode_of_its_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let pod = root.path().join("kubepods/pod1");
        fs::create_dir_all(&pod).expect("made");
        fs::create_dir_all(root.path().join("system/other")).expect("made");
        fs::write(root.path().join("kubepods/file"), "").expect("written");
        let id = |folder: &Path| fs::metadata(folder).expect("there").ino();
        assert_eq!(find(root.path(), id(&pod)).as_deref(), Some("/kubepods/pod1"));
        assert_eq!(find(root.path(), id(root.path())).as_deref(), Some("/"));
        assert_eq!(find(root.path(), u64::MAX), None);
    }
}
