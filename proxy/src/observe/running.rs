//! All observers of a process at work: what is started for them, and in which order it ends.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::decisions::{self, Decisions};
use super::labels::Labels;
use super::queue::Queue;
use super::shadow::Shadow;
use super::status::{self, Status, Subjects};
use super::{Observers, Queues};
use crate::active::ActivePolicy;
use crate::admin::metrics::Metrics;
use crate::reload::compiler::Compiler;
use crate::reload::standing::Standing;
use crate::reload::{self, Origin, Reload, Role};

/// What the configuration asks for.
pub struct Plans {
    /// Where the shadow's policies come from.
    pub shadow: Option<Origin>,
    /// What makes them.
    pub compiler: Compiler,
    /// Where decisions are logged.
    pub decision_logs: Option<decisions::Plan>,
    /// Where it is told how the sidecar is.
    pub status: Option<status::Plan>,
    /// How the active policy's bundle stands.
    pub standing: Standing,
}

/// What is at work.
pub struct Running {
    shadow: Option<Followed>,
    decisions: Option<Decisions>,
    status: Option<Status>,
}

/// The shadow policy and its successors.
struct Followed {
    reload: Reload,
    shadow: Shadow,
}

impl Running {
    /// Starts on the runtime that it is called on.
    ///
    /// # Errors
    /// When there is no thread.
    pub async fn start(
        plans: Plans,
        state_dir: &Path,
        labels: Labels,
        metrics: &Metrics,
    ) -> io::Result<(Self, Observers)> {
        let Plans { shadow, compiler, decision_logs, status, standing } = plans;
        let mut bundles = vec![("policy", standing)];
        let labels = Arc::new(labels);
        let shadow = match shadow {
            Some(origin) => {
                let standing = Standing::default();
                bundles.push(("shadow", standing.clone()));
                Some(follow(origin, compiler, standing, state_dir, metrics).await?)
            }
            None => None,
        };
        let (shadow, compared) = shadow.unzip();
        let decisions =
            decision_logs.map(|plan| Decisions::start(plan, Arc::clone(&labels), metrics.reports.clone()));
        let (decisions, logged) = decisions.transpose()?.unzip();
        let uploads = decisions.as_ref().map(Decisions::uploads);
        let subjects = Subjects { bundles, uploads };
        let status = status.map(|plan| Status::start(plan, labels, subjects, metrics.reports.clone()));
        let observers = Observers::new(Queues { shadow: compared, decisions: logged });
        Ok((Self { shadow, decisions, status }, observers))
    }

    /// Sends what is left to be sent, for so long at most. The workers must have ended.
    pub async fn close(self, patience: Duration) {
        drop(self.status);
        if let Some(decisions) = self.decisions {
            decisions.close(patience).await;
        }
        if let Some(Followed { reload, shadow }) = self.shadow {
            drop(reload);
            let _ = tokio::task::spawn_blocking(move || shadow.close()).await;
        }
    }
}

async fn follow(
    origin: Origin,
    compiler: Compiler,
    standing: Standing,
    state_dir: &Path,
    metrics: &Metrics,
) -> io::Result<(Followed, Queue)> {
    let slot = ActivePolicy::new(None);
    let (shadow, queue) = Shadow::start(Arc::clone(&slot), state_dir, metrics.shadow.clone())?;
    let metrics = metrics.shadow.policy.clone();
    let plan = reload::Plan { origin, compiler, active: slot, role: Role::Shadow, metrics, standing };
    let reload = Reload::start(plan, state_dir).await?;
    Ok((Followed { reload, shadow }, queue))
}
