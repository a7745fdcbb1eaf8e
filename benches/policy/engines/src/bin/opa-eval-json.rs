//! The same module on the same compiler, asked as the ABI's documentation says: input as JSON text into `opa_eval`, the
//! result as JSON text out of it. Nothing but the module's own exports is used, and no clock bounds it.

use policy_engines::{Case, Fallible};
use serde_json::{Value, json};
use wasmtime::{
    Caller, Config, Engine, Extern, Linker, Memory, MemoryType, Module, OptLevel, Store, TypedFunc,
};

type Arguments = (i32, i32, i32, i32, i32, i32, i32);

fn main() -> Fallible<()> {
    let case = Case::from_arguments()?;
    let input = case.json("input.json")?;
    let mut opa = Opa::start(&policy_engines::module(&case)?, &case.bytes("data.json")?)?;
    let result: Value = serde_json::from_slice(&opa.evaluate(&serde_json::to_vec(&input)?)?)?;
    case.measure(
        || {
            let text = serde_json::to_vec(&input)?;
            let answer: Value = serde_json::from_slice(&opa.evaluate(&text)?)?;
            drop(answer);
            Ok(())
        },
        result[0]["result"].clone(),
        json!({}),
    )
}

/// One instance with its data.
struct Opa {
    store: Store<()>,
    memory: Memory,
    eval: TypedFunc<Arguments, i32>,
    data: i32,
    heap: i32,
}

impl Opa {
    fn start(wasm: &[u8], data: &[u8]) -> Fallible<Opa> {
        let engine = Engine::new(Config::new().cranelift_opt_level(OptLevel::Speed))?;
        let mut store = Store::new(&engine, ());
        let memory = Memory::new(&mut store, MemoryType::new(16, None))?;
        let mut linker = Linker::new(&engine);
        linker.define(&mut store, "env", "memory", memory)?;
        linker.func_wrap("env", "opa_abort", |_: Caller<'_, ()>, _: i32| -> () {
            panic!("the policy aborted")
        })?;
        linker.func_wrap("env", "opa_println", |_: Caller<'_, ()>, _: i32| {})?;
        let refuse = || panic!("the policy calls the host, which this way does not offer");
        linker.func_wrap("env", "opa_builtin0", move |_: i32, _: i32| -> i32 { refuse() })?;
        linker.func_wrap("env", "opa_builtin1", move |_: i32, _: i32, _: i32| -> i32 { refuse() })?;
        linker.func_wrap("env", "opa_builtin2", move |_: i32, _: i32, _: i32, _: i32| -> i32 { refuse() })?;
        linker.func_wrap("env", "opa_builtin3", move |_: i32, _: i32, _: i32, _: i32, _: i32| -> i32 {
            refuse()
        })?;
        linker.func_wrap(
            "env",
            "opa_builtin4",
            move |_: i32, _: i32, _: i32, _: i32, _: i32, _: i32| -> i32 { refuse() },
        )?;
        let module = Module::new(&engine, wasm)?;
        let instance = linker.instantiate(&mut store, &module)?;
        let memory =
            instance.get_export(&mut store, "memory").and_then(Extern::into_memory).unwrap_or(memory);
        let malloc: TypedFunc<i32, i32> = instance.get_typed_func(&mut store, "opa_malloc")?;
        let parse: TypedFunc<(i32, i32), i32> = instance.get_typed_func(&mut store, "opa_json_parse")?;
        let heap: TypedFunc<(), i32> = instance.get_typed_func(&mut store, "opa_heap_ptr_get")?;
        let eval = instance.get_typed_func(&mut store, "opa_eval")?;
        let length = i32::try_from(data.len())?;
        let address = malloc.call(&mut store, length)?;
        memory.write(&mut store, address.cast_unsigned() as usize, data)?;
        let data = parse.call(&mut store, (address, length))?;
        let heap = heap.call(&mut store, ())?;
        Ok(Opa { store, memory, eval, data, heap })
    }

    /// The result set as JSON text.
    fn evaluate(&mut self, input: &[u8]) -> Fallible<Vec<u8>> {
        const PAGE_BYTES: usize = 64 * 1024;
        let start = self.heap.cast_unsigned() as usize;
        let end = start + input.len();
        let size = self.memory.data_size(&self.store);
        if end > size {
            self.memory.grow(&mut self.store, (end - size).div_ceil(PAGE_BYTES) as u64)?;
        }
        self.memory.write(&mut self.store, start, input)?;
        let length = i32::try_from(input.len())?;
        let heap = i32::try_from(end.next_multiple_of(8))?;
        let result = self.eval.call(&mut self.store, (0, 0, self.data, self.heap, length, heap, 0))?;
        let memory = self.memory.data(&self.store);
        let text = memory.get(result.cast_unsigned() as usize..).ok_or("a result outside the memory")?;
        Ok(text.iter().copied().take_while(|&byte| byte != 0).collect())
    }
}
