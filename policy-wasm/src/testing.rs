//! What the tests share: OPA where it is installed, and modules written by hand for what OPA would never compile.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::{Bundle, Evaluator, Limits, LoadError, Policy};

/// Generous: tests of other things must not fail on a slow machine.
pub(crate) const LIMITS: Limits = Limits {
    eval_time_max: Duration::from_secs(2),
    memory_bytes_max: 32 * 1024 * 1024,
    input_bytes_max: 1024 * 1024,
    result_bytes_max: 256 * 1024,
};

pub(crate) const ENTRYPOINT: &str = "claviger/authz/decision";

/// The `opa` binary, or `None` after saying that the test is skipped.
pub(crate) fn opa() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin/opa");
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::var_os("OPA").map(PathBuf::from);
    let found =
        named.into_iter().chain([beside]).chain(std::env::split_paths(&paths).map(|path| path.join("opa")));
    let found = found.into_iter().find(|path| path.is_file());
    let required = std::env::var_os("CLAVIGER_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(found.is_some() || !required, "opa not found");
    if found.is_none() {
        println!("skipped: opa not found");
    }
    found
}

/// Compiles a policy with its data.
pub(crate) fn compile(opa: &Path, rego: &str, data: &str) -> Bundle {
    Bundle::read(&compiled(opa, rego, data)).expect("opa writes bundles")
}

/// The same as the bytes that OPA wrote.
pub(crate) fn compiled(opa: &Path, rego: &str, data: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("scratch is writable");
    write("policy.rego", rego);
    write("data.json", data);
    let bundle = folder.path().join("bundle.tar.gz");
    let done = Command::new(opa)
        .args(["build", "-t", "wasm", "-e", ENTRYPOINT, "-r", "r1", "-o"])
        .args([&bundle, &folder.path().join("policy.rego"), &folder.path().join("data.json")])
        .output()
        .expect("opa starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(&bundle).expect("opa wrote a bundle")
}

/// An evaluator for a policy whose `decision` is this expression.
pub(crate) fn deciding(opa: &Path, expression: &str) -> Evaluator {
    let rego = format!("package claviger.authz\n\nimport rego.v1\n\ndecision := {expression}\n");
    let policy = Policy::load(&compile(opa, &rego, "{}"), ENTRYPOINT, LIMITS);
    Evaluator::new(Arc::new(policy.unwrap_or_else(|error| panic!("{expression}: {error}"))))
}

/// A module of OPA's shape in which a test replaces what it wants to break.
#[derive(Clone)]
pub(crate) struct Module {
    /// The memory and further imports.
    pub(crate) imports: &'static str,
    /// The ABI's minor version.
    pub(crate) minor: i32,
    /// The table of entrypoints, at address 16.
    pub(crate) entrypoints: &'static str,
    /// The table of builtins, at address 512.
    pub(crate) builtins: &'static str,
    /// The body of `opa_eval`, whose fourth parameter is the input's address.
    pub(crate) eval: &'static str,
    /// Further definitions.
    pub(crate) more: &'static str,
    /// The name that `opa_malloc` is exported by.
    pub(crate) malloc: &'static str,
}

/// Permits everything: the result stands at 1024.
pub(crate) const PERMISSIVE: Module = Module {
    imports: r#"(import "env" "memory" (memory 2))"#,
    minor: 3,
    entrypoints: r#"{\"claviger/authz/decision\": 0}"#,
    builtins: "{}",
    eval: "(i32.const 1024)",
    more: "",
    malloc: "opa_malloc",
};

impl Module {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes_but(&[])
    }

    /// The same, but for some parts of its text.
    pub(crate) fn bytes_but(&self, changes: &[(&str, &str)]) -> Vec<u8> {
        let Module { imports, minor, entrypoints, builtins, eval, more, malloc } = self;
        let text = format!(
            r#"(module
              {imports}
              (import "env" "opa_abort" (func $abort (param i32)))
              (import "env" "opa_builtin0" (func $builtin0 (param i32 i32) (result i32)))
              (import "env" "opa_builtin1" (func $builtin1 (param i32 i32 i32) (result i32)))
              (global (export "opa_wasm_abi_version") i32 (i32.const 1))
              (global (export "opa_wasm_abi_minor_version") i32 (i32.const {minor}))
              (global $heap (mut i32) (i32.const 8192))
              (data (i32.const 16) "{entrypoints}\00")
              (data (i32.const 512) "{builtins}\00")
              (data (i32.const 1024) "[{{\"result\": true}}]\00")
              (data (i32.const 1100) "[{{\"result\": \"no\"}}]\00")
              (data (i32.const 1200) "boom\00")
              (data (i32.const 1300) "[[\00")
              (func (export "{malloc}") (param i32) (result i32)
                (global.get $heap)
                (global.set $heap (i32.add (global.get $heap) (local.get 0))))
              (func (export "opa_value_parse") (param i32 i32) (result i32) (local.get 0))
              (func (export "opa_value_dump") (param i32) (result i32) (local.get 0))
              (func (export "opa_json_dump") (param i32) (result i32) (local.get 0))
              (func (export "opa_heap_ptr_get") (result i32) (global.get $heap))
              (func (export "entrypoints") (result i32) (i32.const 16))
              (func (export "builtins") (result i32) (i32.const 512))
              (func $eval (export "opa_eval") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
                (local $i i32)
                {eval})
              {more})"#
        );
        let memory = if imports.contains("memory") { r#"(export "memory" (memory 0))"# } else { "" };
        let text = text.replacen("(global $heap", &format!("{memory}\n(global $heap"), 1);
        let text = changes.iter().fold(text, |text, (old, new)| {
            assert!(text.contains(old), "{old:?} is not in the module");
            text.replacen(old, new, 1)
        });
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    pub(crate) fn load(&self, limits: Limits) -> Result<Policy, LoadError> {
        let bundle = Bundle::read(&self.bytes()).expect("a bare module is a bundle");
        Policy::load(&bundle, ENTRYPOINT, limits)
    }
}
