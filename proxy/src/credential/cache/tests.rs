use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::{LocalSet, spawn_local};

use super::*;
use crate::admin::metrics::{LeaseEvent, Metrics};
use crate::authorize::{LeaseOutlook, Permit, Terms};
use crate::clock;
use crate::credential::lease::{Issued, Lease, Lifetime};
use crate::credential::secret::Secret;
use crate::credential::source::tests::{terms, text};
use crate::credential::source::{Call, Source};

type Answer = Box<dyn Fn(usize) -> Result<Issued, IssueError> + Send + Sync>;

/// A source that answers its n-th call as a test says, once the gate lets it.
struct Fake {
    calls: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
    answer: Answer,
    timeout: Duration,
    revoked: Arc<Mutex<Vec<String>>>,
    revocation: fn(usize) -> Result<bool, IssueError>,
    closed: Arc<AtomicUsize>,
}

impl Source for Fake {
    fn issue<'a>(&'a self, _permit: &'a Permit) -> Call<'a, Issued> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let _passed = self.gate.acquire().await.expect("open");
            (self.answer)(call)
        })
    }

    fn revoke<'a>(&'a self, lease: &'a Lease) -> Call<'a, bool> {
        let mut revoked = self.revoked.lock().expect("not poisoned");
        let result = (self.revocation)(revoked.len());
        revoked.push(text(lease.secret()).to_owned());
        Box::pin(async move { result })
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn close(&self) -> Call<'_, ()> {
        self.closed.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }
}

#[derive(Default)]
struct Ledger(Mutex<Vec<(LeaseEvent, String)>>);

impl LeaseLedger for Ledger {
    fn record(&self, record: &LeaseRecord<'_>) {
        assert_eq!((record.name, record.kind, record.subject), ("key", "fake", "uid=1000"));
        self.0.lock().expect("not poisoned").push((record.event, record.route.to_owned()));
    }
}

/// An index over one fake source, with its own control runtime and one worker's view.
struct Bench {
    control: Runtime,
    index: Arc<LeaseIndex>,
    leases: Rc<Leases>,
    ledger: Arc<Ledger>,
    calls: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
    revoked: Arc<Mutex<Vec<String>>>,
    closed: Arc<AtomicUsize>,
}

struct Plan {
    answer: Answer,
    refresh_ahead: f64,
    ttl_max: Option<Duration>,
    timeout: Duration,
    slots_max: usize,
    revocation: fn(usize) -> Result<bool, IssueError>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            answer: Box::new(|call| Ok(issued(&format!("token-{call}"), 300_000))),
            refresh_ahead: 0.8,
            ttl_max: None,
            timeout: Duration::from_secs(5),
            slots_max: LEASES_MAX,
            revocation: |_| Ok(true),
        }
    }
}

impl Plan {
    fn answering(answer: impl Fn(usize) -> Result<Issued, IssueError> + Send + Sync + 'static) -> Self {
        Self { answer: Box::new(answer), ..Self::default() }
    }

    fn bench(self) -> Bench {
        let control = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let (calls, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (gate, revoked) = (Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)), Arc::default());
        let source = Fake {
            calls: Arc::clone(&calls),
            gate: Arc::clone(&gate),
            answer: self.answer,
            timeout: self.timeout,
            revoked: Arc::clone(&revoked),
            revocation: self.revocation,
            closed: Arc::clone(&closed),
        };
        let lifetime = Lifetime { ttl_max: self.ttl_max, refresh_ahead: self.refresh_ahead };
        let source =
            CredentialSource { name: "key".into(), kind: "fake".into(), source: Box::new(source), lifetime };
        let ledger = Arc::new(Ledger::default());
        let (handle, metrics) = (control.handle().clone(), Arc::new(Metrics::new()));
        let index =
            LeaseIndex::bounded(vec![source], handle, metrics, Arc::clone(&ledger) as _, self.slots_max);
        let leases = Rc::new(Leases::new(Arc::clone(&index)));
        Bench { control, index, leases, ledger, calls, gate, revoked, closed }
    }
}

impl Bench {
    /// Runs `work` as a worker does.
    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let worker = Builder::new_current_thread().enable_all().build().expect("a runtime");
        LocalSet::new().block_on(&worker, work)
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn shut_gate(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn open_gate(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    fn events(&self, event: LeaseEvent) -> usize {
        self.ledger.0.lock().expect("not poisoned").iter().filter(|(told, _)| *told == event).count()
    }

    fn revoked(&self) -> Vec<String> {
        let mut revoked = self.revoked.lock().expect("not poisoned").clone();
        revoked.sort();
        revoked
    }

    async fn until(&self, true_at_last: impl Fn(&Self) -> bool) {
        while !true_at_last(self) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn issued(secret: &str, lifetime_ms: u64) -> Issued {
    Issued {
        secret: Secret::new(secret.into()).expect("valid"),
        lifetime: Some(Duration::from_millis(lifetime_ms)),
        scopes: vec!["read".into()],
        handle: None,
        renewable: false,
    }
}

fn permit() -> Permit {
    Permit::for_test(terms())
}

fn permit_for(route: &str) -> Permit {
    Permit::for_test(Terms { route: route.into(), ..terms() })
}

fn secret(held: &Held) -> &str {
    text(held.lease.secret())
}

#[test]
fn the_first_is_issued_and_the_next_come_from_memory() {
    let bench = Plan::default().bench();
    bench.run(async {
        assert_eq!(bench.leases.peek(&terms()), None);
        for expected in [LeaseFrom::Issued, LeaseFrom::Cache, LeaseFrom::Cache] {
            let held = bench.leases.obtain(&permit()).await.expect("a lease");
            assert_eq!((held.from, secret(&held)), (expected, "token-0"));
        }
        assert!(bench.leases.peek(&terms()).is_some_and(|left| left <= Some(Duration::from_secs(300))));
        let another_worker = Leases::new(Arc::clone(&bench.index));
        let held = another_worker.obtain(&permit()).await.expect("a lease");
        assert_eq!((held.from, secret(&held)), (LeaseFrom::Cache, "token-0"));
        let held = bench.leases.obtain(&permit_for("other")).await.expect("a lease");
        assert_eq!((held.from, secret(&held)), (LeaseFrom::Issued, "token-1"));
    });
    assert_eq!((bench.calls(), bench.events(LeaseEvent::issued)), (2, 2));
}

#[test]
fn ten_thousand_wait_for_one_call() {
    let bench = Plan::default().bench();
    bench.shut_gate();
    let asked = Rc::new(Cell::new(0));
    bench.run(async {
        let waiting: Vec<_> = (0..10_000)
            .map(|_| {
                let (leases, asked) = (Rc::clone(&bench.leases), Rc::clone(&asked));
                spawn_local(async move {
                    asked.set(asked.get() + 1);
                    leases.obtain(&permit()).await.map(|held| held.from)
                })
            })
            .collect();
        bench.until(|bench| bench.calls() == 1 && asked.get() == 10_000).await;
        bench.open_gate();
        for waiter in waiting {
            assert_eq!(waiter.await.expect("no panic"), Ok(LeaseFrom::Issued));
        }
    });
    assert_eq!(bench.calls(), 1);
}

#[test]
fn waiters_on_many_threads_share_the_call() {
    let bench = Plan::default().bench();
    bench.shut_gate();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let index = Arc::clone(&bench.index);
            std::thread::spawn(move || {
                let worker = Builder::new_current_thread().enable_all().build().expect("a runtime");
                worker.block_on(async { Leases::new(index).obtain(&permit()).await.map(|held| held.from) })
            })
        })
        .collect();
    bench.run(bench.until(|bench| bench.calls() == 1));
    bench.open_gate();
    assert!(threads.into_iter().all(|thread| thread.join().expect("no panic").is_ok()));
    assert_eq!(bench.calls(), 1);
}

#[test]
fn whoever_leaves_does_not_strand_the_others() {
    let bench = Plan::default().bench();
    bench.shut_gate();
    bench.run(async {
        let leases = Rc::clone(&bench.leases);
        let first = spawn_local(async move { leases.obtain(&permit()).await.is_ok() });
        bench.until(|bench| bench.calls() == 1).await;
        first.abort();
        let leases = Rc::clone(&bench.leases);
        let second = spawn_local(async move { leases.obtain(&permit()).await.is_ok() });
        tokio::task::yield_now().await;
        bench.open_gate();
        assert!(second.await.expect("no panic"));
    });
    assert_eq!(bench.calls(), 1);
}

#[test]
fn a_failed_call_is_an_error_for_all_and_then_at_once() {
    let check = |plan: Plan, refused: bool| {
        let bench = plan.bench();
        bench.run(async {
            let permit = permit();
            let both = futures_util::future::join(bench.leases.obtain(&permit), bench.leases.obtain(&permit));
            let (one, other) = both.await;
            for unissued in [one.err(), other.err(), bench.leases.obtain(&permit).await.err()] {
                assert_eq!(matches!(unissued, Some(Unissued::Refused { .. })), refused);
                assert_eq!(matches!(unissued, Some(Unissued::Unavailable { .. })), !refused);
            }
        });
        assert_eq!(bench.calls(), 1);
    };
    check(Plan::answering(|_| Err(IssueError::Refused("no"))), true);
    check(Plan::answering(|_| Err(IssueError::Invalid("nonsense"))), false);
    check(Plan::answering(|_| panic!("the source of this test panics")), false);
    let patience = Duration::from_millis(30);
    let silent = Plan { timeout: patience, ..Plan::default() }.bench();
    silent.shut_gate();
    let unissued = silent.run(silent.leases.obtain(&permit())).err();
    assert!(matches!(unissued, Some(Unissued::Unavailable { .. })));
}

#[test]
fn a_killed_control_runtime_is_an_error() {
    let bench = Plan::default().bench();
    bench.shut_gate();
    let (leases, calls) = (Rc::clone(&bench.leases), Arc::clone(&bench.calls));
    let control = bench.control;
    let worker = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let unissued = LocalSet::new().block_on(&worker, async move {
        let waiter = spawn_local(async move { leases.obtain(&permit()).await.err() });
        while calls.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        control.shutdown_background();
        waiter.await.expect("no panic")
    });
    assert!(matches!(unissued, Some(Unissued::Unavailable { .. })));
}

#[test]
fn use_renews_ahead_without_waiting() {
    let bench = Plan { refresh_ahead: 0.0, ..Plan::default() }.bench();
    bench.run(async {
        let first = bench.leases.obtain(&permit()).await.expect("a lease");
        bench.shut_gate();
        for _ in 0..10 {
            let held = bench.leases.obtain(&permit()).await.expect("a lease");
            assert_eq!((held.from, secret(&held)), (LeaseFrom::Cache, "token-0"));
        }
        bench.until(|bench| bench.calls() == 2).await;
        bench.open_gate();
        bench.until(|bench| bench.events(LeaseEvent::renewed) == 1).await;
        let held = bench.leases.obtain(&permit()).await.expect("a lease");
        assert_eq!((held.from, secret(&held)), (LeaseFrom::Cache, "token-1"));
        assert!(first.lease.is_retired());
    });
}

#[test]
fn a_live_lease_is_served_while_the_issuer_is_down() {
    let down =
        |call| if call == 0 { Ok(issued("token-0", 300_000)) } else { Err(IssueError::Unavailable("down")) };
    let bench = Plan { refresh_ahead: 0.0, ..Plan::answering(down) }.bench();
    bench.run(async {
        bench.leases.obtain(&permit()).await.expect("a lease");
        bench.leases.obtain(&permit()).await.expect("a lease");
        bench.until(|bench| bench.calls() == 2).await;
        for _ in 0..100 {
            let held = bench.leases.obtain(&permit()).await.expect("a lease");
            assert_eq!(secret(&held), "token-0");
        }
    });
    assert!(bench.calls() <= 3, "{} calls", bench.calls());
}

#[test]
fn a_refused_lease_is_replaced_once_for_all() {
    let bench = Plan::default().bench();
    bench.run(async {
        let held = Rc::new(bench.leases.obtain(&permit()).await.expect("a lease"));
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let (leases, held) = (Rc::clone(&bench.leases), Rc::clone(&held));
                spawn_local(async move { leases.replace(&permit(), &held).await })
            })
            .collect();
        for asked in asking {
            let fresh = asked.await.expect("no panic").expect("another");
            assert_eq!((fresh.from, secret(&fresh)), (LeaseFrom::Renewed, "token-1"));
            assert!(bench.leases.replace(&permit(), &fresh).await.is_none(), "no loop at the issuer");
        }
        let held = bench.leases.obtain(&permit()).await.expect("a lease");
        assert_eq!(secret(&held), "token-1");
    });
    assert_eq!((bench.calls(), bench.events(LeaseEvent::renewed)), (2, 1));
}

#[test]
fn the_same_secret_again_is_no_replacement() {
    let check = |answer: fn(usize) -> Result<Issued, IssueError>| {
        let bench = Plan::answering(answer).bench();
        bench.run(async {
            let held = bench.leases.obtain(&permit()).await.expect("a lease");
            assert!(bench.leases.replace(&permit(), &held).await.is_none());
            assert!(bench.leases.replace(&permit(), &held).await.is_none());
            bench.leases.obtain(&permit()).await.expect("it is still served");
        });
        assert_eq!(bench.calls(), 2);
    };
    check(|_| Ok(issued("always-this", 300_000)));
    check(|call| if call == 0 { Ok(issued("a", 300_000)) } else { Err(IssueError::Unavailable("down")) });
}

#[test]
fn a_lease_in_use_is_not_revoked_yet() {
    let bench = Plan::default().bench();
    bench.run(async {
        let held = bench.leases.obtain(&permit()).await.expect("a lease");
        bench.leases.replace(&permit(), &held).await.expect("another");
        let now = clock::monotonic();
        bench.index.revoke_due(now).await;
        assert!(bench.revoked().is_empty(), "a request holds it");
        drop(held);
        bench.index.revoke_due(now).await;
        assert_eq!((bench.revoked(), bench.events(LeaseEvent::revoked)), (vec!["token-0".to_owned()], 1));
    });
}

#[test]
fn a_lease_that_is_held_for_long_is_revoked_all_the_same() {
    let bench = Plan::default().bench();
    bench.run(async {
        let held = bench.leases.obtain(&permit()).await.expect("a lease");
        bench.leases.replace(&permit(), &held).await.expect("another");
        bench.index.revoke_due(clock::monotonic() + Duration::from_secs(31)).await;
        assert_eq!(bench.revoked(), ["token-0"]);
    });
}

#[test]
fn revocation_is_tried_a_few_times() {
    let check = |revocation: fn(usize) -> Result<bool, IssueError>, tries: usize, event: LeaseEvent| {
        let bench = Plan { revocation, ..Plan::default() }.bench();
        bench.run(async {
            let held = bench.leases.obtain(&permit()).await.expect("a lease");
            bench.leases.replace(&permit(), &held).await.expect("another");
            drop(held);
            for round in 0..10 {
                bench.index.revoke_due(clock::monotonic() + Duration::from_secs(100 * round)).await;
            }
        });
        assert_eq!((bench.revoked().len(), bench.events(event)), (tries, 1));
    };
    let down = |_| Err(IssueError::Unavailable("down"));
    check(
        |try_| if try_ < 2 { Err(IssueError::Unavailable("down")) } else { Ok(true) },
        3,
        LeaseEvent::revoked,
    );
    check(down, 4, LeaseEvent::revoke_failed);
}

#[test]
fn what_ends_by_itself_is_expired_and_what_is_cut_is_revoked() {
    let check = |lifetime_ms: u64, ttl_max: Option<Duration>, event: LeaseEvent| {
        let plan = Plan { ttl_max, ..Plan::answering(move |_| Ok(issued("token", lifetime_ms))) };
        let bench = plan.bench();
        bench.run(async {
            bench.leases.obtain(&permit()).await.expect("a lease");
            tokio::time::sleep(Duration::from_millis(30)).await;
            bench.leases.sweep();
            assert_eq!(bench.leases.peek(&terms()), None);
            bench.index.tend(clock::monotonic());
            bench.index.revoke_due(clock::monotonic()).await;
        });
        assert_eq!(bench.events(event), 1);
        assert_eq!(bench.revoked().len(), usize::from(event == LeaseEvent::revoked));
    };
    check(20, None, LeaseEvent::expired);
    check(300_000, Some(Duration::from_millis(20)), LeaseEvent::revoked);
}

#[test]
fn the_index_is_bounded() {
    let bench = Plan { slots_max: 16, ..Plan::default() }.bench();
    bench.run(async {
        for number in 0..100 {
            bench.leases.obtain(&permit_for(&format!("r{number}"))).await.expect("a lease");
        }
        bench.leases.sweep();
        bench.index.revoke_due(clock::monotonic()).await;
        let last = bench.leases.obtain(&permit_for("r99")).await.expect("a lease");
        assert_eq!(last.from, LeaseFrom::Cache, "the least recently used go first");
    });
    assert!(bench.revoked().len() >= 84, "{}", bench.revoked().len());
}

#[test]
fn closing_revokes_everything_and_issues_nothing_more() {
    let bench = Plan::default().bench();
    bench.run(async {
        let held = bench.leases.obtain(&permit_for("a")).await.expect("a lease");
        bench.leases.obtain(&permit_for("b")).await.expect("a lease");
        bench.leases.replace(&permit_for("a"), &held).await.expect("another");
        bench.index.close(Duration::from_secs(10)).await;
        assert_eq!(bench.revoked(), ["token-0", "token-1", "token-2"]);
        for route in ["a", "c"] {
            assert_eq!(bench.leases.obtain(&permit_for(route)).await.err(), Some(Unissued::Closing));
        }
    });
    assert_eq!((bench.calls(), bench.closed.load(Ordering::SeqCst)), (3, 1));
    assert_eq!(bench.events(LeaseEvent::revoked), 3);
}

#[test]
fn closing_waits_for_a_call_and_revokes_what_it_brings() {
    let bench = Plan::default().bench();
    bench.shut_gate();
    bench.run(async {
        let leases = Rc::clone(&bench.leases);
        let waiter = spawn_local(async move { leases.obtain(&permit()).await.is_ok() });
        bench.until(|bench| bench.calls() == 1).await;
        let index = Arc::clone(&bench.index);
        let closing = spawn_local(async move { index.close(Duration::from_secs(10)).await });
        tokio::task::yield_now().await;
        bench.open_gate();
        closing.await.expect("no panic");
        waiter.await.expect("no panic");
    });
    assert_eq!(bench.revoked(), ["token-0"]);
}

#[test]
fn closing_tells_what_it_could_not_revoke() {
    let revocation = |_| Err(IssueError::Unavailable("down"));
    let bench = Plan { revocation, ..Plan::default() }.bench();
    bench.run(async {
        bench.leases.obtain(&permit()).await.expect("a lease");
        bench.index.close(Duration::from_millis(50)).await;
    });
    assert_eq!((bench.events(LeaseEvent::revoke_failed), bench.closed.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn a_policy_may_want_a_younger_lease() {
    let bench = Plan::default().bench();
    let young = Permit::for_young(terms(), Duration::from_millis(20));
    bench.run(async {
        bench.leases.obtain(&permit()).await.expect("a lease");
        tokio::time::sleep(Duration::from_millis(30)).await;
        let held = bench.leases.obtain(&young).await.expect("a lease");
        assert_eq!((held.from, secret(&held)), (LeaseFrom::Issued, "token-1"));
        let never = Permit::for_young(terms(), Duration::ZERO);
        assert_eq!(bench.leases.obtain(&never).await.map(|held| held.from), Ok(LeaseFrom::Issued));
    });
    assert_eq!(bench.calls(), 3);
}
