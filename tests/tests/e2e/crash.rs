//! kill -9 under load: whoever saw an answer has a record, and the next start goes on.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use claviger_tests::bundle::ALLOW;
use claviger_tests::sidecar::{Launch, run};
use claviger_tests::{Case, Config, Sidecar, Upstream, needs};
use serde_json::json;

const CLIENTS: usize = 8;
const LOAD: Duration = Duration::from_secs(1);

#[test]
fn every_answer_seen_before_a_crash_is_on_the_record() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    let config = Config::mediating(&case, ALLOW, &upstream, &source);
    let mut sidecar =
        Sidecar::launch(&case, &config, Launch { log: Some("info"), ..Launch::default() }).ready();
    let seen = load_until_killed(&mut sidecar);
    assert!(!seen.is_empty(), "no request was answered before the crash");

    sidecar.restart();
    assert_eq!(sidecar.call("/api/echo/after").status, 200);
    assert_eq!(sidecar.stop(), 0);
    let file = sidecar.audit_file().display().to_string();
    let verified = run(&case, &["audit", "verify", &file]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));

    let events = sidecar.events();
    let recorded: HashSet<_> = events.iter().filter_map(|event| event["request"]["path"].as_str()).collect();
    let lost: Vec<_> = seen.iter().filter(|path| !recorded.contains(path.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} answers have no record: {:?}", lost.len(), seen.len(), lost.first());
    let effects = upstream.requests();
    let unrecorded = effects.iter().filter(|request| !recorded.contains(request.target.as_str())).count();
    assert_eq!(unrecorded, 0, "{unrecorded} of {} requests that left have no record", effects.len());
}

/// The paths that were answered with 200 before the sidecar was killed.
fn load_until_killed(sidecar: &mut Sidecar) -> Vec<String> {
    let (seen, over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let connections: Vec<_> = (0..CLIENTS).map(|_| sidecar.connect()).collect();
    std::thread::scope(|scope| {
        for (client, mut connection) in connections.into_iter().enumerate() {
            let (seen, over) = (&seen, &over);
            scope.spawn(move || {
                for number in 0.. {
                    let path = format!("/echo/{client}-{number}");
                    let answer = connection.request("GET", &format!("/api{path}"), &[], b"");
                    match answer {
                        Ok(answer) if answer.status == 200 => {
                            seen.lock().expect("no panic in here").push(path)
                        }
                        Ok(_) | Err(_) => return,
                    }
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        std::thread::sleep(LOAD);
        sidecar.kill();
        over.store(true, Ordering::SeqCst);
    });
    seen.into_inner().expect("no panic in here")
}
