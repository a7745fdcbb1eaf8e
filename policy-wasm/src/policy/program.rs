//! A compiled module with everything that its instances share.

use std::path::Path;

use wasmtime::Module;

use crate::artifact::Store;
use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::instance::{HostLinker, linker};
use crate::limits::Limits;

/// Machine code, imports, data and limits.
#[derive(Clone)]
pub(crate) struct Program {
    module: Module,
    linker: HostLinker,
    data: String,
    limits: Limits,
    wasm_bytes: usize,
}

impl Program {
    /// Compiles, or takes the machine code from the folder where an earlier start kept it.
    pub(crate) fn compile(
        bundle: &Bundle,
        limits: Limits,
        artifacts: Option<&Path>,
    ) -> Result<Program, LoadError> {
        let engine = Engine::shared()?;
        let store = artifacts.and_then(Store::open);
        let kept = store.as_ref().and_then(|store| store.load(&engine.wasm, bundle.module()));
        let module = match kept {
            Some(module) => module,
            None => compile(engine, bundle.module(), store.as_ref())?,
        };
        let linker = linker(&engine.wasm).map_err(|error| LoadError::Engine { cause: error.to_string() })?;
        Ok(Program { module, linker, data: bundle.data(), limits, wasm_bytes: bundle.module_bytes() })
    }

    pub(crate) fn module(&self) -> &Module {
        &self.module
    }

    pub(crate) fn linker(&self) -> &HostLinker {
        &self.linker
    }

    pub(crate) fn data(&self) -> &str {
        &self.data
    }

    /// The size of what was compiled, and so more than what it writes into its memory at the start.
    pub(crate) fn wasm_bytes(&self) -> usize {
        self.wasm_bytes
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}

fn compile(engine: &Engine, wasm: &[u8], store: Option<&Store>) -> Result<Module, LoadError> {
    let module = engine.compiled.module(wasm, || Module::from_binary(&engine.wasm, wasm));
    let module = module.map_err(|error| LoadError::NotWasm { cause: error.to_string() })?;
    if let Some(store) = store {
        store.keep(&engine.wasm, wasm, &module);
    }
    Ok(module)
}
