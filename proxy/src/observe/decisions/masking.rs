//! Asks the policy that judged a request what of it may be logged: `system/log/drop`, then `system/log/mask`.

use std::sync::Arc;

use claviger_config::Located;
use claviger_policy::{Evaluator, Mask, Policy, Trace};

use super::event::Unwritten;
use crate::admin::metrics::reports::Loss;

const MASK: &str = "system/log/mask";
const DROP: &str = "system/log/drop";

/// An entrypoint that has a say in what is logged.
pub(super) struct Wanted {
    name: String,
    /// Whether the configuration names it: then a policy without it has nothing to log.
    required: Required,
    loss: Loss,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Required {
    Named,
    Usual,
}

/// What becomes of an event.
pub(super) enum Verdict {
    /// It is not logged.
    Exclude,
    /// It is logged as it is.
    Plain,
    /// It is logged after this.
    Mask(Mask),
}

/// The entrypoints of the policy that was met last.
pub(super) struct Masking {
    mask: Wanted,
    drop: Wanted,
    seats: Option<Seats>,
}

struct Seats {
    policy: Arc<Policy>,
    mask: Option<Evaluator>,
    drop: Option<Evaluator>,
}

impl Wanted {
    pub(super) fn mask(named: Option<&Located<String>>) -> Self {
        Self::of(named, MASK, Loss::mask_failed)
    }

    pub(super) fn drop(named: Option<&Located<String>>) -> Self {
        Self::of(named, DROP, Loss::drop_failed)
    }

    fn of(named: Option<&Located<String>>, usual: &str, loss: Loss) -> Self {
        match named {
            Some(named) => Self { name: named.value.clone(), required: Required::Named, loss },
            None => Self { name: usual.to_owned(), required: Required::Usual, loss },
        }
    }

    fn lost(&self, why: impl ToString) -> Unwritten {
        Unwritten::Lost(self.loss, format!("{}: {}", self.name, why.to_string()))
    }

    /// OPA's result set for the event; `None` where nobody is to be asked.
    fn ask(
        &self,
        evaluator: Option<&mut Evaluator>,
        event: &[u8],
        now_ns: i64,
    ) -> Result<Option<Vec<u8>>, Unwritten> {
        match (evaluator, self.required) {
            (Some(evaluator), _) => {
                let result = evaluator.evaluate_json_at(event, now_ns, &mut Trace::default());
                result.map(Some).map_err(|error| self.lost(error))
            }
            (None, Required::Usual) => Ok(None),
            (None, Required::Named) => Err(self.lost("the policy has no such entrypoint")),
        }
    }
}

impl Masking {
    pub(super) fn new(mask: Wanted, drop: Wanted) -> Self {
        Self { mask, drop, seats: None }
    }

    /// What `policy` wants of an event that it has decided. Whatever goes wrong, the event must not leave.
    pub(super) fn judge(
        &mut self,
        policy: &Arc<Policy>,
        event: &[u8],
        now_ns: i64,
    ) -> Result<Verdict, Unwritten> {
        let seats = match self.seats.take() {
            Some(seats) if Arc::ptr_eq(&seats.policy, policy) => seats,
            Some(_) | None => Seats::of(policy, &self.mask, &self.drop),
        };
        let seats = self.seats.insert(seats);
        if let Some(drop) = self.drop.ask(seats.drop.as_mut(), event, now_ns)?
            && is_true(&drop)
        {
            return Ok(Verdict::Exclude);
        }
        match self.mask.ask(seats.mask.as_mut(), event, now_ns)? {
            Some(mask) => Mask::read(&mask).map(Verdict::Mask).map_err(|error| self.mask.lost(error)),
            None => Ok(Verdict::Plain),
        }
    }
}

impl Seats {
    fn of(policy: &Arc<Policy>, mask: &Wanted, drop: &Wanted) -> Self {
        let seat = |wanted: &Wanted| Evaluator::for_entrypoint(Arc::clone(policy), &wanted.name);
        let (mask_seat, drop) = (seat(mask), seat(drop));
        if mask_seat.is_none() {
            let (entrypoint, digest) = (mask.name.as_str(), policy.digest());
            tracing::warn!(entrypoint, digest, "this policy has nothing to mask its decision logs with");
        }
        Self { policy: Arc::clone(policy), mask: mask_seat, drop }
    }
}

/// OPA drops for exactly `true`.
fn is_true(result_set: &[u8]) -> bool {
    let value: Result<serde_json::Value, _> = serde_json::from_slice(result_set);
    value.is_ok_and(|set| set == serde_json::json!([{ "result": true }]))
}

#[cfg(test)]
mod tests {
    use claviger_config::Location;
    use claviger_policy::Dialect;

    use super::*;
    use crate::observe::testing::policy;

    #[test]
    fn an_entrypoint_that_is_named_must_be_there() {
        let policy = policy(Dialect::Mediation);
        let named = |name: &str| Located {
            value: name.to_owned(),
            path: "decision_logs".into(),
            location: Location::START,
        };
        let loss = |mask: Option<&str>, drop: Option<&str>| {
            let (mask, drop) = (mask.map(named), drop.map(named));
            let mut masking = Masking::new(Wanted::mask(mask.as_ref()), Wanted::drop(drop.as_ref()));
            match masking.judge(&policy, b"{}", 0) {
                Ok(_) => None,
                Err(Unwritten::Lost(loss, _)) => Some(loss),
                Err(Unwritten::Excluded) => panic!("nothing is excluded"),
            }
        };
        assert_eq!(loss(None, None), None);
        assert_eq!(loss(Some(MASK), None), Some(Loss::mask_failed));
        assert_eq!(loss(None, Some("a/b")), Some(Loss::drop_failed));
        // one that gives something else than rules
        assert_eq!(loss(Some("claviger/authz/decision"), None), Some(Loss::mask_failed));
        assert_eq!(loss(None, Some("claviger/authz/decision")), None);
    }

    #[test]
    fn only_true_drops() {
        let check = |set: &str, expected: bool| assert_eq!(is_true(set.as_bytes()), expected, "{set}");
        check(r#"[{"result":true}]"#, true);
        check(r#"[{"result":false}]"#, false);
        check(r#"[{"result":"true"}]"#, false);
        check(r#"[{"result":{}}]"#, false);
        check("[]", false);
        check("", false);
    }
}
