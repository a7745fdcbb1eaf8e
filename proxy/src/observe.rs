//! Those who look at judgements and have no say in them: the shadow policy, and whoever logs decisions. A worker hands over
//! what it knows and goes on; where nobody keeps up, judgements are dropped and counted, never waited for.

pub mod decisions;
pub mod labels;
pub mod queue;
pub mod running;
pub mod shadow;
pub mod status;
#[cfg(test)]
mod testing;
mod thread;

use std::sync::Arc;
use std::time::Duration;

use claviger_policy::{Decision, EvalError, Evaluator, Policy};
use serde::Serialize;

use crate::clock::Timestamp;
use queue::Queue;

/// One worker's way to all observers.
#[derive(Clone, Default)]
pub struct Observers {
    /// Empty where nobody looks, and then a judgement costs this one question.
    queues: Option<Arc<Queues>>,
}

/// The way to each observer, where there is one.
#[derive(Default)]
pub struct Queues {
    /// To the shadow policy.
    pub shadow: Option<Queue>,
    /// To the decision logs.
    pub decisions: Option<Queue>,
}

/// What a policy was asked and what it said.
pub struct Judgement {
    /// The request's id.
    pub id: String,
    /// When its head was there.
    pub time: Timestamp,
    /// The route's name.
    pub route: Arc<str>,
    /// The request's method.
    pub method: String,
    /// The upstream's host.
    pub host: String,
    /// The path on the upstream's wire, without its query.
    pub path: String,
    /// The workload's facts as the record has them: JSON.
    pub workload: String,
    /// Which policy.
    pub policy: Arc<Policy>,
    /// What was only there while it was judged.
    pub papers: Papers,
    /// What the policy said.
    pub decision: Result<Decision, EvalError>,
    /// How long the evaluation took.
    pub took: Duration,
}

/// The documents of one evaluation.
pub struct Papers {
    /// The input, as JSON.
    pub input: String,
    /// OPA's result set, where decisions are logged and there is one.
    pub result: Option<Vec<u8>>,
}

impl Observers {
    /// Observers behind these queues.
    pub fn new(queues: Queues) -> Self {
        let Queues { shadow, decisions } = &queues;
        let somebody = shadow.is_some() || decisions.is_some();
        Self { queues: somebody.then(|| Arc::new(queues)) }
    }

    /// Copies what is gone after the evaluation, where somebody has room for it.
    pub fn copy(&self, input: &impl Serialize, evaluator: &Evaluator) -> Option<Papers> {
        self.queues.as_ref()?.copy(input, evaluator)
    }

    /// Hands a judgement to everybody who looks.
    pub fn hand_over(&self, judgement: Judgement) {
        let Some(queues) = &self.queues else { return };
        let judgement = Arc::new(judgement);
        queues.all().for_each(|queue| queue.offer(&judgement));
    }
}

impl Queues {
    fn all(&self) -> impl Iterator<Item = &Queue> {
        self.shadow.iter().chain(&self.decisions)
    }

    #[cold]
    fn copy(&self, input: &impl Serialize, evaluator: &Evaluator) -> Option<Papers> {
        if !self.all().any(Queue::has_room) {
            self.all().for_each(Queue::drop_one);
            return None;
        }
        let input = serde_json::to_string(input).expect("the documents always serialise");
        let result = self.decisions.as_ref().and_then(|_| evaluator.result_json().ok());
        Some(Papers { input, result })
    }
}

impl Judgement {
    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        let result = self.papers.result.as_ref().map_or(0, Vec::len);
        size_of::<Self>() + self.papers.input.len() + result + self.path.len() + self.workload.len()
    }
}
