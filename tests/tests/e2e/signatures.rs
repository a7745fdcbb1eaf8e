//! Whose policy it is: signed by OPA, verified before use, and never older than what was active, from a file, a service
//! and the state directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use claviger_tests::bundle::{ALLOW, ENTRYPOINT};
use claviger_tests::bundle_service::Mode;
use claviger_tests::sidecar::{Launch, run};
use claviger_tests::wait::{eventually, until};
use claviger_tests::{BundleService, Case, Config, Sidecar, Upstream, needs, tool};
use serde_json::{Value, json};

/// A place where bundles are signed.
struct Desk<'a> {
    case: &'a Case,
    public: PathBuf,
    secret: String,
    secret_file: PathBuf,
}

/// By whom.
#[derive(Clone, Copy)]
enum Hand {
    /// The key `prod`.
    Prod,
    /// The shared secret `shared`.
    Shared,
    /// Somebody else's key under the name of `prod`.
    Stranger,
    /// Nobody.
    Nobody,
}

impl<'a> Desk<'a> {
    fn new(case: &'a Case) -> Desk<'a> {
        let (prod, stranger) = (key(), key());
        let public = case.file("prod.pub", prod.public_key_pem());
        case.file("prod.key", prod.serialize_pem());
        case.file("stranger.key", stranger.serialize_pem());
        let secret = case.mint("the shared secret of bundles");
        let secret_file = case.secret_file(&secret);
        Desk { case, public, secret, secret_file }
    }

    /// A bundle that permits everything by the rule `letter`.
    fn bundle(&self, letter: &str, serial: Option<u64>, hand: Hand) -> Vec<u8> {
        let folder = self.case.dir().join(self.case.name("source"));
        std::fs::create_dir(&folder).expect("the case's directory is writable");
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("it is ours");
        let ours = serial.map_or(json!({}), |serial| json!({ "claviger": { "serial": serial } }));
        write(
            ".manifest",
            &json!({ "revision": letter, "roots": ["claviger"], "metadata": ours }).to_string(),
        );
        write(
            "policy.rego",
            &format!("package claviger.authz\n\ndecision := {{\"allow\": true, \"rule\": \"{letter}\"}}\n"),
        );
        let mut opa = Command::new(tool::path("opa"));
        let output = folder.with_extension("tar.gz");
        opa.args(["build", "-t", "wasm", "-e", ENTRYPOINT, "-b"]).arg(&folder).arg("-o").arg(&output);
        let key = |name: &str| self.case.dir().join(name).display().to_string();
        match hand {
            Hand::Prod => sign(&mut opa, "ES256", &key("prod.key"), "prod"),
            Hand::Stranger => sign(&mut opa, "ES256", &key("stranger.key"), "prod"),
            Hand::Shared => sign(&mut opa, "HS256", &self.secret, "shared"),
            Hand::Nobody => {}
        }
        let done = opa.output().expect("opa runs");
        assert!(done.status.success(), "opa build: {}", String::from_utf8_lossy(&done.stderr));
        std::fs::read(output).expect("opa wrote it")
    }

    /// The same bundle with another data document under the old signature.
    fn tampered(&self, bundle: &[u8]) -> Vec<u8> {
        let folder = self.case.dir().join(self.case.name("tampered"));
        std::fs::create_dir(&folder).expect("the case's directory is writable");
        std::fs::write(folder.join("in.tar.gz"), bundle).expect("it is ours");
        let tar = |words: &[&str]| {
            let done = Command::new("tar").current_dir(&folder).args(words).output().expect("tar runs");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        std::fs::create_dir(folder.join("files")).expect("it is ours");
        tar(&["-xzf", "in.tar.gz", "-C", "files"]);
        std::fs::write(folder.join("files/data.json"), r#"{"claviger": {"admin": true}}"#)
            .expect("it is ours");
        tar(&["-czf", "out.tar.gz", "-C", "files", "."]);
        std::fs::read(folder.join("out.tar.gz")).expect("tar wrote it")
    }

    fn config(&self, upstream: &Upstream, bundle: &Value) -> Config {
        let keys = json!([
            { "id": "prod", "alg": "ES256", "key": self.public },
            { "id": "shared", "alg": "HS256", "key": self.secret_file },
        ]);
        self.unverified(upstream, bundle).with("policy.verify", json!({ "keys": keys }))
    }

    fn unverified(&self, upstream: &Upstream, bundle: &Value) -> Config {
        let source = json!({ "static": { "file": self.case.secret_file(&self.case.mint("the token")) } });
        Config::mediating(self.case, ALLOW, upstream, &source).with("policy.bundle", bundle.clone())
    }
}

fn key() -> rcgen::KeyPair {
    rcgen::KeyPair::generate().expect("there is randomness")
}

fn sign(opa: &mut Command, algorithm: &str, key: &str, id: &str) {
    opa.args(["--signing-alg", algorithm, "--signing-key", key, "--verification-key-id", id]);
}

fn put(path: &Path, bundle: &[u8]) {
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, bundle).expect("the case's directory is writable");
    std::fs::rename(unfinished, path).expect("one file system");
}

fn rule(sidecar: &Sidecar) -> String {
    let answer = sidecar.call("/api/echo");
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = answer.header("claviger-request-id").expect("every answer has one").to_owned();
    let record = eventually("its record", || {
        sidecar.records(1).into_iter().find(|record| record["id"] == id.as_str())
    });
    record["decision"]["rule"].as_str().unwrap_or_default().to_owned()
}

fn becomes(sidecar: &Sidecar, letter: &str) {
    until(&format!("the policy {letter}"), || rule(sidecar) == letter);
}

fn refused(sidecar: &Sidecar, offer: impl FnOnce(), fault: &str, stays: &str) {
    let count = || sidecar.metric("claviger_policy_reloads_total", &["result=\"invalid\""]);
    let before = count();
    offer();
    until(fault, || count() > before && sidecar.logs().contains(fault));
    assert_eq!(rule(sidecar), stays, "{fault}");
}

#[test]
fn a_file_is_followed_only_where_its_signature_and_serial_hold() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let desk = Desk::new(&case);
    let file = case.dir().join("bundle.tar.gz");
    let (a, b) = (desk.bundle("a", Some(1), Hand::Prod), desk.bundle("b", Some(2), Hand::Shared));
    put(&file, &a);
    let config = desk.config(&upstream, &json!({ "file": file }));
    let mut sidecar = Sidecar::start(&case, &config);
    becomes(&sidecar, "a");
    put(&file, &b);
    becomes(&sidecar, "b");
    let tampered = desk.tampered(&desk.bundle("c", Some(3), Hand::Prod));
    let offers = [
        // the former policy, which is still in memory
        (a.clone(), "its serial 1 is below 2"),
        (desk.bundle("c", None, Hand::Prod), "it has no serial, and 2 was active before"),
        (desk.bundle("c", Some(3), Hand::Nobody), "the bundle is not signed"),
        (desk.bundle("c", Some(3), Hand::Stranger), "the signature is not one of key `prod`"),
        (tampered.clone(), "`data.json` is not what was signed"),
    ];
    for (offer, fault) in &offers {
        refused(&sidecar, || put(&file, offer), fault, "b");
    }
    put(&file, &desk.bundle("d", Some(2), Hand::Prod));
    becomes(&sidecar, "d");
    sidecar.kill();
    // what was refused while it ran is no policy to start with either, and `check` says so beforehand
    let settings = case.file("claviger-check.yaml", config.to_yaml()).display().to_string();
    for (offer, fault) in &offers {
        put(&file, offer);
        let output = run(&case, &["check", "-c", &settings, "--format", "json"]);
        let findings: Value = serde_json::from_slice(&output.stdout).expect("an array of findings");
        assert_eq!(findings[0]["path"], "policy.bundle.file", "{findings}");
        assert!(findings[0]["message"].as_str().is_some_and(|message| message.contains(fault)), "{findings}");
        assert_eq!(run(&case, &["serve", "-c", &settings]).status.code(), Some(2), "{fault}");
    }
    put(&file, &b);
    sidecar.restart();
    becomes(&sidecar, "b");
    assert_eq!(sidecar.stop(), 0);
    let inspected = case.file("tampered.tar.gz", &tampered).display().to_string();
    for (path, expected) in [
        (
            file.display().to_string(),
            json!({ "key_id": "shared", "algorithm": "HS256", "scope": "", "files": 4 }),
        ),
        (inspected, json!({ "fault": "`data.json` is not what was signed" })),
    ] {
        let output = run(&case, &["policy", "inspect", &path, "--format", "json"]);
        let told: Value = serde_json::from_slice(&output.stdout).expect("an object");
        assert_eq!(told["signature"], expected, "{told}");
    }
}

#[test]
fn a_service_and_what_was_kept_of_it_are_believed_no_further() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let desk = Desk::new(&case);
    let (a, b) = (desk.bundle("a", Some(1), Hand::Prod), desk.bundle("b", Some(2), Hand::Prod));
    let unsigned = desk.bundle("c", Some(3), Hand::Nobody);
    let service = BundleService::start(a.clone(), Mode::Polled);
    let config = desk.config(&upstream, &service.settings());
    let mut sidecar = Sidecar::start(&case, &config);
    becomes(&sidecar, "a");
    service.publish(b.clone());
    becomes(&sidecar, "b");
    refused(&sidecar, || service.publish(a.clone()), "its serial 1 is below 2", "b");
    refused(&sidecar, || service.publish(unsigned.clone()), "the bundle is not signed", "b");
    refused(&sidecar, || service.publish(desk.tampered(&b)), "`data.json` is not what was signed", "b");
    sidecar.kill();
    drop(service);
    sidecar.restart();
    assert_eq!(rule(&sidecar), "b");
    assert_eq!(sidecar.stop(), 0);
    let state = std::fs::read_dir(case.dir().join("state")).expect("it is there").flatten();
    let kept = state.map(|entry| entry.path()).find(|path| path.display().to_string().ends_with(".tar.gz"));
    let kept = kept.expect("the bundle was kept");
    for (offer, fault) in [(&a, "its serial 1 is below 2"), (&unsigned, "the bundle is not signed")] {
        put(&kept, offer);
        let mut sidecar = Sidecar::launch(&case, &config, Launch::default());
        until("the kept bundle is refused", || sidecar.logs().contains(fault));
        eventually("it listens", || sidecar.admin("/readyz").ok());
        assert_eq!(sidecar.call("/api/echo").code(), "policy_unavailable", "{fault}");
        assert_eq!(sidecar.stop(), 0);
    }
}

#[test]
fn a_signed_bundle_needs_a_key_and_keys_must_be_some() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let desk = Desk::new(&case);
    let file = case.file("bundle.tar.gz", desk.bundle("a", None, Hand::Prod));
    let config = desk.config(&upstream, &json!({ "file": file }));
    let check = |verify: Value, expected: Option<(&str, &str)>| {
        let settings =
            case.file("claviger-check.yaml", config.clone().with("policy.verify", verify).to_yaml());
        let output = run(&case, &["check", "-c", &settings.display().to_string(), "--format", "json"]);
        let findings: Value = serde_json::from_slice(&output.stdout).expect("an array of findings");
        let Some((path, message)) = expected else { return assert_eq!(findings, json!([])) };
        assert_eq!(findings[0]["path"], path, "{findings}");
        assert!(findings[0]["message"].as_str().is_some_and(|told| told.contains(message)), "{findings}");
    };
    let verify = |alg: &str, key: &Path, scope: &str| json!({ "keys": [{ "id": "prod", "alg": alg, "key": key }], "scope": scope });
    let (at_key, at_file) = ("policy.verify.keys.0.key", "policy.bundle.file");
    check(verify("ES256", &desk.public, ""), None);
    check(verify("ES256", &desk.public, "write"), Some((at_file, "not for the scope `write`")));
    check(verify("ES384", &desk.public, ""), Some((at_key, "not one for this algorithm")));
    check(verify("HS256", &desk.public, ""), Some((at_file, "not made with HS256")));
    check(verify("ES256", &case.dir().join("prod.key"), ""), Some((at_key, "a private key")));
    check(verify("ES256", &desk.secret_file, ""), Some((at_key, "expected a public key in PEM")));
    check(verify("ES256", Path::new("/nowhere.pub"), ""), Some((at_key, "cannot be read")));
    let without = desk.unverified(&upstream, &json!({ "file": file })).to_yaml();
    let settings = case.file("claviger-check.yaml", without).display().to_string();
    let output = run(&case, &["check", "-c", &settings]);
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        output.status.code() == Some(1)
            && told.contains("the bundle is signed, and `policy.verify` has no key"),
        "{told}"
    );
}
