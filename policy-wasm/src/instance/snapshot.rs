//! The state of an instance once it has started and read its data: taken once, and what every other begins with.
//!
//! The memory becomes the content of a module that has nothing else. The engine maps it copy-on-write, so that an
//! instance costs no more than the pages it writes to, and compiles it in no time, so that new data compiles no code.

use std::sync::Arc;

use wasm_encoder::{ConstExpr, DataSection, ExportKind, ExportSection, MemorySection, MemoryType};
use wasmtime::{Instance as Module, Memory, Store, Val};

use super::{Host, Instance, host};
use crate::engine::Engine;
use crate::error::{EvalError, LoadError};
use crate::policy::{InputMode, Program};
use crate::rewrite;

/// The unit in which zeros are left out.
const PAGE_BYTES: usize = 4096;
const MEMORY: &str = "memory";

/// Memory, globals and what the host put where.
pub(crate) struct Snapshot {
    image: wasmtime::Module,
    globals: Vec<(String, Scalar)>,
    pub(super) data_address: u32,
    pub(super) heap_start: u32,
    pub(super) ground: Option<u32>,
}

/// What a global of OPA's modules holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalar {
    Narrow(i32),
    Wide(i64),
}

impl Snapshot {
    /// The snapshot of a program that has none yet; `None` where an instance made of it differs from one that started by
    /// itself.
    ///
    /// # Errors
    /// Why the program does not start.
    pub(crate) fn of(program: &Program) -> Result<Option<Snapshot>, LoadError> {
        let mut started = Instance::new(program, Arc::default(), InputMode::Host)?;
        let Some(snapshot) = Snapshot::take(&mut started) else { return Ok(None) };
        let agreed = snapshot.is_of(program, &mut started).unwrap_or(false);
        Ok(agreed.then_some(snapshot))
    }

    fn take(instance: &mut Instance) -> Option<Snapshot> {
        let engine = Engine::shared().ok()?;
        let image = image(instance.memory, &instance.store)?;
        Some(Snapshot {
            image: wasmtime::Module::from_binary(&engine.wasm, &image).ok()?,
            globals: globals(instance.module, &mut instance.store)?,
            data_address: instance.data_address,
            heap_start: instance.heap_start,
            ground: instance.ground.as_ref().map(super::Ground::start),
        })
    }

    /// Whether memory and globals of an instance made of this are those of the one that it was taken from.
    fn is_of(&self, program: &Program, started: &mut Instance) -> Result<bool, LoadError> {
        let mut store = super::store(Engine::shared()?, program, Arc::default());
        let module = self.resume(program, &mut store)?;
        let memory = module.get_memory(&mut store, MEMORY);
        let same_memory =
            memory.is_some_and(|memory| memory.data(&store) == started.memory.data(&started.store));
        let expected = globals(started.module, &mut started.store);
        Ok(same_memory && expected.is_some() && globals(module, &mut store) == expected)
    }

    /// An instance in this state.
    pub(super) fn resume(&self, program: &Program, store: &mut Store<Host>) -> Result<Module, LoadError> {
        let image = Module::new(&mut *store, &self.image, &[]).map_err(unmade)?;
        let memory =
            image.get_memory(&mut *store, MEMORY).ok_or(LoadError::MissingExport { name: MEMORY })?;
        let provided = super::provided(program, store, |_, _| Ok(memory))?;
        let module = Module::new(&mut *store, program.module(), &provided).map_err(unmade)?;
        for (name, value) in &self.globals {
            let global = module.get_global(&mut *store, name);
            let global = global.ok_or(LoadError::MissingExport { name: "a global" })?;
            global.set(&mut *store, value.into()).map_err(unmade)?;
        }
        Ok(module)
    }
}

fn unmade(error: wasmtime::Error) -> LoadError {
    LoadError::Setup(host::stopped(error))
}

impl From<&Scalar> for Val {
    fn from(scalar: &Scalar) -> Val {
        match *scalar {
            Scalar::Narrow(value) => Val::I32(value),
            Scalar::Wide(value) => Val::I64(value),
        }
    }
}

fn globals(module: Module, store: &mut Store<Host>) -> Option<Vec<(String, Scalar)>> {
    let state = |export: wasmtime::Export<'_>| {
        let name = export.name().to_owned();
        export.into_global().filter(|_| rewrite::is_state(&name)).map(|global| (name, global))
    };
    let globals: Vec<_> = module.exports(&mut *store).filter_map(state).collect();
    let read = |(name, global): (String, wasmtime::Global)| {
        let value = global.get(&mut *store);
        let scalar = value.i32().map(Scalar::Narrow).or(value.i64().map(Scalar::Wide));
        scalar.map(|scalar| (name, scalar))
    };
    globals.into_iter().map(read).collect()
}

/// A module that has this memory and nothing else.
fn image(memory: Memory, store: &Store<Host>) -> Option<Vec<u8>> {
    let shape = memory.ty(store);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: memory.size(store),
        maximum: shape.maximum(),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export(MEMORY, ExportKind::Memory, 0);
    let mut data = DataSection::new();
    for (address, bytes) in runs(memory.data(store)) {
        let address = u32::try_from(address).ok()?.cast_signed();
        data.active(0, &ConstExpr::i32_const(address), bytes.iter().copied());
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&memories).section(&exports).section(&data);
    Some(module.finish())
}

/// The runs of pages that are not all zeros, with their addresses.
fn runs(memory: &[u8]) -> Vec<(usize, &[u8])> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (page, bytes) in memory.chunks(PAGE_BYTES).enumerate() {
        if bytes.iter().all(|&byte| byte == 0) {
            continue;
        }
        let start = page * PAGE_BYTES;
        match runs.last_mut() {
            Some((_, end)) if *end == start => *end += bytes.len(),
            Some(_) | None => runs.push((start, start + bytes.len())),
        }
    }
    runs.into_iter().map(|(start, end)| (start, &memory[start..end])).collect()
}

/// Calls what was the start function of a rewritten module; any other has started by itself.
pub(super) fn start(program: &Program, module: Module, store: &mut Store<Host>) -> Result<(), EvalError> {
    match program.segments() {
        Some(_) => match module.get_typed_func::<(), ()>(&mut *store, rewrite::start_export()) {
            Ok(start) => start.call(&mut *store, ()).map_err(host::stopped),
            Err(_) => Ok(()),
        },
        None => Ok(()),
    }
}
