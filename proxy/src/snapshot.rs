//! One immutable generation of everything that a configuration file says: routes, policy, sources. A request is
//! judged and served by one of them, never by a mixture.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use claviger_config::{Config, Draft, DraftCredential, Findings, PolicyInput, Source as File};
use claviger_policy::{Bundle, Dialect, Limits, LoadError, Policy};

use crate::credential::cache::CredentialSource;
use crate::credential::lease::Lifetime;
use crate::credential::source::{self, Source};
use crate::inject::{self, Injection};
use crate::route::{Offer, Route};
use crate::tls;

/// Bytes that a bundle file may have.
const BUNDLE_BYTES_MAX: u64 = 64 << 20;

/// Everything built from one file.
pub struct Snapshot {
    /// The configuration itself.
    pub config: Config,
    /// The compiled policy.
    pub policy: Arc<Policy>,
    /// Every route, by its place in the configuration.
    pub routes: Vec<Route>,
    /// Every credential's source, in the order of the configuration.
    pub sources: Vec<CredentialSource>,
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
    pub fn build(file: &File) -> (Option<Self>, Findings) {
        let draft = claviger_config::parse(file, &|name| std::env::var(name).ok());
        let Draft { config, credentials, policy, mut findings } = draft;
        let built: Vec<Built> =
            credentials.into_iter().map(|draft| build_kinds(draft, &mut findings)).collect();
        let policy = policy.and_then(|settings| load_policy(&settings, &mut findings));
        config.iter().flat_map(|config| &config.routes).for_each(|route| check_roots(route, &mut findings));
        if findings.has_errors() {
            return (None, findings);
        }
        let (Some(config), Some(policy)) = (config, policy) else { return (None, findings) };
        (Some(Self::assemble(config, policy, built)), findings)
    }

    fn assemble(config: Config, policy: Arc<Policy>, built: Vec<Built>) -> Self {
        let mut offers = HashMap::new();
        let mut sources = Vec::with_capacity(built.len());
        for (credential, built) in config.credentials.iter().zip(built) {
            let (Some(source), Some(injection)) = (built.source, built.injection) else { continue };
            let (name, kind): (Arc<str>, Arc<str>) = (built.name.as_str().into(), built.kind.as_str().into());
            let offer = Offer { name, kind, scopes: source.scopes().to_vec(), injection };
            offers.insert(built.name.clone(), offer);
            let lifetime = Lifetime { ttl_max: credential.ttl_max, refresh_ahead: credential.refresh_ahead };
            sources.push(CredentialSource { name: built.name, kind: built.kind, source, lifetime });
        }
        let route = |(index, settings): (usize, &claviger_config::Route)| {
            let on_offer = settings.credentials.iter().filter_map(|name| offers.get(name).cloned()).collect();
            Route::new(index, settings.clone(), on_offer)
        };
        let routes = config.routes.iter().enumerate().map(route).collect();
        Self { config, policy, routes, sources }
    }
}

fn build_kinds(draft: DraftCredential, findings: &mut Findings) -> Built {
    let source = draft.source.as_ref().and_then(|kind| source::build(kind, findings));
    let injection = draft.inject.as_ref().and_then(|kind| inject::build(kind, findings));
    let kind = draft.source.map_or_else(String::new, |kind| kind.name);
    Built { name: draft.name, kind, source, injection }
}

fn check_roots(route: &claviger_config::Route, findings: &mut Findings) {
    let Some(ca) = &route.tls_ca else { return };
    if let Err(error) = tls::certificates(&ca.value) {
        findings.error("tls_ca", ca.path.clone(), ca.location, error.to_string());
    }
}

fn load_policy(settings: &claviger_config::Policy, findings: &mut Findings) -> Option<Arc<Policy>> {
    let at = &settings.bundle;
    let refuse = |why: String, findings: &mut Findings| {
        findings.error("bundle", at.path.clone(), at.location, format!("{}: {why}", at.value.display()));
    };
    let bundle = match read_bundle(&at.value) {
        Ok(bundle) => bundle,
        Err(why) => {
            refuse(why, findings);
            return None;
        }
    };
    let limits = Limits::new(settings.eval_timeout, settings.memory_bytes_max);
    match Policy::load(&bundle, &settings.entrypoint.value, limits) {
        Ok(policy) => Some(Arc::new(policy.in_dialect(dialect(settings.input)))),
        Err(error @ LoadError::NoEntrypoint { .. }) => {
            let at = &settings.entrypoint;
            findings.error("entrypoint", at.path.clone(), at.location, error.to_string());
            None
        }
        Err(error) => {
            refuse(error.to_string(), findings);
            None
        }
    }
}

fn dialect(input: PolicyInput) -> Dialect {
    match input {
        PolicyInput::Mediation => Dialect::Mediation,
        PolicyInput::ExtAuthz => Dialect::ExtAuthz,
    }
}

fn read_bundle(path: &Path) -> Result<Bundle, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > BUNDLE_BYTES_MAX {
        return Err(format!("the bundle is larger than {BUNDLE_BYTES_MAX} bytes"));
    }
    Bundle::read(&bytes).map_err(|error| error.to_string())
}
