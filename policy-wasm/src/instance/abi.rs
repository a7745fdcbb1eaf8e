//! The exports of OPA's ABI, typed once.

use wasmtime::{Instance, Memory, Store, TypedFunc, Val, WasmParams, WasmResults};

use super::Host;
use crate::error::LoadError;

const MAJOR: i32 = 1;
const MINORS: [i32; 2] = [2, 3];

/// Arguments of `opa_eval`: reserved, entrypoint, data, input, input length, heap, format.
type EvalArguments = (i32, i32, i32, i32, i32, i32, i32);

/// What the host calls.
pub(super) struct Abi {
    pub(super) version: (i32, i32),
    pub(super) eval: TypedFunc<EvalArguments, i32>,
    pub(super) malloc: TypedFunc<i32, i32>,
    pub(super) value_parse: TypedFunc<(i32, i32), i32>,
    pub(super) json_dump: TypedFunc<i32, i32>,
    pub(super) heap_ptr_get: TypedFunc<(), i32>,
    pub(super) entrypoints: TypedFunc<(), i32>,
    pub(super) builtins: TypedFunc<(), i32>,
    pub(super) value_dump: TypedFunc<i32, i32>,
}

/// What the host calls where it builds the input itself. Not every module has to have it.
pub(super) struct HostAbi {
    pub(super) eval: TypedFunc<i32, i32>,
    pub(super) heap_ptr_set: TypedFunc<i32, ()>,
    pub(super) context_new: TypedFunc<(), i32>,
    pub(super) context_set_input: TypedFunc<(i32, i32), ()>,
    pub(super) context_set_data: TypedFunc<(i32, i32), ()>,
    pub(super) context_set_entrypoint: TypedFunc<(i32, i32), ()>,
    pub(super) context_get_result: TypedFunc<i32, i32>,
}

impl HostAbi {
    pub(super) fn of(module: &Instance, store: &mut Store<Host>) -> Result<HostAbi, LoadError> {
        Ok(HostAbi {
            eval: export(module, store, "eval")?,
            heap_ptr_set: export(module, store, "opa_heap_ptr_set")?,
            context_new: export(module, store, "opa_eval_ctx_new")?,
            context_set_input: export(module, store, "opa_eval_ctx_set_input")?,
            context_set_data: export(module, store, "opa_eval_ctx_set_data")?,
            context_set_entrypoint: export(module, store, "opa_eval_ctx_set_entrypoint")?,
            context_get_result: export(module, store, "opa_eval_ctx_get_result")?,
        })
    }
}

/// What a builtin needs to carry values across.
pub(super) struct Border {
    pub(super) memory: Memory,
    pub(super) malloc: TypedFunc<i32, i32>,
    pub(super) value_parse: TypedFunc<(i32, i32), i32>,
    pub(super) value_dump: TypedFunc<i32, i32>,
    /// Whether values cross as they stand in memory.
    pub(super) by_memory: bool,
}

impl Abi {
    pub(super) fn of(module: &Instance, store: &mut Store<Host>) -> Result<Abi, LoadError> {
        Ok(Abi {
            version: checked_version(module, store)?,
            eval: export(module, store, "opa_eval")?,
            malloc: export(module, store, "opa_malloc")?,
            value_parse: export(module, store, "opa_value_parse")?,
            json_dump: export(module, store, "opa_json_dump")?,
            heap_ptr_get: export(module, store, "opa_heap_ptr_get")?,
            entrypoints: export(module, store, "entrypoints")?,
            builtins: export(module, store, "builtins")?,
            value_dump: export(module, store, "opa_value_dump")?,
        })
    }

    pub(super) fn border(&self, memory: Memory, by_memory: bool) -> Border {
        Border {
            memory,
            malloc: self.malloc.clone(),
            value_parse: self.value_parse.clone(),
            value_dump: self.value_dump.clone(),
            by_memory,
        }
    }
}

fn checked_version(module: &Instance, store: &mut Store<Host>) -> Result<(i32, i32), LoadError> {
    let major = version(module, store, "opa_wasm_abi_version")?;
    let minor = version(module, store, "opa_wasm_abi_minor_version")?;
    match major == MAJOR && MINORS.contains(&minor) {
        true => Ok((major, minor)),
        false => Err(LoadError::WrongAbi { major, minor }),
    }
}

fn version(module: &Instance, store: &mut Store<Host>, name: &'static str) -> Result<i32, LoadError> {
    let global = module.get_global(&mut *store, name).map(|global| global.get(&mut *store));
    global.as_ref().and_then(Val::i32).ok_or(LoadError::MissingExport { name })
}

fn export<P: WasmParams, R: WasmResults>(
    module: &Instance,
    store: &mut Store<Host>,
    name: &'static str,
) -> Result<TypedFunc<P, R>, LoadError> {
    module.get_typed_func(store, name).map_err(|_| LoadError::MissingExport { name })
}
