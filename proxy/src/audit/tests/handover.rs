//! One process ends while the next has started already.

use super::*;
use crate::audit::journal::JournalFile;

impl Place {
    fn start_as(&self, required: bool) -> Audit {
        let settings = Settings { required, ..self.settings(1) };
        Audit::start(settings, Counter::default()).expect("started")
    }
}

/// Ends a request that needed its record first, as the pipeline does. Whether it was mediated.
fn mediate(audit: &Audit, id: &str) -> bool {
    let (recorder, opened) = (audit.recorder(0), opened(id, "/"));
    match recorder.open(&opened) {
        Ok(record) => {
            record.close(Closed::default());
            true
        }
        Err(Unavailable) => {
            let refused = Closed { refusal: Some("audit_unavailable"), ..Closed::default() };
            recorder.open_without_effect(&opened).close(refused);
            false
        }
    }
}

fn refuse(audit: &Audit, id: &str) {
    let refused = Closed { refusal: Some("no_route"), ..Closed::default() };
    audit.recorder(0).open_without_effect(&opened(id, "/")).close(refused);
}

#[test]
fn the_next_process_refuses_until_it_has_the_record_and_then_goes_on_with_it() {
    let place = Place::new();
    let old = place.start();
    assert!(mediate(&old, "old"));
    let new = place.start();
    assert!(!new.recorder(0).ready());
    refuse(&new, "refused 1");
    assert!(!mediate(&new, "refused 2"));
    refuse(&new, "refused 3");
    // Long enough for a try that fails.
    std::thread::sleep(Duration::from_millis(300));
    assert!(!mediate(&new, "refused 4"));
    assert!(mediate(&old, "old, draining"));
    let interrupted = old.recorder(0).open(&opened("old, cut", "/")).expect("taken");
    old.close();
    drop(interrupted);
    eventually("it is taken over", || new.recorder(0).ready());
    assert!(mediate(&new, "new"));
    new.close();
    let lines = place.lines();
    let expected =
        ["old", "old, draining", "old, cut", "refused 1", "refused 2", "refused 3", "refused 4", "new"];
    assert_eq!(ids(&lines), expected);
    let refusals: Vec<_> = lines.iter().filter_map(|line| line["refusal"].as_str()).collect();
    assert_eq!(refusals, ["no_route", "audit_unavailable", "no_route", "audit_unavailable"]);
}

#[test]
fn where_no_record_is_required_the_next_process_mediates_at_once() {
    let place = Place::new();
    let old = place.start_as(false);
    let new = place.start_as(false);
    assert!(mediate(&old, "old"));
    let late = new.recorder(0).open(&opened("late", "/")).expect("never refused");
    for number in 0..REQUESTS_SLOTLESS_MAX + 10 {
        assert!(mediate(&new, &number.to_string()));
    }
    old.close();
    eventually("it is taken over", || place.written() == REQUESTS_SLOTLESS_MAX);
    late.close(Closed::default());
    assert!(mediate(&new, "new"));
    let journal = JournalFile::open(&place.folder.path().join("state/audit/worker-0.journal")).map(drop);
    assert!(matches!(journal, Err(JournalError::InUse)), "the new one has the journals too");
    new.close();
    let lines = place.lines();
    assert_eq!(lines.len(), 1 + REQUESTS_SLOTLESS_MAX + 1, "bounded");
    assert_eq!(ids(&lines)[REQUESTS_SLOTLESS_MAX..], ["late", "new"]);
}

#[test]
fn a_state_directory_in_use_is_waited_for_where_it_is_required() {
    let check = |required: bool| {
        let place = Place::new();
        let old = place.start();
        let sink = claviger_config::Sink::File(place.folder.path().join("other.jsonl"));
        let settings = Settings { sink, required, ..place.settings(1) };
        let new = Audit::start(settings, Counter::default()).expect("started");
        assert_ne!(mediate(&new, "early"), required, "without a journal only where none is required");
        old.close();
        eventually("it is taken over", || mediate(&new, "new"));
    };
    check(true);
    check(false);
}

#[test]
fn what_keeps_the_next_process_from_taking_over_may_be_mended() {
    let place = Place::new();
    let old = place.start();
    assert!(mediate(&old, "old"));
    eventually("it is written", || place.written() == 1);
    let new = place.start();
    refuse(&new, "refused");
    let good = fs::read(place.file()).expect("there");
    fs::write(place.file(), [good.as_slice(), b"no record\n"].concat()).expect("spoilt");
    drop(old);
    std::thread::sleep(Duration::from_millis(600));
    assert!(!mediate(&new, "still refused"));
    fs::write(place.file(), good).expect("mended");
    eventually("it is taken over", || mediate(&new, "new"));
    new.close();
    assert_eq!(ids(&place.lines())[..3], ["old", "refused", "still refused"]);
}

#[test]
fn a_process_that_ends_while_it_waits_tries_once_more() {
    let check = |old_ends_first: bool, expected: &[&str]| {
        let place = Place::new();
        let old = place.start();
        assert!(mediate(&old, "old"));
        let new = place.start();
        refuse(&new, "refused");
        if old_ends_first {
            old.close();
            new.close();
        } else {
            new.close();
            old.close();
        }
        assert_eq!(ids(&place.lines()), expected);
    };
    check(true, &["old", "refused"]);
    check(false, &["old"]);
}
