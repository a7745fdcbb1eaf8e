//! One live copy of a module, spoken to in OPA's ABI 1.2: data parsed once, the heap reset for every evaluation. Input
//! is built in its memory where the module is known to take it that way, and given as JSON where it is not.
//!
//! Every address that comes back is checked against the memory before it is followed.

mod abi;
mod deadline;
mod host;
mod host_way;
mod imports;
mod json_way;
mod memory;
mod question;
mod snapshot;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Extern, Instance as Module, Linker, Memory, MemoryType, Store, TypedFunc};

use crate::builtins::Dispatch;
use crate::decision::only_result;
use crate::engine::{Engine, Pulse};
use crate::error::{EvalError, LoadError};
use crate::native::{self, Budget, Flaw, Scratch, Sets};
use crate::policy::{InputMode, Program};
use crate::trace::Trace;
use crate::value::Value;
use abi::{Abi, HostAbi};
pub(crate) use host::Host;
use host_way::Ground;
pub(crate) use imports::linker;
pub(crate) use question::{Document, Json, Nothing, Question, Serialised};
pub(crate) use snapshot::Snapshot;

/// Start function and data; tens of megabytes of data parse in a fraction of it.
const SETUP_TIME_MAX: Duration = Duration::from_secs(2);
const TABLE_TEXT_BYTES_MAX: usize = 1024 * 1024;
const HEAP_ALIGNMENT_BYTES: u32 = 8;
const RESULT_STEPS_MAX: usize = 128 * 1024;
const RESULT_DEPTH_MAX: usize = 128;

/// A module's memory and functions, ready for [`Instance::evaluate`]. After any error it must be dropped: what a
/// stopped evaluation leaves in its memory is unknown.
pub(crate) struct Instance {
    store: Store<Host>,
    module: Module,
    memory: Memory,
    abi: Abi,
    data_address: u32,
    heap_start: u32,
    pulse: Pulse,
    /// There where the host builds the input.
    ground: Option<Ground>,
    scratch: Scratch,
    /// Input as JSON, then the result in OPA's notation.
    text: Vec<u8>,
    answer: Answer,
}

/// Where the last evaluation's result set is.
enum Answer {
    /// There is none.
    Missing,
    /// In memory, at this address.
    Built(u32),
    /// In the instance's text.
    Spelled,
}

impl Instance {
    /// Links, starts, checks the ABI and parses the data; or takes all that from the program's snapshot.
    pub(crate) fn new(
        program: &Program,
        builtins: Arc<Dispatch>,
        mode: InputMode,
    ) -> Result<Instance, LoadError> {
        let engine = Engine::shared()?;
        let mut store = store(engine, program, builtins);
        let pulse = engine.ticker.enrol();
        let module = match program.snapshot() {
            Some(snapshot) => snapshot.resume(program, &mut store)?,
            None => pulse.during(|| start(program, &mut store))?,
        };
        let abi = Abi::of(&module, &mut store)?;
        let memory =
            module.get_memory(&mut store, "memory").ok_or(LoadError::MissingExport { name: "memory" })?;
        let host_abi = match mode {
            InputMode::Host => HostAbi::of(&module, &mut store).ok(),
            InputMode::Json => None,
        };
        store.data_mut().border = Some(Arc::new(abi.border(memory, host_abi.is_some())));
        let mut instance = Instance {
            store,
            module,
            memory,
            abi,
            data_address: 0,
            heap_start: 0,
            pulse,
            ground: None,
            scratch: Scratch::default(),
            text: Vec::new(),
            answer: Answer::Missing,
        };
        match program.snapshot() {
            Some(snapshot) => instance.take_over(snapshot, host_abi),
            None => instance.parse_data(program.data(), host_abi)?,
        }
        instance.store.data_mut().constants = instance.ground.as_ref().map(Ground::constants);
        Ok(instance)
    }

    /// What [`Instance::parse_data`] finds out, known before.
    fn take_over(&mut self, snapshot: &Snapshot, host_abi: Option<HostAbi>) {
        self.data_address = snapshot.data_address;
        self.heap_start = snapshot.heap_start;
        self.ground = host_abi.zip(snapshot.ground).map(|(abi, start)| Ground::at(abi, start));
    }

    /// Runs the question's entrypoint on the document. The result stays here.
    pub(crate) fn evaluate(
        &mut self,
        question: &Question,
        document: &impl Document,
        trace: &mut Trace,
    ) -> Result<(), EvalError> {
        self.answer = Answer::Missing;
        self.store.data_mut().begin(question.now_ns, trace);
        let outcome = match self.ask_by_memory(question, document) {
            Ok(Some(address)) => Ok(Answer::Built(address)),
            Ok(None) => self.ask_in_json(question, document).map(|()| Answer::Spelled),
            Err(error) => Err(error),
        };
        self.store.data_mut().end(trace);
        self.answer = outcome?;
        Ok(())
    }

    /// The value in the last evaluation's result set, `None` where the set is empty.
    pub(crate) fn result(&self) -> Result<Option<Value>, EvalError> {
        match self.answer {
            Answer::Missing => Err(no_result()),
            Answer::Spelled => only_result(self.spelled()?.with_arrays_for_sets()),
            Answer::Built(address) => {
                let read =
                    |budget: &mut Budget| native::sole_result(self.memory.data(&self.store), address, budget);
                self.read_result(Sets::AsArrays, read)
            }
        }
    }

    /// The last evaluation's result set as JSON, with sets in OPA's order.
    pub(crate) fn result_json(&self) -> Result<Vec<u8>, EvalError> {
        let results = match self.answer {
            Answer::Missing => Err(no_result()),
            Answer::Spelled => self.spelled(),
            Answer::Built(address) => {
                let read = |budget: &mut Budget| native::read(self.memory.data(&self.store), address, budget);
                self.read_result(Sets::Kept, read)
            }
        };
        let json = results?.to_json();
        let bytes_max = self.store.data().limits.result_bytes_max;
        if json.len() > bytes_max {
            return Err(EvalError::ResultTooLarge { bytes_max });
        }
        Ok(json.into_bytes())
    }

    fn spelled(&self) -> Result<Value, EvalError> {
        let malformed = |cause: String| EvalError::NotADecision { what: cause };
        let text = std::str::from_utf8(&self.text).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
        Value::parse(text).map_err(|error| malformed(error.to_string()))
    }

    fn read_result<T>(
        &self,
        sets: Sets,
        read: impl FnOnce(&mut Budget) -> Result<T, Flaw>,
    ) -> Result<T, EvalError> {
        let bytes_max = self.store.data().limits.result_bytes_max;
        let mut budget = Budget { steps: RESULT_STEPS_MAX, bytes: bytes_max, depth: RESULT_DEPTH_MAX, sets };
        read(&mut budget).map_err(|flaw| match flaw {
            Flaw::Broken => memory::Fault::OutOfBounds.breach(),
            Flaw::Malformed(what) => EvalError::NotADecision { what: what.to_owned() },
            Flaw::TooLarge => EvalError::ResultTooLarge { bytes_max },
        })
    }

    /// The entrypoints' names and numbers, as the module lists them.
    pub(crate) fn entrypoints(&mut self) -> Result<Vec<(String, i32)>, EvalError> {
        self.table(self.abi.entrypoints.clone())
    }

    /// The names and numbers of the builtins that the module calls.
    pub(crate) fn builtins(&mut self) -> Result<Vec<(String, i32)>, EvalError> {
        self.table(self.abi.builtins.clone())
    }

    #[cfg(test)]
    pub(crate) fn patterns_met(&self) -> usize {
        self.store.data().patterns.met()
    }

    /// Major and minor version of the ABI that it speaks.
    pub(crate) fn abi_version(&self) -> (i32, i32) {
        self.abi.version
    }

    /// The size of its memory at this moment.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    fn arm(&mut self, time_max: Duration) {
        self.store.data_mut().deadline.arm(time_max);
        self.store.set_epoch_deadline(1);
    }

    fn parse_data(&mut self, data: &str, host_abi: Option<HostAbi>) -> Result<(), EvalError> {
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
            if let Some(host_abi) = host_abi {
                self.ground = Some(Ground::lay(host_abi, &abi.malloc, memory, &mut *store)?);
            }
            abi.heap_ptr_get.call(&mut *store, ()).map_err(host::stopped)
        })?;
        self.heap_start = aligned(heap.cast_unsigned()).ok_or_else(|| memory::Fault::OutOfBounds.breach())?;
        Ok(())
    }

    /// Also these are the module's own functions, which may never end.
    fn table(&mut self, of: TypedFunc<(), i32>) -> Result<Vec<(String, i32)>, EvalError> {
        let broken = || EvalError::Trapped { cause: "a table of the module is malformed".to_owned() };
        self.arm(SETUP_TIME_MAX);
        let (store, dump) = (&mut self.store, &self.abi.json_dump);
        let text = self.pulse.during(|| {
            let table = of.call(&mut *store, ())?;
            dump.call(store, table)
        });
        let text = text.map_err(host::stopped)?;
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

/// A store in which the setting up is bounded.
fn store(engine: &Engine, program: &Program, builtins: Arc<Dispatch>) -> Store<Host> {
    let mut store = Store::new(&engine.wasm, Host::new(program.limits(), builtins));
    store.limiter(|host| host);
    store.epoch_deadline_callback(|mut context| Ok(context.data_mut().deadline.extend()?));
    store.data_mut().deadline.arm(SETUP_TIME_MAX);
    store.set_epoch_deadline(1);
    store
}

/// Gives every import its counterpart and runs the start function.
fn start(program: &Program, store: &mut Store<Host>) -> Result<Module, LoadError> {
    let provided = provided(program, store, |wanted, store| {
        let memory = host_memory(wanted, program.wasm_bytes(), store)?;
        for segment in program.segments().into_iter().flatten() {
            memory::write(memory, &mut *store, segment.address, &segment.bytes)?;
        }
        Ok(memory)
    })?;
    let module = Module::new(&mut *store, program.module(), &provided)
        .map_err(|error| LoadError::Setup(host::stopped(error)))?;
    snapshot::start(program, module, store)?;
    Ok(module)
}

/// The counterparts of the imports, in their order.
fn provided(
    program: &Program,
    store: &mut Store<Host>,
    memory: impl Fn(&MemoryType, &mut Store<Host>) -> Result<Memory, LoadError>,
) -> Result<Vec<Extern>, LoadError> {
    let mut provided = Vec::new();
    for import in program.module().imports() {
        let found = match import.ty().memory() {
            Some(wanted) => memory(wanted, store)?.into(),
            None => program.linker().get_by_import(&mut *store, &import).ok_or_else(|| {
                LoadError::UnknownImport {
                    module: import.module().to_owned(),
                    name: import.name().to_owned(),
                }
            })?,
        };
        provided.push(found);
    }
    Ok(provided)
}

/// OPA's modules import their memory, as large as they need to begin with and growing to our bound.
///
/// What they say they need leaves out the table of their rules, which their start function reads: with many rules it
/// lies beyond. The module's own size is more than any table in it, and costs only addresses until it is used.
fn host_memory(wanted: &MemoryType, wasm_bytes: usize, store: &mut Store<Host>) -> Result<Memory, LoadError> {
    let bytes_max = store.data().limits.memory_bytes_max as u64;
    let pages_max = bytes_max / wanted.page_size();
    if wanted.minimum() > pages_max {
        let bytes = wanted.minimum().saturating_mul(wanted.page_size());
        return Err(LoadError::MemoryTooLarge { bytes, bytes_max });
    }
    let pages_max = wanted.maximum().map_or(pages_max, |wanted_max| wanted_max.min(pages_max));
    let table_pages = (wasm_bytes as u64).div_ceil(wanted.page_size());
    let pages = wanted.minimum().saturating_add(table_pages).min(pages_max);
    let memory_type = u32::try_from(pages).ok().zip(u32::try_from(pages_max).ok());
    let (minimum, maximum) = memory_type.ok_or(LoadError::MemoryTooLarge { bytes: u64::MAX, bytes_max })?;
    Memory::new(store, MemoryType::new(minimum, Some(maximum)))
        .map_err(|error| LoadError::Setup(host::stopped(error)))
}

fn no_result() -> EvalError {
    EvalError::NotADecision { what: "there is no result".to_owned() }
}

fn aligned(address: u32) -> Option<u32> {
    address.checked_next_multiple_of(HEAP_ALIGNMENT_BYTES)
}

/// The type of [`linker`]'s result.
pub(crate) type HostLinker = Linker<Host>;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
