//! A real OpenBao in dev mode, with AppRole, KV v2 and a PKI that keeps a lease for each certificate.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::Case;
use crate::client::Connection;
use crate::process::Process;
use crate::tool;
use crate::wait::{eventually_within, free_port};

const ROOT_TOKEN: &str = "tests-root";
const ISSUE_PATH: &str = "pki/issue/leaf";
const POLICY: &str = r#"
path "secret/data/*" { capabilities = ["read"] }
path "pki/issue/*" { capabilities = ["create", "update"] }
path "sys/leases/*" { capabilities = ["create", "update"] }
"#;

/// A running server.
pub struct OpenBao {
    port: u16,
    process: Process,
}

impl OpenBao {
    /// Starts one and sets it up.
    pub fn start(case: &Case) -> OpenBao {
        let port = free_port();
        let mut command = Command::new(tool::path("bao"));
        command.args(["server", "-dev", "-dev-no-store-token"]).env("HOME", case.dir());
        command
            .arg(format!("-dev-root-token-id={ROOT_TOKEN}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"));
        // its own output is no sink of ours: it prints its root token
        let process = Process::start(&mut command, case.dir(), &case.name("secret-bao"));
        let mut bao = OpenBao { port, process };
        bao.wait_until_ready();
        bao.set_up();
        bao
    }

    fn wait_until_ready(&mut self) {
        eventually_within(Duration::from_secs(30), "OpenBao answers", || {
            assert!(self.process.ended().is_none(), "bao ended: {}", self.process.output());
            self.try_call("GET", "sys/mounts", &Value::Null).is_ok().then_some(())
        });
    }

    fn set_up(&self) {
        let role = json!({ "token_policies": ["app"], "token_ttl": "10m", "token_max_ttl": "20m" });
        let leaf = json!({
            "allow_any_name": true, "enforce_hostnames": false, "generate_lease": true, "ttl": "300s", "max_ttl": "600s",
        });
        for (path, body) in [
            ("sys/policies/acl/app", json!({ "policy": POLICY })),
            ("sys/auth/approle", json!({ "type": "approle" })),
            ("auth/approle/role/app", role),
            ("sys/mounts/pki", json!({ "type": "pki", "config": { "max_lease_ttl": "24h" } })),
            ("pki/root/generate/internal", json!({ "common_name": "tests", "ttl": "12h" })),
            ("pki/roles/leaf", leaf),
        ] {
            self.call("POST", path, &body);
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stores values under `secret/data/<name>`.
    pub fn put(&self, name: &str, values: &Value) {
        self.call("POST", &format!("secret/data/{name}"), &json!({ "data": values }));
    }

    /// A `vault` source that logs in by a fresh AppRole secret id; `more` are the settings of what to read.
    pub fn source(&self, case: &Case, more: &[(&str, Value)]) -> Value {
        let role_id =
            self.call("GET", "auth/approle/role/app/role-id", &Value::Null)["data"]["role_id"].clone();
        let answer = self.call("POST", "auth/approle/role/app/secret-id", &json!({}));
        let secret_id = answer["data"]["secret_id"].as_str().expect("AppRole gives one");
        let mut settings = json!({
            "address": self.url(),
            "auth": { "approle": { "role_id": role_id, "secret_id": { "file": case.secret_file(secret_id) } } },
            "allow_plaintext": true,
        });
        for (key, value) in more {
            settings[*key] = value.clone();
        }
        json!({ "vault": settings })
    }

    /// A source of certificates with leases; the serial number stands for the secret.
    pub fn leased_source(&self, case: &Case) -> Value {
        let params = json!({ "common_name": "workload" });
        self.source(
            case,
            &[("path", json!(ISSUE_PATH)), ("params", params), ("field", json!("serial_number"))],
        )
    }

    /// The leases of certificates that are alive.
    pub fn leases(&self) -> Vec<Value> {
        let answer = self.try_call("LIST", &format!("sys/leases/lookup/{ISSUE_PATH}"), &Value::Null);
        answer.ok().and_then(|body| body["data"]["keys"].as_array().cloned()).unwrap_or_default()
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("bao {method} {path}: {error}"))
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("X-Vault-Token", ROOT_TOKEN), ("Content-Type", "application/json")];
        let answer = Connection::tcp(self.port)
            .and_then(|mut connection| {
                connection.request(method, &format!("/v1/{path}"), &headers, body.as_bytes())
            })
            .map_err(|error| error.to_string())?;
        match answer.status {
            200..300 => Ok(answer.json()),
            status => Err(format!("{status}: {}", String::from_utf8_lossy(&answer.body))),
        }
    }
}
