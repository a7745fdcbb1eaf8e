//! What the tests of observers share: a shipped policy, and a judgement of it.

use std::sync::Arc;
use std::time::Duration;

use claviger_policy::{Bundle, Decision, Dialect, Limits, Policy, shipped};

use super::{Judgement, Papers};
use crate::clock;

pub(super) fn policy(dialect: Dialect) -> Arc<Policy> {
    let bundle = Bundle::read(shipped::BASELINE).expect("it is shipped");
    let limits = Limits::new(Duration::from_secs(2), 64 << 20);
    let policy = Policy::load(&bundle, shipped::ENTRYPOINT, limits).expect("it loads");
    Arc::new(policy.in_dialect(dialect))
}

pub(super) fn judgement(input: &str) -> Judgement {
    Judgement {
        id: "0192f0c1".into(),
        time: clock::now(),
        route: "api".into(),
        method: "GET".into(),
        host: "api.example".into(),
        path: "/p".into(),
        workload: r#"{"uid":1000}"#.into(),
        policy: policy(Dialect::Mediation),
        papers: Papers { input: input.into(), result: None },
        decision: Decision::read(br#"[{"result":true}]"#),
        took: Duration::from_micros(4),
    }
}
