//! Hostile and well-formed bundles.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use crate::Bundle;
use crate::error::BundleError;

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// An entry as an attacker would write it: the path goes into the header as it is.
pub(super) fn entry(tar: &mut Builder<Vec<u8>>, kind: EntryType, path: &[u8], content: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append(&header, content).expect("memory takes everything");
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("memory takes everything");
    gzip.finish().expect("memory takes everything")
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (path, content) in files {
        let content = if path.ends_with(".wasm") { MODULE } else { content.as_bytes() };
        entry(&mut tar, EntryType::Regular, path.as_bytes(), content);
    }
    tar.into_inner().expect("memory takes everything")
}

fn read(files: &[(&str, &str)]) -> Result<Bundle, BundleError> {
    Bundle::read(&gzip(&tar(files)))
}

/// Paths with their content; a module's content is given by its name.
type Files = &'static [(&'static str, &'static str)];

#[test]
fn well_formed_bundles_are_read() {
    const MANIFEST: &str = r#"{"revision":"r7","roots":["a","b/c"],"wasm":[{"entrypoint":"a/x","module":"/policy.wasm"}],"metadata":{"k":1}}"#;
    let cases: [(Files, &str, &str); 6] = [
        (&[("/policy.wasm", "")], "", "{}"),
        (&[("./policy.wasm", ""), ("./data.json", r#"{"a":1}"#)], "", r#"{"a": 1}"#),
        (
            &[("/policy.wasm", ""), ("/data.json", r#"{"a":1}"#), ("/b/c/data.json", r#"{"d":2}"#)],
            "",
            r#"{"a": 1, "b": {"c": {"d": 2}}}"#,
        ),
        (
            &[("policy.wasm", ""), ("data.json", r#"{"a":{"x":1}}"#), ("a/data.json", r#"{"y":2}"#)],
            "",
            r#"{"a": {"x": 1, "y": 2}}"#,
        ),
        (
            &[
                (".manifest", MANIFEST),
                ("policy.wasm", ""),
                ("data.json", r#"{"a":1,"b":{"c":12345678901234567890.5}}"#),
            ],
            "r7",
            r#"{"a": 1, "b": {"c": 12345678901234567890.5}}"#,
        ),
        (&[("/src/policy.rego", "package a"), ("README.md", ""), ("deep/policy.wasm", "")], "", "{}"),
    ];
    for (files, revision, data) in cases {
        let bundle = read(files).unwrap_or_else(|error| panic!("{files:?}: {error}"));
        assert_eq!((bundle.module(), bundle.revision(), bundle.data().as_str()), (MODULE, revision, data));
        assert!(bundle.digest().starts_with("sha256:") && bundle.digest().len() == 71);
    }
}

#[test]
fn a_bare_module_is_a_bundle() {
    let bundle = Bundle::read(MODULE).expect("it is one");
    assert_eq!((bundle.module(), bundle.revision(), bundle.data().as_str()), (MODULE, "", "{}"));
    assert_eq!(bundle.digest(), "sha256:93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476");
}

#[test]
fn faults_are_named() {
    let cases: [(Files, &str); 34] = [
        (&[("data.json", "{}")], "no policy.wasm"),
        (&[("policy.wasm", ""), ("b/policy.wasm", "")], "two modules"),
        (
            &[("policy.wasm", ""), ("data.json", "{}"), ("./data.json", "{}")],
            "`data.json` is in the bundle twice",
        ),
        (&[("policy.wasm", ""), ("/policy.wasm", "")], "twice"),
        (&[("policy.wasm", ""), ("../data.json", "{}")], "not a path"),
        (&[("policy.wasm", ""), ("a/../data.json", "{}")], "not a path"),
        (&[("policy.wasm", ""), ("a/./data.json", "{}")], "not a path"),
        (&[("policy.wasm", ""), ("//data.json", "{}")], "not a path"),
        (&[("policy.wasm", ""), ("a//data.json", "{}")], "not a path"),
        (&[("policy.wasm", ""), ("a\\data.json", "{}")], "not a path"),
        (&[("policy.wasm", ""), ("data.json", "[]")], "data must be an object"),
        (&[("policy.wasm", ""), ("data.json", "{")], "malformed at byte 1"),
        (&[("policy.wasm", ""), ("data.json", r#"{"a":1,"a":2}"#)], "twice"),
        (&[("policy.wasm", ""), ("data.yaml", "a: 1")], "YAML"),
        (&[("policy.wasm", ""), ("data.json", r#"{"a":1}"#), ("a/data.json", r#"{"b":1}"#)], "already"),
        (
            &[("policy.wasm", ""), ("data.json", r#"{"a":{"b":1}}"#), ("a/data.json", r#"{"b":2}"#)],
            "has `b` already",
        ),
        (&[("policy.wasm", ""), (".manifest", "{")], "`.manifest`"),
        (&[("policy.wasm", ""), (".manifest", r#"{"revision":1}"#)], "`.manifest`"),
        (
            &[("policy.wasm", ""), (".manifest", r#"{"roots":["a"]}"#), ("data.json", r#"{"b":1}"#)],
            "data at `b` lies outside",
        ),
        (
            &[("policy.wasm", ""), (".manifest", r#"{"roots":["a/b"]}"#), ("data.json", r#"{"a":{"c":1}}"#)],
            "`a/c`",
        ),
        (&[("policy.wasm", ""), (".manifest", r#"{"roots":["a/b"]}"#), ("data.json", r#"{"a":1}"#)], "`a`"),
        (&[("policy.wasm", ""), (".manifest", r#"{"wasm":[{"module":"/other.wasm"}]}"#)], "`/other.wasm`"),
        (&[("policy.wasm", ""), (".manifest", r#"{"roots":["a","a/b"]}"#)], "roots `a` and `a/b` overlap"),
        (
            &[("policy.wasm", ""), (".manifest", r#"{"roots":["a/b/","/a"]}"#)],
            "roots `a/b/` and `/a` overlap",
        ),
        (&[("policy.wasm", ""), (".manifest", r#"{"roots":["","a"]}"#)], "overlap"),
        (&[("policy.wasm", ""), (".manifest", r#"{"roots":["a","b","a"]}"#)], "overlap"),
        (&[("policy.wasm", ""), (".manifest", r#"{"roots":null}"#)], "`.manifest`"),
        (
            &[
                ("policy.wasm", ""),
                (".manifest", r#"{"roots":["a"],"wasm":[{"entrypoint":"ab/c","module":"/policy.wasm"}]}"#),
            ],
            "entrypoint `ab/c` lies outside",
        ),
        (
            &[
                ("policy.wasm", ""),
                (
                    ".manifest",
                    r#"{"wasm":[{"entrypoint":"a","module":"/policy.wasm"},{"entrypoint":"a","module":"/policy.wasm"}]}"#,
                ),
            ],
            "entrypoint `a` twice",
        ),
        (
            &[("policy.wasm", ""), (".manifest", r#"{"metadata":{"claviger":{"serial":-1}}}"#)],
            "`metadata.claviger.serial`",
        ),
        (&[("policy.wasm", ""), ("Data.json", "{}")], "`Data.json` is not read, though `data.json` would be"),
        (&[("policy.wasm", ""), (".MANIFEST", "{}")], "`.MANIFEST` is not read"),
        (&[("policy.wasm", ""), ("a/DATA.JSON", "{}")], "`a/DATA.JSON` is not read"),
        (&[("POLICY.WASM", "")], "`POLICY.WASM` is not read"),
    ];
    for (files, expected) in cases {
        let error = read(files).expect_err("it is refused").to_string();
        assert!(error.contains(expected), "{files:?}: {error}");
    }
}

#[test]
fn only_plain_files_are_unpacked() {
    let kinds = [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::new(b'?'),
    ];
    for kind in kinds {
        let mut tar = Builder::new(Vec::new());
        entry(&mut tar, kind, b"data.json", b"");
        let error = Bundle::read(&gzip(&tar.into_inner().expect("memory"))).expect_err("it is refused");
        assert_eq!(error, BundleError::NotAFile { path: "data.json".to_owned() }, "{kind:?}");
    }
    let mut tar = Builder::new(Vec::new());
    tar.append_pax_extensions([("GNU.sparse.major", &b"1"[..])]).expect("memory takes everything");
    entry(&mut tar, EntryType::Regular, b"data.json", b"{}");
    let error = Bundle::read(&gzip(&tar.into_inner().expect("memory"))).expect_err("it is refused");
    assert_eq!(error, BundleError::NotAFile { path: "data.json".to_owned() });
    let mut tar = Builder::new(Vec::new());
    entry(&mut tar, EntryType::Directory, b"data/", b"");
    entry(&mut tar, EntryType::Regular, b"data/policy.wasm", MODULE);
    assert!(Bundle::read(&gzip(&tar.into_inner().expect("memory"))).is_ok());
}

#[test]
fn paths_must_be_text() {
    let mut tar = Builder::new(Vec::new());
    entry(&mut tar, EntryType::Regular, b"data\xff.json", b"");
    let error = Bundle::read(&gzip(&tar.into_inner().expect("memory"))).expect_err("it is refused");
    assert_eq!(error, BundleError::UnsafePath { path: "data\\xff.json".to_owned() });
}

#[test]
fn broken_archives_are_unreadable() {
    let whole = gzip(&tar(&[("policy.wasm", ""), ("data.json", r#"{"a":1}"#)]));
    for cut in [3, 12, whole.len() / 2, whole.len() - 1] {
        let error = Bundle::read(&whole[..cut]).expect_err("it is refused");
        assert!(matches!(error, BundleError::Unreadable { .. }), "{cut}: {error}");
    }
    let mut trailing = whole.clone();
    trailing.extend_from_slice(b"trailing");
    assert!(matches!(Bundle::read(&trailing), Err(BundleError::Unreadable { .. })));
    let mut flipped = whole.clone();
    let checksum = flipped.len() - 6;
    flipped[checksum] ^= 1;
    assert!(matches!(Bundle::read(&flipped), Err(BundleError::Unreadable { .. })));
    let tar = tar(&[("policy.wasm", ""), ("data.json", "{}")]);
    let hidden = [&tar[..tar.len() - 512], &tar].concat();
    for (tar, cause) in
        [(&tar[..tar.len() - 1024], "no end"), (&tar[..tar.len() - 512], "no end"), (&hidden, "after")]
    {
        let error = Bundle::read(&gzip(tar)).expect_err("it is refused").to_string();
        assert!(error.contains(cause), "{error}");
    }
    // one file in several members is one file
    let members = [gzip(&tar[..700]), gzip(&tar[700..])].concat();
    assert!(Bundle::read(&members).is_ok());
    let two = [gzip(&tar), gzip(&tar)].concat();
    assert!(Bundle::read(&two).is_err_and(|error| error.to_string().contains("after the archive's end")));
    let cut_tar = gzip(&tar[..512 + 512 + 512]);
    assert!(matches!(Bundle::read(&cut_tar), Err(BundleError::Unreadable { .. })));
    for unknown in [&b""[..], b"hello", b"PK\x03\x04", b"\0as"] {
        assert_eq!(Bundle::read(unknown).err(), Some(BundleError::UnknownFormat));
    }
}

#[test]
fn sizes_are_bounded() {
    let bomb = gzip(&vec![0; 129 * 1024 * 1024]);
    assert!(matches!(Bundle::read(&bomb), Err(BundleError::UnpacksTooLarge { .. })));
    let large = vec![0; 32 * 1024 * 1024 + 1];
    assert!(matches!(Bundle::read(&large), Err(BundleError::TooLarge { .. })));
    let module = [MODULE, &[0; 16 * 1024 * 1024]].concat();
    assert!(matches!(Bundle::read(&module), Err(BundleError::ModuleTooLarge { .. })));
    let mut tar = Builder::new(Vec::new());
    entry(&mut tar, EntryType::Regular, b"policy.wasm", &module);
    let packed = gzip(&tar.into_inner().expect("memory takes everything"));
    assert!(matches!(Bundle::read(&packed), Err(BundleError::ModuleTooLarge { .. })));
    let (many, wide) = (format!("{{\"a\":[0{}]}}", ",0".repeat(5 << 20)), " ".repeat(65 << 20));
    let error = read(&[("policy.wasm", ""), ("data.json", &many)]).expect_err("it is refused").to_string();
    assert!(error.contains("more than 4194304 values"), "{error}");
    let error = read(&[("policy.wasm", ""), ("data.json", &wide)]).err();
    assert!(matches!(error, Some(BundleError::DataTooLarge { .. })), "{error:?}");
    let names: Vec<String> = (0..4097).map(|index| format!("file-{index}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(read(&files).err(), Some(BundleError::TooManyEntries { entries_max: 4096 }));
}
