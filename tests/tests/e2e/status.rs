//! Status reports: which policies are in place and what is wrong with newer ones, in OPA's form, when it changes.

use claviger_tests::bundle::{self, ENTRYPOINT};
use claviger_tests::bundle_service::Mode as Bundles;
use claviger_tests::report_service::Mode;
use claviger_tests::wait::{eventually, until};
use claviger_tests::{BundleService, Case, Config, ReportService, Sidecar, Upstream, needs};
use serde_json::{Value, json};

fn bundle_of(letter: &str) -> Vec<u8> {
    let rego = format!("package claviger.authz\n\ndecision := {{\"allow\": true, \"rule\": \"{letter}\"}}\n");
    std::fs::read(bundle::compile_with(&rego, "{}", letter)).expect("opa wrote it")
}

fn config(case: &Case, upstream: &Upstream, policy: &Value, status: &ReportService) -> Config {
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    Config::mediating(case, bundle::ALLOW, upstream, &source)
        .with("policy", json!({ "bundle": policy, "entrypoint": ENTRYPOINT, "eval_timeout": "500ms" }))
        .with("status", json!({ "http": status.settings(), "interval": "1h" }))
        .with("identity", json!({ "labels": { "team": "pay" } }))
}

/// The first report that says so.
fn report(status: &ReportService, what: &str, says: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || status.taken().into_iter().find(&says))
}

#[test]
fn policies_and_their_troubles_are_told_when_they_change() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (status, logs) = (ReportService::start(&case), ReportService::start(&case));
    let (service, token) =
        (BundleService::start(bundle_of("a"), Bundles::Polled), case.mint("the server's token"));
    let shadow = case.dir().join("shadow.tar.gz");
    let config = config(&case, &upstream, &service.settings(), &status)
        .with("status.http.auth", json!({ "bearer": { "file": case.secret_file(&token) } }))
        .with("policy.shadow", json!({ "bundle": { "file": shadow } }))
        .with(
            "decision_logs",
            json!({ "http": logs.settings(), "min_delay": "100ms", "max_delay": "100ms" }),
        );
    let mut sidecar = Sidecar::start(&case, &config);
    let policy = |report: &Value| report["bundles"]["policy"].clone();
    let first = report(&status, "a policy", |report| policy(report)["active_revision"] == "a");
    assert_eq!((&first["labels"]["team"], policy(&first)["name"].as_str()), (&json!("pay"), Some("policy")));
    assert!(first["labels"]["id"].is_string() && first["labels"]["version"].is_string());
    assert_eq!(policy(&first)["size"], bundle_of("a").len());
    for time in
        ["last_request", "last_successful_request", "last_successful_download", "last_successful_activation"]
    {
        assert!(policy(&first)[time].as_str().is_some_and(|time| time.starts_with("20")), "{time}: {first}");
    }
    let missing =
        report(&status, "no shadow", |report| report["bundles"]["shadow"]["code"] == "bundle_error");
    assert_eq!(missing["bundles"]["shadow"]["last_successful_activation"], "0001-01-01T00:00:00Z");
    std::fs::write(&shadow, bundle_of("s")).expect("the case's directory is writable");
    report(&status, "a shadow", |report| report["bundles"]["shadow"]["active_revision"] == "s");
    service.behave(Bundles::Failing);
    let failing = report(&status, "trouble", |report| policy(report)["http_code"] == 500);
    assert_eq!(
        (&policy(&failing)["code"], &policy(&failing)["active_revision"]),
        (&json!("bundle_error"), &json!("a"))
    );
    service.behave(Bundles::Garbage);
    let refused = report(&status, "a refusal", |report| {
        policy(report)["message"].as_str().is_some_and(|message| message.contains("refused"))
    });
    assert_eq!(policy(&refused).get("http_code"), None);
    service.publish(bundle_of("b"));
    service.behave(Bundles::Polled);
    let well = report(&status, "the next", |report| policy(report)["active_revision"] == "b");
    assert_eq!((policy(&well).get("code"), &well["decision_logs"]), (None, &json!({})));
    logs.behave(Mode::Answering(503, ""));
    assert_eq!(sidecar.call("/api/echo").status, 200);
    let unlogged = report(&status, "trouble", |report| report["decision_logs"]["http_code"] == 503);
    assert_eq!(unlogged["decision_logs"]["code"], "decision_log_error");
    logs.behave(Mode::Taking);
    let before = status.taken().len();
    until("it is over", || {
        status.taken()[before..].iter().any(|report| report["decision_logs"] == json!({}))
    });
    for request in status.requests() {
        assert_eq!(
            (request.method.as_str(), request.header("content-type")),
            ("POST", Some("application/json"))
        );
        assert_eq!(request.header("authorization"), Some(format!("Bearer {token}").as_str()));
    }
    // polls alone are no news
    let told = status.requests().len();
    let asked = service.requests().len();
    until("some polls", || service.requests().len() > asked + 2);
    assert_eq!(status.requests().len(), told);
    assert_eq!(sidecar.stop(), 0);
}

#[test]
fn a_server_that_is_away_is_told_later_and_every_so_often() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let status = ReportService::start(&case);
    status.behave(Mode::Answering(500, ""));
    let file = case.file("bundle.tar.gz", bundle_of("a"));
    let config = config(&case, &upstream, &json!({ "file": file }), &status).with("status.interval", "1s");
    let mut sidecar = Sidecar::start(&case, &config);
    let counted =
        |result: &str| sidecar.metric("claviger_status_reports_total", &[&format!("result=\"{result}\"")]);
    until("it was tried twice", || counted("failed") >= 2.0);
    assert_eq!(sidecar.call("/api/echo").status, 200);
    status.behave(Mode::Taking);
    until("it is told again and again", || counted("ok") >= 3.0);
    let last = status.taken().pop().expect("a report");
    assert_eq!(
        (&last["bundles"]["policy"]["active_revision"], last.get("decision_logs")),
        (&json!("a"), None)
    );
    assert_eq!(sidecar.stop(), 0);
    assert!(!sidecar.logs().contains("canary-of-the-report-service"), "{}", sidecar.logs());
}
