//! The opa-wasm crate, as its README says.

use policy_engines::{Case, ENTRYPOINT, Fallible};
use serde_json::{Value, json};

fn main() -> Fallible<()> {
    let case = Case::from_arguments()?;
    let input = case.json("input.json")?;
    let data = case.json("data.json")?;
    let wasm = policy_engines::module(&case)?;
    let clock = tokio::runtime::Builder::new_current_thread().build()?;
    let engine = wasmtime::Engine::new(&wasmtime::Config::new())?;
    let module = wasmtime::Module::new(&engine, wasm)?;
    let mut store = wasmtime::Store::new(&engine, ());
    let runtime = clock.block_on(opa_wasm::Runtime::new(&mut store, &module))?;
    let policy = clock.block_on(runtime.with_data(&mut store, &data))?;
    let mut evaluate =
        || -> Fallible<Value> { Ok(clock.block_on(policy.evaluate(&mut store, ENTRYPOINT, &input))?) };
    let result = evaluate()?[0]["result"].clone();
    case.measure(|| evaluate().map(drop), result, json!({}))
}
