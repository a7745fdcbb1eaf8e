//! Newer policies while the process runs: found in a file or at a bundle service, compiled off the requests' way, and put
//! in place whole or not at all. Whatever is wrong with a newer one, the last good one stays.

pub mod compiler;
mod file;
pub mod floor;
mod service;
pub mod standing;
mod store;
pub mod trust;
mod workshop;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use claviger_policy::Policy;
use tokio::task::JoinHandle;

use crate::active::ActivePolicy;
use crate::admin::metrics::ReloadResult;
use crate::admin::metrics::policy::PolicyMetrics;
use compiler::{Compiler, Unloadable};
use floor::Floor;
pub use service::Service;
use standing::Standing;
use store::Store;
use workshop::Workshop;

/// Where policies come from.
pub enum Origin {
    /// A bundle or a bare module in a file, which may be replaced.
    File(PathBuf),
    /// A bundle service.
    Service(Box<Service>),
}

/// What a process needs to keep its policy up to date.
pub struct Plan {
    /// Where policies come from.
    pub origin: Origin,
    /// What makes policies of bytes.
    pub compiler: Compiler,
    /// Where they go.
    pub active: Arc<ActivePolicy>,
    /// What they are there for.
    pub role: Role,
    /// Where it is counted.
    pub metrics: PolicyMetrics,
    /// Where it is told.
    pub standing: Standing,
}

/// What a policy is followed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It decides.
    Active,
    /// It is only compared: nothing waits for it.
    Shadow,
}

impl Role {
    /// Its name in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Shadow => "shadow",
        }
    }
}

/// Keeps the active policy up to date until it is dropped.
pub struct Reload {
    task: JoinHandle<()>,
}

/// One policy's way into its place.
pub(crate) struct Reloader {
    workshop: Workshop,
    active: Arc<ActivePolicy>,
    role: Role,
    metrics: PolicyMetrics,
    floor: Option<Arc<Floor>>,
    standing: Standing,
    /// The policy before the active one: to go back to it compiles nothing.
    before: Mutex<Option<Arc<Policy>>>,
}

/// What came of a bundle that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is active now.
    Activated,
    /// It was active before.
    Unchanged,
}

impl Reload {
    /// Starts on the runtime that it is called on. Where a bundle service's last good bundle was kept in `state_dir`, it
    /// is active when this returns, unless it is a shadow's.
    ///
    /// # Errors
    /// When there is no thread to compile on.
    pub async fn start(plan: Plan, state_dir: &Path) -> std::io::Result<Self> {
        let Plan { origin, compiler, active, role, metrics, standing } = plan;
        let floor = compiler.floor();
        let workshop = Workshop::open(compiler)?;
        let reloader =
            Reloader { workshop, active, role, metrics, floor, standing, before: Mutex::default() };
        if let Some(policy) = reloader.active.current() {
            reloader.metrics.replaced(&policy, None);
            reloader.standing.activated(&policy);
            reloader.raise(&policy);
            reloader.settle().await;
        }
        let task = match origin {
            Origin::File(path) => tokio::spawn(file::follow(path, reloader)),
            Origin::Service(service) => {
                let store = service.persist().then(|| Store::new(state_dir, service.url()));
                if let (Some(store), Role::Active) = (&store, role) {
                    service::start_from(store, &reloader).await;
                }
                tokio::spawn(async move {
                    if let (Some(store), Role::Shadow) = (&store, role) {
                        service::start_from(store, &reloader).await;
                    }
                    service::follow(*service, reloader, store).await;
                })
            }
        };
        Ok(Self { task })
    }
}

impl Drop for Reload {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The policy that a sidecar with these settings would start with before it has asked anybody, for explanations.
pub fn kept(origin: &Origin, compiler: &Compiler, state_dir: &Path) -> Option<Arc<Policy>> {
    let Origin::Service(service) = origin else { return None };
    let bytes = service.persist().then(|| Store::new(state_dir, service.url()).load())??;
    compiler.compile(&bytes, &[]).ok()
}

impl Reloader {
    /// Makes the policy in `bytes` the active one.
    async fn take(&self, bytes: Bytes) -> Result<Change, Unloadable> {
        self.take_from(move || Ok(bytes)).await
    }

    /// The same with bytes that are still to be read, which may take its time.
    async fn take_from(
        &self,
        read: impl FnOnce() -> std::io::Result<Bytes> + Send + 'static,
    ) -> Result<Change, Unloadable> {
        let known = self.active.current().into_iter().chain(self.before()).collect();
        let policy = self.workshop.compile(read, known).await?;
        if self.active.current().is_some_and(|current| Arc::ptr_eq(&current, &policy)) {
            self.standing.is_newest();
            return Ok(Change::Unchanged);
        }
        self.raise(&policy);
        let before = self.active.replace(Arc::clone(&policy));
        self.metrics.replaced(&policy, before.as_deref());
        self.standing.activated(&policy);
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = before;
        let (role, revision, digest) = (self.role.as_str(), policy.revision(), policy.digest());
        tracing::info!(role, revision, digest, "a policy is in place");
        Ok(Change::Activated)
    }

    fn raise(&self, policy: &Policy) {
        if let Some(floor) = &self.floor {
            floor.raise(policy.serial());
        }
    }

    /// Makes the floor last. A disk that is full or broken does not keep a newer policy from its place: the floor holds in
    /// this process, and the next look tries again.
    async fn settle(&self) {
        let Some(floor) = self.floor.clone() else { return };
        let kept = tokio::task::spawn_blocking(move || floor.keep()).await;
        if let Err(error) = kept.map_err(std::io::Error::other).and_then(|kept| kept) {
            tracing::error!(%error, "the policy's serial cannot be kept: after a restart an older one could be taken");
        }
    }

    fn before(&self) -> Option<Arc<Policy>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, result: ReloadResult) {
        self.metrics.looked(result);
    }
}

impl From<Change> for ReloadResult {
    fn from(change: Change) -> Self {
        match change {
            Change::Activated => Self::activated,
            Change::Unchanged => Self::unchanged,
        }
    }
}
