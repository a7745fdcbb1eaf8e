//! Whom we trust, and who we are, when we are the client of a TLS connection.
//!
//! The roots are the system's, or the bundled ones where the system has none. No variable of the environment
//! changes that.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// Where Debian and Alpine, Fedora, SUSE, RHEL, and the BSDs keep the roots they trust.
const SYSTEM_BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// A file of certificates is read up to this size.
const BUNDLE_BYTES_MAX: u64 = 4 << 20;

static SYSTEM: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| Arc::new(system_roots()));

/// Our own certificate for a peer that asks for one.
pub struct Identity {
    /// The chain, our own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first.
    pub key: PrivateKeyDer<'static>,
}

/// Why TLS cannot be set up as configured. Holds no byte of a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The file cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(PathBuf),
    /// It is not PEM, or holds no certificate, or one that is none.
    #[error("{0} is not a PEM file of certificates")]
    NoCertificate(PathBuf),
    /// Certificate and key are not a pair, or of a kind we cannot use.
    #[error("the client certificate and its key cannot be used together")]
    Mismatched,
}

/// The roots that everyone trusts here, loaded when first needed.
pub fn roots() -> Arc<RootCertStore> {
    Arc::clone(&SYSTEM)
}

/// TLS 1.2 and 1.3 towards peers that [`roots`] or the certificates in the PEM file `extra_roots` vouch for.
///
/// # Errors
/// What is wrong with the file.
pub fn client_config(extra_roots: Option<&Path>) -> Result<Arc<ClientConfig>, SetupError> {
    Ok(Arc::new(anonymous_or(None, extra_roots)?))
}

/// The same, with our own certificate for peers that ask for one.
///
/// # Errors
/// What is wrong with the file or with `identity`.
pub fn client_config_as(
    identity: Identity,
    extra_roots: Option<&Path>,
) -> Result<Arc<ClientConfig>, SetupError> {
    Ok(Arc::new(anonymous_or(Some(identity), extra_roots)?))
}

fn anonymous_or(identity: Option<Identity>, extra_roots: Option<&Path>) -> Result<ClientConfig, SetupError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots_with(extra_roots)?);
    match identity {
        None => Ok(builder.with_no_client_auth()),
        Some(Identity { chain, key }) => {
            builder.with_client_auth_cert(chain, key).map_err(|_| SetupError::Mismatched)
        }
    }
}

/// Every certificate of a PEM file; at least one.
///
/// # Errors
/// When it cannot be read, or holds none, or anything that is not one.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let pem = read_bounded(path).ok_or_else(|| SetupError::Unreadable(path.to_owned()))?;
    let no_certificate = || SetupError::NoCertificate(path.to_owned());
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    parsed.ok().filter(|certificates| !certificates.is_empty()).ok_or_else(no_certificate)
}

fn roots_with(extra: Option<&Path>) -> Result<Arc<RootCertStore>, SetupError> {
    let Some(path) = extra else { return Ok(roots()) };
    let mut store = RootCertStore::clone(&roots());
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|_| SetupError::NoCertificate(path.to_owned()))?;
    }
    Ok(Arc::new(store))
}

fn system_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    let found = SYSTEM_BUNDLES.iter().find_map(|path| certificates(Path::new(path)).ok());
    // distributions ship some that only they can parse
    store.add_parsable_certificates(found.unwrap_or_default());
    if store.is_empty() {
        tracing::warn!("no system roots were found; trusting the bundled ones");
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    store
}

fn read_bounded(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
    u64::try_from(bytes.len()).is_ok_and(|length| length <= BUNDLE_BYTES_MAX).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certified() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["issuer.example".to_owned()]).expect("a certificate")
    }

    #[test]
    fn there_are_always_roots() {
        assert!(!roots().is_empty());
    }

    #[test]
    fn extra_roots_join_those_of_the_system() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |content: &str, expected: Option<fn(PathBuf) -> SetupError>| {
            let path = folder.path().join("ca.pem");
            std::fs::write(&path, content).expect("written");
            let error = client_config(Some(&path)).err();
            assert_eq!(error, expected.map(|error| error(path)), "{content}");
        };
        let pem = certified().cert.pem();
        check(&pem, None);
        check(&format!("{pem}{pem}"), None);
        check("", Some(SetupError::NoCertificate));
        check("not PEM", Some(SetupError::NoCertificate));
        check(&pem.replacen("MII", "AAA", 1), Some(SetupError::NoCertificate));
        let missing = Path::new("/nowhere/ca.pem");
        assert_eq!(client_config(Some(missing)).err(), Some(SetupError::Unreadable(missing.into())));
    }

    #[test]
    fn an_identity_needs_its_own_key() {
        let (one, other) = (certified(), certified());
        let identity = |cert: &rcgen::CertifiedKey<rcgen::KeyPair>, key: &rcgen::KeyPair| Identity {
            chain: vec![cert.cert.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS#8"),
        };
        assert!(client_config_as(identity(&one, &one.signing_key), None).is_ok());
        let mismatched = client_config_as(identity(&one, &other.signing_key), None);
        assert_eq!(mismatched.err(), Some(SetupError::Mismatched));
    }
}
