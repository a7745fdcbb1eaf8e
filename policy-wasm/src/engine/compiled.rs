//! The machine code of the last modules, so that a bundle whose data alone is newer compiles nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{Digest, SHA256, digest};
use wasmtime::Module;

/// The module that is active, the one before, and as many of a second bundle beside them.
const MODULES_MAX: usize = 4;

/// Modules by the digest of what they were compiled from, the latest used in front.
#[derive(Default)]
pub(crate) struct Compiled {
    modules: Mutex<VecDeque<(Digest, Module)>>,
}

impl Compiled {
    /// The module of `wasm`, compiled where it is not at hand.
    pub(crate) fn module<E>(
        &self,
        wasm: &[u8],
        compile: impl FnOnce() -> Result<Module, E>,
    ) -> Result<Module, E> {
        let digest = digest(&SHA256, wasm);
        if let Some(known) = self.take(&digest) {
            return Ok(self.put(digest, known));
        }
        // compiled without the lock: whoever else compiles the same meanwhile does so for nothing, and nobody waits
        compile().map(|module| self.put(digest, module))
    }

    fn take(&self, wanted: &Digest) -> Option<Module> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let at = modules.iter().position(|(digest, _)| digest.as_ref() == wanted.as_ref())?;
        modules.remove(at).map(|(_, module)| module)
    }

    fn put(&self, digest: Digest, module: Module) -> Module {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        modules.truncate(MODULES_MAX - 1);
        modules.push_front((digest, module.clone()));
        module
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;

    #[test]
    fn the_last_modules_are_compiled_once() {
        let engine = Engine::shared().expect("an engine");
        let compiled = Compiled::default();
        let wasm = |number: usize| {
            wat::parse_str(format!("(module (global i32 (i32.const {number})))")).expect("a module")
        };
        let check = |number: usize, expected: bool| {
            let (wasm, mut asked) = (wasm(number), false);
            let module = compiled.module(&wasm, || {
                asked = true;
                Module::new(&engine.wasm, &wasm)
            });
            assert!(module.is_ok());
            assert_eq!(asked, expected, "{number}");
        };
        check(0, true);
        check(0, false);
        (1..MODULES_MAX).for_each(|number| check(number, true));
        check(0, false);
        check(MODULES_MAX, true);
        check(1, true);
        check(0, false);
        let broken: Result<Module, &str> = compiled.module(b"broken", || Err("no"));
        assert!(broken.is_err());
        assert_eq!(compiled.modules.lock().expect("no panic").len(), MODULES_MAX);
    }
}
