//! What the README shows works as shown.

use std::process::Command;

use claviger_tests::tool;

/// Text between `before` and the next fence.
fn fenced<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

/// Every variable that a configuration mentions, as `${NAME}`, `${NAME:-…}` or `{ env: NAME }`.
fn variables(config: &str) -> Vec<&str> {
    let after = |mark: &'static str| {
        config.split(mark).skip(1).map(|rest| rest.trim_start()).map(|rest| {
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
    };
    after("${").chain(after("env:")).collect()
}

#[test]
fn examples_of_the_readme_pass_check() {
    let readme = std::fs::read_to_string(tool::root().join("README.md")).expect("there is a README.md");
    let configs: Vec<_> =
        fenced(&readme, "```yaml\n").into_iter().filter(|block| block.contains("version: 1")).collect();
    assert!(!configs.is_empty(), "the README shows no configuration");
    for config in configs {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), config).unwrap();
        let mut command = Command::new(tool::claviger());
        command.current_dir(tool::root()).arg("check").arg("-c").arg(file.path());
        command.envs(variables(config).into_iter().map(|name| (name, "a-value")));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{config}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn demo_shows_every_step() {
    let mut command = Command::new(tool::claviger());
    let output = command.args(["demo", "--once", "--format", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let steps: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for (at, step) in
        ["allowed", "denied", "injected", "rotated", "revoked", "audited"].into_iter().enumerate()
    {
        assert_eq!((&steps[at]["step"], &steps[at]["ok"]), (&step.into(), &true.into()), "{steps}");
    }
}
