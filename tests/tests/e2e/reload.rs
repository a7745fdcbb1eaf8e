//! Newer policies while the process runs: from a file and from bundle services, whole or not at all.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use claviger_tests::bundle::{self, ENTRYPOINT};
use claviger_tests::bundle_service::Mode;
use claviger_tests::nginx::Nginx;
use claviger_tests::pki::{Fault, Pki};
use claviger_tests::sidecar::{Launch, run};
use claviger_tests::wait::{eventually, eventually_within, free_port, until};
use claviger_tests::{BundleService, Case, Config, Issuer, Sidecar, Upstream, needs};
use serde_json::{Value, json};

/// A policy whose module, data and revision all say the same letter, each where the record shows it.
fn bundle_of(letter: &str) -> Vec<u8> {
    let rego = format!(
        "package claviger.authz\n\ndecision := {{\"allow\": true, \"rule\": \"{letter}\", \"reason\": data.letter, \
         \"set_headers\": {{\"x-seen\": input.context.revision}}}}\n"
    );
    let path = bundle::compile_with(&rego, &json!({ "letter": letter }).to_string(), letter);
    std::fs::read(path).expect("opa wrote it")
}

fn config(case: &Case, upstream: &Upstream, bundle: &Value) -> Config {
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    Config::new(case, bundle::ALLOW)
        .with("policy", json!({ "bundle": bundle, "entrypoint": ENTRYPOINT, "eval_timeout": "500ms" }))
        .route("api", &upstream.url(), "key")
        .credential("key", &source, &json!({ "bearer": {} }))
}

/// The letter of a record, which module, data and revision must agree on.
fn letter(record: &Value) -> String {
    let decision = &record["decision"];
    let letter = decision["revision"].as_str().unwrap_or_else(|| panic!("no decision: {record}"));
    assert_eq!(
        (&decision["rule"], &decision["reason"]),
        (&json!(letter), &json!(letter)),
        "a mixture: {record}"
    );
    letter.to_owned()
}

/// One call, and the letter of the policy that permitted it.
fn permitted_by(sidecar: &Sidecar) -> String {
    let answer = sidecar.call("/api/echo");
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = answer.header("claviger-request-id").expect("every answer has one").to_owned();
    letter(&eventually("its record", || {
        sidecar.records(1).into_iter().find(|record| record["id"] == id.as_str())
    }))
}

fn becomes(sidecar: &Sidecar, letter: &str) {
    until(&format!("the policy {letter}"), || permitted_by(sidecar) == letter);
    let info =
        |letter: &str| sidecar.metric("claviger_policy_revision_info", &[&format!("revision=\"{letter}\"")]);
    until("one revision is told", || {
        info(letter) == 1.0 && sidecar.metric("claviger_policy_revision_info", &[]) == 1.0
    });
}

fn reloads(sidecar: &Sidecar, result: &str) -> f64 {
    sidecar.metric("claviger_policy_reloads_total", &[&format!("result=\"{result}\"")])
}

fn put(path: &Path, bundle: &[u8]) {
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, bundle).expect("the case's directory is writable");
    std::fs::rename(unfinished, path).expect("one file system");
}

#[test]
fn a_replaced_file_is_followed_and_a_broken_one_is_not() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let file = case.dir().join("policy/bundle.tar.gz");
    std::fs::create_dir(case.dir().join("policy")).expect("the case's directory is writable");
    put(&file, &bundle_of("a"));
    let sidecar = Sidecar::start(&case, &config(&case, &upstream, &json!({ "file": file })));
    becomes(&sidecar, "a");
    put(&file, &bundle_of("b"));
    becomes(&sidecar, "b");
    // in place, as `cp` does
    std::fs::write(&file, bundle_of("a")).expect("the case's directory is writable");
    becomes(&sidecar, "a");
    let (truncated, no_policy) = (bundle_of("b")[..500].to_vec(), b"\0asm\x01\0\0\0".to_vec());
    for broken in [b"not a bundle".to_vec(), truncated, no_policy] {
        let before = reloads(&sidecar, "invalid");
        put(&file, &broken);
        until("the broken file is told of", || reloads(&sidecar, "invalid") > before);
        assert_eq!(permitted_by(&sidecar), "a");
    }
    let before = reloads(&sidecar, "unavailable");
    std::fs::remove_file(&file).expect("it is there");
    until("the missing file is told of", || reloads(&sidecar, "unavailable") > before);
    assert_eq!(permitted_by(&sidecar), "a");
    put(&file, &bundle_of("b"));
    becomes(&sidecar, "b");
    assert!(sidecar.logs().contains("the new bundle is refused"), "{}", sidecar.logs());
}

#[test]
fn a_turned_link_is_followed_as_kubernetes_turns_it() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let volume = case.dir().join("volume");
    let fill = |name: &str, letter: &str| {
        std::fs::create_dir_all(volume.join(name)).expect("the case's directory is writable");
        std::fs::write(volume.join(name).join("bundle.tar.gz"), bundle_of(letter)).expect("likewise");
    };
    fill("..1", "a");
    symlink("..1", volume.join("..data")).expect("likewise");
    symlink("..data/bundle.tar.gz", volume.join("bundle.tar.gz")).expect("likewise");
    let file = volume.join("bundle.tar.gz");
    let sidecar = Sidecar::start(&case, &config(&case, &upstream, &json!({ "file": file })));
    becomes(&sidecar, "a");
    fill("..2", "b");
    symlink("..2", volume.join("..data_tmp")).expect("likewise");
    std::fs::rename(volume.join("..data_tmp"), volume.join("..data")).expect("one file system");
    becomes(&sidecar, "b");
    // the whole volume is replaced, which the old folder does not tell
    std::fs::rename(&volume, case.dir().join("gone")).expect("one file system");
    fill("..3", "a");
    symlink("..3", volume.join("..data")).expect("likewise");
    symlink("..data/bundle.tar.gz", volume.join("bundle.tar.gz")).expect("likewise");
    becomes(&sidecar, "a");
}

#[test]
fn a_real_file_server_is_asked_with_token_certificate_and_etag() {
    needs!("opa", "nginx");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let pki = Pki::new(case.dir());
    let folder = case.dir().join("served");
    std::fs::create_dir(&folder).expect("the case's directory is writable");
    put(&folder.join("authz.tar.gz"), &bundle_of("a"));
    let (token, client) = (case.mint("the service's token"), pki.client());
    let nginx = Nginx::files(&case, &pki.leaf(Fault::None), &token, &pki.ca, &folder);
    let service = json!({ "http": {
        "url": format!("{}/authz.tar.gz", nginx.url()), "poll": "1s", "long_poll": true,
        "auth": { "bearer": { "file": case.secret_file(&token) } },
        "tls": { "ca": pki.ca, "client": { "cert": client.certificate, "key": { "file": client.key } } },
    } });
    let mut sidecar = Sidecar::start(&case, &config(&case, &upstream, &service));
    becomes(&sidecar, "a");
    until("it is not sent again", || reloads(&sidecar, "unchanged") >= 1.0);
    put(&folder.join("authz.tar.gz"), &bundle_of("b"));
    becomes(&sidecar, "b");
    let log = std::fs::read_to_string(case.dir().join("access.log")).expect("nginx writes one");
    let count = |status: &str| log.lines().filter(|line| *line == format!("{status} /authz.tar.gz")).count();
    assert!(count("200") == 2 && count("304") >= 1 && count("401") == 0, "{log}");
    assert_eq!(sidecar.stop(), 0);
    for (block, key, without) in [("/http", "auth", "401"), ("/http/tls", "client", "400")] {
        let mut service = service.clone();
        service["http"]["persist"] = json!(false);
        service.pointer_mut(block).and_then(Value::as_object_mut).expect("it is there").remove(key);
        let config = config(&case, &upstream, &service);
        let mut refused = Sidecar::launch(&case, &config, Launch::default());
        eventually("the server refuses", || {
            refused.logs().contains(&format!("status {without}")).then_some(())
        });
        assert_eq!(refused.call("/api/echo").code(), "policy_unavailable", "{key}");
        assert_eq!(refused.stop(), 0);
    }
}

#[test]
fn without_a_service_there_is_no_policy_and_with_a_kept_bundle_there_is() {
    needs!("opa");
    let (case, upstream, port) = (Case::new(), Upstream::plain(), free_port());
    let config = config(&case, &upstream, &BundleService::settings_at(port));
    let sidecar = Sidecar::launch(&case, &config, Launch::default());
    let readiness = eventually("it listens", || sidecar.admin("/readyz").ok());
    assert_eq!((readiness.status, readiness.json()), (503, json!(["policy"])));
    let refused = sidecar.call("/api/echo");
    assert_eq!((refused.status, refused.code().as_str()), (503, "policy_unavailable"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(sidecar.records(1)[0]["refusal"], "policy_unavailable");
    let service = BundleService::start_at(port, bundle_of("a"), Mode::Polled);
    let mut sidecar = sidecar.ready();
    becomes(&sidecar, "a");
    until("the bundle is kept", || kept(&case).len() == 1);
    drop(service);
    sidecar.kill();
    sidecar.restart();
    assert_eq!(permitted_by(&sidecar), "a");
    assert_eq!(sidecar.stop(), 0);
    // what was kept for one service is not taken for another's, and what was spoilt is not taken at all
    let elsewhere = config.clone().with("policy.bundle", BundleService::settings_at(free_port()));
    let mut other = Sidecar::launch(&case, &elsewhere, Launch::default());
    eventually("it listens", || other.admin("/readyz").ok());
    assert_eq!(other.call("/api/echo").code(), "policy_unavailable");
    assert_eq!(other.stop(), 0);
    let file = kept(&case).remove(0);
    let bytes = std::fs::read(&file).expect("it is there");
    std::fs::write(&file, &bytes[..bytes.len() - 9]).expect("it is ours");
    let mut spoilt = Sidecar::launch(&case, &config, Launch::default());
    eventually("it listens", || spoilt.admin("/readyz").ok());
    assert_eq!(spoilt.call("/api/echo").code(), "policy_unavailable");
    assert_eq!(spoilt.stop(), 0);
    assert_eq!(upstream.requests().len(), upstream.bearers().len(), "nothing left without a credential");
}

fn kept(case: &Case) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(case.dir().join("state")).into_iter().flatten().flatten();
    let bundle = |path: &std::path::PathBuf| path.display().to_string().ends_with(".tar.gz");
    files.map(|entry| entry.path()).filter(bundle).collect()
}

#[test]
fn whatever_a_service_does_the_last_good_policy_stays() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let service = BundleService::start(bundle_of("a"), Mode::Polled);
    let sidecar = Sidecar::start(&case, &config(&case, &upstream, &service.settings()));
    becomes(&sidecar, "a");
    service.publish(bundle_of("b"));
    becomes(&sidecar, "b");
    service.publish(bundle_of("c"));
    for (mode, result) in [
        (Mode::NotFound, "unavailable"),
        (Mode::Failing, "unavailable"),
        (Mode::Garbage, "invalid"),
        (Mode::Truncated, "invalid"),
        (Mode::CutOff, "unavailable"),
        (Mode::Huge, "unavailable"),
        (Mode::Slow, "unavailable"),
        (Mode::Redirecting, "unavailable"),
        (Mode::Locked("another".into()), "unavailable"),
    ] {
        let told = format!("{mode:?}");
        // `c` is good, and may have been fetched before the mode changed
        service.behave(mode);
        let before = reloads(&sidecar, result);
        until(&told, || reloads(&sidecar, result) > before);
        assert!(["b", "c"].contains(&permitted_by(&sidecar).as_str()), "{told}");
    }
    service.publish(bundle_of("a"));
    service.behave(Mode::Polled);
    becomes(&sidecar, "a");
    assert!(service.requests().iter().all(|request| request.target == "/bundles/authz.tar.gz"));
}

#[test]
fn a_service_that_holds_requests_is_heard_at_once() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let service = BundleService::start(bundle_of("a"), Mode::Holding);
    let mut settings = service.settings();
    settings["http"]["poll"] = json!("1h");
    settings["http"]["long_poll"] = json!(true);
    let sidecar = Sidecar::start(&case, &config(&case, &upstream, &settings));
    for letter in ["b", "a", "c"] {
        until("the next request is held", || {
            let last = service.requests().pop().expect("it was asked");
            last.header("if-none-match").is_some()
                && last.header("prefer") == Some("modes=snapshot;wait=3600")
        });
        service.publish(bundle_of(letter));
        becomes(&sidecar, letter);
    }
    assert!(service.requests().len() <= 8, "{} requests", service.requests().len());
}

#[test]
fn a_service_is_shown_an_issued_token() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let service = BundleService::start(bundle_of("a"), Mode::Locked("not issued yet".into()));
    let issuer = Issuer::start(&case);
    let mut settings = service.settings();
    settings["http"]["auth"] = issuer.source(&case);
    let sidecar = Sidecar::launch(&case, &config(&case, &upstream, &settings), Launch::default());
    let token = eventually("a token is issued", || issuer.tokens().pop());
    service.behave(Mode::Locked(token));
    // the one at hand was refused and is replaced: the service learns the newest
    eventually_within(Duration::from_secs(20), "a policy", || {
        service.behave(Mode::Locked(issuer.tokens().pop().expect("one was issued")));
        sidecar.admin("/readyz").is_ok_and(|answer| answer.status == 200).then_some(())
    });
    assert_eq!(permitted_by(&sidecar), "a");
}

#[test]
fn checking_and_explaining_ask_nobody() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let service = BundleService::start(bundle_of("a"), Mode::Polled);
    let config = config(&case, &upstream, &service.settings());
    let file = case.file("claviger.yaml", config.to_yaml()).display().to_string();
    assert_eq!(run(&case, &["check", "-c", &file]).status.code(), Some(0));
    let url = format!("http://127.0.0.1:{}/api/echo", config.port("listeners.app.bind"));
    let explain = || run(&case, &["explain", "-c", &file, "GET", &url, "--format", "json"]);
    let explained = explain();
    assert_eq!(explained.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&explained.stdout).expect("JSON");
    assert_eq!(answer["decision"]["refusal"]["code"], "policy_unavailable");
    assert_eq!(service.requests().len(), 0);
    let mut sidecar = Sidecar::start(&case, &config);
    until("the bundle is kept", || kept(&case).len() == 1);
    assert_eq!(sidecar.stop(), 0);
    let asked = service.requests().len();
    let explained = explain();
    assert_eq!(explained.status.code(), Some(0), "{}", String::from_utf8_lossy(&explained.stdout));
    assert_eq!(service.requests().len(), asked);
}

const SWAPS: f64 = 600.0;

#[test]
fn six_hundred_swaps_under_load_mix_nothing_and_refuse_nobody() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let service = BundleService::start(Vec::new(), Mode::Alternating(vec![bundle_of("a"), bundle_of("b")]));
    let mut settings = service.settings();
    settings["http"]["long_poll"] = json!(true);
    settings["http"]["persist"] = json!(false);
    let config = config(&case, &upstream, &settings).with("limits.workers", 2);
    let mut sidecar =
        Sidecar::launch(&case, &config, Launch { log: Some("info"), ..Launch::default() }).ready();
    let over = AtomicBool::new(false);
    let load = || {
        let mut connection = sidecar.connect();
        let mut answers = 0_usize;
        while !over.load(Ordering::Relaxed) {
            let answer = connection.request("GET", "/api/echo", &[], b"").expect("an answer");
            assert_eq!(answer.status, 200, "{answer:?}");
            answers += 1;
            std::thread::sleep(Duration::from_millis(2));
        }
        answers
    };
    let answers: usize = std::thread::scope(|threads| {
        let loads: Vec<_> = (0..4).map(|_| threads.spawn(load)).collect();
        let swapped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually_within(Duration::from_secs(180), "600 swaps", || {
                (reloads(&sidecar, "activated") >= SWAPS).then_some(())
            });
        }));
        over.store(true, Ordering::Relaxed);
        let answers = loads.into_iter().map(|load| load.join().expect("no answer was a refusal")).sum();
        swapped.expect("the policy was swapped");
        answers
    });
    let letters: Vec<_> = sidecar.records(answers).iter().map(letter).collect();
    for letter in ["a", "b"] {
        assert!(letters.iter().any(|seen| seen == letter), "{letter} was never active");
    }
    // what the policy was told of itself is what the record says of it
    let told: Vec<_> =
        upstream.requests().iter().map(|seen| seen.header("x-seen").unwrap_or_default().to_owned()).collect();
    let count = |all: &[String], letter: &str| all.iter().filter(|seen| *seen == letter).count();
    assert_eq!((count(&told, "a"), count(&told, "b")), (count(&letters, "a"), count(&letters, "b")));
    assert_eq!(sidecar.stop(), 0);
}
