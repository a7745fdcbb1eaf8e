use super::*;
use crate::clock;
use crate::credential::secret::Secret;
use crate::credential::source::tests::permit;

const DOWN: IssueError = IssueError::Unavailable("down");
const LIFETIME: Lifetime = Lifetime { ttl_max: None, refresh_ahead: 0.8 };

fn issued(secret: &str, handle: Option<&str>) -> Issued {
    Issued {
        secret: Secret::new(secret.into()).expect("valid"),
        lifetime: Some(Duration::from_secs(100)),
        scopes: Vec::new(),
        handle: handle.map(str::to_owned),
        renewable: true,
    }
}

fn slot() -> (Slot, Instant) {
    let now = clock::monotonic();
    (Slot::new(permit(), now), now)
}

fn launched(entry: Entry) -> Launch {
    match entry {
        Entry::Launch(launch) => launch,
        Entry::Live(_) | Entry::Failing(_) | Entry::Wait(_) | Entry::Gone => panic!("a launch was expected"),
    }
}

/// A slot with a live lease.
fn filled(secret: &str, handle: Option<&str>) -> (Slot, Instant, Arc<Lease>) {
    let (slot, now) = slot();
    let lease = landed(land(&slot, launched(slot.enter(now, None)), Ok(issued(secret, handle)), now));
    (slot, now, lease)
}

fn land(slot: &Slot, launch: Launch, result: Result<Issued, IssueError>, now: Instant) -> Landed {
    let landed = slot.land(&launch, result, LIFETIME, now);
    launch.announce(landed.outcome.clone());
    landed
}

fn landed(landed: Landed) -> Arc<Lease> {
    landed.outcome.map(|(lease, _)| lease).unwrap_or_else(|unissued| panic!("{unissued}"))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn one_launches_and_the_others_wait_for_it() {
    let (slot, now) = slot();
    let launch = launched(slot.enter(now, None));
    let Entry::Wait(flight) = slot.enter(now, None) else { panic!("a call is under way") };
    assert!(flight.borrow().is_none());
    let lease = landed(land(&slot, launch, Ok(issued("a", None)), now));
    let outcome = flight.borrow().clone().expect("landed");
    assert!(outcome.is_ok_and(|(told, from)| Arc::ptr_eq(&told, &lease) && from == LeaseFrom::Issued));
    assert!(matches!(slot.enter(now, None), Entry::Live(live) if Arc::ptr_eq(&live, &lease)));
}

#[test]
fn a_killed_call_is_made_again() {
    let (slot, now) = slot();
    drop(launched(slot.enter(now, None)));
    launched(slot.enter(now, None));
}

#[test]
fn failures_hold_back_calls_for_longer_and_longer() {
    let (slot, mut now) = slot();
    for longest in [1, 2, 4, 8, 10, 10] {
        let launch = launched(slot.enter(now, None));
        land(&slot, launch, Err(DOWN), now);
        let Entry::Failing(Unissued::Unavailable { retry_after }) = slot.enter(now, None) else {
            panic!("it fails at once")
        };
        assert!(
            (seconds(longest) / 2..=seconds(longest)).contains(&retry_after),
            "{retry_after:?} of {longest} s"
        );
        assert!(matches!(
            slot.enter(now + seconds(longest) / 2 - Duration::from_millis(1), None),
            Entry::Failing(_)
        ));
        now += seconds(longest);
    }
    let launch = launched(slot.enter(now, None));
    land(&slot, launch, Ok(issued("a", None)), now);
    now += seconds(200);
    land(&slot, launched(slot.enter(now, None)), Err(DOWN), now);
    launched(slot.enter(now + seconds(1), None));
}

#[test]
fn failures_are_told_by_their_kind() {
    let check = |error: IssueError, refused: bool| {
        let (slot, now) = slot();
        land(&slot, launched(slot.enter(now, None)), Err(error), now);
        let Entry::Failing(unissued) = slot.enter(now, None) else { panic!("it fails at once") };
        assert_eq!(matches!(unissued, Unissued::Refused { .. }), refused, "{error}");
    };
    check(IssueError::Refused("no"), true);
    check(IssueError::Unavailable("down"), false);
    check(IssueError::Invalid("nonsense"), false);
}

#[test]
fn a_live_lease_is_served_while_its_renewal_fails() {
    let (slot, now, lease) = filled("a", None);
    let later = now + seconds(90);
    let launch = slot.renew(later, &lease).expect("it is time");
    assert!(slot.renew(later, &lease).is_none(), "one is under way");
    land(&slot, launch, Err(DOWN), later);
    assert!(matches!(slot.enter(later, None), Entry::Live(_)));
    assert!(slot.renew(later, &lease).is_none(), "held back");
    assert!(slot.renew(later + seconds(1), &lease).is_some());
    drop(slot);
    let (slot, now, lease) = filled("a", None);
    land(&slot, slot.renew(now, &lease).expect("it is time"), Err(DOWN), now + seconds(100));
    assert!(matches!(slot.enter(now + seconds(100), None), Entry::Failing(_)));
}

#[test]
fn only_the_live_lease_is_renewed() {
    let (slot, now, first) = filled("a", None);
    let launch = slot.renew(now, &first).expect("it is time");
    assert_eq!((launch.purpose, launch.previous.is_some()), (Purpose::Renew, true));
    let second = landed(land(&slot, launch, Ok(issued("b", None)), now));
    assert!(slot.renew(now, &first).is_none());
    assert!(slot.renew(now, &second).is_some());
}

#[test]
fn a_successor_may_hold_the_same_authority() {
    let check = |old: (&str, Option<&str>), new: (&str, Option<&str>), lives_on: bool, same_id: bool| {
        let (slot, now, lease) = filled(old.0, old.1);
        let launch = slot.renew(now, &lease).expect("it is time");
        let Landed { outcome, replaced } = land(&slot, launch, Ok(issued(new.0, new.1)), now);
        let replaced = replaced.expect("there was one");
        assert!(Arc::ptr_eq(&replaced.lease, &lease));
        assert_eq!(replaced.lives_on, lives_on, "{old:?} {new:?}");
        assert_eq!(outcome.is_ok_and(|(new, _)| new.id() == lease.id()), same_id, "{old:?} {new:?}");
    };
    check(("a", None), ("b", None), false, false);
    check(("a", None), ("a", None), true, false);
    check(("a", Some("1")), ("b", Some("2")), false, false);
    check(("a", Some("1")), ("a", Some("1")), true, true);
}

#[test]
fn a_refused_lease_is_replaced_once_in_a_while() {
    let (slot, now, first) = filled("a", None);
    let Some(entry) = slot.challenge(now, &first) else { panic!("it can be replaced") };
    let launch = launched(entry);
    assert_eq!(launch.purpose, Purpose::Replace);
    assert!(matches!(slot.challenge(now, &first), Some(Entry::Wait(_))));
    let second = landed(land(&slot, launch, Ok(issued("b", None)), now));
    assert!(matches!(slot.challenge(now, &first), Some(Entry::Live(live)) if Arc::ptr_eq(&live, &second)));
    assert!(slot.challenge(now + seconds(29), &second).is_none(), "it would become a loop");
    assert!(matches!(slot.challenge(now + seconds(30), &second), Some(Entry::Launch(_))));
}

#[test]
fn a_policy_may_want_a_younger_lease() {
    let (slot, now, _) = filled("a", None);
    let later = now + seconds(20);
    assert!(matches!(slot.enter(later, Some(seconds(60))), Entry::Live(_)));
    assert_eq!(launched(slot.enter(later, Some(seconds(10)))).purpose, Purpose::Issue);
}

#[test]
fn an_expired_lease_is_taken_out_once() {
    let (slot, now, lease) = filled("a", None);
    assert!(slot.take_expired(now + seconds(99)).is_none());
    let taken = slot.take_expired(now + seconds(100)).expect("it is over");
    assert!(Arc::ptr_eq(&taken, &lease) && slot.take_expired(now + seconds(100)).is_none());
}

#[test]
fn a_slot_goes_when_it_is_idle_or_evicted() {
    let (idle, now) = slot();
    assert!(!idle.forget_if_idle(now + seconds(59)));
    assert!(idle.forget_if_idle(now + seconds(60)));
    assert!(matches!(idle.enter(now, None), Entry::Gone));

    let (filled, now, _) = filled("a", None);
    assert!(!filled.forget_if_idle(now + seconds(60)), "its lease may be used");
    assert!(filled.evict().is_some_and(|lease| lease.is_some()));
    assert!(matches!(filled.enter(now, None), Entry::Gone));

    let (flying, now) = slot();
    let _launch = launched(flying.enter(now, None));
    assert!(!flying.forget_if_idle(now + seconds(60)) && flying.evict().is_none(), "somebody waits");
}
