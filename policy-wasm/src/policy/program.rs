//! A compiled module with everything that its instances share.

use wasmtime::Module;

use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::instance::{HostLinker, linker};
use crate::limits::Limits;

/// Machine code, imports, data and limits.
pub(crate) struct Program {
    module: Module,
    linker: HostLinker,
    data: String,
    limits: Limits,
}

impl Program {
    pub(crate) fn compile(bundle: &Bundle, limits: Limits) -> Result<Program, LoadError> {
        let engine = Engine::shared()?;
        let module = Module::from_binary(&engine.wasm, bundle.module())
            .map_err(|error| LoadError::NotWasm { cause: error.to_string() })?;
        let linker = linker(&engine.wasm).map_err(|error| LoadError::Engine { cause: error.to_string() })?;
        Ok(Program { module, linker, data: bundle.data(), limits })
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

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}
