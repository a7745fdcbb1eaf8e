use serde_json::Value;

use super::super::record::{CredentialRecord, UpstreamRecord};
use super::*;
use crate::clock;

fn sample<'a>() -> Opened<'a> {
    Opened {
        time: clock::now(),
        id: "0192f0c1",
        listener: "app",
        workload: r#"{"uid":1000}"#,
        task: Some("t-81"),
        request: RequestRecord {
            method: Some("GET"),
            route: Some("github"),
            host: Some("api.github.com"),
            path: Some("/repos/acme/ledger"),
            protocol: Some("HTTP/1.1"),
        },
        decision: Some(DecisionRecord {
            outcome: "allow",
            reason: Some("fine"),
            rule: Some("get"),
            revision: "r1",
            digest: "sha256:00",
            eval_us: 4,
        }),
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

fn rfc3339(time: Timestamp) -> String {
    String::from_utf8(time.rfc3339().to_vec()).expect("ASCII")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(&format!("{{{text}}}")).expect("the members of an object")
}

#[test]
fn a_whole_record_has_the_documented_members_in_the_documented_order() {
    let record = sample();
    let end = Closed {
        credential: Some(CredentialRecord {
            name: "github".into(),
            kind: "vault".into(),
            lease: "l-1".into(),
            from: "cache",
            expires: Some(record.time),
            scopes: vec!["repo.read".into()],
        }),
        upstream: Some(UpstreamRecord { address: "[::1]:443".parse().ok(), status: Some(200) }),
        refusal: None,
        bytes_in: 1,
        bytes_out: 2,
        duration_us: 3,
    };
    let time = rfc3339(record.time);
    let expected = format!(
        r#""time":"{time}","id":"0192f0c1","listener":"app","workload":{{"uid":1000}},"task":"t-81","request":{{"method":"GET","route":"github","host":"api.github.com","path":"/repos/acme/ledger","protocol":"HTTP/1.1"}},"decision":{{"outcome":"allow","reason":"fine","rule":"get","revision":"r1","digest":"sha256:00","eval_us":4}},"credential":{{"name":"github","kind":"vault","lease":"l-1","from":"cache","expires":"{time}","scopes":["repo.read"]}},"upstream":{{"address":"[::1]:443","status":200}},"refusal":null,"bytes_in":1,"bytes_out":2,"duration_us":3"#
    );
    let written = text(|out| {
        opened(out, &record, Extent::Whole);
        closed(out, &end);
    });
    assert_eq!(written, expected);
    assert_eq!(id_in(written.as_bytes()), Some(b"0192f0c1".as_slice()));
}

#[test]
fn absent_facts_are_absent_or_null() {
    let mut record = sample();
    record.task = None;
    record.request = RequestRecord { method: None, route: None, host: None, path: None, protocol: None };
    record.decision = None;
    let end = Closed { refusal: Some("no_route"), ..Closed::default() };
    let written = text(|out| {
        opened(out, &record, Extent::Whole);
        closed(out, &end);
    });
    let expected = format!(
        r#""time":"{}","id":"0192f0c1","listener":"app","workload":{{"uid":1000}},"request":{{}},"decision":null,"credential":null,"upstream":null,"refusal":"no_route","bytes_in":0,"bytes_out":0,"duration_us":0"#,
        rfc3339(record.time)
    );
    assert_eq!(written, expected);
}

#[test]
fn an_unseen_end_says_so() {
    let written = text(|out| {
        opened(out, &sample(), Extent::Whole);
        interrupted(out);
    });
    let value = parsed(&written);
    assert_eq!(
        (&value["interrupted"], &value["refusal"], &value["bytes_in"]),
        (&true.into(), &Value::Null, &0.into())
    );
}

#[test]
fn a_cut_path_says_so() {
    let check = |extent, expected: &str, truncated: bool| {
        let value = parsed(&text(|out| opened(out, &sample(), extent)));
        assert_eq!(value["request"]["path"], expected);
        assert_eq!(value["request"].get("path_truncated").is_some(), truncated);
    };
    check(Extent::Whole, "/repos/acme/ledger", false);
    check(Extent::PathCut(18), "/repos/acme/ledger", false);
    check(Extent::PathCut(6), "/repos", true);
    check(Extent::PathCut(0), "", true);
    check(Extent::Smallest, "/repos/acme/ledger", false);
}

#[test]
fn the_smallest_extent_is_bounded_whatever_it_holds() {
    for filling in ["x", "\u{1}", "\"", "€"] {
        let long = filling.repeat(5000);
        let record = Opened {
            time: clock::now(),
            id: &long,
            listener: &long,
            workload: "{}",
            task: Some(&long),
            request: RequestRecord {
                method: Some(&long),
                route: Some(&long),
                host: Some(&long),
                path: Some(&long),
                protocol: Some(&long),
            },
            decision: Some(DecisionRecord {
                outcome: "allow",
                reason: Some(&long),
                rule: Some(&long),
                revision: &long,
                digest: &long,
                eval_us: u64::MAX,
            }),
        };
        let written = text(|out| opened(out, &record, Extent::Smallest));
        assert!(written.len() <= SMALLEST_BYTES_MAX, "{} bytes of {filling:?}", written.len());
        parsed(&written);
    }
}

#[test]
fn lease_events_and_recoveries_have_names_and_no_id() {
    let record = LeaseRecord {
        time: clock::now(),
        event: LeaseEvent::issued,
        name: "key",
        kind: "vault",
        lease: "l-1",
        expires: None,
        scopes: &["a".into()],
        route: "api",
        subject: "uid=1000",
    };
    let time = rfc3339(record.time);
    let written = text(|out| lease(out, &record));
    let expected = format!(
        r#""time":"{time}","event":"lease_issued","credential":{{"name":"key","kind":"vault","lease":"l-1","expires":null,"scopes":["a"]}},"route":"api","subject":"uid=1000""#
    );
    assert_eq!(written, expected);
    assert_eq!(id_in(written.as_bytes()), None);
    let written = text(|out| recovered(out, record.time, 24, 1));
    assert_eq!(
        written,
        format!(r#""time":"{time}","event":"recovered","torn_bytes":24,"slots_unreadable":1"#)
    );
    let check = |event, name: &str| assert_eq!(lease_event(event), name);
    check(LeaseEvent::renewed, "lease_renewed");
    check(LeaseEvent::revoked, "lease_revoked");
    check(LeaseEvent::expired, "lease_expired");
    check(LeaseEvent::revoke_failed, "lease_revoke_failed");
}
