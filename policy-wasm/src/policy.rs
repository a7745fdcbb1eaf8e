//! A bundle compiled and checked: whatever can be refused before the first request is refused here.

mod program;

use std::path::Path;
use std::sync::Arc;

use crate::builtins::Dispatch;
use crate::bundle::Bundle;
use crate::decision::Dialect;
use crate::error::{EvalError, LoadError};
use crate::instance::Instance;
use crate::limits::Limits;
pub(crate) use program::Program;

/// One generation of policy: the compiled module, its data, its entrypoint. Shared by the threads that evaluate it.
pub struct Policy {
    program: Program,
    builtins: Arc<Dispatch>,
    builtin_names: Vec<String>,
    entrypoint: Entrypoint,
    entrypoints: Vec<String>,
    entrypoint_ids: Vec<i32>,
    revision: String,
    digest: String,
    dialect: Dialect,
    body_bytes_max: Option<usize>,
    serial: Option<u64>,
    input_mode: InputMode,
}

/// How input gets to the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputMode {
    /// Built in its memory by the host.
    Host,
    /// As JSON, which the module parses: several times slower.
    Json,
}

impl InputMode {
    /// `host` or `json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            InputMode::Host => "host",
            InputMode::Json => "json",
        }
    }
}

struct Entrypoint {
    name: String,
    id: i32,
}

impl Policy {
    /// Compiles the bundle's module and tries it: imports, exports, ABI, data, entrypoint, builtins.
    ///
    /// Compiling takes a few hundred milliseconds of CPU time; call it off the request path.
    ///
    /// # Errors
    /// What is wrong with the module, by name.
    pub fn load(bundle: &Bundle, entrypoint: &str, limits: Limits) -> Result<Policy, LoadError> {
        Policy::load_cached(bundle, entrypoint, limits, None)
    }

    /// The same with a private folder in which machine code is kept from start to start, which makes loading some
    /// hundred times faster. A folder or file that others may touch is not used. A process of the same user could still
    /// put its code there: pass `None` where the workload runs as the sidecar's user.
    ///
    /// # Errors
    /// As [`Policy::load`]; a folder that cannot be used is none.
    pub fn load_cached(
        bundle: &Bundle,
        entrypoint: &str,
        limits: Limits,
        artifacts: Option<&Path>,
    ) -> Result<Policy, LoadError> {
        let program = Program::compile(bundle, limits, artifacts)?;
        let input_mode = input_mode(&program)?;
        let mut trial = Instance::new(&program, Arc::default(), input_mode)?;
        let offered = trial.entrypoints()?;
        if let Some(listed) = bundle.promised_entrypoints().find(|name| !offers(&offered, name)) {
            return Err(LoadError::PromisedEntrypoint { listed: listed.to_owned() });
        }
        let called = trial.builtins()?;
        let builtin_names = called.iter().map(|(name, _)| name.clone()).collect();
        Ok(Policy {
            program,
            builtins: Arc::new(Dispatch::of(called)?),
            builtin_names,
            entrypoint: choose(entrypoint, &offered)?,
            entrypoint_ids: offered.iter().map(|(_, id)| *id).collect(),
            entrypoints: offered.into_iter().map(|(name, _)| name).collect(),
            revision: bundle.revision().to_owned(),
            digest: bundle.digest().to_owned(),
            dialect: Dialect::default(),
            body_bytes_max: bundle.body_bytes_max(),
            serial: bundle.serial(),
            input_mode,
        })
    }

    /// The same policy, asked and answering in another dialect.
    #[must_use]
    pub fn in_dialect(self, dialect: Dialect) -> Policy {
        Policy { dialect, ..self }
    }

    /// How it is asked and answers.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The manifest's revision, empty when there is none.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// `sha256:<hex>` of the bundle.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The entrypoint that is evaluated.
    #[must_use]
    pub fn entrypoint(&self) -> &str {
        &self.entrypoint.name
    }

    /// How much of a request's body it judges; `None` where it judges none of it.
    #[must_use]
    pub fn body_bytes_max(&self) -> Option<usize> {
        self.body_bytes_max
    }

    /// Its place in the order of the author's bundles, where they count them.
    #[must_use]
    pub fn serial(&self) -> Option<u64> {
        self.serial
    }

    /// All entrypoints that the module has, sorted.
    #[must_use]
    pub fn entrypoints(&self) -> &[String] {
        &self.entrypoints
    }

    /// The builtins that the module leaves to the host, sorted.
    #[must_use]
    pub fn builtins(&self) -> &[String] {
        &self.builtin_names
    }

    /// How input gets to the module.
    #[must_use]
    pub fn input_mode(&self) -> InputMode {
        self.input_mode
    }

    /// The same policy, given its input as JSON even where the host could build it: for comparing the two.
    #[must_use]
    pub fn in_json(&self) -> Policy {
        Policy {
            program: self.program.clone(),
            builtins: Arc::clone(&self.builtins),
            builtin_names: self.builtin_names.clone(),
            entrypoint: Entrypoint { name: self.entrypoint.name.clone(), id: self.entrypoint.id },
            entrypoints: self.entrypoints.clone(),
            entrypoint_ids: self.entrypoint_ids.clone(),
            revision: self.revision.clone(),
            digest: self.digest.clone(),
            dialect: self.dialect,
            body_bytes_max: self.body_bytes_max,
            serial: self.serial,
            input_mode: InputMode::Json,
        }
    }

    /// Whether instances begin with a state that was taken when the policy was loaded, rather than start by themselves:
    /// that makes them several times cheaper.
    #[must_use]
    pub fn is_snapshotted(&self) -> bool {
        self.program.snapshot().is_some()
    }

    pub(crate) fn limits(&self) -> Limits {
        self.program.limits()
    }

    pub(crate) fn entrypoint_id(&self) -> i32 {
        self.entrypoint.id
    }

    /// The number of an entrypoint, if the module has it.
    pub(crate) fn entrypoint_named(&self, name: &str) -> Option<i32> {
        let place = self.entrypoints.iter().position(|offered| offered == name)?;
        Some(self.entrypoint_ids[place])
    }

    /// A fresh copy. The same module was set up once already, so what fails now is a matter of this moment.
    pub(crate) fn instantiate(&self) -> Result<Instance, EvalError> {
        Instance::new(&self.program, Arc::clone(&self.builtins), self.input_mode).map_err(|error| {
            if let LoadError::Setup(error) = error {
                error
            } else {
                EvalError::Trapped { cause: error.to_string() }
            }
        })
    }
}

/// Tries whether the module takes what the host builds. One that cannot even be asked shows its fault in the next step.
fn input_mode(program: &Program) -> Result<InputMode, LoadError> {
    let mut trial = Instance::new(program, Arc::default(), InputMode::Host)?;
    match trial.understands_built_values() {
        Ok(true) => Ok(InputMode::Host),
        Ok(false) | Err(_) => {
            tracing::warn!(
                "this policy's module is not laid out as known: its input goes to it as JSON, which is slower"
            );
            Ok(InputMode::Json)
        }
    }
}

fn offers(offered: &[(String, i32)], wanted: &str) -> bool {
    offered.iter().any(|(name, _)| name == wanted)
}

fn choose(wanted: &str, offered: &[(String, i32)]) -> Result<Entrypoint, LoadError> {
    match offered.iter().find(|(name, _)| name == wanted) {
        Some((name, id)) => Ok(Entrypoint { name: name.clone(), id: *id }),
        None => Err(LoadError::NoEntrypoint {
            wanted: wanted.to_owned(),
            offered: offered.iter().map(|(name, _)| name.clone()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests;
