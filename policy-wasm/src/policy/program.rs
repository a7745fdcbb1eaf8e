//! A compiled module with everything that its instances share.

use std::path::Path;
use std::sync::Arc;

use wasmtime::Module;

use crate::artifact::Store;
use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::instance::{HostLinker, Snapshot, linker};
use crate::limits::Limits;
use crate::redirect::redirect;
use crate::rewrite::{Segment, leaves_tables_alone, rewritten};

/// Machine code, imports, data and limits; and the state that instances begin with, where it could be taken.
#[derive(Clone)]
pub(crate) struct Program {
    module: Module,
    linker: HostLinker,
    data: String,
    limits: Limits,
    wasm_bytes: usize,
    /// What the module's data segments held, where the host writes them.
    segments: Option<Arc<[Segment]>>,
    snapshot: Option<Arc<Snapshot>>,
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
        let Runnable { module, segments } = runnable(engine, bundle.module(), store.as_ref())?;
        let linker = linker(&engine.wasm).map_err(|error| LoadError::Engine { cause: error.to_string() })?;
        let wasm_bytes = bundle.module_bytes();
        let program =
            Program { module, linker, data: bundle.data(), limits, wasm_bytes, segments, snapshot: None };
        program.with_snapshot()
    }

    /// Starts once, so that instances need not.
    fn with_snapshot(self) -> Result<Program, LoadError> {
        let snapshot = match &self.segments {
            Some(_) => Snapshot::of(&self)?,
            None => None,
        };
        if snapshot.is_none() {
            tracing::warn!(
                "this policy's module is not built as known: each of its instances starts by itself"
            );
        }
        Ok(Program { snapshot: snapshot.map(Arc::new), ..self })
    }

    /// What the host writes into a new memory before it calls the start function.
    pub(crate) fn segments(&self) -> Option<&[Segment]> {
        self.segments.as_deref()
    }

    /// The state that instances begin with.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref()
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

/// What is run in place of a bundle's module.
struct Runnable {
    module: Module,
    segments: Option<Arc<[Segment]>>,
}

/// Where a change does not fit the module, it is run without.
fn runnable(engine: &Engine, wasm: &[u8], store: Option<&Store>) -> Result<Runnable, LoadError> {
    let asking = redirect(wasm);
    if let Some(rewritten) = rewritten(asking.as_deref().unwrap_or(wasm))
        && let Ok(module) = compiled(engine, &rewritten.wasm, store, Demand::OnlyMemory)
    {
        return Ok(Runnable { module, segments: Some(rewritten.segments.into()) });
    }
    if let Some(asking) = asking
        && let Ok(module) = compiled(engine, &asking, store, Demand::None)
    {
        return Ok(Runnable { module, segments: None });
    }
    Ok(Runnable { module: compiled(engine, wasm, store, Demand::None)?, segments: None })
}

/// What a module must keep to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    None,
    /// All of its state is in its memory and its globals.
    OnlyMemory,
}

/// The machine code, from the folder or anew.
fn compiled(
    engine: &Engine,
    wasm: &[u8],
    store: Option<&Store>,
    demand: Demand,
) -> Result<Module, LoadError> {
    match store.and_then(|store| store.load(&engine.wasm, wasm)) {
        Some(module) => Ok(module),
        None => compile(engine, wasm, store, demand),
    }
}

fn compile(engine: &Engine, wasm: &[u8], store: Option<&Store>, demand: Demand) -> Result<Module, LoadError> {
    let module = engine.compiled.module(wasm, || {
        if demand == Demand::OnlyMemory && !leaves_tables_alone(wasm) {
            return Err(LoadError::NotWasm { cause: "it changes its tables".to_owned() });
        }
        Module::from_binary(&engine.wasm, wasm)
            .map_err(|error| LoadError::NotWasm { cause: error.to_string() })
    })?;
    if let Some(store) = store {
        store.keep(&engine.wasm, wasm, &module);
    }
    Ok(module)
}
