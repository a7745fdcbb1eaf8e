//! What a bundle holds and needs, for the people who write it: also of one that would be refused.

use std::sync::Arc;

use crate::builtins;
use crate::bundle::Bundle;
use crate::error::LoadError;
use crate::instance::Instance;
use crate::limits::Limits;
use crate::policy::{InputMode, Program};

/// What the module itself tells of its compiled form. Nothing is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// All entrypoints, sorted.
    pub entrypoints: Vec<String>,
    /// The builtins that the module leaves to the host, sorted by name.
    pub builtins: Vec<NeededBuiltin>,
    /// Major and minor version of OPA's ABI.
    pub abi: (i32, i32),
    /// The machine code made of the module.
    pub code_bytes: usize,
    /// The linear memory once data stands in it, before the first evaluation.
    pub memory_bytes: usize,
}

/// A builtin that a policy calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededBuiltin {
    /// Its name in Rego.
    pub name: String,
    /// Whether it can be called here.
    pub standing: Standing,
}

/// How the host stands to a builtin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Offered,
    /// It is refused on purpose, for this reason.
    Refused(&'static str),
    /// It is not there.
    Unknown,
}

impl Inspection {
    /// Compiles and sets up the module, and asks it. Builtins that a policy could not be loaded with are no error here.
    ///
    /// # Errors
    /// Why the module cannot be set up at all.
    pub fn of(bundle: &Bundle, limits: Limits) -> Result<Inspection, LoadError> {
        let program = Program::compile(bundle, limits, None)?;
        let code_bytes = program.module().text().len();
        let mut instance = Instance::new(&program, Arc::default(), InputMode::Json)?;
        let entrypoints = instance.entrypoints()?.into_iter().map(|(name, _)| name).collect();
        let needed = |(name, _): (String, i32)| NeededBuiltin { standing: builtins::standing(&name), name };
        Ok(Inspection {
            entrypoints,
            builtins: instance.builtins()?.into_iter().map(needed).collect(),
            abi: instance.abi_version(),
            code_bytes,
            memory_bytes: instance.memory_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ENTRYPOINT, LIMITS, PERMISSIVE};

    #[test]
    fn a_module_that_needs_refused_and_unknown_builtins_can_be_looked_at() {
        let mut module = PERMISSIVE.clone();
        module.builtins = r#"{\"http.send\": 0, \"no.such\": 1, \"semver.is_valid\": 2}"#;
        assert!(module.load(LIMITS).is_err());
        let bundle = Bundle::read(&module.bytes()).expect("a bare module is a bundle");
        let seen = Inspection::of(&bundle, LIMITS).expect("it can be set up");
        assert_eq!(seen.entrypoints, [ENTRYPOINT]);
        assert_eq!(seen.abi, (1, 3));
        assert!(seen.code_bytes > 0 && seen.memory_bytes >= 2 * 64 * 1024, "{seen:?}");
        let standings: Vec<_> =
            seen.builtins.iter().map(|needed| (needed.name.as_str(), needed.standing)).collect();
        assert!(matches!(standings[0], ("http.send", Standing::Refused(reason)) if !reason.is_empty()));
        assert_eq!(standings[1..], [("no.such", Standing::Unknown), ("semver.is_valid", Standing::Offered)]);
    }

    #[test]
    fn a_module_that_cannot_be_set_up_is_an_error() {
        let mut module = PERMISSIVE.clone();
        module.minor = 9;
        let bundle = Bundle::read(&module.bytes()).expect("a bare module is a bundle");
        assert!(matches!(Inspection::of(&bundle, LIMITS), Err(LoadError::WrongAbi { minor: 9, .. })));
    }
}
