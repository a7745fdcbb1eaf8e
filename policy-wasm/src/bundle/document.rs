//! The manifest and the data documents of a bundle.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::archive::File;
use super::{signature, wish};
use crate::error::BundleError;
use crate::value::Value;

/// The parts of `.manifest` that bind us; OPA may write others.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Manifest {
    /// Who built it when, in the author's words.
    pub(super) revision: String,
    /// Which parts of the data document are its own.
    pub(super) roots: Vec<String>,
    wasm: Vec<WasmModule>,
    /// Whatever else the author says.
    pub(super) metadata: Map<String, Json>,
}

#[derive(Debug, Clone, Deserialize)]
struct WasmModule {
    module: String,
    #[serde(default)]
    entrypoint: String,
}

/// What OPA assumes where there is no manifest: the bundle owns everything.
impl Default for Manifest {
    fn default() -> Manifest {
        Manifest {
            revision: String::new(),
            roots: vec![String::new()],
            wasm: Vec::new(),
            metadata: Map::new(),
        }
    }
}

impl Manifest {
    pub(super) fn read(file: &File) -> Result<Manifest, BundleError> {
        let manifest: Manifest =
            serde_json::from_slice(&file.bytes).map_err(|error| bad(file, error.to_string()))?;
        manifest.agrees_with_itself().map_err(|cause| bad(file, cause))?;
        Ok(manifest)
    }

    /// As OPA asks: no root within another, and every entrypoint once and within a root.
    fn agrees_with_itself(&self) -> Result<(), String> {
        for (at, one) in self.roots.iter().enumerate() {
            if let Some(other) =
                self.roots[..at].iter().find(|other| within(one, other) || within(other, one))
            {
                return Err(format!("its roots `{other}` and `{one}` overlap"));
            }
        }
        for (at, entrypoint) in self.entrypoints().enumerate() {
            if !self.roots.iter().any(|root| within(entrypoint, root)) {
                return Err(format!("its entrypoint `{entrypoint}` lies outside its roots"));
            }
            if self.entrypoints().take(at).any(|other| other == entrypoint) {
                return Err(format!("it lists the entrypoint `{entrypoint}` twice"));
            }
        }
        Ok(())
    }

    /// Those that are named.
    pub(super) fn entrypoints(&self) -> impl Iterator<Item = &str> {
        self.wasm.iter().map(|listed| listed.entrypoint.as_str()).filter(|entrypoint| !entrypoint.is_empty())
    }

    /// The manifest, where it lists modules, must list the one that is there.
    pub(super) fn names(&self, module: &File) -> Result<(), BundleError> {
        match self.wasm.iter().find(|listed| listed.module.trim_start_matches('/') != module.path) {
            Some(other) => Err(BundleError::BadDocument {
                path: ".manifest".to_owned(),
                cause: format!("it lists the module `{}`, the bundle has `{}`", other.module, module.path),
            }),
            None => Ok(()),
        }
    }

    /// How much of a request's body the policy judges.
    pub(super) fn body_bytes_max(&self) -> Result<Option<usize>, BundleError> {
        wish::body_bytes_max(&self.metadata).map_err(bad_wish)
    }

    /// Its place in the order of the author's bundles.
    pub(super) fn serial(&self) -> Result<Option<u64>, BundleError> {
        wish::serial(&self.metadata).map_err(bad_wish)
    }

    /// A place is ours if it lies under a root, or leads to one.
    fn owns(&self, place: &[String], value: &Value) -> Result<(), BundleError> {
        let roots = || self.roots.iter().map(|root| parts(root));
        if roots().any(|root| place.len() >= root.clone().count() && root.zip(place).all(|(a, b)| a == b)) {
            return Ok(());
        }
        let leads = roots().any(|root| place.iter().zip(root).all(|(a, b)| a == b));
        let fields = value.as_object().filter(|_| leads);
        let fields = fields.ok_or_else(|| BundleError::OutsideRoots { path: place.join("/") })?;
        fields.iter().try_for_each(|(key, value)| {
            let mut inner = place.to_vec();
            inner.push(key.to_plain());
            self.owns(&inner, value)
        })
    }
}

/// Puts a `data.json` where its directory says.
pub(super) fn merge(data: &mut Value, file: &File, manifest: &Manifest) -> Result<(), BundleError> {
    let text = std::str::from_utf8(&file.bytes).map_err(|error| bad(file, error.to_string()))?;
    let mut document = Value::parse(text).map_err(|error| bad(file, error.to_string()))?;
    if document.as_object().is_none() {
        return Err(bad(file, format!("data must be an object, this is {}", document.type_name())));
    }
    let place: Vec<String> = file.directories().map(str::to_owned).collect();
    if document.as_object().is_some_and(|fields| !fields.is_empty()) {
        manifest.owns(&place, &document)?;
    }
    for part in place.into_iter().rev() {
        document = Value::Object(BTreeMap::from([(Value::String(part), document)]));
    }
    join(data, document, file)
}

/// A file that somebody meant to be read must be named so that it is: OPA would pass it over.
pub(super) fn literal(file: &File) -> Result<(), BundleError> {
    const READ: [&str; 6] =
        [".manifest", "data.json", "data.yaml", "data.yml", "policy.wasm", signature::PATH];
    let name = file.name();
    match READ.into_iter().find(|read| name.eq_ignore_ascii_case(read)) {
        Some(meant) if meant != name => {
            Err(BundleError::Miscased { path: file.path.clone(), meant: meant.to_owned() })
        }
        Some(_) | None => Ok(()),
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').filter(|part| !part.is_empty())
}

/// Whether `path` is `root`, or lies below it.
fn within(path: &str, root: &str) -> bool {
    let (mut path, root) = (parts(path), parts(root));
    root.into_iter().all(|part| path.next() == Some(part))
}

fn bad_wish(cause: &str) -> BundleError {
    BundleError::BadDocument { path: ".manifest".to_owned(), cause: cause.to_owned() }
}

/// OPA takes YAML too, but its compiler always writes JSON.
pub(super) fn yaml(file: &File) -> BundleError {
    bad(file, "data in YAML is not supported; `opa build` writes it as data.json".to_owned())
}

fn join(into: &mut Value, from: Value, file: &File) -> Result<(), BundleError> {
    let (Value::Object(into), Value::Object(from)) = (into, from) else {
        return Err(bad(file, "data must be an object".to_owned()));
    };
    for (key, value) in from {
        match into.get_mut(&key) {
            None => {
                into.insert(key, value);
            }
            Some(present @ Value::Object(_)) if matches!(value, Value::Object(_)) => {
                join(present, value, file)?
            }
            Some(_) => {
                return Err(BundleError::DataConflict { path: file.path.clone(), key: key.to_plain() });
            }
        }
    }
    Ok(())
}

fn bad(file: &File, cause: String) -> BundleError {
    BundleError::BadDocument { path: file.path.clone(), cause }
}
