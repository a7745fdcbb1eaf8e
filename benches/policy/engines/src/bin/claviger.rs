//! Claviger as it serves: the input built in the module's memory, the result read there. Beside the times: what loading
//! a policy that was compiled before takes, the first evaluation of a fresh instance, and the memory of an idle one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_policy::{Bundle, Evaluator, Limits, Policy, Trace};
use policy_engines::{Case, ENTRYPOINT, Fallible, micros};
use serde_json::{Value, json};

const INSTANCES: usize = 200;
const NOW_NS: i64 = 1_795_302_000_000_000_000;

fn main() -> Fallible<()> {
    let case = Case::from_arguments()?;
    let input = case.json("input.json")?;
    let bundle = Bundle::read(&case.bytes("bundle.tar.gz")?)?;
    let artifacts = std::env::temp_dir().join(format!("claviger-policy-bench-{}", std::process::id()));
    let (policy, load) = twice_loaded(&bundle, &artifacts)?;
    std::fs::remove_dir_all(&artifacts)?;
    let mut evaluator = Evaluator::new(Arc::clone(&policy));
    let mut trace = Trace::new();
    evaluator.evaluate_document(&input, NOW_NS, &mut trace)?;
    let result: Value = serde_json::from_slice(&evaluator.result_json()?)?;
    let more = json!({ "load_us": micros(load), "input": policy.input_mode().name(), "instances": instances(&case, &policy, &input)? });
    case.measure(
        || {
            evaluator.evaluate_document(&input, NOW_NS, &mut trace)?;
            // only a boolean or an object with the decision's keys is one; the other cases pay for the reading all the same
            drop(evaluator.decision());
            Ok(())
        },
        result[0]["result"].clone(),
        more,
    )
}

fn limits() -> Limits {
    Limits::new(Duration::from_secs(5), 64 << 20)
}

/// The policy, compiled once and then loaded from its machine code; how long the second took.
fn twice_loaded(bundle: &Bundle, artifacts: &std::path::Path) -> Fallible<(Arc<Policy>, Duration)> {
    drop(Policy::load_cached(bundle, ENTRYPOINT, limits(), Some(artifacts))?);
    let began = Instant::now();
    let policy = Policy::load_cached(bundle, ENTRYPOINT, limits(), Some(artifacts))?;
    Ok((Arc::new(policy), began.elapsed()))
}

/// The first evaluation of instances that stay, and what each of them holds in memory afterwards.
fn instances(case: &Case, policy: &Arc<Policy>, input: &Value) -> Fallible<Value> {
    if case.evaluations < INSTANCES {
        return Ok(Value::Null);
    }
    let before = resident_kib()?;
    let mut kept = Vec::with_capacity(INSTANCES);
    let mut firsts = Vec::with_capacity(INSTANCES);
    for _ in 0..INSTANCES {
        let mut evaluator = Evaluator::new(Arc::clone(policy));
        let began = Instant::now();
        evaluator.evaluate_document(input, NOW_NS, &mut Trace::new())?;
        firsts.push(began.elapsed());
        kept.push(evaluator);
    }
    firsts.sort_unstable();
    let each = (resident_kib()?.saturating_sub(before)) / INSTANCES as u64;
    Ok(json!({ "first_p50_us": micros(firsts[INSTANCES / 2]), "resident_kib": each }))
}

/// Resident memory of this process.
fn resident_kib() -> Fallible<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
