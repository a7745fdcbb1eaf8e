//! What docs/policies.md shows works as shown, from the empty file to the running sidecar.

use std::path::Path;
use std::process::{Command, Output};

use claviger_tests::client::Connection;
use claviger_tests::process::Process;
use claviger_tests::wait::{eventually, free_port};
use claviger_tests::{Case, needs, tool};

const SERVE: &str = "claviger serve";

/// The blocks of one language in the tutorial, in order.
fn blocks<'a>(tutorial: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    tutorial.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

fn tutorial() -> String {
    let page = std::fs::read_to_string(tool::root().join("docs/policies.md")).expect("it is there");
    let from = page.find("## From an empty file").expect("the tutorial has its heading");
    let to = page.find("## The author's tools").expect("the tools follow");
    page[from..to].to_owned()
}

/// A folder in which `opa` and `claviger` are what is tested.
fn tools(case: &Case) -> String {
    let folder = case.dir().join("tools");
    std::fs::create_dir(&folder).expect("a fresh folder");
    for (name, program) in [("opa", tool::path("opa")), ("claviger", tool::claviger())] {
        std::os::unix::fs::symlink(program, folder.join(name)).expect("a fresh folder");
    }
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default())
}

fn shell(script: &str, path: &str, folder: &Path) -> Output {
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(folder).env("PATH", path).env("CLAVIGER_LOG", "warn");
    command.output().expect("sh runs")
}

fn all_of(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn tutorial_works_as_written() {
    needs!("opa", "curl", "openssl");
    let case = Case::new();
    let path = tools(&case);
    let folder = case.dir().join("empty");
    std::fs::create_dir(&folder).unwrap();
    let (tutorial, port) = (tutorial(), free_port());
    let mut serving = None;
    let mut said = String::new();
    for block in blocks(&tutorial, "sh") {
        let block = block.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
        if block.starts_with(SERVE) {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("exec {block}")]).env("PATH", &path);
            serving = Some(Process::start(&mut command, &folder, "serve"));
            eventually("the sidecar listens", || Connection::tcp(port).ok());
            continue;
        }
        let output = shell(&block, &path, &folder);
        said += &all_of(&output);
        assert!(output.status.success(), "{block}\n{said}");
    }
    assert!(serving.is_some(), "the tutorial serves nothing");
    for shown in [
        "3 passed, 0 failed",
        "claviger/authz/decision",
        "\"code\":\"denied\"",
        "no rule allows this request",
        "2026-11-26.1",
        "signed by    prod (ES256)",
    ] {
        assert!(said.contains(shown), "{shown} is not in\n{said}");
    }
    assert!(
        said.contains("asked        3\ndiffer       0\n"),
        "the changed policy decides the table alike: {said}"
    );
    let unsigned = shell("mv changed.tar.gz bundle.tar.gz; claviger check -c claviger.yaml", &path, &folder);
    assert!(!unsigned.status.success() && all_of(&unsigned).contains("sign"), "{}", all_of(&unsigned));
}

#[test]
fn misspelt_paths_are_found_as_the_tutorial_shows() {
    needs!("opa");
    let case = Case::new();
    let path = tools(&case);
    let tutorial = tutorial();
    let [shown] = blocks(&tutorial, "text")[..] else { panic!("the tutorial shows one error") };
    let [write, check] = blocks(&tutorial, "sh")[..2] else { panic!("it begins with writing and checking") };
    let check = |from: &str, to: &str| {
        let folder = case.dir().join(case.name("typo"));
        std::fs::create_dir(&folder).unwrap();
        let written = write.replace(from, to);
        assert!(from.is_empty() || written != write, "{from} is not in the tutorial");
        let output = shell(&format!("{written}\n{check}"), &path, &folder);
        (output.status.success(), all_of(&output))
    };
    assert!(check("", "").0, "the tutorial's own policy is right");
    let (passed, said) = check("input.request.method", "input.request.metod");
    assert!(!passed && said.contains(shown), "{said}\ndoes not show\n{shown}");
    for typo in [
        "input.claimed.porpose == \"x\"",
        "input.credential.scope[0] == \"x\"",
        "input.workload.kubernetes.ns == \"x\"",
        "input.task.claim.x == 1",
        "input.request.segment[0] == \"x\"",
        "input.request.method.x == 1",
        "input.time.weekdy == \"x\"",
    ] {
        let (passed, said) = check("input.workload.uid == 1000", typo);
        assert!(!passed && said.contains("rego_type_error: undefined ref"), "{typo}: {said}");
    }
    for right in [
        "input.claimed.purpose == \"x\"",
        "input.credential.scopes[0] == \"x\"",
        "input.workload.kubernetes.namespace == input.workload.labels.anything",
        "input.task.claims.any.thing == 1",
        "input.request.headers[\"x-any\"][0] == input.request.query.any[0]",
        "input.request.body.any.thing > 1",
        "input.time.now_ns < 7",
    ] {
        let (passed, said) = check("input.workload.uid == 1000", right);
        assert!(passed, "{right}: {said}");
    }
}
