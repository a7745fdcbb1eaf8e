//! Bytes become the parts of a bundle, with bounds, before anything in them is believed.

mod archive;
mod document;
mod signature;
mod wish;

use aws_lc_rs::digest::{SHA256, digest};

use crate::error::{BundleError, SignatureError};
use crate::value::Value;
use document::Manifest;
pub use signature::{SignatureAlgorithm, Signer, UnusableKey, VerificationKey, Verifier};

const BUNDLE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// OPA's own part of a module is an eighth of a megabyte; compiling takes about a second for each.
const MODULE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// All data documents as text: what is read of them takes several times as much.
const DATA_BYTES_MAX: usize = 64 * 1024 * 1024;
const WASM_MAGIC: &[u8] = b"\0asm";
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// A compiled policy and its data as OPA's compiler wrote them, unpacked and checked, not yet compiled.
#[derive(Debug, Clone)]
pub struct Bundle {
    module: Vec<u8>,
    data: Value,
    manifest: Manifest,
    digest: String,
    packed_bytes: usize,
    body_bytes_max: Option<usize>,
    serial: Option<u64>,
    signer: Option<Result<Signer, SignatureError>>,
}

impl Bundle {
    /// Reads a bundle that is going to be obeyed, as OPA does: where there is a verifier, only what is signed as it asks;
    /// where there is none, only what is not signed at all. Nothing in the bundle is looked at before that is settled.
    ///
    /// # Errors
    /// As [`Bundle::read`], and [`BundleError::Signature`].
    pub fn read_trusted(bytes: &[u8], verifier: Option<&Verifier>) -> Result<Bundle, BundleError> {
        Bundle::open(bytes, |files| signature::judge(files, verifier))
    }

    /// Reads a `bundle.tar.gz` (`opa build -t wasm`) or a bare `policy.wasm`, for whoever wants to look at it: no
    /// signature is verified. Nothing is written to disk.
    ///
    /// At most 32 MiB packed, 128 MiB unpacked, 4096 entries, 16 MiB of module and 64 MiB of data. Links, devices, paths that leave the bundle, files
    /// given twice and data outside the manifest's roots are refused; files that are neither module, data nor manifest
    /// are passed over.
    ///
    /// # Errors
    /// The first fault that is found.
    pub fn read(bytes: &[u8]) -> Result<Bundle, BundleError> {
        Bundle::open(bytes, |_| Ok(()))
    }

    fn open(
        bytes: &[u8],
        judge: impl FnOnce(&[archive::File]) -> Result<(), SignatureError>,
    ) -> Result<Bundle, BundleError> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge { bytes: bytes.len(), bytes_max: BUNDLE_BYTES_MAX });
        }
        let digest = sha256(bytes);
        if bytes.starts_with(WASM_MAGIC) {
            judge(&[])?;
            check_module(bytes)?;
            return Ok(Bundle {
                module: bytes.to_vec(),
                data: Value::Object(Default::default()),
                manifest: Manifest::default(),
                digest,
                packed_bytes: bytes.len(),
                body_bytes_max: None,
                serial: None,
                signer: None,
            });
        }
        if !bytes.starts_with(GZIP_MAGIC) {
            return Err(BundleError::UnknownFormat);
        }
        let files = archive::unpack(bytes)?;
        judge(&files)?;
        Bundle::assemble(files, digest, bytes.len())
    }

    /// The manifest's revision, empty when there is none.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.manifest.revision
    }

    /// The parts of the data document that the bundle owns, as paths; the empty path is all of it.
    #[must_use]
    pub fn roots(&self) -> &[String] {
        &self.manifest.roots
    }

    /// The manifest's free metadata.
    #[must_use]
    pub fn metadata(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.manifest.metadata
    }

    /// The size of the bytes as read.
    #[must_use]
    pub fn packed_bytes(&self) -> usize {
        self.packed_bytes
    }

    /// The size of the module.
    #[must_use]
    pub fn module_bytes(&self) -> usize {
        self.module.len()
    }

    /// `sha256:<hex>` of the module alone.
    #[must_use]
    pub fn module_digest(&self) -> String {
        sha256(&self.module)
    }

    /// `sha256:<hex>` of the bytes as read.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How much of a request's body the policy asks for, in the manifest's `metadata.claviger.body.max`.
    #[must_use]
    pub fn body_bytes_max(&self) -> Option<usize> {
        self.body_bytes_max
    }

    /// Its place in the order of the author's bundles, in the manifest's `metadata.claviger.serial`.
    #[must_use]
    pub fn serial(&self) -> Option<u64> {
        self.serial
    }

    /// Who signed it by its own account, or why that signature cannot hold; `None` where nobody did. Whether it does hold
    /// is known to [`Bundle::read_trusted`] alone.
    #[must_use]
    pub fn signer(&self) -> Option<&Result<Signer, SignatureError>> {
        self.signer.as_ref()
    }

    /// The entrypoints that the manifest promises.
    pub(crate) fn promised_entrypoints(&self) -> impl Iterator<Item = &str> {
        self.manifest.entrypoints()
    }

    pub(crate) fn module(&self) -> &[u8] {
        &self.module
    }

    /// The data document as JSON text, keys in order and numbers as they were written.
    #[must_use]
    pub fn data(&self) -> String {
        self.data.to_string()
    }

    fn assemble(
        files: Vec<archive::File>,
        digest: String,
        packed_bytes: usize,
    ) -> Result<Bundle, BundleError> {
        let manifest = match files.iter().find(|file| file.path == ".manifest") {
            Some(file) => Manifest::read(file)?,
            None => Manifest::default(),
        };
        let signer = signature::told(&files);
        let data_bytes: usize =
            files.iter().filter(|file| file.name() == "data.json").map(|file| file.bytes.len()).sum();
        if data_bytes > DATA_BYTES_MAX {
            return Err(BundleError::DataTooLarge { bytes_max: DATA_BYTES_MAX });
        }
        let mut data = Value::Object(Default::default());
        let mut module: Option<archive::File> = None;
        for file in files {
            document::literal(&file)?;
            match file.name() {
                "data.json" => document::merge(&mut data, &file, &manifest)?,
                "data.yaml" | "data.yml" => return Err(document::yaml(&file)),
                name if name.ends_with(".wasm") => match &module {
                    Some(first) => {
                        return Err(BundleError::TwoModules { first: first.path.clone(), second: file.path });
                    }
                    None => module = Some(file),
                },
                _ => {}
            }
        }
        let module = module.ok_or(BundleError::NoModule)?;
        check_module(&module.bytes)?;
        manifest.names(&module)?;
        let (body_bytes_max, serial) = (manifest.body_bytes_max()?, manifest.serial()?);
        let module = module.bytes;
        Ok(Bundle { module, data, manifest, digest, packed_bytes, body_bytes_max, serial, signer })
    }
}

fn check_module(bytes: &[u8]) -> Result<(), BundleError> {
    match bytes.len() > MODULE_BYTES_MAX {
        true => Err(BundleError::ModuleTooLarge { bytes_max: MODULE_BYTES_MAX }),
        false => Ok(()),
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(digest(&SHA256, bytes)))
}

#[cfg(test)]
mod tests;
