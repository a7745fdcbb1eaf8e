//! The docker-compose demo, really started.

use std::process::Command;

use claviger_tests::tool::{self, skip};
use claviger_tests::{needs, slow};

/// The script's way to say that no container engine can run here.
const NO_ENGINE: i32 = 77;

#[test]
fn compose_demo_injects_a_secret_from_openbao() {
    needs!("docker", "dockerd", "docker-compose", "debootstrap", "bao", "opa");
    slow!();
    let output = Command::new(tool::root().join("tests/compose.sh"))
        .env("CLAVIGER_BIN", tool::claviger())
        .env("CLAVIGER_UPSTREAM", tool::target().join("echo-upstream"))
        .output()
        .expect("the script runs");
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    match output.status.code() {
        Some(0) => {}
        Some(NO_ENGINE) => skip(said.lines().last().unwrap_or("no container engine")),
        code => panic!("tests/compose.sh: {code:?}\n{said}"),
    }
}
