//! A throw-away certificate authority, and the leaves that an upstream may present.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A certificate chain and its key as PEM files.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What is wrong, or right, with a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// For `localhost` and 127.0.0.1, valid now, by the authority that clients trust.
    None,
    /// For another name.
    WrongName,
    /// Its time was 2020.
    Expired,
    /// By an authority that nobody trusts.
    UnknownAuthority,
}

/// The authority that the clients of a case trust.
pub struct Pki {
    dir: PathBuf,
    trusted: Issuer<'static, KeyPair>,
    /// The trusted root as a PEM file.
    pub ca: PathBuf,
}

impl Pki {
    /// Makes an authority with its files in `dir`.
    pub fn new(dir: &Path) -> Pki {
        let (trusted, pem) = authority("tests");
        let ca = write(dir.join("ca.pem"), pem);
        Pki { dir: dir.to_owned(), trusted, ca }
    }

    /// A server certificate with one fault, or none.
    pub fn leaf(&self, fault: Fault) -> Leaf {
        let name = if fault == Fault::WrongName { "elsewhere.example" } else { "localhost" };
        let mut names = vec![name.to_owned()];
        if fault != Fault::WrongName {
            names.push("127.0.0.1".to_owned());
        }
        let mut params = CertificateParams::new(names).expect("plain names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let until = if fault == Fault::Expired { 2020 } else { 2050 };
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 2, 1);
        let key = KeyPair::generate().expect("a key can be made");
        let stranger = authority("stranger").0;
        let issuer = if fault == Fault::UnknownAuthority { &stranger } else { &self.trusted };
        let certificate = params.signed_by(&key, issuer).expect("the authority signs").pem();
        let file = |ending: &str| self.dir.join(format!("{fault:?}.{ending}"));
        Leaf { certificate: write(file("pem"), certificate), key: write(file("key"), key.serialize_pem()) }
    }

    /// A client certificate by the trusted authority.
    pub fn client(&self) -> Leaf {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "sidecar");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.trusted).expect("the authority signs").pem();
        let file = |ending: &str| self.dir.join(format!("client.{ending}"));
        Leaf { certificate: write(file("pem"), certificate), key: write(file("key"), key.serialize_pem()) }
    }
}

fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a key can be made");
    let pem = params.self_signed(&key).expect("it signs itself").pem();
    (Issuer::new(params, key), pem)
}

fn write(path: PathBuf, text: String) -> PathBuf {
    std::fs::write(&path, text).expect("the case's directory is writable");
    path
}
