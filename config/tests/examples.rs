//! Every example is a configuration, and the schema knows every key that it has.

use std::path::{Path, PathBuf};

use claviger_config::{Source, Style, parse};

fn examples() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = dir.read_dir().expect("the examples").map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect()
}

fn env(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/home/me".to_owned())
}

#[test]
fn every_example_loads_without_a_word() {
    let examples = examples();
    assert!(examples.len() >= 3);
    for path in examples {
        let source = Source::read(&path).expect("readable");
        let draft = parse(&source, &env);
        assert!(draft.findings.is_empty(), "{}", draft.findings.render(&source, Style::Plain));
        assert!(draft.config.is_some());
    }
}
