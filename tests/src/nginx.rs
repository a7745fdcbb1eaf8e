//! A real nginx as an HTTPS upstream or file server that lets nobody in without the right bearer token.

use std::path::Path;
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
        Nginx::serving(case, leaf, "", &format!("{} return 200 welcome;", locked(token)))
    }

    /// Starts one that serves the files of `folder` to who brings the token and a certificate that `clients` vouches for,
    /// and notes status and target of every request in `access.log`.
    pub fn files(case: &Case, leaf: &Leaf, token: &str, clients: &Path, folder: &Path) -> Nginx {
        let log = case.dir().join("access.log");
        let log = format!("log_format short '$status $request_uri'; access_log {} short;", log.display());
        let (clients, folder) = (clients.display(), folder.display());
        let tls = format!("ssl_client_certificate {clients}; ssl_verify_client on;");
        Nginx::serving(case, leaf, &log, &format!("{tls} {} root {folder};", locked(token)))
    }

    fn serving(case: &Case, leaf: &Leaf, log: &str, server: &str) -> Nginx {
        let (port, probe) = (free_port(), free_port());
        let dir = case.dir().display();
        let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
        let log = if log.is_empty() { "access_log off;" } else { log };
        // called `secret-…` because it holds the token; the prefix keeps it from the search at the end
        let config = case.file("secret-nginx.conf", format!(
            "daemon off; master_process off; pid {dir}/nginx.pid; error_log stderr;\n\
             events {{}}\n\
             http {{ {log} client_body_temp_path {dir}/nginx-body; proxy_temp_path {dir}/nginx-proxy;\n\
             fastcgi_temp_path {dir}/nginx-f; uwsgi_temp_path {dir}/nginx-u; scgi_temp_path {dir}/nginx-s;\n\
             server {{ listen 127.0.0.1:{probe}; access_log off; return 204; }}\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};\n\
             {server} }} }}\n"
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

fn locked(token: &str) -> String {
    format!("if ($http_authorization != \"Bearer {token}\") {{ return 401; }}")
}
