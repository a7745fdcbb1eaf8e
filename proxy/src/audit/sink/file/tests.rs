use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::audit::chain::Hash;

fn open(path: &Path) -> Result<Found, FileError> {
    LockedFile::open(path)?.mend()
}

fn lines(ids: &[&str]) -> Vec<u8> {
    let mut chain = Chain::new();
    let mut out = Vec::new();
    ids.iter().for_each(|id| chain.append(format!("\"time\":\"t\",\"id\":\"{id}\"").as_bytes(), &mut out));
    out
}

/// Opens a file with `content`: what is found, and what the file and the file beside it hold after.
fn opened(content: &[u8]) -> (Result<Found, FileError>, Vec<u8>, Option<Vec<u8>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    fs::write(&path, content).expect("written");
    let found = open(&path);
    (found, fs::read(&path).expect("there"), fs::read(folder.path().join("audit.jsonl.torn")).ok())
}

#[test]
fn a_file_is_continued_and_a_torn_end_put_aside() {
    let check = |content: &[u8], kept: &[u8], torn: &[u8]| {
        let (found, left, beside) = opened(content);
        let found = found.expect("ours");
        assert_eq!(left, kept);
        assert_eq!(found.torn_bytes, torn.len() as u64);
        assert_eq!(beside, (!torn.is_empty()).then(|| [torn, b"\n"].concat()));
        let last = kept.split_inclusive(|byte| *byte == b'\n').next_back();
        let chain = last.map(|line| Chain::after(&Link::read(&line[..line.len() - 1]).expect("whole")));
        assert_eq!(found.chain, chain.unwrap_or_else(Chain::new));
        found.recent.len()
    };
    let three = lines(&["a", "b", "a"]);
    assert_eq!(check(b"", b"", b""), 0);
    assert_eq!(check(&three, &three, b""), 2);
    let torn = b"{\"v\":1,\"seq\":4,\"ti".as_slice();
    assert_eq!(check(&[&three, torn].concat(), &three, torn), 2);
    assert_eq!(check(&[&three, b"\0".as_slice()].concat(), &three, b"\0"), 2);
    let first_torn = &lines(&["a"])[..30];
    assert_eq!(check(first_torn, b"", first_torn), 0);
    assert_eq!(check(b"{\"v\"", b"", b"{\"v\""), 0);
    let long = vec![b'x'; 3 * 65_536 + 7];
    assert_eq!(check(&[&three, long.as_slice()].concat(), &three, &long), 2);
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let check = |content: &[u8]| {
        let (found, left, beside) = opened(content);
        assert!(matches!(found, Err(FileError::Corrupt)), "{found:?}");
        assert_eq!((left.as_slice(), beside), (content, None));
    };
    check(b"hello");
    check(b"hello\n");
    check(b"\n");
    check(&[lines(&["a"]), b"{}\n".to_vec()].concat());
    let mut changed = lines(&["a", "b"]);
    let at = changed.len() - 140;
    changed[at] ^= 1;
    check(&changed);
    check(&vec![b'x'; LINE_BYTES_MAX + 100_000]);
}

#[test]
fn only_a_regular_file_of_our_own_will_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let found = open(&path).expect("created");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(matches!(open(&path), Err(FileError::InUse)));
    drop(found);
    open(&path).expect("free again");

    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("made");
    for wrong in [Path::new("/dev/full"), folder.path()] {
        assert!(matches!(open(wrong), Err(FileError::NotRegular)), "{}", wrong.display());
    }
    assert!(matches!(open(&pipe), Err(FileError::NotRegular | FileError::Io(_))), "a pipe");
    for missing in [path.join("below"), folder.path().join("nowhere/audit.jsonl")] {
        assert!(matches!(open(&missing), Err(FileError::Io(_))), "{}", missing.display());
    }
}

#[test]
fn a_failed_write_leaves_whole_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let mut file = open(&path).expect("created").file;
    file.append(b"first\n").expect("written");
    fs::write(&path, "first\nsec").expect("as a full disk leaves it");
    file.torn = true;
    file.append(b"second\n").expect("written");
    assert_eq!(fs::read_to_string(&path).expect("there"), "first\nsecond\n");
    let read_only = File::open(&path).expect("there");
    file.file = read_only;
    file.append(b"third\n").expect_err("not open for writing");
    assert!(file.torn, "still to be cut");
    assert_eq!(Hash::ZERO.to_string(), "0".repeat(64));
}
