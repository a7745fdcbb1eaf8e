use super::*;

const START_MS: u64 = 0;

fn issued(lifetime_ms: Option<u64>) -> Issued {
    Issued {
        secret: Secret::new("s".into()).expect("valid"),
        lifetime: lifetime_ms.map(Duration::from_millis),
        scopes: Vec::new(),
        handle: None,
        renewable: true,
    }
}

fn cut(ttl_max_ms: Option<u64>) -> Lifetime {
    Lifetime { ttl_max: ttl_max_ms.map(Duration::from_millis), refresh_ahead: 0.8 }
}

#[test]
fn is_usable_until_the_margin_of_the_nearest_end() {
    let start = clock::monotonic();
    let check = |life: Option<u64>, ttl_max: Option<u64>, age_max: Option<u64>, at: u64, expected: bool| {
        let lease = Lease::new(issued(life), cut(ttl_max), start);
        let usable = lease.usable(start + Duration::from_millis(at), age_max.map(Duration::from_millis));
        assert_eq!(usable, expected, "life {life:?}, ttl_max {ttl_max:?}, age_max {age_max:?}, at {at} ms");
    };
    check(None, None, None, u64::from(u32::MAX), true);
    check(Some(60_000), None, None, START_MS, true);
    check(Some(60_000), None, None, 59_000, true);
    check(Some(60_000), None, None, 59_001, false);
    check(Some(2_000), None, None, 1_800, true);
    check(Some(2_000), None, None, 1_801, false);
    check(Some(2_000), None, None, 9_000, false);
    check(Some(3_600_000), Some(2_000), None, 1_800, true);
    check(Some(3_600_000), Some(2_000), None, 1_801, false);
    check(None, Some(2_000), None, 1_801, false);
    check(Some(60_000), None, Some(10_000), 9_000, true);
    check(Some(60_000), None, Some(10_000), 9_001, false);
    check(Some(60_000), None, Some(u64::MAX), 9_001, true);
    check(Some(60_000), None, Some(0), START_MS, false);
}

#[test]
fn a_retired_lease_is_not_usable() {
    let start = clock::monotonic();
    let lease = Lease::new(issued(None), cut(None), start);
    assert!(lease.usable(start, None));
    lease.retire();
    assert!(!lease.usable(start, None));
}

#[test]
fn renewal_falls_near_its_fraction_of_life() {
    let start = clock::monotonic();
    for _ in 0..100 {
        let lease = Lease::new(issued(Some(100_000)), cut(None), start);
        assert!(!lease.renewal_due(start + Duration::from_secs(75)));
        assert!(lease.renewal_due(start + Duration::from_secs(85)));
    }
    assert!(!Lease::new(issued(None), cut(None), start).renewal_due(start + Duration::from_secs(1 << 30)));
}

#[test]
fn a_prolonged_lease_keeps_its_id_and_its_cut() {
    let start = clock::monotonic();
    let later = start + Duration::from_secs(48);
    let first = Lease::new(issued(Some(60_000)), cut(Some(90_000)), start);
    assert!(first.prolongable());
    let second = first.prolonged(issued(Some(60_000)), cut(Some(90_000)), later);
    assert_eq!((second.id(), second.issued_at()), (first.id(), start));
    assert_eq!(
        second.expires_in(later),
        Some(Duration::from_secs(42)),
        "ttl_max counts from the first issue"
    );
    assert!(!second.prolongable(), "a later end would be cut");
    assert!(
        !second.ended(start + Duration::from_secs(100)) && second.ended(start + Duration::from_secs(108))
    );
    assert!(!Lease::new(issued(None), cut(None), start).prolongable());
}

#[test]
fn ids_are_unique() {
    let start = clock::monotonic();
    assert_ne!(
        Lease::new(issued(None), cut(None), start).id(),
        Lease::new(issued(None), cut(None), start).id()
    );
}

#[test]
fn remembers_its_last_use() {
    let start = clock::monotonic();
    let lease = Lease::new(issued(None), cut(None), start);
    assert_eq!(lease.used_at(), start);
    lease.touch(start + Duration::from_secs(5));
    assert_eq!(lease.used_at(), start + Duration::from_secs(5));
}
