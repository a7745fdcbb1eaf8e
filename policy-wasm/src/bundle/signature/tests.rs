//! Bundles that were signed and then changed, signed by others or signed for something else, and those that OPA signs.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tar::{Builder, EntryType};

use super::{SignatureAlgorithm, UnusableKey, VerificationKey, Verifier};
use crate::Bundle;
use crate::bundle::tests::{entry, gzip};
use crate::error::{BundleError, SignatureError};
use crate::testing::{ENTRYPOINT, compiled, opa};

const MODULE: &[u8] = b"\0asm\x01\0\0\0";
/// Without any space, keys in order: what is hashed is what is written.
const DATA: &[u8] = br#"{"a":{"b":[1.50,"x"]},"c":null}"#;
const MANIFEST: &[u8] = br#"{"revision":"r1","roots":["a","c"]}"#;

static PROD: LazyLock<EcdsaKeyPair> = LazyLock::new(|| generated(&ECDSA_P256_SHA256_FIXED_SIGNING));
static OTHER: LazyLock<EcdsaKeyPair> = LazyLock::new(|| generated(&ECDSA_P256_SHA256_FIXED_SIGNING));

type Files = Vec<(String, Vec<u8>)>;

/// A bundle on its signer's desk.
struct Draft {
    files: Files,
    header: Value,
    claims: Value,
    key: &'static EcdsaKeyPair,
}

/// When something is changed.
enum Change {
    /// Before it is signed: the signer is at fault.
    Signed(fn(&mut Draft)),
    /// Afterwards, in its files.
    Files(fn(&mut Files)),
    /// Afterwards, in its token.
    Token(fn(&str) -> String),
    /// Afterwards, in its archive.
    Archive(fn(&[u8]) -> Vec<u8>),
}

fn generated(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    EcdsaKeyPair::generate(algorithm).expect("there is randomness")
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn public_pem(key: &impl AsDer<PublicKeyX509Der<'static>>) -> String {
    pem("PUBLIC KEY", key.as_der().expect("it has one").as_ref())
}

fn verifier(keys: &[(&str, &str, &str)], scope: &str) -> Verifier {
    let key = |(id, algorithm, content): &(&str, &str, &str)| {
        let algorithm = SignatureAlgorithm::named(algorithm).expect("it is known");
        VerificationKey::new(id, algorithm, content.as_bytes()).expect("it is one")
    };
    Verifier::new(keys.iter().map(key).collect(), scope)
}

/// Trusts `prod` for the scope `write`, and beside it another key.
fn trusting() -> Verifier {
    let (prod, stage) = (public_pem(PROD.public_key()), public_pem(OTHER.public_key()));
    verifier(&[("prod", "ES256", &prod), ("stage", "ES256", &stage)], "write")
}

fn listed(path: &str, content: &[u8]) -> Value {
    let hash: Digest = digest(&SHA256, content);
    json!({ "name": path, "hash": hex::encode(hash), "algorithm": "SHA-256" })
}

fn file<'a>(files: &'a mut Files, path: &str) -> &'a mut Vec<u8> {
    &mut files.iter_mut().find(|(own, _)| own == path).expect("it is there").1
}

impl Draft {
    fn sound() -> Draft {
        let files =
            [("data.json", DATA), ("policy.wasm", MODULE), (".manifest", MANIFEST), ("notes.txt", b"hi")];
        let list: Vec<Value> = files.iter().map(|(path, content)| listed(path, content)).collect();
        Draft {
            files: files.iter().map(|(path, content)| ((*path).to_owned(), content.to_vec())).collect(),
            header: json!({ "alg": "ES256", "kid": "prod", "typ": "JWT" }),
            claims: json!({ "files": list, "keyid": "prod", "scope": "write" }),
            key: &PROD,
        }
    }

    fn list(&mut self) -> &mut Vec<Value> {
        self.claims["files"].as_array_mut().expect("it is one")
    }

    fn token(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("it signs");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn signatures(token: &str) -> Vec<u8> {
    json!({ "signatures": [token] }).to_string().into_bytes()
}

fn tarred(files: &Files) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (path, content) in files {
        entry(&mut tar, EntryType::Regular, path.as_bytes(), content);
    }
    tar.into_inner().expect("memory takes everything")
}

fn made(change: &Change) -> Vec<u8> {
    let mut draft = Draft::sound();
    if let Change::Signed(change) = change {
        change(&mut draft);
    }
    let mut token = draft.token();
    if let Change::Token(change) = change {
        token = change(&token);
    }
    let mut files = draft.files;
    files.push((".signatures.json".to_owned(), signatures(&token)));
    if let Change::Files(change) = change {
        change(&mut files);
    }
    let tar = tarred(&files);
    match change {
        Change::Archive(change) => change(&tar),
        Change::Signed(_) | Change::Files(_) | Change::Token(_) => gzip(&tar),
    }
}

/// The token with one of its parts made anew.
fn with_part(token: &str, at: usize, part: &str) -> String {
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[at] = part;
    parts.join(".")
}

fn with_header(token: &str, header: &str) -> String {
    with_part(token, 0, &URL_SAFE_NO_PAD.encode(header))
}

fn signature_of(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.rsplit('.').next().expect("three parts")).expect("it is base64url")
}

#[test]
fn tampered_bundles_are_refused_by_name_of_the_fault() {
    use Change::{Archive, Files, Signed, Token};
    let cases: &[(Change, &str)] = &[
        (
            Files(|files| *file(files, "data.json") = br#"{"a":{"b":[1.50,"y"]},"c":null}"#.to_vec()),
            "`data.json` is not what was signed",
        ),
        (
            Files(|files| *file(files, "data.json") = br#"{"a":{"b":[1.5,"x"]},"c":null}"#.to_vec()),
            "`data.json` is not what was signed",
        ),
        (
            Files(|files| *file(files, "data.json") = br#"{"a":{"b":[1.50,"x"]}}"#.to_vec()),
            "`data.json` is not what was signed",
        ),
        (
            Files(|files| *file(files, "data.json") = br#"{"a":1,"a":{"b":[1.50,"x"]},"c":null}"#.to_vec()),
            "`data.json` is not JSON",
        ),
        (Files(|files| *file(files, "data.json") = br#"{"a":{1,2}}"#.to_vec()), "`data.json` is not JSON"),
        (Files(|files| file(files, "data.json").clear()), "`data.json` is not JSON"),
        (
            Files(|files| *file(files, "policy.wasm") = b"\0asm\x01\0\0\0\0\x01\0".to_vec()),
            "`policy.wasm` is not what was signed",
        ),
        (
            Files(|files| *file(files, ".manifest") = br#"{"revision":"r2","roots":["a","c"]}"#.to_vec()),
            "`.manifest` is not what was signed",
        ),
        (Files(|files| *file(files, "notes.txt") = b"ho".to_vec()), "`notes.txt` is not what was signed"),
        (
            Files(|files| files.retain(|(path, _)| path != ".manifest")),
            "`.manifest` is signed and not in the bundle",
        ),
        (
            Files(|files| files.retain(|(path, _)| path != "data.json")),
            "`data.json` is signed and not in the bundle",
        ),
        (
            Files(|files| files.retain(|(path, _)| path != "policy.wasm")),
            "`policy.wasm` is signed and not in the bundle",
        ),
        (
            Files(|files| files.push(("a/data.json".into(), b"{}".to_vec()))),
            "`a/data.json` is in the bundle and not signed",
        ),
        (
            Files(|files| files.push(("README".into(), b"x".to_vec()))),
            "`README` is in the bundle and not signed",
        ),
        (
            Files(|files| files.push(("a/.signatures.json".into(), b"{}".to_vec()))),
            "`a/.signatures.json` is in the bundle and not signed",
        ),
        (Files(|files| files[0].0 = "a/data.json".into()), "`a/data.json` is in the bundle and not signed"),
        (
            Files(|files| {
                files[1].0 = "notes.txt".into();
                files[3].0 = "policy.wasm".into();
            }),
            "`notes.txt` is not what was signed",
        ),
        (Files(|files| drop(files.pop())), "the bundle is not signed"),
        (Files(|files| files[4].0 = ".Signatures.json".into()), "the bundle is not signed"),
        (Files(|files| files[4].0 = "a/.signatures.json".into()), "the bundle is not signed"),
        (Files(|files| *file(files, ".signatures.json") = b"{}".to_vec()), "it has no signature"),
        (
            Files(|files| *file(files, ".signatures.json") = br#"{"signatures":[]}"#.to_vec()),
            "it has no signature",
        ),
        (
            Files(|files| *file(files, ".signatures.json") = br#"{"signatures":null}"#.to_vec()),
            "`.signatures.json`: invalid type",
        ),
        (
            Files(|files| *file(files, ".signatures.json") = b"signed, honestly".to_vec()),
            "`.signatures.json`: expected value",
        ),
        (
            Files(|files| *file(files, ".signatures.json") = vec![b' '; 5 << 20]),
            "`.signatures.json`: it has more than",
        ),
        (
            Files(|files| {
                let token = Draft::sound().token();
                *file(files, ".signatures.json") =
                    json!({ "signatures": [token, token] }).to_string().into_bytes();
            }),
            "more than one signature",
        ),
        (
            Files(|files| {
                let token = Draft::sound().token();
                *file(files, ".signatures.json") =
                    json!({ "signatures": [token], "plugin": "mine" }).to_string().into_bytes();
            }),
            "signed by a plugin",
        ),
        (
            Token(|token| with_header(token, r#"{"alg":"none","kid":"prod"}"#)),
            "not made with ES256, which key `prod` is for",
        ),
        (
            Token(|token| with_part(&with_header(token, r#"{"alg":"None","kid":"prod"}"#), 2, "")),
            "not made with ES256",
        ),
        (Token(|token| with_header(token, r#"{"kid":"prod"}"#)), "not made with ES256"),
        (
            Token(|token| {
                // the public key, which everybody has, as if it were a secret
                let unsigned = with_header(token, r#"{"alg":"HS256","kid":"prod"}"#);
                let signed = unsigned.rsplit_once('.').expect("three parts").0;
                let key = hmac::Key::new(hmac::HMAC_SHA256, public_pem(PROD.public_key()).as_bytes());
                with_part(&unsigned, 2, &URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
            }),
            "not made with ES256",
        ),
        (
            Token(|token| with_header(token, r#"{"alg":"ES256","kid":"prod","jwk":{}}"#)),
            "not one of key `prod`",
        ),
        (Token(|token| with_header(token, r#"{"alg":"ES256","kid":"stage"}"#)), "not one of key `stage`"),
        (Token(|token| with_part(token, 2, "")), "not one of key `prod`"),
        (Token(|token| with_part(token, 2, &URL_SAFE_NO_PAD.encode([0; 64]))), "not one of key `prod`"),
        (
            Token(|token| with_part(token, 2, &URL_SAFE_NO_PAD.encode(&signature_of(token)[..63]))),
            "not one of key `prod`",
        ),
        (
            Token(|token| {
                with_part(token, 2, &URL_SAFE_NO_PAD.encode([&signature_of(token)[..], &[0]].concat()))
            }),
            "not one of key `prod`",
        ),
        (
            Token(|token| {
                let document = PROD.to_pkcs8v1().expect("it can be written");
                let der = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref())
                    .expect("the same key");
                let signed = token.rsplit_once('.').expect("three parts").0;
                with_part(
                    token,
                    2,
                    &URL_SAFE_NO_PAD
                        .encode(der.sign(&SystemRandom::new(), signed.as_bytes()).expect("it signs")),
                )
            }),
            "not one of key `prod`",
        ),
        (
            Token(|token| {
                let mut draft = Draft::sound();
                draft.list()[0] = listed("data.json", b"{}");
                with_part(token, 1, &URL_SAFE_NO_PAD.encode(draft.claims.to_string()))
            }),
            "not one of key `prod`",
        ),
        (Token(|token| token.rsplit_once('.').expect("three parts").0.to_owned()), "not three parts"),
        (Token(|token| format!("{token}.{token}")), "not three parts"),
        (Token(|token| with_part(token, 2, &URL_SAFE.encode(signature_of(token)))), "not in base64url"),
        (Token(|token| format!("{token}\n")), "not in base64url"),
        (Token(|token| with_part(token, 0, "e30=")), "not in base64url"),
        (Token(|token| with_part(token, 1, &URL_SAFE_NO_PAD.encode("[]"))), "`.signatures.json`: "),
        (Signed(|draft| draft.key = &OTHER), "not one of key `prod`"),
        (
            Signed(|draft| {
                draft.header["kid"] = json!("nobody");
                draft.claims["keyid"] = json!("none");
            }),
            "by key `nobody`, which is not configured",
        ),
        (
            Signed(|draft| {
                draft.header["kid"] = json!("");
                draft.claims["keyid"] = json!("");
            }),
            "names no key",
        ),
        (Signed(|draft| draft.claims["scope"] = json!("read")), "not for the scope `write`"),
        (Signed(|draft| draft.claims["scope"] = json!("")), "not for the scope `write`"),
        (Signed(|draft| draft.header["crit"] = json!(["b64"])), "critical extensions"),
        (Signed(|draft| draft.claims["files"] = json!(7)), "`.signatures.json`: invalid type"),
        (Signed(|draft| draft.claims["files"] = json!([])), "`data.json` is in the bundle and not signed"),
        (
            Signed(|draft| draft.list()[0]["algorithm"] = json!("MD5")),
            "`data.json` is signed by a hash that is not supported",
        ),
        (Signed(|draft| draft.list()[0]["algorithm"] = json!("SHA-1")), "not supported"),
        (
            Signed(|draft| drop(draft.list()[0].as_object_mut().expect("it is one").remove("algorithm"))),
            "not supported",
        ),
        (Signed(|draft| draft.list()[0]["hash"] = json!("zz")), "`data.json` is not what was signed"),
        (Signed(|draft| draft.list()[0]["hash"] = json!("")), "`data.json` is not what was signed"),
        (
            Signed(|draft| {
                let again = listed("/data.json", DATA);
                draft.list().push(again);
            }),
            "`data.json` is signed twice",
        ),
        (Archive(|tar| gzip(&tar[..tar.len() - 1024])), "the archive has no end"),
        (Archive(|tar| gzip(&[tar, tar].concat())), "after the archive's end"),
        (Archive(|tar| [gzip(tar), b"more".to_vec()].concat()), "cannot be unpacked"),
        (
            Archive(|tar| {
                let whole = gzip(tar);
                whole[..whole.len() - 9].to_vec()
            }),
            "cannot be unpacked",
        ),
        (Archive(|tar| gzip(&[&tar[..1024], tar].concat())), "`data.json` is in the bundle twice"),
        (Archive(|_| MODULE.to_vec()), "the bundle is not signed"),
    ];
    assert!(cases.len() >= 60);
    let trusting = trusting();
    for (at, (change, expected)) in cases.iter().enumerate() {
        let error = Bundle::read_trusted(&made(change), Some(&trusting)).expect_err(expected).to_string();
        assert!(error.contains(expected), "{at}: expected {expected:?}, got {error:?}");
    }
}

#[test]
fn what_means_the_same_is_the_same() {
    use Change::{Files, Signed};
    let cases: &[Change] = &[
        Signed(|_| {}),
        Files(|files| {
            *file(files, "data.json") = b" {\"c\" : null,\n \"a\": {\"b\": [1.50, \"\\u0078\"]}}\n".to_vec()
        }),
        Files(|files| files.reverse()),
        Files(|files| files.iter_mut().for_each(|(path, _)| path.insert(0, '/'))),
        Signed(|draft| draft.list().reverse()),
        Signed(|draft| draft.list()[0]["name"] = json!("/data.json")),
        Signed(|draft| drop(draft.header.as_object_mut().expect("it is one").remove("kid"))),
        Signed(|draft| drop(draft.claims.as_object_mut().expect("it is one").remove("keyid"))),
        // `opa build` writes its own word into the header where the name is among the claims
        Signed(|draft| draft.header["kid"] = json!("default")),
        Signed(|draft| {
            draft.key = &OTHER;
            draft.header["kid"] = json!("stage");
        }),
    ];
    let trusting = trusting();
    for (at, change) in cases.iter().enumerate() {
        let bundle = Bundle::read_trusted(&made(change), Some(&trusting));
        let bundle = bundle.unwrap_or_else(|error| panic!("{at}: {error}"));
        let signer = bundle.signer().and_then(|signer| signer.as_ref().ok()).expect("it tells");
        assert_eq!((signer.scope.as_str(), signer.files), ("write", 4), "{at}");
        assert_eq!(
            (bundle.revision(), bundle.data().as_str()),
            ("r1", r#"{"a": {"b": [1.50, "x"]}, "c": null}"#)
        );
    }
}

#[test]
fn signatures_are_asked_for_as_opa_asks() {
    let (signed, unsigned) = (made(&Change::Signed(|_| {})), made(&Change::Files(|files| drop(files.pop()))));
    let trusting = trusting();
    let check = |bytes: &[u8], verifier, expected: Option<SignatureError>| {
        let found = Bundle::read_trusted(bytes, verifier).err();
        assert_eq!(found, expected.map(BundleError::Signature));
        assert!(Bundle::read(bytes).is_ok(), "looking is free");
    };
    check(&signed, Some(&trusting), None);
    check(&signed, None, Some(SignatureError::NoKeys));
    check(&unsigned, Some(&trusting), Some(SignatureError::Missing));
    check(&unsigned, None, None);
    check(MODULE, Some(&trusting), Some(SignatureError::Missing));
    check(MODULE, None, None);
}

#[test]
fn a_signature_without_a_name_is_held_against_the_only_key() {
    let prod = public_pem(PROD.public_key());
    let only = verifier(&[("prod", "ES256", &prod)], "write");
    let check = |kid: &str, expected: Option<&str>| {
        let mut draft = Draft::sound();
        (draft.header["kid"], draft.claims["keyid"]) = (json!(kid), json!(kid));
        let mut files = draft.files.clone();
        files.push((".signatures.json".to_owned(), signatures(&draft.token())));
        let found =
            Bundle::read_trusted(&gzip(&tarred(&files)), Some(&only)).err().map(|error| error.to_string());
        assert_eq!(found.as_deref(), expected, "{kid}");
    };
    check("", None);
    check("prod", None);
    check("default", None);
    check("stage", Some("the signature is by key `stage`, which is not configured"));
}

#[test]
fn what_looks_at_a_bundle_is_told_who_signed_it() {
    let check = |change: Change, expected: &str| {
        let bundle = Bundle::read(&made(&change)).expect("looking is free");
        let told = match bundle.signer() {
            Some(Ok(signer)) => {
                format!("{} {} {} {}", signer.key_id, signer.algorithm, signer.scope, signer.files)
            }
            Some(Err(error)) => error.to_string(),
            None => "nobody".to_owned(),
        };
        assert_eq!(told, expected);
    };
    check(Change::Signed(|_| {}), "prod ES256 write 4");
    check(Change::Files(|files| drop(files.pop())), "nobody");
    check(Change::Files(|files| files[3].1.clear()), "`notes.txt` is not what was signed");
    check(Change::Token(|_| String::new()), "`.signatures.json`: its token has not three parts");
}

#[test]
fn keys_are_refused_where_they_are_none() {
    let [private, public, small, large] = key_files();
    let check = |algorithm: &str, content: &str, expected: Option<UnusableKey>| {
        let algorithm = SignatureAlgorithm::named(algorithm).expect("it is known");
        let found = VerificationKey::new("k", algorithm, content.as_bytes()).err();
        assert_eq!(found, expected, "{} {content}", algorithm.name());
    };
    check("ES256", &public, None);
    check("ES256", &private, Some(UnusableKey::Private));
    check("ES384", &public, Some(UnusableKey::Unfit));
    check("RS256", &public, Some(UnusableKey::Unfit));
    check("PS256", &small, Some(UnusableKey::Unfit));
    check("RS512", &large, None);
    check("ES256", &large, Some(UnusableKey::Unfit));
    check("ES256", "", Some(UnusableKey::NoPublicKey));
    check("ES256", "secret", Some(UnusableKey::NoPublicKey));
    check("ES256", &public.replace("PUBLIC KEY", "CERTIFICATE"), Some(UnusableKey::NoPublicKey));
    check("HS256", "secret", None);
    for empty in ["", "\n", "\r\n"] {
        check("HS256", empty, Some(UnusableKey::Empty));
    }
    assert_eq!(SignatureAlgorithm::named("none"), None);
    assert_eq!(SignatureAlgorithm::named("es256"), None);
}

/// A private and a public key on a curve, and public RSA keys of 1024 and 2048 bits.
fn key_files() -> [String; 4] {
    const SMALL: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCpMNwxh3oqRXRYBtt+lHZIPOsmYkSbejyNsIl9fuV/SpxnVL+tajeMtR1ZTPzuizBV0WpN0AOxIfLNHuJwiMxVrVCmb55MOpETC1VgVVobC++6rRVx2qFh5NaIlO+BKHJjmNwCq5wMuJZ8P98IytspNR4GgfNRsQRzeVwWhAjoOwIDAQAB
-----END PUBLIC KEY-----
";
    let private = PROD.to_pkcs8v1().expect("it can be written");
    let large = rsa::KeyPair::generate(KeySize::Rsa2048).expect("there is randomness");
    [
        pem("PRIVATE KEY", private.as_ref()),
        public_pem(PROD.public_key()),
        SMALL.to_owned(),
        public_pem(large.public_key()),
    ]
}

/// Private and public half, each as OPA and we want it.
fn pair_for(algorithm: &str) -> (String, String) {
    let curve = |curve| {
        let key = generated(curve);
        (
            pem("PRIVATE KEY", key.to_pkcs8v1().expect("it can be written").as_ref()),
            public_pem(key.public_key()),
        )
    };
    match algorithm {
        "ES256" => curve(&ECDSA_P256_SHA256_FIXED_SIGNING),
        "ES384" => curve(&ECDSA_P384_SHA384_FIXED_SIGNING),
        "ES512" => curve(&ECDSA_P521_SHA512_FIXED_SIGNING),
        "HS256" => ("one secret\n".to_owned(), "one secret\n".to_owned()),
        "HS384" => ("one secret".to_owned(), "one secret\n".to_owned()),
        "HS512" => ("one secret".to_owned(), "one secret".to_owned()),
        _ => {
            let key = rsa::KeyPair::generate(KeySize::Rsa2048).expect("there is randomness");
            let private: Pkcs8V1Der<'_> = key.as_der().expect("it can be written");
            (pem("PRIVATE KEY", private.as_ref()), public_pem(key.public_key()))
        }
    }
}

fn run(opa: &Path, folder: &Path, arguments: &[&str]) {
    let done = Command::new(opa).current_dir(folder).args(arguments).output().expect("opa starts");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn what_opa_signs_holds_for_every_algorithm() {
    let Some(opa) = opa() else { return };
    let data =
        r#"{"claviger":{"n":[1.50,1e3,12345678901234567890.5],"s":"<&>\u2028é\u0001\b\f\u007f\\\"/","":{}}}"#;
    let rego = "package claviger.authz\n\nimport rego.v1\n\ndecision if data.claviger.s != input.s\n";
    let packed = compiled(&opa, rego, data);
    let files: Files = super::super::archive::unpack(&packed)
        .expect("opa writes bundles")
        .into_iter()
        .map(|file| (file.path, file.bytes))
        .collect();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let write =
        |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).expect("it is ours");
    std::fs::create_dir(folder.path().join("bundle")).expect("it is ours");
    for (path, content) in files.iter().filter(|(path, _)| !path.ends_with(".rego")) {
        write(&format!("bundle/{path}"), content);
    }
    write("claims.json", br#"{"keyid": "prod", "scope": "write"}"#);
    for algorithm in super::trust::ALGORITHMS.map(SignatureAlgorithm::name) {
        let (private, public) = pair_for(algorithm);
        write("key", private.as_bytes());
        let sign = ["sign", "--signing-alg", algorithm, "--signing-key", "../key"];
        let what = ["--claims-file", "../claims.json", "--bundle", "."];
        run(&opa, &folder.path().join("bundle"), &[&sign[..], &what[..]].concat());
        let mut signed: Files = files.iter().filter(|(path, _)| !path.ends_with(".rego")).cloned().collect();
        let signatures = std::fs::read(folder.path().join("bundle/.signatures.json")).expect("opa wrote it");
        signed.push((".signatures.json".to_owned(), signatures));
        let check = |files: &Files, expected: Option<SignatureError>| {
            let trusting = verifier(&[("prod", algorithm, &public)], "write");
            let found = Bundle::read_trusted(&gzip(&tarred(files)), Some(&trusting)).err();
            assert_eq!(found, expected.map(BundleError::Signature), "{algorithm}");
        };
        check(&signed, None);
        *file(&mut signed, "data.json") = data.replace("1e3", "1e4").into_bytes();
        check(&signed, Some(SignatureError::Changed { path: "data.json".to_owned() }));
        std::fs::remove_file(folder.path().join("bundle/.signatures.json")).expect("it is ours");
    }
}

#[test]
fn what_opa_builds_and_signs_at_once_holds() {
    let Some(opa) = opa() else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let write =
        |name: &str, content: &str| std::fs::write(folder.path().join(name), content).expect("it is ours");
    let (private, public) = pair_for("RS256");
    std::fs::create_dir_all(folder.path().join("source/lib")).expect("it is ours");
    write("key.pem", &private);
    write("source/policy.rego", "package claviger.authz\n\ndecision if data.claviger.x == input.x\n");
    write("source/data.json", r#"{"claviger": {"x": 1.0}}"#);
    write("source/.manifest", r#"{"roots": ["claviger"], "metadata": {"claviger": {"serial": 7}}}"#);
    let build = ["build", "-t", "wasm", "-e", ENTRYPOINT, "-b", "source", "-o", "bundle.tar.gz"];
    let sign = ["--signing-key", "key.pem", "--verification-key-id", "prod"];
    run(&opa, folder.path(), &[&build[..], &sign[..]].concat());
    let bytes = std::fs::read(folder.path().join("bundle.tar.gz")).expect("opa wrote it");
    let trusting = verifier(&[("prod", "RS256", &public)], "");
    let bundle = Bundle::read_trusted(&bytes, Some(&trusting)).expect("it holds");
    assert_eq!(bundle.serial(), Some(7));
    let elsewhere = verifier(&[("prod", "RS256", &pair_for("RS256").1)], "");
    let forged = SignatureError::Forged { key: "prod".to_owned() };
    assert_eq!(Bundle::read_trusted(&bytes, Some(&elsewhere)).err(), Some(forged.into()));
}
