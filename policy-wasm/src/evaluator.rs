//! A thread's own way to ask a policy.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::decision::{self, Decision};
use crate::error::EvalError;
use crate::input::Input;
use crate::instance::{Instance, Question};
use crate::policy::Policy;
use crate::trace::Trace;
use crate::value::Value;

/// Evaluates one policy, one question at a time. Each worker thread has its own; making one costs nothing, its first
/// evaluation sets up the module's instance, and so does the one after an evaluation that had to be stopped.
pub struct Evaluator {
    policy: Arc<Policy>,
    entrypoint: i32,
    instance: Option<Instance>,
    input: Vec<u8>,
    result: Vec<u8>,
}

impl Evaluator {
    /// An evaluator for this generation of policy.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Evaluator {
        let entrypoint = policy.entrypoint_id();
        Evaluator { policy, entrypoint, instance: None, input: Vec::new(), result: Vec::new() }
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
        self.result.clear();
        let bytes_max = self.policy.limits().input_bytes_max;
        let mut text = std::mem::take(&mut self.input);
        text.clear();
        let written = serde_json::to_writer(Capped { bytes: &mut text, bytes_max }, document);
        let outcome = match written {
            Ok(()) => self.run(&text, now_ns, trace),
            Err(_) => Err(EvalError::InputTooLarge { bytes_max }),
        };
        self.input = text;
        outcome
    }

    /// The last evaluation's result as a decision, in the policy's dialect.
    ///
    /// # Errors
    /// [`EvalError::NotADecision`], also where the last evaluation had no result.
    pub fn decision(&mut self) -> Result<Decision, EvalError> {
        Decision::of(self.policy.dialect(), self.result()?)
    }

    /// The last evaluation's result set as JSON text, as OPA gives it: `[{"result": …}]`, or `[]` when the entrypoint
    /// is undefined.
    ///
    /// # Errors
    /// Why it cannot be had, for one that the last evaluation had no result.
    pub fn result_json(&mut self) -> Result<Vec<u8>, EvalError> {
        match self.result.is_empty() {
            false => Ok(self.result.clone()),
            true => Err(EvalError::NotADecision { what: "there is no result".to_owned() }),
        }
    }

    /// The value that the last evaluation gave, `None` when the entrypoint is undefined.
    ///
    /// # Errors
    /// As [`Evaluator::result_json`], and a result set of another form.
    pub(crate) fn result(&mut self) -> Result<Option<Value>, EvalError> {
        decision::sole_result(&self.result)
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
        self.result.clear();
        self.run(input, now_ns, trace)?;
        self.result_json()
    }

    /// An instance goes back into its place only after a run without fault.
    fn run(&mut self, input: &[u8], now_ns: i64, trace: &mut Trace) -> Result<(), EvalError> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.policy.instantiate()?,
        };
        let question = Question { entrypoint: self.entrypoint, input, now_ns };
        instance.evaluate(&question, trace, &mut self.result)?;
        self.instance = Some(instance);
        Ok(())
    }
}

struct Capped<'a> {
    bytes: &'a mut Vec<u8>,
    bytes_max: usize,
}

impl Write for Capped<'_> {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > self.bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn system_now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
