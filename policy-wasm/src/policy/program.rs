//! A compiled module with everything that its instances share.

use std::path::Path;

use wasmtime::Module;

use crate::artifact::Store;
use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::instance::{HostLinker, linker};
use crate::limits::Limits;
use crate::redirect::redirect;

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
        let module = match redirect(bundle.module()) {
            Some(wasm) => compiled(engine, &wasm, store.as_ref())
                .or_else(|_| compiled(engine, bundle.module(), store.as_ref()))?,
            None => compiled(engine, bundle.module(), store.as_ref())?,
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

/// The machine code, from the folder or anew.
fn compiled(engine: &Engine, wasm: &[u8], store: Option<&Store>) -> Result<Module, LoadError> {
    match store.and_then(|store| store.load(&engine.wasm, wasm)) {
        Some(module) => Ok(module),
        None => compile(engine, wasm, store),
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
