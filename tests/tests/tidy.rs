//! The rules of the repository that a machine can hold.

use std::path::{Path, PathBuf};

use claviger_config::Source;
use claviger_tests::tool::root;

const EVERYWHERE: &[&str] = &[""];
const LINES_MAX: usize = 600;
/// Names that say nothing; `Data` is also OPA's document, so it is left to reviewers.
const BANNED: [&str; 7] = ["Manager", "Handler", "Helper", "Util", "Common", "Base", "Impl"];

/// Every file of ours in one of these folders and with one of these endings.
fn files(folders: &[&str], endings: &[&str]) -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard"])
        .current_dir(root())
        .output();
    let listed = String::from_utf8(listed.expect("git runs").stdout).expect("our names are plain");
    let ours = |name: &&str| {
        folders.iter().any(|folder| name.starts_with(folder))
            && endings.iter().any(|ending| name.ends_with(ending))
    };
    let files: Vec<_> =
        listed.lines().filter(ours).map(|name| root().join(name)).filter(|path| path.is_file()).collect();
    assert!(!files.is_empty(), "no file in {folders:?} ends in {endings:?}");
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

/// Fails with every file that breaks a rule.
fn check(rule: &str, folders: &[&str], endings: &[&str], broken: impl Fn(&Path, &str) -> Option<String>) {
    let wrong: Vec<_> = files(folders, endings)
        .into_iter()
        .filter_map(|path| broken(&path, &read(&path)).map(|what| format!("{}: {what}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn every_rust_file_opens_with_why_it_exists() {
    check("begins with //!", EVERYWHERE, &[".rs"], |path, text| {
        // `foo/tests.rs` exists to test `foo.rs`
        (!path.ends_with("tests.rs") && !text.starts_with("//! ")).then(|| "has no head".to_owned())
    });
}

#[test]
fn no_file_is_too_long() {
    check("at most 600 lines, tests apart", EVERYWHERE, &[".rs", ".sh"], |path, text| {
        let own = text.split("\n#[cfg(test)]\n").next().unwrap_or_default().lines().count();
        (!is_test(path) && own > LINES_MAX).then(|| format!("{own} lines"))
    });
}

#[test]
fn modules_are_files_of_their_own_name() {
    check("foo.rs, never foo/mod.rs", EVERYWHERE, &[".rs"], |path, _| {
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
    check("no empty words in names", EVERYWHERE, &[".rs"], |_, text| {
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
    check("no notes for later", EVERYWHERE, &[".rs", ".sh", ".toml"], |_, text| {
        text.lines().find(|line| line.contains(&later)).map(str::to_owned)
    });
}

/// Where a door may stand open: the network, the clock, and those who show a secret to whom it was made for. The demo plays
/// both far sides itself.
const DOORS: [&str; 6] = ["upstream/dial", "clock.rs", "inject/", "credential/", "endpoint/auth", "cli/demo"];

#[test]
fn doors_stand_where_the_architecture_puts_them() {
    check("sockets, clock and secrets have one door each", &["proxy/src/"], &[".rs"], |path, text| {
        let opened = text.contains("(clippy::disallowed_methods") && !is_test(path);
        let door = path.strip_prefix(root().join("proxy/src")).ok()?.display().to_string();
        (opened && !DOORS.iter().any(|known| door.starts_with(known)))
            .then(|| "opens a door of its own".to_owned())
    });
}

#[test]
fn configurations_in_the_repository_load() {
    check("examples are right", &["config/examples/", "deploy/demo/"], &[".yaml"], |path, text| {
        let draft = claviger_config::parse(&Source::new(path.display().to_string(), text), &|_| {
            Some("/a-value".to_owned())
        });
        draft.findings.has_errors().then(|| draft.findings.to_json().to_string())
    });
}

#[test]
fn banned_words_are_found_in_names() {
    assert_eq!(words("LeaseManager"), ["Lease", "Manager"]);
    assert_eq!(words("Database"), ["Database"]);
}
