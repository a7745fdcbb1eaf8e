use std::fs;

use super::super::chain::Chain;
use super::*;

const RECORDS: usize = 40;

/// A chain's lines, each with its line feed.
fn lines() -> Vec<Vec<u8>> {
    let mut chain = Chain::new();
    (0..RECORDS)
        .map(|number| {
            let mut line = Vec::new();
            chain.append(
                format!("\"time\":\"t\",\"id\":\"{number}\",\"path\":\"/echo/{number}\"").as_bytes(),
                &mut line,
            );
            line
        })
        .collect()
}

fn hash_of(line: &[u8]) -> Hash {
    Link::read(line.strip_suffix(b"\n").expect("a line")).expect("whole").hash
}

/// Writes each content to a file of its own and verifies them in order.
fn verified(contents: &[Vec<u8>], known: Known) -> Result<u64, Fault> {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<PathBuf> = contents
        .iter()
        .enumerate()
        .map(|(number, content)| {
            let path = folder.path().join(format!("{number}.jsonl"));
            fs::write(&path, content).expect("written");
            path
        })
        .collect();
    verify(&files, known)
}

#[track_caller]
fn check(what: &str, contents: &[Vec<u8>], known: Known, expected: Result<u64, (u64, Broken)>) {
    let found = verified(contents, known).map_err(|fault| match fault {
        Fault::Broken { line, broken, .. } => (line, broken),
        Fault::Unreadable { source, .. } => panic!("{what}: {source}"),
    });
    assert_eq!(found, expected, "{what}");
}

#[test]
fn good_chains() {
    let lines = lines();
    let head = hash_of(&lines[RECORDS - 1]);
    let all = RECORDS as u64;
    let middle = hash_of(&lines[19]);
    check("whole", &[lines.concat()], Known::default(), Ok(all));
    check("with its head", &[lines.concat()], Known { head: Some(head), from: None }, Ok(all));
    check("two files", &[lines[..20].concat(), lines[20..].concat()], Known::default(), Ok(all));
    check(
        "an empty file between",
        &[lines[..20].concat(), vec![], lines[20..].concat()],
        Known::default(),
        Ok(all),
    );
    check(
        "after an archive",
        &[lines[20..].concat()],
        Known { head: Some(head), from: Some(middle) },
        Ok(20),
    );
    check("nothing yet", &[vec![]], Known::default(), Ok(0));
    check("nothing since", &[vec![]], Known { head: Some(middle), from: Some(middle) }, Ok(0));
}

#[test]
fn broken_chains_are_named() {
    let good = lines();
    let head = Some(hash_of(&good[RECORDS - 1]));
    let with_head = Known { head, from: None };
    let without = |at: usize| [&good[..at], &good[at + 1..]].concat().concat();
    let replaced =
        |at: usize, lines: &[Vec<u8>]| [&good[..at], lines, &good[at + lines.len()..]].concat().concat();
    let plain = Known::default();
    let seq = |before, found| Broken::Seq { before, found };

    check("a line deleted", &[without(20)], plain, Err((21, seq(20, 22))));
    check("the first line deleted", &[without(0)], plain, Err((1, Broken::Beheaded)));
    check("swapped", &[replaced(20, &[good[21].clone(), good[20].clone()])], plain, Err((21, seq(20, 22))));
    check("doubled", &[[&good[..21], &good[20..]].concat().concat()], plain, Err((22, seq(21, 21))));
    let all = good.concat();
    check("cut inside the last line", &[all[..all.len() - 20].to_vec()], plain, Err((40, Broken::Torn)));
    check("without its last line feed", &[all[..all.len() - 1].to_vec()], plain, Err((40, Broken::Torn)));
    check("tail lost", &[good[..37].concat()], with_head, Err((37, Broken::Headless)));
    check("last line lost", &[good[..39].concat()], with_head, Err((39, Broken::Headless)));
    check("everything lost", &[vec![]], with_head, Err((1, Broken::Headless)));
    check(
        "files in the wrong order",
        &[good[20..].concat(), good[..20].concat()],
        plain,
        Err((1, Broken::Beheaded)),
    );
    let from = Known { from: Some(hash_of(&good[18])), head: None };
    check("another archive", &[good[20..].concat()], from, Err((1, Broken::Unlinked)));
    let mut other = Chain::new();
    let mut alien = Vec::new();
    for _ in 0..21 {
        alien.clear();
        other.append(b"\"time\":\"t\"", &mut alien);
    }
    check("a line of another chain", &[replaced(20, &[alien])], plain, Err((21, Broken::Unlinked)));
    check("a blank line", &[replaced(20, &[b"\n".to_vec()])], plain, Err((21, Broken::Shape)));
    let added =
        String::from_utf8(all.clone()).expect("ASCII").replacen("{\"v\":1,", "{\"v\":1,\"note\":1,", 1);
    check("a key added", &[added.into_bytes()], plain, Err((1, Broken::Shape)));
    let path = String::from_utf8(all).expect("ASCII").replacen("/echo/7\"", "/echo/8\"", 1);
    check("a value changed", &[path.into_bytes()], plain, Err((8, Broken::Changed)));
}

#[test]
fn every_flipped_bit_is_found() {
    let good = lines()[..4].concat();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&path, changed).expect("written");
        assert!(verify(&[path.clone()], Known::default()).is_err(), "byte {at}");
    }
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    check("endless", &[vec![b'x'; LINE_BYTES_MAX + 5]], Known::default(), Err((1, Broken::TooLong)));
}

#[test]
fn a_missing_file_is_named() {
    let fault = verify(&["/nowhere/audit.jsonl".into()], Known::default()).expect_err("missing");
    assert!(matches!(fault, Fault::Unreadable { .. }) && fault.to_string().contains("/nowhere/audit.jsonl"));
}
