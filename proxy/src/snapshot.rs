//! One immutable generation of everything that a configuration file says: routes, policy, sources. A request is
//! judged and served by one of them, never by a mixture.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use claviger_config::{
    BundleSource, Config, Draft, DraftCredential, Finding, Findings, Located, Severity, Source as File,
};
use claviger_policy::{LoadError, Policy};

use crate::credential::cache::CredentialSource;
use crate::credential::lease::Lifetime;
use crate::credential::source::{self, Source};
use crate::inject::{self, Injection};
use crate::observe::{decisions, status};
use crate::reload::compiler::{Compiler, Unloadable, read_file};
use crate::reload::floor::Floor;
use crate::reload::trust::Trust;
use crate::reload::{Origin, Service};
use crate::route::{Offer, Route};
use crate::tls;

/// Everything built from one file.
pub struct Snapshot {
    /// The configuration itself.
    pub config: Config,
    /// The policy and its successors.
    pub policy: PolicyPlan,
    /// Every route, by its place in the configuration.
    pub routes: Vec<Route>,
    /// Every credential's source, in the order of the configuration.
    pub sources: Vec<CredentialSource>,
    /// Where every decision is sent, if anywhere.
    pub decision_logs: Option<decisions::Plan>,
    /// Where it is told how the sidecar is, if anywhere.
    pub status: Option<status::Plan>,
}

/// Which policy is asked first, and where newer ones come from.
pub struct PolicyPlan {
    /// The first, compiled; a bundle service has not been asked for one.
    pub policy: Option<Arc<Policy>>,
    /// Where newer ones come from.
    pub origin: Origin,
    /// What makes policies of them.
    pub compiler: Compiler,
    /// Where those come from that are only compared; the same compiler makes them.
    pub shadow: Option<Origin>,
}

/// What a snapshot is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To carry requests.
    Serve,
    /// To look at: nothing is left on the disk.
    Look,
    /// To find fault: as to look at, and what serving would put up with is wrong too.
    Check,
}

impl Purpose {
    fn compiled_dir(self, config: &Config) -> Option<PathBuf> {
        match self {
            Purpose::Serve => config.compiled_policies_dir.clone(),
            Purpose::Look | Purpose::Check => None,
        }
    }

    /// How grave it is that the shadow's bundle cannot be loaded: no reason not to serve, but nobody means it.
    fn of_shadow(self) -> Severity {
        match self {
            Purpose::Serve | Purpose::Look => Severity::Warning,
            Purpose::Check => Severity::Error,
        }
    }
}

/// The kinds of one credential, built.
struct Built {
    name: String,
    kind: String,
    source: Option<Box<dyn Source>>,
    injection: Option<Arc<dyn Injection>>,
}

impl Snapshot {
    /// Builds all that `file` describes, without network, and tells of everything that is wrong with it. There is a
    /// snapshot exactly when there is no error.
    pub fn build(file: &File, purpose: Purpose) -> (Option<Self>, Findings) {
        let draft = claviger_config::parse(file, &|name| std::env::var(name).ok());
        let Draft { config, credentials, policy, decision_logs, status, mut findings } = draft;
        let built: Vec<Built> =
            credentials.into_iter().map(|draft| build_kinds(draft, &mut findings)).collect();
        let policy = policy.and_then(|settings| {
            let compiler = Compiler::new(&settings, Trust::new(settings.verify.as_ref(), &mut findings)?);
            let shadow = settings.shadow.as_ref();
            let shadow = shadow.map(|shadow| origin_of_shadow(shadow, &compiler, purpose, &mut findings));
            let compiler = match &config {
                Some(config) => {
                    let compiler = compiler.above(floor(&config.state_dir, &settings));
                    compiler.keeping(purpose.compiled_dir(config))
                }
                None => compiler,
            };
            let (origin, policy) = load_policy(&settings, &compiler, &mut findings)?;
            Some(PolicyPlan { policy, origin, compiler, shadow: shadow.flatten() })
        });
        let decision_logs = decision_logs.and_then(|logs| decisions::Plan::new(&logs, &mut findings));
        let status = status.and_then(|reports| status::Plan::new(&reports, &mut findings));
        config.iter().flat_map(|config| &config.routes).for_each(|route| check_roots(route, &mut findings));
        if findings.has_errors() {
            return (None, findings);
        }
        let (Some(config), Some(policy)) = (config, policy) else { return (None, findings) };
        let snapshot = Self { decision_logs, status, ..Self::assemble(config, policy, built) };
        (Some(snapshot), findings)
    }

    fn assemble(config: Config, policy: PolicyPlan, built: Vec<Built>) -> Self {
        let mut offers = HashMap::new();
        let mut sources = Vec::with_capacity(built.len());
        for (credential, built) in config.credentials.iter().zip(built) {
            let (Some(source), Some(injection)) = (built.source, built.injection) else { continue };
            let (name, kind): (Arc<str>, Arc<str>) = (built.name.as_str().into(), built.kind.as_str().into());
            let offer = Offer { name, kind, scopes: source.scopes().into(), injection };
            offers.insert(built.name.clone(), offer);
            let lifetime = Lifetime { ttl_max: credential.ttl_max, refresh_ahead: credential.refresh_ahead };
            sources.push(CredentialSource { name: built.name, kind: built.kind, source, lifetime });
        }
        let route = |(index, settings): (usize, &claviger_config::Route)| {
            let on_offer = settings.credentials.iter().filter_map(|name| offers.get(name).cloned()).collect();
            Route::new(index, settings.clone(), on_offer)
        };
        let routes = config.routes.iter().enumerate().map(route).collect();
        Self { config, policy, routes, sources, decision_logs: None, status: None }
    }
}

fn build_kinds(draft: DraftCredential, findings: &mut Findings) -> Built {
    let source = draft.source.as_ref().and_then(|kind| source::build(kind, findings));
    let injection = draft.inject.as_ref().and_then(|kind| inject::build(kind, findings));
    let kind = draft.source.map_or_else(String::new, |kind| kind.name);
    Built { name: draft.name, kind, source, injection }
}

/// What was active before, by this origin and at this entrypoint.
fn floor(state_dir: &Path, settings: &claviger_config::Policy) -> Floor {
    let origin = match &settings.bundle {
        BundleSource::File(file) => file.value.to_string_lossy(),
        BundleSource::Http(service) => Cow::Borrowed(service.endpoint.url.value.as_str()),
    };
    Floor::open(state_dir, &origin, &settings.entrypoint.value)
}

fn check_roots(route: &claviger_config::Route, findings: &mut Findings) {
    let Some(ca) = &route.tls_ca else { return };
    if let Err(error) = tls::certificates(&ca.value) {
        findings.error("tls_ca", ca.path.clone(), ca.location, error.to_string());
    }
}

/// The policy's origin, and the policy itself where that is a file.
fn load_policy(
    settings: &claviger_config::Policy,
    compiler: &Compiler,
    findings: &mut Findings,
) -> Option<(Origin, Option<Arc<Policy>>)> {
    match &settings.bundle {
        BundleSource::Http(service) => {
            let service = Service::new(service, findings)?;
            Some((Origin::Service(Box::new(service)), None))
        }
        BundleSource::File(file) => {
            let read = read_file(&file.value).map_err(Unloadable::from);
            match read.and_then(|bytes| compiler.compile(&bytes, &[])) {
                Ok(policy) => Some((Origin::File(file.value.clone()), Some(policy))),
                Err(error) => {
                    refuse(settings, file, &error, findings);
                    None
                }
            }
        }
    }
}

/// Where the shadow comes from, whatever is wrong with its bundle.
fn origin_of_shadow(
    shadow: &BundleSource,
    compiler: &Compiler,
    purpose: Purpose,
    findings: &mut Findings,
) -> Option<Origin> {
    match shadow {
        BundleSource::Http(service) => {
            Service::new(service, findings).map(|service| Origin::Service(Box::new(service)))
        }
        BundleSource::File(file) => {
            let read = read_file(&file.value).map_err(Unloadable::from);
            if let Err(error) = read.and_then(|bytes| compiler.read(&bytes)) {
                let message = format!("{}: {error}", file.value.display());
                let finding = Finding::warning("shadow", file.path.clone(), file.location, message);
                findings.push(Finding { severity: purpose.of_shadow(), ..finding });
            }
            Some(Origin::File(file.value.clone()))
        }
    }
}

fn refuse(
    settings: &claviger_config::Policy,
    file: &Located<PathBuf>,
    error: &Unloadable,
    findings: &mut Findings,
) {
    if matches!(error, Unloadable::Policy(LoadError::NoEntrypoint { .. })) {
        let at = &settings.entrypoint;
        findings.error("entrypoint", at.path.clone(), at.location, error.to_string());
    } else {
        let message = format!("{}: {error}", file.value.display());
        findings.error("bundle", file.path.clone(), file.location, message);
    }
}
