//! Assembly: a snapshot becomes listeners, workers and the control plane; a signal drains them and gives back what
//! was issued.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claviger_config::{Bind, Limits};
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::active::ActivePolicy;
use crate::admin::metrics::Metrics;
use crate::admin::{Admin, Health};
use crate::audit::{self, Audit, LeaseRecord};
use crate::authorize::Surroundings;
use crate::connection::ListenerFacts;
use crate::credential::cache::{LeaseIndex, LeaseLedger};
use crate::listener::{self, Accepted, BindError, Listening};
use crate::observe::labels;
use crate::observe::running::{Plans, Running};
use crate::process;
use crate::reload::standing::Standing;
use crate::reload::{self, Reload, Role};
use crate::snapshot::Snapshot;
use crate::upstream::dial::Dialler;
use crate::worker::{self, Phase, Plan, Spawned};

/// How long requests may take to end once the process is told to stop.
const DRAIN_SECONDS_MAX: Duration = Duration::from_secs(30);
/// How long issuers may take to revoke, after a drain and after an impatient second signal.
const REVOKE_SECONDS_MAX: Duration = Duration::from_secs(10);
const REVOKE_SECONDS_IMPATIENT: Duration = Duration::from_secs(2);
/// How long the last decisions may take on their way to where they are logged, likewise.
const FLUSH_SECONDS_MAX: Duration = Duration::from_secs(5);
const FLUSH_SECONDS_IMPATIENT: Duration = Duration::from_secs(1);
/// Requests that a worker takes at least, so that an uneven share of few connections sheds none.
const REQUESTS_MIN: usize = 256;
/// Records of one worker that may wait for the audit's thread, beside those of its requests: a record keeps its slot
/// until its line is written, which is some milliseconds after its request has made room for the next.
const RECORDS_WAITING_MAX: usize = 2048;

/// Why the sidecar could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket could not be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The audit cannot be written, or not be continued.
    #[error("the audit cannot start: {0}")]
    Audit(#[from] audit::StartError),
    /// The state directory cannot be made.
    #[error("the state directory {} cannot be used: {source}", path.display())]
    State {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong there.
        source: std::io::Error,
    },
    /// A route's upstream could not be verified.
    #[error("{0}")]
    Upstream(String),
    /// No thread, or no signals.
    #[error("the process cannot start: {0}")]
    Process(#[from] std::io::Error),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every request was answered, and what could be revoked was.
    Drained,
    /// Something was cut off.
    Cut,
}

/// A running sidecar.
pub struct Sidecar {
    phase: watch::Sender<Phase>,
    acceptors: Vec<JoinHandle<()>>,
    workers: Vec<std::thread::JoinHandle<()>>,
    index: Arc<LeaseIndex>,
    audit: Audit,
    admin: Option<Admin>,
    reload: Reload,
    watching: Running,
    health: Arc<Health>,
    addresses: Vec<(String, String)>,
    /// Which worker has panicked.
    lost: mpsc::UnboundedReceiver<usize>,
}

impl Sidecar {
    /// Binds, recovers the audit, starts the workers, and only then accepts. Call it on the control runtime.
    pub async fn start(snapshot: Snapshot) -> Result<Self, StartError> {
        let Snapshot { config, policy, routes, sources, decision_logs, status } = snapshot;
        make_state_dir(&config.state_dir)?;
        let metrics = Arc::new(Metrics::new());
        let active = ActivePolicy::new(policy.policy);
        let health = Arc::new(Health::new(Arc::clone(&active)));
        let workers = config.limits.workers.unwrap_or_else(process::parallelism);
        let requests_max = requests_max(&config.limits, workers);
        let listening = bind_all(&config.listeners)?;
        let own = listening.iter().filter_map(Listening::tcp_address).collect();
        let dialler = Dialler::new(&routes, own).map_err(StartError::Upstream)?;
        let audit = Audit::start(
            audit::Settings {
                sink: config.audit.sink.clone(),
                required: config.audit.required,
                state_dir: config.state_dir.clone(),
                workers,
                slots: requests_max + RECORDS_WAITING_MAX,
            },
            metrics.audit_records.clone(),
        )?;
        let public_keys = sources.iter().flat_map(|source| source.source.public_keys()).collect();
        let index =
            LeaseIndex::new(sources, Handle::current(), Arc::clone(&metrics), Arc::new(audit.ledger()));
        let admin = match &config.metrics {
            Some(bind) => Some(Admin::start(bind, Arc::clone(&metrics), Arc::clone(&health), public_keys)?),
            None => None,
        };
        let sidecar = uuid::Uuid::now_v7().to_string();
        let standing = Standing::default();
        let plans = Plans {
            shadow: policy.shadow,
            compiler: policy.compiler.clone().without_floor(),
            decision_logs,
            status,
            standing: standing.clone(),
        };
        let labels = labels::labels(&config.identity, &sidecar);
        let (watching, observers) = Running::start(plans, &config.state_dir, labels, &metrics).await?;
        let following = reload::Plan {
            origin: policy.origin,
            compiler: policy.compiler,
            active: Arc::clone(&active),
            role: Role::Active,
            metrics: metrics.policy.clone(),
            standing,
        };
        let reload = Reload::start(following, &config.state_dir).await?;
        let plan = Plan {
            listeners: config.listeners.iter().map(facts).collect(),
            routes,
            active,
            surroundings: Surroundings {
                environment: config.identity.environment,
                labels: config.identity.labels,
                sidecar,
            },
            observers,
            processes: Arc::default(),
            index: Arc::clone(&index),
            metrics,
            dialler: Arc::new(dialler),
            requests_max,
            limits: config.limits,
        };
        let (phase, watched) = watch::channel(Phase::Running);
        let (bell, lost) = mpsc::unbounded_channel();
        let spawned = spawn_workers(workers, &plan, &audit, &watched, &bell)?;
        let addresses: Vec<_> = config
            .listeners
            .iter()
            .zip(&listening)
            .map(|(listener, bound)| (listener.name.clone(), bound.address()))
            .collect();
        for (name, address) in &addresses {
            tracing::info!(listener = name, address, "listening");
        }
        let slots = Arc::new(Semaphore::new(config.limits.connections));
        let (arrivals, threads): (Vec<_>, Vec<_>) =
            spawned.into_iter().map(|Spawned { arrivals, thread }| (arrivals, thread)).unzip();
        let acceptors = accept_all(listening, &arrivals, &slots);
        health.set_ready();
        Ok(Self {
            phase,
            acceptors,
            workers: threads,
            index,
            audit,
            admin,
            reload,
            watching,
            health,
            addresses,
            lost,
        })
    }

    /// The address that a listener really has.
    pub fn address(&self, listener: &str) -> Option<&str> {
        self.addresses.iter().find(|(name, _)| name == listener).map(|(_, address)| address.as_str())
    }

    /// Ends in order: no new work, what has begun is finished, leases are revoked, the record is closed.
    pub async fn drain(self, mut impatient: impl Future<Output = ()> + Unpin) -> End {
        self.health.set_draining();
        drop(self.reload);
        self.acceptors.iter().for_each(JoinHandle::abort);
        self.phase.send_replace(Phase::Draining);
        let workers = self.workers;
        let mut ended =
            tokio::task::spawn_blocking(move || workers.into_iter().for_each(|worker| drop(worker.join())));
        let end = tokio::select! {
            _ = &mut ended => End::Drained,
            () = tokio::time::sleep(DRAIN_SECONDS_MAX) => End::Cut,
            () = &mut impatient => End::Cut,
        };
        if end == End::Cut {
            tracing::warn!("stopping with requests under way");
            self.phase.send_replace(Phase::Stopping);
            let _ = ended.await;
        }
        let (patience, last_words) = match end {
            End::Drained => (REVOKE_SECONDS_MAX, FLUSH_SECONDS_MAX),
            End::Cut => (REVOKE_SECONDS_IMPATIENT, FLUSH_SECONDS_IMPATIENT),
        };
        self.index.close(patience).await;
        self.watching.close(last_words).await;
        drop(self.admin);
        let audit = self.audit;
        let _ = tokio::task::spawn_blocking(move || audit.close()).await;
        end
    }
}

/// Runs until a signal, then drains; a second signal ends it at once. A worker that is lost is as good as a signal, but
/// what it carried was cut off: whoever supervises the process is to start it anew.
pub async fn serve(snapshot: Snapshot, mut signals: Signals) -> Result<End, StartError> {
    let mut sidecar = Sidecar::start(snapshot).await?;
    if sidecar.health.missing().is_empty() {
        tracing::info!("ready");
    } else {
        tracing::warn!("there is no policy yet, and everything is refused until there is");
    }
    let whole = tokio::select! {
        () = signals.next() => End::Drained,
        Some(worker) = sidecar.lost.recv() => {
            tracing::error!(worker, "a worker has panicked outside of any connection");
            End::Cut
        }
    };
    tracing::info!("draining");
    let drained = sidecar.drain(std::pin::pin!(signals.next())).await;
    let end = if whole == End::Cut { whole } else { drained };
    tracing::info!(?end, "stopped");
    Ok(end)
}

/// The signals that ask the process to stop. One of them is a terminal that closes: nothing is reloaded on it yet,
/// and to die of it would leave leases behind.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes them over from their default, which is to end at once, or, for the first process of a container, to
    /// be ignored. Must be called within a tokio runtime.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for any of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

fn make_state_dir(path: &std::path::Path) -> Result<(), StartError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    let private = made.and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)));
    private.map_err(|source| StartError::State { path: path.to_owned(), source })
}

fn facts(listener: &claviger_config::Listener) -> ListenerFacts {
    let mut hosts = listener.hosts.clone();
    if let Bind::Tcp(address) = listener.bind {
        hosts.push(match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        });
    }
    ListenerFacts { name: listener.name.clone(), callers: listener.callers.clone(), hosts }
}

/// Connections are dealt out in turn, and each carries one request at a time: twice an even share is plenty.
fn requests_max(limits: &Limits, workers: usize) -> usize {
    limits.connections.min((2 * limits.connections / workers).max(REQUESTS_MIN))
}

fn bind_all(listeners: &[claviger_config::Listener]) -> Result<Vec<Listening>, BindError> {
    listeners
        .iter()
        .map(|listener| listener::bind(&format!("listener {}", listener.name), &listener.bind))
        .collect()
}

fn spawn_workers(
    count: usize,
    plan: &Plan,
    audit: &Audit,
    phase: &watch::Receiver<Phase>,
    lost: &mpsc::UnboundedSender<usize>,
) -> std::io::Result<Vec<Spawned>> {
    (0..count)
        .map(|number| {
            worker::spawn(number, plan.clone(), audit.recorder(number), phase.clone(), lost.clone())
        })
        .collect()
}

fn accept_all(
    listening: Vec<Listening>,
    workers: &[mpsc::Sender<Accepted>],
    slots: &Arc<Semaphore>,
) -> Vec<JoinHandle<()>> {
    let acceptor = |(index, socket): (usize, Listening)| {
        tokio::spawn(socket.hand_out(index, workers.to_vec(), Arc::clone(slots)))
    };
    listening.into_iter().enumerate().map(acceptor).collect()
}

impl LeaseLedger for audit::Ledger {
    fn record(&self, record: &LeaseRecord<'_>) {
        self.lease(record);
    }
}
