//! Regorus: the Rego source compiled for its register machine.

use std::sync::Arc;

use policy_engines::{Case, Fallible, RULE};
use regorus::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use serde::Deserialize as _;
use serde_json::json;

fn main() -> Fallible<()> {
    let case = Case::from_arguments()?;
    let input = case.json("input.json")?;
    let mut engine = regorus::Engine::new();
    engine.add_policy("policy.rego".to_owned(), case.text("policy.rego")?)?;
    engine.add_data(Value::from_json_str(&case.text("data.json")?)?)?;
    let compiled = engine.compile_with_entrypoint(&RULE.into())?;
    let program = Compiler::compile_from_policy(&compiled, &[RULE])?;
    let mut machine = RegoVM::new_with_policy(compiled);
    machine.load_program(Arc::clone(&program));
    machine.set_data(Value::from_json_str(&case.text("data.json")?)?)?;
    let mut evaluate = || -> Fallible<Value> {
        machine.set_input(Value::deserialize(&input)?);
        Ok(machine.execute_entry_point_by_name(RULE)?)
    };
    let result = serde_json::to_value(evaluate()?)?;
    case.measure(|| evaluate().map(drop), result, json!({}))
}
