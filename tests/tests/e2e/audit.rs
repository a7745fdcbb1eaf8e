//! The record is written before the effect: where it cannot be, nothing leaves.

use claviger_tests::bundle::ALLOW;
use claviger_tests::process::Process;
use claviger_tests::sidecar::{Launch, run};
use claviger_tests::tool::skip;
use claviger_tests::wait::{eventually, free_port, until};
use claviger_tests::{Case, Config, Sidecar, Upstream, needs};
use serde_json::{Value, json};

fn static_source(case: &Case) -> Value {
    json!({ "static": { "file": case.secret_file(&case.mint("the token")) } })
}

/// Words that start a program with a 64 KiB file system of its own at `place`.
fn small_disk(place: &str) -> Vec<String> {
    let script = format!("mount -t tmpfs -o size=64k none '{place}' && exec \"$@\"");
    ["unshare", "-rm", "sh", "-c", &script, "sh"].map(str::to_owned).to_vec()
}

fn mounts_work(case: &Case, wrapper: &[String]) -> bool {
    let mut command = std::process::Command::new(&wrapper[0]);
    command.args(&wrapper[1..]).arg("true");
    Process::start(&mut command, case.dir(), &case.name("probe"))
        .exit_code(std::time::Duration::from_secs(10))
        == 0
}

#[test]
fn full_disk_stops_mediation() {
    needs!("opa", "unshare");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let place = case.dir().join("small");
    std::fs::create_dir(&place).unwrap();
    let wrapper = small_disk(&place.display().to_string());
    if !mounts_work(&case, &wrapper) {
        skip("no mount namespace can be made");
        return;
    }
    let config = Config::mediating(&case, ALLOW, &upstream, &static_source(&case))
        .with("audit.file.path", place.join("audit.jsonl").display().to_string());
    let sidecar = Sidecar::launch(&case, &config, Launch { wrapper, ..Launch::default() }).ready();
    assert_eq!(sidecar.call("/api/echo").status, 200);
    let statuses: Vec<u16> =
        (0..400).map(|number| sidecar.call(&format!("/api/echo/{number}")).status).collect();
    let (served, reached) =
        (statuses.iter().filter(|status| **status == 200).count() + 1, upstream.requests().len());
    assert_eq!(statuses.last(), Some(&503), "it went on without a record");
    // a request whose record was cut short may be refused after it was counted, never the other way round
    assert!(reached <= served + 1, "{reached} requests left, {served} were served");
    let refusal = sidecar.call("/api/echo");
    assert_eq!((refusal.status, refusal.code().as_str()), (503, "audit_unavailable"));
    assert_eq!(upstream.requests().len(), reached);
}

#[test]
fn audit_that_cannot_be_written_at_all_stops_the_start_or_every_request() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let config = Config::mediating(&case, ALLOW, &upstream, &static_source(&case))
        .with("audit.file.path", "/dev/full");
    let mut sidecar = Sidecar::launch(&case, &config, Launch::default());
    let refused = eventually("it ends or answers", || {
        if let Some(status) = sidecar.process().ended() {
            return Some(!status.success());
        }
        let mut connection = sidecar.try_connect().ok()?;
        let answer = connection.request("GET", "/api/echo", &[], b"").ok()?;
        Some(answer.status == 503 && answer.code() == "audit_unavailable")
    });
    assert!(refused, "{}", sidecar.logs());
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn every_change_of_a_closed_file_is_found() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let mut sidecar =
        Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &static_source(&case)));
    for number in 0..20 {
        assert_eq!(sidecar.call(&format!("/api/echo/{number}")).status, 200);
    }
    assert_eq!(sidecar.stop(), 0);
    let whole = std::fs::read_to_string(sidecar.audit_file()).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let verify = |content: &str| {
        let file = case.file(&case.name("tampered"), content).display().to_string();
        let output = run(&case, &["audit", "verify", &file]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(verify(&whole), (Some(0), format!("ok: {} records\n", lines.len())));

    let without = |at: usize| {
        lines.iter().enumerate().filter(|(line, _)| *line != at).map(|(_, line)| *line).collect::<String>()
    };
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    for (what, changed) in [
        ("a word changed", whole.replacen("/echo/7", "/echo/8", 1)),
        ("a line deleted", without(9)),
        ("the first line deleted", without(0)),
        ("two lines swapped", swapped.concat()),
        ("a key added", whole.replacen("{\"v\":1,", "{\"v\":1,\"note\":1,", 1)),
        ("a line doubled", [&lines[..3], &lines[2..]].concat().concat()),
    ] {
        assert_ne!(changed, whole, "{what}: nothing changed");
        assert_eq!(verify(&changed).0, Some(1), "{what}");
    }
}

#[test]
fn the_next_sidecar_waits_for_the_record_and_takes_it_over() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let config = Config::mediating(&case, ALLOW, &upstream, &static_source(&case));
    let elsewhere = || format!("127.0.0.1:{}", free_port());
    let mut old = Sidecar::start(&case, &config);
    assert_eq!(old.call("/api/echo/old").status, 200);
    let next = config.clone().with("listeners.app.bind", elsewhere()).with("metrics.bind", elsewhere());
    let mut new = Sidecar::start(&case, &next);
    let reached = upstream.requests().len();
    let asked = |target: &str| {
        let answer = new.call(target);
        (answer.status, answer.code())
    };
    assert_eq!(asked("/nowhere"), (403, "no_route".to_owned()));
    assert_eq!(asked("/api/echo/early"), (503, "audit_unavailable".to_owned()));
    assert_eq!(upstream.requests().len(), reached, "something left without a record");
    assert_eq!(old.call("/api/echo/old").status, 200);
    assert_eq!(old.stop(), 0);
    until("the next one mediates", || new.call("/api/echo/new").status == 200);
    assert_eq!(new.stop(), 0);

    let file = new.audit_file();
    assert!(new.logs().contains(&file.display().to_string()), "it does not say what it waits for");
    let verified = run(&case, &["audit", "verify", &file.display().to_string()]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
    let records = new.records(5);
    let told: Vec<_> = records.iter().take(4).map(|record| record["refusal"].as_str()).collect();
    assert_eq!(told, [None, None, Some("no_route"), Some("audit_unavailable")]);
}
