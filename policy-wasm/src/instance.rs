//! One live copy of a module, spoken to in OPA's ABI 1.2: data parsed once, the heap reset for every evaluation.
//!
//! Every address that comes back is checked against the memory before it is followed.

mod abi;
mod deadline;
mod host;
mod imports;
mod memory;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Instance as Module, Linker, Memory, MemoryType, Store};

use crate::builtins::Dispatch;
use crate::engine::{Engine, Pulse};
use crate::error::{EvalError, LoadError};
use crate::policy::Program;
use crate::trace::Trace;
use crate::value::Value;
use abi::Abi;
pub(crate) use host::Host;
pub(crate) use imports::linker;

/// Start function and data; tens of megabytes of data parse in a fraction of it.
const SETUP_TIME_MAX: Duration = Duration::from_secs(2);
const TABLE_TEXT_BYTES_MAX: usize = 1024 * 1024;
const HEAP_ALIGNMENT_BYTES: u32 = 8;
/// The result as JSON text; 1 would be OPA's own notation.
const FORMAT_JSON: i32 = 0;

/// A module's memory and functions, ready for [`Instance::evaluate`]. After any error it must be dropped: what a
/// stopped evaluation leaves in its memory is unknown.
pub(crate) struct Instance {
    store: Store<Host>,
    memory: Memory,
    abi: Abi,
    data_address: u32,
    heap_start: u32,
    pulse: Pulse,
}

/// What one evaluation is about.
pub(crate) struct Question<'a> {
    pub(crate) entrypoint: i32,
    pub(crate) input: &'a [u8],
    pub(crate) now_ns: i64,
}

impl Instance {
    /// Links, starts, checks the ABI and parses the data.
    pub(crate) fn new(program: &Program, builtins: Arc<Dispatch>) -> Result<Instance, LoadError> {
        let engine = Engine::shared()?;
        let mut store = Store::new(&engine.wasm, Host::new(program.limits(), builtins));
        store.limiter(|host| host);
        store.epoch_deadline_callback(|mut context| Ok(context.data_mut().deadline.extend()?));
        store.data_mut().deadline.arm(SETUP_TIME_MAX);
        store.set_epoch_deadline(1);
        let pulse = engine.ticker.enrol();
        let module = pulse.during(|| start(program, &mut store))?;
        let abi = Abi::of(&module, &mut store)?;
        let memory =
            module.get_memory(&mut store, "memory").ok_or(LoadError::MissingExport { name: "memory" })?;
        store.data_mut().border = Some(Arc::new(abi.border(memory)));
        let mut instance = Instance { store, memory, abi, data_address: 0, heap_start: 0, pulse };
        instance.parse_data(program.data())?;
        Ok(instance)
    }

    /// Runs the question's entrypoint and puts the result set into `result` as JSON text.
    pub(crate) fn evaluate(
        &mut self,
        question: &Question<'_>,
        trace: &mut Trace,
        result: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        self.store.data_mut().begin(question.now_ns, trace);
        let outcome = self.run(question, result);
        self.store.data_mut().end(trace);
        outcome
    }

    /// The entrypoints' names and numbers, as the module lists them.
    pub(crate) fn entrypoints(&mut self) -> Result<Vec<(String, i32)>, EvalError> {
        let table = self.abi.entrypoints.call(&mut self.store, ()).map_err(host::stopped)?;
        self.table(table)
    }

    /// The names and numbers of the builtins that the module calls.
    pub(crate) fn builtins(&mut self) -> Result<Vec<(String, i32)>, EvalError> {
        let table = self.abi.builtins.call(&mut self.store, ()).map_err(host::stopped)?;
        self.table(table)
    }

    /// Major and minor version of the ABI that it speaks.
    pub(crate) fn abi_version(&self) -> (i32, i32) {
        self.abi.version
    }

    /// The size of its memory at this moment.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    fn run(&mut self, question: &Question<'_>, result: &mut Vec<u8>) -> Result<(), EvalError> {
        let bytes_max = self.store.data().limits.input_bytes_max;
        let too_large = || EvalError::InputTooLarge { bytes_max };
        let length = u32::try_from(question.input.len()).map_err(|_| too_large())?;
        let heap = self.heap_start.checked_add(length).and_then(aligned).ok_or_else(too_large)?;
        memory::write(self.memory, &mut self.store, self.heap_start, question.input)?;
        let (time_max, result_bytes_max) = {
            let limits = &self.store.data().limits;
            (limits.eval_time_max, limits.result_bytes_max)
        };
        self.store.data_mut().deadline.arm(time_max);
        self.store.set_epoch_deadline(1);
        let [data, input, length, heap] =
            [self.data_address, self.heap_start, length, heap].map(u32::cast_signed);
        let arguments = (0, question.entrypoint, data, input, length, heap, FORMAT_JSON);
        let address =
            self.pulse.during(|| self.abi.eval.call(&mut self.store, arguments)).map_err(host::stopped)?;
        let text = memory::text(self.memory.data(&self.store), address.cast_unsigned(), result_bytes_max)
            .map_err(|fault| fault.of_result(result_bytes_max))?;
        result.clear();
        result.extend_from_slice(text);
        Ok(())
    }

    fn parse_data(&mut self, data: &str) -> Result<(), EvalError> {
        let store = &mut self.store;
        let (abi, pulse, memory) = (&self.abi, &self.pulse, self.memory);
        let text_bytes_max = store.data().limits.memory_bytes_max;
        let length =
            i32::try_from(data.len()).map_err(|_| EvalError::OutOfMemory { bytes_max: text_bytes_max })?;
        let heap = pulse.during(|| -> Result<i32, EvalError> {
            let text = abi.malloc.call(&mut *store, length).map_err(host::stopped)?;
            memory::write(memory, &mut *store, text.cast_unsigned(), data.as_bytes())?;
            let value = abi.value_parse.call(&mut *store, (text, length)).map_err(host::stopped)?;
            self.data_address = value.cast_unsigned();
            abi.heap_ptr_get.call(&mut *store, ()).map_err(host::stopped)
        })?;
        self.heap_start = aligned(heap.cast_unsigned()).ok_or_else(|| memory::Fault::OutOfBounds.breach())?;
        Ok(())
    }

    fn table(&mut self, address: i32) -> Result<Vec<(String, i32)>, EvalError> {
        let broken = || EvalError::Trapped { cause: "a table of the module is malformed".to_owned() };
        let text = self.abi.json_dump.call(&mut self.store, address).map_err(host::stopped)?;
        let text = memory::text(self.memory.data(&self.store), text.cast_unsigned(), TABLE_TEXT_BYTES_MAX)
            .map_err(|fault| fault.breach())?;
        let table = std::str::from_utf8(text).ok().and_then(|text| Value::parse(text).ok());
        let Some(Value::Object(fields)) = table else { return Err(broken()) };
        let row = |(name, id)| match (name, id) {
            (Value::String(name), Value::Number(id)) => Some((name, i32::try_from(id.as_i64()?).ok()?)),
            _ => None,
        };
        fields.into_iter().map(row).collect::<Option<_>>().ok_or_else(broken)
    }
}

/// Gives every import its counterpart and runs the start function.
fn start(program: &Program, store: &mut Store<Host>) -> Result<Module, LoadError> {
    let mut provided = Vec::new();
    for import in program.module().imports() {
        let found = match import.ty().memory() {
            Some(wanted) => host_memory(wanted, store)?.into(),
            None => program.linker().get_by_import(&mut *store, &import).ok_or_else(|| {
                LoadError::UnknownImport {
                    module: import.module().to_owned(),
                    name: import.name().to_owned(),
                }
            })?,
        };
        provided.push(found);
    }
    Module::new(&mut *store, program.module(), &provided)
        .map_err(|error| LoadError::Setup(host::stopped(error)))
}

/// OPA's modules import their memory, as large as they need to begin with and growing to our bound.
fn host_memory(wanted: &MemoryType, store: &mut Store<Host>) -> Result<Memory, LoadError> {
    let bytes_max = store.data().limits.memory_bytes_max as u64;
    let pages_max = bytes_max / wanted.page_size();
    if wanted.minimum() > pages_max {
        let bytes = wanted.minimum().saturating_mul(wanted.page_size());
        return Err(LoadError::MemoryTooLarge { bytes, bytes_max });
    }
    let pages_max = wanted.maximum().map_or(pages_max, |wanted_max| wanted_max.min(pages_max));
    let memory_type = u32::try_from(wanted.minimum()).ok().zip(u32::try_from(pages_max).ok());
    let (minimum, maximum) = memory_type.ok_or(LoadError::MemoryTooLarge { bytes: u64::MAX, bytes_max })?;
    Memory::new(store, MemoryType::new(minimum, Some(maximum)))
        .map_err(|error| LoadError::Setup(host::stopped(error)))
}

fn aligned(address: u32) -> Option<u32> {
    address.checked_next_multiple_of(HEAP_ALIGNMENT_BYTES)
}

/// The type of [`linker`]'s result.
pub(crate) type HostLinker = Linker<Host>;

#[cfg(test)]
mod tests;
