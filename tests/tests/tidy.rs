//! The rules of the repository that a machine can hold.

use std::path::{Path, PathBuf};

use claviger_tests::tool::root;

const LINES_MAX: usize = 600;
/// Names that say nothing; `Data` is also OPA's document, so it is left to reviewers.
const BANNED: [&str; 7] = ["Manager", "Handler", "Helper", "Util", "Common", "Base", "Impl"];

/// Every file of ours with one of these endings.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard"])
        .current_dir(root())
        .output();
    let listed = String::from_utf8(listed.expect("git runs").stdout).expect("our names are plain");
    let ours = |name: &&str| endings.iter().any(|ending| name.ends_with(ending));
    let files: Vec<_> =
        listed.lines().filter(ours).map(|name| root().join(name)).filter(|path| path.is_file()).collect();
    assert!(!files.is_empty(), "no file ends in {endings:?}");
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

/// Fails with every file that breaks a rule.
fn check(rule: &str, endings: &[&str], broken: impl Fn(&Path, &str) -> Option<String>) {
    let wrong: Vec<_> = files(endings)
        .into_iter()
        .filter_map(|path| broken(&path, &read(&path)).map(|what| format!("{}: {what}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn every_rust_file_opens_with_why_it_exists() {
    check("begins with //!", &[".rs"], |_, text| {
        (!text.starts_with("//! ")).then(|| "has no head".to_owned())
    });
}

#[test]
fn no_file_is_too_long() {
    check("at most 600 lines, tests apart", &[".rs", ".sh"], |path, text| {
        let own = text.split("\n#[cfg(test)]\n").next().unwrap_or_default().lines().count();
        (!is_test(path) && own > LINES_MAX).then(|| format!("{own} lines"))
    });
}

#[test]
fn modules_are_files_of_their_own_name() {
    check("foo.rs, never foo/mod.rs", &[".rs"], |path, _| {
        path.ends_with("mod.rs").then(|| "is a mod.rs".to_owned())
    });
}

/// The words of a camel-case name.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            Some(_) | None => words.push(letter.to_string()),
        }
    }
    words
}

#[test]
fn names_say_something() {
    check("no empty words in names", &[".rs"], |_, text| {
        let declared =
            |line: &&str| ["struct ", "enum ", "trait ", "type "].iter().any(|word| line.contains(word));
        let code =
            text.lines().map(str::trim_start).filter(|line| !line.starts_with("//") && !line.contains('"'));
        let mut named = code
            .clone()
            .filter(declared)
            .flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric()));
        let empty = named.find(|name| words(name).iter().any(|word| BANNED.contains(&word.as_str())));
        let getter = code.clone().find(|line| line.contains("fn get_"));
        empty.map(str::to_owned).or(getter.map(str::to_owned))
    });
}

#[test]
fn nothing_is_left_for_later() {
    let later = ["TO", "DO"].concat();
    check("no notes for later", &[".rs", ".sh", ".toml"], |_, text| {
        text.lines().find(|line| line.contains(&later)).map(str::to_owned)
    });
}

#[test]
fn banned_words_are_found_in_names() {
    assert_eq!(words("LeaseManager"), ["Lease", "Manager"]);
    assert_eq!(words("Database"), ["Database"]);
}
