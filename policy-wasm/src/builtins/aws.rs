//! Requests signed for AWS, version 4, as OPA signs them.

use std::collections::BTreeMap;

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::uri::Uri;
use super::{Family, Fault, Outcome, Scope, json_text, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[("providers.aws.sign_req", sign_request)];

/// The fields that `http.send` takes.
const REQUEST_FIELDS: [&str; 28] = [
    "method",
    "url",
    "body",
    "enable_redirect",
    "force_json_decode",
    "force_yaml_decode",
    "headers",
    "raw_body",
    "tls_use_system_certs",
    "tls_ca_cert",
    "tls_ca_cert_file",
    "tls_ca_cert_env_variable",
    "tls_client_cert",
    "tls_client_cert_file",
    "tls_client_cert_env_variable",
    "tls_client_key",
    "tls_client_key_file",
    "tls_client_key_env_variable",
    "tls_insecure_skip_verify",
    "tls_server_name",
    "timeout",
    "cache",
    "force_cache",
    "force_cache_duration_seconds",
    "raise_error",
    "caching_mode",
    "max_retry_attempts",
    "cache_ignored_headers",
];
/// Proxies may change these on the way.
const UNSIGNED_HEADERS: [&str; 3] = ["authorization", "user-agent", "x-amzn-trace-id"];
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

type Fields = BTreeMap<Value, Value>;

/// The request with the headers that AWS wants.
fn sign_request(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (request, config) = (operand::object(operands, 0)?, operand::object(operands, 1)?);
    let unknown = |key: &Value| key.as_str().is_none_or(|key| !REQUEST_FIELDS.contains(&key));
    if request.keys().any(unknown) {
        return Err(Fault::Undefined("the request has a field that is not known"));
    }
    let signer = Signer::of(config, operand::integer(operands, 2)?)?;
    let (method, url) = (text(request, "method")?, Uri::parse(text(request, "url")?)?);
    let headers = headers(request)?;
    let body = body(request)?;
    let (authorization, added) = signer.sign(method, &url, &headers, &body)?;
    let mut signed: Fields =
        headers.iter().map(|(name, value)| (name.as_str().into(), (*value).into())).collect();
    signed.insert("Authorization".into(), authorization.into());
    signed.extend(added.into_iter().map(|(name, value)| (name.into(), value.into())));
    let mut request = request.clone();
    request.insert("headers".into(), Value::Object(signed));
    Ok(Value::Object(request))
}

fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f Value> {
    fields.get(&Value::from(name))
}

fn text<'f>(fields: &'f Fields, name: &str) -> Result<&'f str, Fault> {
    operand::as_string(field(fields, name).ok_or(Fault::Undefined("a field is missing"))?)
}

/// What is no text counts as empty.
fn headers(request: &Fields) -> Result<BTreeMap<String, &str>, Fault> {
    let Some(headers) = field(request, "headers") else { return Ok(BTreeMap::new()) };
    let headers = headers.as_object().ok_or(Fault::Undefined("the headers are no object"))?;
    let plain = |value: &'_ Value| value.as_str().map(str::to_owned).unwrap_or_default();
    Ok(headers.iter().map(|(name, value)| (plain(name), value.as_str().unwrap_or(""))).collect())
}

fn body(request: &Fields) -> Result<Vec<u8>, Fault> {
    match (field(request, "raw_body"), field(request, "body")) {
        (Some(raw), _) => Ok(raw.as_str().unwrap_or("").as_bytes().to_vec()),
        (None, Some(body)) => json_text::write(body).map(String::into_bytes),
        (None, None) => Ok(Vec::new()),
    }
}

struct Signer<'c> {
    service: &'c str,
    region: &'c str,
    access_key: &'c str,
    secret_key: &'c str,
    session_token: &'c str,
    signs_payload: bool,
    day: String,
    moment: String,
}

impl<'c> Signer<'c> {
    fn of(config: &'c Fields, now_ns: i64) -> Result<Signer<'c>, Fault> {
        let signs_payload = match field(config, "disable_payload_signing") {
            Some(disabled) => !operand::as_boolean(disabled)?,
            None => true,
        };
        let now = Timestamp::from_nanosecond(now_ns.into())
            .map_err(|_| Fault::Undefined("there is no such time"))?;
        let now = now.to_zoned(TimeZone::UTC);
        Ok(Signer {
            service: text(config, "aws_service")?,
            region: text(config, "aws_region")?,
            access_key: text(config, "aws_access_key")?,
            secret_key: text(config, "aws_secret_access_key")?,
            session_token: field(config, "aws_session_token").and_then(Value::as_str).unwrap_or(""),
            signs_payload,
            day: now.strftime("%Y%m%d").to_string(),
            moment: now.strftime("%Y%m%dT%H%M%SZ").to_string(),
        })
    }

    /// The value of `Authorization`, and the headers that go with it.
    fn sign(
        &self,
        method: &str,
        url: &Uri,
        headers: &BTreeMap<String, &str>,
        body: &[u8],
    ) -> Result<(String, BTreeMap<&'static str, String>), Fault> {
        let payload = if self.signs_payload { sha256_hex(body) } else { UNSIGNED_PAYLOAD.to_owned() };
        let host =
            String::from_utf8(url.host.clone()).map_err(|_| Fault::Undefined("the host is not UTF-8"))?;
        let mut added = BTreeMap::from([("host", host), ("x-amz-date", self.moment.clone())]);
        if matches!(self.service, "s3" | "glacier") {
            added.insert("x-amz-content-sha256", payload.clone());
        }
        if !self.session_token.is_empty() {
            added.insert("x-amz-security-token", self.session_token.to_owned());
        }
        let mut to_sign: BTreeMap<String, &str> =
            added.iter().map(|(name, value)| ((*name).to_owned(), value.as_str())).collect();
        for (name, value) in headers {
            let name = name.to_lowercase();
            if !UNSIGNED_HEADERS.contains(&name.as_str()) {
                to_sign.insert(name, value);
            }
        }
        let lines: String = to_sign.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = to_sign.keys().cloned().collect::<Vec<_>>().join(";");
        let request = format!("{method}\n{}\n{}\n{lines}\n{names}\n{payload}", url.escaped_path(), url.query);
        let scope = format!("{}/{}/{}/aws4_request", self.day, self.region, self.service);
        let statement =
            format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.moment, sha256_hex(request.as_bytes()));
        let signature = hex::encode(self.key_and_then(&statement));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
            self.access_key
        );
        Ok((authorization, added))
    }

    /// The statement signed by the key that is good for this day, region and service only.
    fn key_and_then(&self, statement: &str) -> Vec<u8> {
        let secret = format!("AWS4{}", self.secret_key).into_bytes();
        [&self.day, self.region, self.service, "aws4_request", statement]
            .into_iter()
            .fold(secret, |key, message| mac(&key, message))
    }
}

fn mac(key: &[u8], message: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes()).as_ref().to_vec()
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
