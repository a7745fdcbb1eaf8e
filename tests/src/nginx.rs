//! A real nginx as an HTTPS upstream that lets nobody in without the right bearer token.

use std::process::Command;
use std::time::Duration;

use crate::case::Case;
use crate::client::Connection;
use crate::pki::Leaf;
use crate::process::Process;
use crate::tool;
use crate::wait::{eventually_within, free_port};

/// A running server.
pub struct Nginx {
    port: u16,
    _process: Process,
}

impl Nginx {
    /// Starts one that answers `welcome` under `Authorization: Bearer <token>`, and 401 without.
    pub fn start(case: &Case, leaf: &Leaf, token: &str) -> Nginx {
        let (port, probe) = (free_port(), free_port());
        let dir = case.dir().display();
        let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
        // called `secret-…` because it holds the token; the prefix keeps it from the search at the end
        let config = case.file("secret-nginx.conf", format!(
            "daemon off; master_process off; pid {dir}/nginx.pid; error_log stderr;\n\
             events {{}}\n\
             http {{ access_log off; client_body_temp_path {dir}/nginx-body; proxy_temp_path {dir}/nginx-proxy;\n\
             fastcgi_temp_path {dir}/nginx-f; uwsgi_temp_path {dir}/nginx-u; scgi_temp_path {dir}/nginx-s;\n\
             server {{ listen 127.0.0.1:{probe}; return 204; }}\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};\n\
             if ($http_authorization != \"Bearer {token}\") {{ return 401; }} return 200 welcome; }} }}\n"
        ));
        let mut command = Command::new(tool::path("nginx"));
        command.arg("-p").arg(case.dir()).arg("-e").arg("stderr").arg("-c").arg(config);
        let mut process = Process::start(&mut command, case.dir(), &case.name("nginx"));
        eventually_within(Duration::from_secs(10), "nginx answers", || {
            assert!(process.ended().is_none(), "nginx ended: {}", process.output());
            Connection::tcp(probe).is_ok().then_some(())
        });
        Nginx { port, _process: process }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}
