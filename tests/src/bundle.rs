//! Compiles Rego with the real `opa`, once for each distinct text.

use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::tool;

/// The entrypoint of every policy here.
pub const ENTRYPOINT: &str = "claviger/authz/decision";
/// The revision that every compiled bundle carries.
pub const REVISION: &str = "r1";
/// A policy that permits everything.
pub const ALLOW: &str = "package claviger.authz\n\ndecision := {\"allow\": true}\n";

/// The bundle of one policy, compiled now or by an earlier test.
pub fn compile(rego: &str) -> PathBuf {
    compile_with(rego, "{}", REVISION)
}

/// The same with a data document and a revision.
pub fn compile_with(rego: &str, data: &str, revision: &str) -> PathBuf {
    compile_modules(&[rego], &[ENTRYPOINT], data, revision)
}

/// The same with several modules and entrypoints.
pub fn compile_modules(modules: &[&str], entrypoints: &[&str], data: &str, revision: &str) -> PathBuf {
    let folder = tool::target().join("test-bundles");
    let name = Sha256::digest([modules, entrypoints, &[data, revision]].concat().join("\0"));
    let bundle = folder.join(format!("{}.tar.gz", hex::encode(name)));
    if !bundle.exists() {
        std::fs::create_dir_all(&folder).expect("the target folder is writable");
        let work = tempfile::tempdir_in(&folder).expect("the target folder is writable");
        let (source, output) = (work.path().join("source"), work.path().join("bundle.tar.gz"));
        std::fs::create_dir(&source).expect("a fresh folder");
        for (number, rego) in modules.iter().enumerate() {
            std::fs::write(source.join(format!("policy{number}.rego")), rego).expect("a fresh folder");
        }
        std::fs::write(source.join("data.json"), data).expect("a fresh folder");
        let mut opa = Command::new(tool::path("opa"));
        opa.args(["build", "-t", "wasm", "-r", revision]);
        opa.args(entrypoints.iter().flat_map(|entrypoint| ["-e", entrypoint]));
        opa.arg("-o").arg(&output).arg("-b").arg(&source);
        let done = opa.output().expect("opa runs");
        assert!(done.status.success(), "opa build: {}", String::from_utf8_lossy(&done.stderr));
        // atomic, so that a test beside this one sees a whole bundle or none
        std::fs::rename(output, &bundle).expect("one file system");
    }
    bundle
}
