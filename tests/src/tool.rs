//! Finds the programs that tests stand on, and skips a test by name where one cannot be had.
//!
//! A skip is a line `skipped: TEST: WHY` on standard error, past the capture of the test runner, so that `tests/run` can
//! list it; with `CLAVIGER_REQUIRE_TOOLS` set it is a failure.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Ends the test, by name, unless every tool named is installed.
#[macro_export]
macro_rules! needs {
    ($($name:literal),+ $(,)?) => {
        $(if $crate::tool::find($name).is_none() {
            $crate::tool::skip(concat!($name, " is not installed"));
            return;
        })+
    };
}

/// Ends the test, by name, when only the quick ones are wanted.
#[macro_export]
macro_rules! slow {
    () => {
        if $crate::tool::leave_out_slow() {
            return;
        }
    };
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository")
}

/// A program from `.tools/bin`, else from the system.
pub fn find(name: &str) -> Option<PathBuf> {
    let tools = std::env::var_os("CLAVIGER_TOOLS").map_or_else(|| root().join(".tools"), PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(tools.join("bin"))
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// A program that [`needs!`] has found before.
pub fn path(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| panic!("{name} is not installed: tests/tools.sh {name}"))
}

/// The binary under test: `CLAVIGER_BIN`, else the release binary beside this test.
pub fn claviger() -> PathBuf {
    let binary = std::env::var_os("CLAVIGER_BIN").map_or_else(|| target().join("claviger"), PathBuf::from);
    assert!(
        binary.is_file(),
        "no binary at {}: cargo build --release, or set CLAVIGER_BIN",
        binary.display()
    );
    binary
}

/// The folder `target/release` that this test was built into.
pub fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    test.ancestors().nth(2).expect("cargo puts tests into target/release/deps").to_path_buf()
}

/// The name of the running test, as the test runner names its thread.
pub fn test_name() -> String {
    std::thread::current().name().unwrap_or("test").replace("::", ".")
}

/// Says that this test does not run here, or fails where nothing may be skipped.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CLAVIGER_REQUIRE_TOOLS").is_none(), "nothing may be skipped here, but {why}");
    say(&format!("skipped: {}: {why}", test_name()));
}

/// Whether a slow test is to be left out; says so by its name.
pub fn leave_out_slow() -> bool {
    let quick = std::env::var_os("CLAVIGER_QUICK").is_some();
    if quick {
        say(&format!("left out: {}: slow", test_name()));
    }
    quick
}

/// Writes a line past the capture of the test runner, for `tests/run` and whoever looks on.
pub fn say(line: &str) {
    // a failed write to a closed terminal changes nothing about the test
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
