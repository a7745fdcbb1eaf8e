//! How long one decision takes in this process: `policy-engine [EVALUATIONS]` prints the median and the 99th percentile
//! of evaluating a small boolean policy and the shipped least-privilege policy, of making an instance, and of loading.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_policy::input::{Context, Credential, Input, Named, Network, Request, Route, Time, Workload};
use claviger_policy::{Bundle, Evaluator, Limits, Policy, Trace, shipped};

const LIMITS: Limits = Limits {
    eval_time_max: Duration::from_secs(1),
    memory_bytes_max: 64 << 20,
    input_bytes_max: 1 << 20,
    result_bytes_max: 256 << 10,
};
const ENTRYPOINT: &str = "claviger/authz/decision";

fn main() {
    let evaluations = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(20_000);
    let mut bundles = vec![
        ("baseline", shipped::BASELINE.to_vec()),
        ("least-privilege", shipped::LEAST_PRIVILEGE.to_vec()),
    ];
    for path in std::env::args().skip(2) {
        match std::fs::read(&path) {
            Ok(bytes) => bundles.push(("given", bytes)),
            Err(error) => return say(&format!("{path}: {error}")),
        }
    }
    for (name, bytes) in bundles {
        let Ok(bundle) = Bundle::read(&bytes) else { return say("a bundle cannot be read") };
        measure(name, &bundle, evaluations);
    }
}

fn measure(name: &str, bundle: &Bundle, evaluations: usize) {
    let policy = match Policy::load(bundle, ENTRYPOINT, LIMITS) {
        Ok(policy) => Arc::new(policy),
        Err(error) => return say(&format!("{name}: {error}")),
    };
    let mut evaluator = Evaluator::new(Arc::clone(&policy));
    let mut trace = Trace::new();
    let whole = times(evaluations, || {
        with_input(|input| {
            let began = Instant::now();
            let decision = evaluator.evaluate(input, &mut trace);
            let took = began.elapsed();
            assert!(decision.is_ok(), "{decision:?}");
            took
        })
    });
    let fresh = times(evaluations.min(500), || {
        with_input(|input| {
            let mut evaluator = Evaluator::new(Arc::clone(&policy));
            let began = Instant::now();
            let decision = evaluator.evaluate(input, &mut trace);
            let took = began.elapsed();
            assert!(decision.is_ok(), "{decision:?}");
            took
        })
    });
    say(&format!(
        "{name:16} input {} evaluate {whole} first of an instance {fresh}",
        policy.input_mode().name()
    ));
}

/// Medians in microseconds.
fn times(count: usize, mut once: impl FnMut() -> Duration) -> String {
    (0..count / 10).for_each(|_| {
        once();
    });
    let mut taken: Vec<Duration> = (0..count.max(1)).map(|_| once()).collect();
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() - 1) * percent / 100].as_secs_f64() * 1e6;
    format!("p50 {:7.2} µs p99 {:7.2} µs", at(50), at(99))
}

/// A request as a workload makes it.
fn with_input<T>(judge: impl FnOnce(&Input<'_>) -> T) -> T {
    let named = |name: &'static str, value: &'static str| -> Named<'static> {
        (Cow::Borrowed(name), vec![Cow::Borrowed(value)])
    };
    let headers = [
        named("accept", "application/json"),
        named("accept-encoding", "gzip, deflate, br"),
        named("user-agent", "agent/1.4 (linux; x86_64)"),
        named("x-request-id", "01890a5d-ac96-774b-bcce-b302099a8057"),
        named("content-type", "application/json"),
    ];
    let query = [named("state", "open"), named("per_page", "50")];
    let segments = ["repos", "acme", "app", "issues"].map(Cow::Borrowed);
    judge(&Input {
        version: 1,
        id: "01890a5d-ac96-774b-bcce-b302099a8057",
        time: Time::from_ns(1_764_140_400_000_000_000),
        workload: Workload {
            uid: Some(1000),
            gid: Some(1000),
            pid: Some(4242),
            exe: Some("/usr/bin/python3.12"),
            cgroup: Some("/system.slice/agent.service"),
            spiffe_id: None,
            trust_domain: None,
            kubernetes: None,
            environment: Some("production"),
            labels: None,
        },
        task: None,
        claimed: None,
        request: Request {
            method: "GET",
            scheme: "https",
            host: "api.example.com",
            port: 443,
            path: "/repos/acme/app/issues",
            segments: &segments,
            query: &query,
            headers: &headers,
            presented: &["authorization"],
            protocol: "http/1.1",
            content_type: Some("application/json"),
            content_length: Some(0),
            body: None,
            body_truncated: None,
        },
        route: Route { name: "api", upstream: "https://api.example.com", credentials: &["api-read"] },
        credential: Some(Credential {
            name: "api-read",
            kind: "oauth2",
            scopes: None,
            cached: Some(true),
            expires_in_s: Some(240),
        }),
        network: Network { listener: "app", mode: "reverse", peer: Some("127.0.0.1:51234") },
        context: Context { sidecar: Some("sidecar-1"), revision: Some("r1"), shadow: false },
    })
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn say(line: &str) {
    println!("{line}");
}
