//! The shadow policy: judges what the active one has judged, on a thread of its own, and is compared with it. Nothing waits
//! for it, nobody obeys it, and whatever it does wrong is a number.

mod difference;
mod document;
mod rules;
mod samples;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use claviger_policy::{Decision, EvalError, Policy, Trace};

use super::queue::{Queue, Waiting, queue};
use super::{Judgement, thread};
use crate::active::{ActivePolicy, Seat};
use crate::admin::metrics::OutcomeLabel;
use crate::admin::metrics::shadow::{
    DifferenceLabels, DropLabel, SampleLabel, ShadowDrop, ShadowMetrics, ShadowOutcome,
};
use crate::clock;
use difference::Difference;
use rules::Rules;
use samples::{Sample, Samples};

/// The thread that evaluates the shadow.
pub struct Shadow {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What the thread works with.
struct Bench {
    seat: Seat,
    metrics: ShadowMetrics,
    rules: Rules,
    samples: Samples,
}

impl Shadow {
    /// Starts comparing with whatever policy is in `slot`; samples are kept in `state_dir`.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start(
        slot: Arc<ActivePolicy>,
        state_dir: &Path,
        metrics: ShadowMetrics,
    ) -> io::Result<(Self, Queue)> {
        let full = DropLabel { reason: ShadowDrop::queue_full };
        let (queue, waiting) = queue(metrics.drops.get_or_create(&full).clone());
        let over = Arc::new(AtomicBool::new(false));
        let (stopping, samples) = (Arc::clone(&over), Samples::new(state_dir));
        let mut bench = Bench { seat: Seat::new(slot), metrics, rules: Rules::default(), samples };
        let thread = thread::spawn("shadow", move || bench.work(waiting, &stopping))?;
        Ok((Self { over, thread }, queue))
    }

    /// Ends without comparing what is left. The workers must have ended.
    pub fn close(self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
    }
}

impl Bench {
    fn work(&mut self, waiting: Waiting, over: &AtomicBool) {
        for judgement in waiting {
            if over.load(Ordering::Relaxed) {
                return;
            }
            self.compare(&judgement);
        }
    }

    fn compare(&mut self, judgement: &Judgement) {
        let Some((policy, decision)) = self.judge(judgement) else {
            let reason = DropLabel { reason: ShadowDrop::no_policy };
            self.metrics.drops.get_or_create(&reason).inc();
            return;
        };
        let outcome = ShadowOutcome { outcome: outcome(&decision) };
        self.metrics.evaluations.get_or_create(&outcome).inc();
        let Some(difference) = Difference::between(&judgement.decision, &decision) else { return };
        let labels = DifferenceLabels {
            active: self::outcome(&judgement.decision),
            shadow: outcome.outcome,
            rule: self.rules.label(rule(&decision).or_else(|| rule(&judgement.decision))),
        };
        self.metrics.differences.get_or_create(&labels).inc();
        let sample = Sample { judgement, policy: &policy, decision: &decision, difference: &difference };
        let result = self.samples.keep(&labels, &sample);
        self.metrics.samples.get_or_create(&SampleLabel { result }).inc();
    }

    /// What the shadow says; `None` while there is no shadow policy.
    fn judge(&mut self, judgement: &Judgement) -> Option<(Arc<Policy>, Result<Decision, EvalError>)> {
        let evaluator = self.seat.evaluator()?;
        let policy = Arc::clone(evaluator.policy());
        let input = document::for_shadow(&judgement.papers.input, &policy);
        let began = clock::monotonic();
        let decision = input.and_then(|input| {
            evaluator.evaluate_document(&input, judgement.time.nanoseconds(), &mut Trace::default())?;
            evaluator.decision()
        });
        let took = clock::monotonic().saturating_duration_since(began);
        self.metrics.eval_seconds.observe(took.as_secs_f64());
        Some((policy, decision))
    }
}

fn outcome(decision: &Result<Decision, EvalError>) -> OutcomeLabel {
    match decision {
        Ok(Decision::Permit(_)) => OutcomeLabel::allow,
        Ok(Decision::Deny(_)) => OutcomeLabel::deny,
        Err(_) => OutcomeLabel::error,
    }
}

fn rule(decision: &Result<Decision, EvalError>) -> Option<&str> {
    match decision {
        Ok(Decision::Permit(permission)) => permission.rule.as_deref(),
        Ok(Decision::Deny(denial)) => denial.rule.as_deref(),
        Err(_) => None,
    }
}

fn reason(decision: &Result<Decision, EvalError>) -> Option<String> {
    match decision {
        Ok(Decision::Permit(permission)) => permission.reason.clone(),
        Ok(Decision::Deny(denial)) => denial.reason.clone(),
        // no message of an evaluation holds a value of the input
        Err(error) => Some(error.to_string()),
    }
}
