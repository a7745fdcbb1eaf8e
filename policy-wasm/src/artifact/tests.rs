//! Artefacts are taken over only from where nobody else could have put them.

use std::fs::{Permissions, read_dir, set_permissions, write};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use wasmtime::Module;

use super::Store;
use crate::engine::Engine;
use crate::testing::PERMISSIVE;

fn kept(folder: &Path) -> PathBuf {
    let engine = &Engine::shared().expect("it starts").wasm;
    let wasm = PERMISSIVE.bytes();
    let store = Store::open(folder).expect("the folder is ours");
    store.keep(engine, &wasm, &Module::from_binary(engine, &wasm).expect("it compiles"));
    let mut files = read_dir(folder).expect("it is there").map(|entry| entry.expect("it is readable").path());
    files.find(|path| path.extension().is_some_and(|extension| extension == "cwasm")).expect("it was kept")
}

fn loads(folder: &Path) -> bool {
    let engine = &Engine::shared().expect("it starts").wasm;
    Store::open(folder).and_then(|store| store.load(engine, &PERMISSIVE.bytes())).is_some()
}

fn mode(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

#[test]
fn what_was_kept_is_loaded() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path().join("made/here");
    assert!(!loads(&folder));
    kept(&folder);
    assert!(loads(&folder));
}

#[test]
fn what_others_could_have_written_is_not() {
    type Spoil = fn(&Path, &Path);
    let cases: [(&str, Spoil); 7] = [
        ("an open folder", |folder, _| mode(folder, 0o755)),
        ("a writable folder", |folder, _| mode(folder, 0o770)),
        ("a readable file", |_, file| mode(file, 0o640)),
        ("a truncated file", |_, file| write(file, b"short").expect("it is ours")),
        ("a changed file", |_, file| {
            let mut content = std::fs::read(file).expect("it is ours");
            let last = content.len() - 1;
            content[last] ^= 1;
            write(file, content).expect("it is ours");
        }),
        ("a link", |folder, file| {
            let elsewhere = folder.join("elsewhere");
            std::fs::rename(file, &elsewhere).expect("it is ours");
            symlink(elsewhere, file).expect("it is ours");
        }),
        ("a folder in its place", |_, file| {
            std::fs::remove_file(file).expect("it is ours");
            std::fs::create_dir(file).expect("it is ours");
        }),
    ];
    for (name, spoil) in cases {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let folder = scratch.path().join("artefacts");
        let file = kept(&folder);
        assert!(loads(&folder), "{name}");
        spoil(&folder, &file);
        assert!(!loads(&folder), "{name}");
    }
}

#[test]
fn a_full_folder_is_emptied() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path().join("artefacts");
    kept(&folder);
    (0..super::ARTIFACTS_MAX)
        .for_each(|index| write(folder.join(index.to_string()), b"").expect("it is ours"));
    kept(&folder);
    assert_eq!(read_dir(&folder).expect("it is there").count(), 1);
    assert!(loads(&folder));
}
