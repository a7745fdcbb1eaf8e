//! A thread's own way to ask a policy.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::decision::Decision;
use crate::error::EvalError;
use crate::input::Input;
use crate::instance::{Document, Instance, Json, Nothing, Question, Serialised};
use crate::policy::Policy;
use crate::trace::Trace;
use crate::value::Value;

/// Evaluates one policy, one question at a time. Each worker thread has its own; making one costs nothing, its first
/// evaluation sets up the module's instance, and so does the one after an evaluation that had to be stopped.
pub struct Evaluator {
    policy: Arc<Policy>,
    entrypoint: i32,
    instance: Option<Instance>,
}

impl Evaluator {
    /// An evaluator for this generation of policy.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Evaluator {
        let entrypoint = policy.entrypoint_id();
        Evaluator { policy, entrypoint, instance: None }
    }

    /// An evaluator for another entrypoint of the same module, as `system/log/mask`; `None` where the module has none of
    /// that name.
    #[must_use]
    pub fn for_entrypoint(policy: Arc<Policy>, entrypoint: &str) -> Option<Evaluator> {
        let entrypoint = policy.entrypoint_named(entrypoint)?;
        Some(Evaluator { entrypoint, ..Evaluator::new(policy) })
    }

    /// The policy it evaluates.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Judges a request. Synchronous, and bounded by the policy's [`Limits`](crate::Limits).
    ///
    /// # Errors
    /// Why there is no decision; the request must then be refused.
    pub fn evaluate(&mut self, input: &Input<'_>, trace: &mut Trace) -> Result<Decision, EvalError> {
        self.evaluate_document(input, input.time.now_ns(), trace)?;
        self.decision()
    }

    /// Evaluates whatever serialises, at the moment `now_ns` (nanoseconds since 1970). What comes out is read
    /// afterwards, by [`Evaluator::decision`] or [`Evaluator::result_json`].
    ///
    /// # Errors
    /// Why there is no result; the request must then be refused.
    pub fn evaluate_document(
        &mut self,
        document: &impl Serialize,
        now_ns: i64,
        trace: &mut Trace,
    ) -> Result<(), EvalError> {
        self.run(&Serialised(document), now_ns, trace)
    }

    /// The same where there is no input document: `input` is undefined, as in `opa eval` without one.
    ///
    /// # Errors
    /// Why there is no result.
    pub fn evaluate_nothing(&mut self, now_ns: i64, trace: &mut Trace) -> Result<(), EvalError> {
        self.run(&Nothing, now_ns, trace)
    }

    /// The last evaluation's result as a decision, in the policy's dialect.
    ///
    /// # Errors
    /// [`EvalError::NotADecision`], also where the last evaluation had no result.
    pub fn decision(&mut self) -> Result<Decision, EvalError> {
        Decision::of(self.policy.dialect(), self.result()?)
    }

    /// The last evaluation's result set as JSON text, as OPA gives it: `[{"result": …}]`, or `[]` when the entrypoint
    /// is undefined. Sets are arrays in OPA's order.
    ///
    /// # Errors
    /// Why it cannot be had, for one that the last evaluation had no result.
    pub fn result_json(&self) -> Result<Vec<u8>, EvalError> {
        self.instance.as_ref().ok_or_else(no_result)?.result_json()
    }

    /// The value that the last evaluation gave, `None` when the entrypoint is undefined.
    ///
    /// # Errors
    /// As [`Evaluator::result_json`], and a result set of another form.
    pub(crate) fn result(&mut self) -> Result<Option<Value>, EvalError> {
        self.instance.as_ref().ok_or_else(no_result)?.result()
    }

    /// Evaluates any input document, for tools, and gives OPA's result set as JSON text.
    ///
    /// # Errors
    /// Why there is no result.
    pub fn evaluate_json(&mut self, input: &[u8], trace: &mut Trace) -> Result<Vec<u8>, EvalError> {
        self.evaluate_json_at(input, system_now_ns(), trace)
    }

    /// The same at a moment of the caller's, in nanoseconds since 1970: what `time.now_ns()` gives.
    ///
    /// # Errors
    /// Why there is no result.
    pub fn evaluate_json_at(
        &mut self,
        input: &[u8],
        now_ns: i64,
        trace: &mut Trace,
    ) -> Result<Vec<u8>, EvalError> {
        let bytes_max = self.policy.limits().input_bytes_max;
        if input.len() > bytes_max {
            return Err(EvalError::InputTooLarge { bytes_max });
        }
        serde_json::from_slice::<IgnoredAny>(input)
            .map_err(|error| EvalError::InputNotJson { cause: error.to_string() })?;
        let text = std::str::from_utf8(input)
            .map_err(|error| EvalError::InputNotJson { cause: error.to_string() })?;
        self.run(&Json(text), now_ns, trace)?;
        self.result_json()
    }

    #[cfg(test)]
    pub(crate) fn has_instance(&self) -> bool {
        self.instance.is_some()
    }

    /// The patterns that the host was asked to find in place of the module.
    #[cfg(test)]
    pub(crate) fn patterns_met(&self) -> usize {
        self.instance.as_ref().map_or(0, Instance::patterns_met)
    }

    /// An instance goes back into its place only after a run without fault of its own.
    fn run(&mut self, document: &impl Document, now_ns: i64, trace: &mut Trace) -> Result<(), EvalError> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.policy.instantiate()?,
        };
        let question = Question { entrypoint: self.entrypoint, now_ns };
        let outcome = instance.evaluate(&question, document, trace);
        if outcome.as_ref().err().is_none_or(leaves_instance) {
            self.instance = Some(instance);
        }
        outcome
    }
}

/// Whether the fault is the document's or the result's, so that the module never ran amiss.
fn leaves_instance(error: &EvalError) -> bool {
    match error {
        EvalError::InputTooLarge { .. } | EvalError::InputBeyond { .. } | EvalError::InputNotJson { .. } => {
            true
        }
        EvalError::Aborted { .. }
        | EvalError::Trapped { .. }
        | EvalError::TimedOut { .. }
        | EvalError::OutOfMemory { .. }
        | EvalError::ResultTooLarge { .. }
        | EvalError::NotADecision { .. } => false,
    }
}

fn no_result() -> EvalError {
    EvalError::NotADecision { what: "there is no result".to_owned() }
}

fn system_now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
