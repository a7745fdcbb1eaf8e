//! The bundle that a command is about: read, and loaded as serving would load it.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use claviger_policy::{Bundle, Dialect, Limits, LoadError, Policy, shipped};
use serde::Deserialize;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::cli::{USAGE, fail};
use crate::reload::compiler::read_file;

/// What the configuration has by default.
const EVAL_TIMEOUT: &str = "5ms";
const MEMORY_MAX: &str = "64MiB";

/// Which entrypoint of which bundle, and within which bounds.
#[derive(Args)]
pub(super) struct SubjectArgs {
    /// A bundle of `opa build -t wasm`, or a bare policy.wasm
    #[arg(value_name = "BUNDLE")]
    pub(super) bundle: PathBuf,
    #[command(flatten)]
    pub(super) manner: MannerArgs,
}

/// How a bundle is evaluated.
#[derive(Args)]
pub(super) struct MannerArgs {
    /// What is evaluated; by default claviger/authz/decision, or the bundle's only entrypoint
    #[arg(short, long, value_name = "ENTRYPOINT")]
    pub(super) entrypoint: Option<String>,
    /// How the policy is asked and answers: `policy.input` of the configuration
    #[arg(long, value_enum, value_name = "INPUT")]
    pub(super) dialect: Option<DialectWord>,
    /// CPU time of one evaluation
    #[arg(long, value_name = "DURATION", default_value = EVAL_TIMEOUT, value_parser = duration)]
    eval_timeout: Duration,
    /// Memory of one instance
    #[arg(long, value_name = "SIZE", default_value = MEMORY_MAX, value_parser = size)]
    memory_max: usize,
}

/// A dialect in the words of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DialectWord {
    /// Claviger's own input and decision
    Mediation,
    /// The document and the result of OPA's Envoy plugin
    #[value(name = "ext_authz")]
    ExtAuthz,
}

impl From<DialectWord> for Dialect {
    fn from(word: DialectWord) -> Self {
        match word {
            DialectWord::Mediation => Self::Mediation,
            DialectWord::ExtAuthz => Self::ExtAuthz,
        }
    }
}

impl SubjectArgs {
    /// Reads, compiles and checks the bundle, or says what is wrong with it and gives the exit code.
    pub(super) fn load(&self) -> Result<Arc<Policy>, ExitCode> {
        let bundle = open(&self.bundle)?;
        self.manner.load(&self.bundle, &bundle, Wish::default())
    }
}

/// What a file asks for where the command line does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wish<'a> {
    pub(super) entrypoint: Option<&'a str>,
    pub(super) dialect: Option<DialectWord>,
}

impl MannerArgs {
    /// The bounds.
    pub(super) fn limits(&self) -> Limits {
        Limits::new(self.eval_timeout, self.memory_max)
    }

    /// Compiles and checks a bundle that was read from `path`.
    pub(super) fn load(&self, path: &Path, bundle: &Bundle, wish: Wish<'_>) -> Result<Arc<Policy>, ExitCode> {
        let wanted = self.entrypoint.as_deref().or(wish.entrypoint);
        let dialect = self.dialect.or(wish.dialect).unwrap_or(DialectWord::Mediation);
        let loaded = match Policy::load(bundle, wanted.unwrap_or(shipped::ENTRYPOINT), self.limits()) {
            Err(LoadError::NoEntrypoint { offered, .. }) if wanted.is_none() && offered.len() == 1 => {
                Policy::load(bundle, &offered[0], self.limits())
            }
            loaded => loaded,
        };
        loaded.map(|policy| Arc::new(policy.in_dialect(dialect.into()))).map_err(|error| {
            // an entrypoint is the command line's, all else the bundle's
            let code = if matches!(error, LoadError::NoEntrypoint { .. }) { USAGE } else { 1 };
            fail(code, &format!("{}: {error}", path.display()))
        })
    }
}

/// Reads a bundle, or says what is wrong with it and gives the exit code.
pub(super) fn open(path: &Path) -> Result<Bundle, ExitCode> {
    let refuse = |why: String| fail(USAGE, &format!("{}: {why}", path.display()));
    let bytes = read_file(path).map_err(|error| refuse(error.to_string()))?;
    Bundle::read(&bytes).map_err(|error| refuse(error.to_string()))
}

/// Reads an input document, `-` from standard input, at most one byte more than a policy may be given.
pub(super) fn read_input(path: &Path, limits: Limits) -> Result<Vec<u8>, ExitCode> {
    let bytes_max = limits.input_bytes_max as u64 + 1;
    let mut bytes = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => stdin().lock().take(bytes_max).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(bytes_max).read_to_end(&mut bytes)),
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(fail(USAGE, &format!("{}: {error}", path.display()))),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parsed::<claviger_config::Duration>(text).map(claviger_config::Duration::as_std)
}

fn size(text: &str) -> Result<usize, String> {
    parsed::<claviger_config::Size>(text).map(claviger_config::Size::bytes)
}

/// A value in the notation of the configuration.
pub(super) fn parsed<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, String> {
    T::deserialize(StrDeserializer::<ValueError>::new(text)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_the_notation_of_the_configuration() {
        assert_eq!(duration("5ms"), Ok(Duration::from_millis(5)));
        assert_eq!(size("64MiB"), Ok(64 << 20));
        for wrong in ["", "5", "0ms", "five"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(size("64").is_err());
    }
}
