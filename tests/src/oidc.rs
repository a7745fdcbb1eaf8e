//! A real OAuth2 server, npm's `oidc-provider`, with client credentials, introspection and revocation.

use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::case::Case;
use crate::client::Connection;
use crate::process::Process;
use crate::tool;
use crate::wait::{eventually_within, free_port};

/// How a client proves itself.
#[derive(Clone, Copy, Debug)]
pub enum Auth {
    /// In the Authorization header.
    Basic,
    /// In the form.
    Post,
}

/// A running server.
pub struct OidcProvider {
    port: u16,
    secret: String,
    _process: Process,
}

impl OidcProvider {
    /// Starts one whose tokens live for `ttl_s` seconds.
    pub fn start(case: &Case, ttl_s: u32) -> OidcProvider {
        let (port, secret) = (free_port(), case.mint("the client secret"));
        let mut command = Command::new(tool::path("oidc-provider"));
        command.args([port.to_string(), ttl_s.to_string()]).env("OIDC_CLIENT_SECRET", &secret);
        let mut process = Process::start(&mut command, case.dir(), &case.name("oidc"));
        eventually_within(Duration::from_secs(30), "oidc-provider is ready", || {
            assert!(process.ended().is_none(), "oidc-provider ended: {}", process.output());
            process.output().contains("READY").then_some(())
        });
        OidcProvider { port, secret, _process: process }
    }

    /// A source at this server, with the scope `repo.read`.
    pub fn source(&self, case: &Case, auth: Auth) -> Value {
        let (client_id, method) = match auth {
            Auth::Basic => ("workload-basic", "basic"),
            Auth::Post => ("workload-post", "post"),
        };
        json!({ "oauth2_client_credentials": {
            "token_url": format!("http://127.0.0.1:{}/token", self.port),
            "revoke_url": format!("http://127.0.0.1:{}/token/revocation", self.port),
            "client_id": client_id,
            "client_secret": { "file": case.secret_file(&self.secret) },
            "auth": method,
            "scopes": ["repo.read"],
            "allow_plaintext": true,
        } })
    }

    /// What the server says of a token: `active`, `scope`, `client_id`.
    pub fn introspect(&self, token: &str) -> Value {
        let credentials = format!("Basic {}", STANDARD.encode(format!("workload-basic:{}", self.secret)));
        let headers =
            [("Authorization", credentials.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        let form = format!("token={token}");
        let answer = Connection::tcp(self.port)
            .and_then(|mut connection| {
                connection.request("POST", "/token/introspection", &headers, form.as_bytes())
            })
            .expect("the server answers");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }
}
