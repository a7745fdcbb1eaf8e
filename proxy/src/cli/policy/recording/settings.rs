//! What the configuration that records were made under says of their inputs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use claviger_config::{Config, Mode, Route, Source};
use claviger_policy::Dialect;
use serde_json::json;

use super::Recorded;
use super::fact::Fact;
use crate::cli::{USAGE, fail, print_findings};

/// Where that configuration is.
#[derive(Args)]
pub(in crate::cli::policy) struct SettingsArgs {
    /// The configuration that records of the audit were made under: what it says of their inputs is then known
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// That configuration, its kinds unread: no secret of it need be here.
pub(in crate::cli::policy) struct Settings {
    config: Config,
}

impl SettingsArgs {
    /// Reads it, where there is one, or tells what is wrong with it and gives the exit code.
    pub(in crate::cli::policy) fn load(&self) -> Result<Option<Settings>, ExitCode> {
        let Some(path) = &self.config else { return Ok(None) };
        let source = Source::read(path).map_err(|error| fail(USAGE, &error.to_string()))?;
        let draft = claviger_config::parse(&source, &|name| std::env::var(name).ok());
        match draft.config {
            Some(config) => Ok(Some(Settings { config })),
            None => {
                print_findings(&draft.findings, &source);
                Err(ExitCode::from(USAGE))
            }
        }
    }
}

impl Settings {
    #[cfg(test)]
    pub(super) fn of(config: Config) -> Self {
        Self { config }
    }

    /// Puts what is known into a record's input.
    pub(super) fn complete(&self, recorded: &mut Recorded, dialect: Dialect) {
        let route = self.config.routes.iter().find(|route| Some(&route.name) == recorded.route.as_ref());
        match dialect {
            Dialect::Mediation => self.mediation(route, &mut recorded.input),
            Dialect::ExtAuthz => self.ext_authz(route, &mut recorded.input),
        }
    }

    fn mediation(&self, route: Option<&Route>, input: &mut Fact) {
        let identity = &self.config.identity;
        input.settle(&["workload", "environment"], identity.environment.clone().map(Fact::known));
        let labels = Some(&identity.labels).filter(|labels| !labels.is_empty());
        input.settle(&["workload", "labels"], labels.map(|labels| Fact::known(json!(labels))));
        if self.config.listeners.iter().all(|listener| listener.mode == Mode::Reverse) {
            input.settle(&["network", "mode"], Some(Fact::known("reverse")));
        }
        let Some(route) = route else { return };
        input.settle(&["request", "scheme"], Some(Fact::known(route.upstream.scheme.as_str())));
        input.settle(&["request", "port"], Some(Fact::known(route.upstream.port)));
        input.settle(&["route", "upstream"], Some(Fact::known(url(route))));
        input.settle(&["route", "credentials"], Some(Fact::known(json!(route.credentials))));
        input.settle(&["credential"], self.only_credential(route));
    }

    /// The route's credential as policies see it: there only where the route has one and no more.
    fn only_credential(&self, route: &Route) -> Option<Fact> {
        let [name] = route.credentials.as_slice() else { return None };
        let kind = self.config.credentials.iter().find(|credential| credential.name == *name);
        Some(Fact::parts([
            ("name", Fact::known(name.as_str())),
            ("kind", kind.map_or(Fact::Unknown, |credential| Fact::known(credential.source.name.as_str()))),
            ("scopes", Fact::Unknown),
            ("cached", Fact::Unknown),
            ("expires_in_s", Fact::Unknown),
        ]))
    }

    fn ext_authz(&self, route: Option<&Route>, input: &mut Fact) {
        let environment = self.config.identity.environment.clone().map(Fact::known);
        input.settle(&["attributes", "contextExtensions", "environment"], environment);
        let Some(route) = route else { return };
        input.settle(&["attributes", "contextExtensions", "upstream"], Some(Fact::known(url(route))));
        let http = ["attributes", "request", "http"];
        input.settle(&[&http[..], &["host"]].concat(), Some(Fact::known(route.upstream.authority())));
        let scheme = Fact::known(route.upstream.scheme.as_str());
        input.settle(&[&http[..], &["scheme"]].concat(), Some(scheme));
    }
}

fn url(route: &Route) -> String {
    let upstream = &route.upstream;
    format!("{}://{}{}", upstream.scheme.as_str(), upstream.authority(), upstream.base_path)
}
