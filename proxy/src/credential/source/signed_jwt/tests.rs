use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RsaKeyPair};
use aws_lc_rs::{encoding::AsDer, encoding::Pkcs8V1Der};
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};

use super::super::tests::{faults, issue, kind, source, terms, text};
use super::*;
use crate::authorize::Terms;

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// A fresh private key in PEM.
fn key_for(algorithm: &str) -> String {
    match algorithm {
        "ES256" => {
            rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key").serialize_pem()
        }
        "ES384" => {
            rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key").serialize_pem()
        }
        "EdDSA" => {
            let key = Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()).expect("a key");
            pem("PRIVATE KEY", key.as_ref())
        }
        _ => {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
            let der: Pkcs8V1Der<'_> = key.as_der().expect("PKCS#8");
            pem("PRIVATE KEY", der.as_ref())
        }
    }
}

fn signing(folder: &tempfile::TempDir, algorithm: &str, pem: &str, more: &str) -> Kind {
    let key = folder.path().join("key.pem");
    std::fs::write(&key, pem).expect("written");
    let key = key.display();
    kind("signed_jwt", &format!("{{ key: {{ file: {key} }}, alg: {algorithm}, issuer: https://me{more} }}"))
}

/// Lets another implementation judge the token against the published key, and gives its claims.
fn verified(token: &str, jwk: &Value) -> Map<String, Value> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).expect("a JWK");
    let header = jsonwebtoken::decode_header(token).expect("a header");
    assert_eq!(header.kid, jwk.common.key_id);
    let mut validation = Validation::new(header.alg);
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp"]);
    let key = DecodingKey::from_jwk(&jwk).expect("a public key");
    jsonwebtoken::decode(token, &key, &validation).expect("a good signature").claims
}

#[test]
fn others_verify_every_algorithm_by_the_published_key() {
    for algorithm in ["ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "EdDSA"] {
        let folder = tempfile::tempdir().expect("a folder");
        let source = source(&signing(&folder, algorithm, &key_for(algorithm), ", subject: ledger, ttl: 2m"));
        let issued = issue(&*source, &Permit::for_test(terms())).expect("issued");
        let keys = source.public_keys();
        let claims = verified(text(&issued.secret), &keys[0]);
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("https://me"), &json!("ledger")), "{algorithm}");
        let time = |name: &str| claims[name].as_i64().expect("a time");
        assert_eq!((time("exp") - time("iat"), time("nbf")), (120, time("iat")));
        assert_eq!(issued.lifetime, Some(Duration::from_secs(120)));
        assert_eq!(keys[0]["alg"], json!(algorithm));
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(keys[0].get(private).is_none(), "{algorithm} publishes {private}");
        }
    }
}

#[test]
fn each_token_has_an_id_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = source(&signing(&folder, "ES256", &key_for("ES256"), ""));
    let id = || {
        let issued = issue(&*source, &Permit::for_test(terms())).expect("issued");
        verified(text(&issued.secret), &source.public_keys()[0])["jti"].clone()
    };
    assert_ne!(id(), id());
}

#[test]
fn claims_and_audience_are_as_configured_and_permitted() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = key_for("ES256");
    let check = |more: &str, permitted: Option<&str>, expected: Option<Value>| {
        let source =
            source(&signing(&folder, "ES256", &key, &format!(", claims: {{ team: pay, n: 5 }}{more}")));
        let permit = Permit::for_test(Terms { audience: permitted.map(str::to_owned), ..terms() });
        let issued = issue(&*source, &permit);
        let claims = issued.ok().map(|issued| verified(text(&issued.secret), &source.public_keys()[0]));
        if let Some(claims) = &claims {
            assert_eq!((&claims["team"], &claims["n"]), (&json!("pay"), &json!(5)));
        }
        assert_eq!(claims.map(|claims| claims.get("aud").cloned().unwrap_or_default()), expected, "{more}");
    };
    check("", None, Some(Value::Null));
    check("", Some("a"), Some(json!("a")));
    check(", audience: a", None, Some(json!("a")));
    check(", audience: [a, b]", None, Some(json!(["a", "b"])));
    check(", audience: [a, b]", Some("b"), Some(json!("b")));
    check(", audience: [a, b]", Some("c"), None);
}

#[test]
fn a_key_is_named_by_its_thumbprint_or_its_setting() {
    // the example of RFC 7638 section 3.1 and of RFC 8037 appendix A.3
    let folder = tempfile::tempdir().expect("a folder");
    let ed25519 =
        "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let pem = pem("PRIVATE KEY", &hex::decode(ed25519).expect("hex"));
    let named = |more: &str| source(&signing(&folder, "EdDSA", &pem, more)).public_keys()[0]["kid"].clone();
    assert_eq!(named(""), json!("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    assert_eq!(named(", key_id: k1"), json!("k1"));
}

#[test]
fn settings_are_judged_at_their_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = key_for("ES256");
    let check = |algorithm: &str, pem: &str, more: &str, expected: &[(&str, &str)]| {
        let found = faults(&signing(&folder, algorithm, pem, more));
        let found: Vec<_> = found.iter().map(|(code, path)| (*code, path.as_str())).collect();
        assert_eq!(found, expected, "{algorithm}{more}");
    };
    check("ES256", &key, "", &[]);
    check("ES384", &key, "", &[("bad_key", "key")]);
    check("RS256", &key, "", &[("bad_key", "key")]);
    check("EdDSA", &key, "", &[("bad_key", "key")]);
    check("ES256", "not a key", "", &[("bad_key", "key")]);
    check("HS256", &key, "", &[("unknown_variant", "alg")]);
    check("ES256", &key, ", ttl: 1500ms", &[("bad_value", "ttl")]);
    check("ES256", &key, ", claims: { exp: 5 }", &[("bad_value", "claims.exp")]);
}

#[test]
fn a_key_may_come_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let kind = signing(&folder, "ES256", "", "");
    std::fs::remove_file(folder.path().join("key.pem")).expect("removed");
    let source = source(&kind);
    assert!(issue(&*source, &Permit::for_test(terms())).is_err() && source.public_keys().is_empty());
    std::fs::write(folder.path().join("key.pem"), key_for("ES256")).expect("written");
    assert!(issue(&*source, &Permit::for_test(terms())).is_ok());
    assert_eq!(source.public_keys().len(), 1);
}
