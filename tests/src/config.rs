//! The configuration of a case as a document that a test changes in place, written as YAML.

use serde_json::{Map, Value, json};

use crate::bundle;
use crate::case::Case;
use crate::upstream::Upstream;
use crate::wait::free_port;

/// A configuration file in the making.
#[derive(Clone, Debug)]
pub struct Config {
    document: Value,
}

impl Config {
    /// One reverse listener, a policy, a required audit file, metrics and a state directory; no route yet.
    pub fn new(case: &Case, rego: &str) -> Config {
        let document = json!({
            "version": 1,
            "listeners": { "app": { "bind": format!("127.0.0.1:{}", free_port()), "mode": "reverse" } },
            // the default of 5 ms is for quiet machines; only the test about deadlines uses a tight one
            "policy": {
                "bundle": { "file": bundle::compile(rego) }, "entrypoint": bundle::ENTRYPOINT, "eval_timeout": "500ms",
            },
            "audit": { "file": { "path": case.dir().join("audit.jsonl") }, "required": true },
            "metrics": { "bind": format!("127.0.0.1:{}", free_port()) },
            "state": { "dir": case.dir().join("state") },
        });
        Config { document }
    }

    /// The usual small one: route `api` to an upstream, with the credential `key` as a bearer token.
    pub fn mediating(case: &Case, rego: &str, upstream: &Upstream, source: &Value) -> Config {
        Config::new(case, rego).route("api", &upstream.url(), "key").credential(
            "key",
            source,
            &json!({ "bearer": {} }),
        )
    }

    /// A route to a local upstream; loopback and plaintext need saying.
    pub fn route(self, name: &str, upstream: &str, credential: &str) -> Config {
        let mut route = json!({ "upstream": upstream, "credential": credential, "allow_private": true });
        if upstream.starts_with("http:") {
            route["allow_plaintext"] = json!(true);
        }
        self.with(&format!("routes.{name}"), route)
    }

    /// A credential with its injection.
    pub fn credential(self, name: &str, source: &Value, inject: &Value) -> Config {
        self.with(&format!("credentials.{name}"), json!({ "source": source, "inject": inject }))
    }

    /// Sets one value by its path, such as `routes.api.tls`; what lies on the way is made.
    pub fn with(mut self, path: &str, value: impl Into<Value>) -> Config {
        let at = path.split('.').fold(&mut self.document, |at, key| &mut at[key]);
        *at = value.into();
        self
    }

    /// A value by its path.
    pub fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.document, |at, key| &at[key])
    }

    /// The port at a path such as `listeners.app.bind`.
    pub fn port(&self, path: &str) -> u16 {
        let bind = self.at(path).as_str().expect("an address as text");
        bind.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an address with a port")
    }

    /// The file's text: block maps with quoted scalars, as a person might write it.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        block(self.document.as_object().expect("a configuration is a map"), 0, &mut text);
        text
    }
}

fn block(map: &Map<String, Value>, indent: usize, text: &mut String) {
    for (key, value) in map {
        *text += &format!("{:indent$}{key}:", "");
        match value.as_object() {
            Some(inner) if !inner.is_empty() => {
                text.push('\n');
                block(inner, indent + 2, text);
            }
            Some(_) | None => *text += &format!(" {value}\n"),
        }
    }
}
