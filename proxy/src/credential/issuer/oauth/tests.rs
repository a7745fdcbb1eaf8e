use serde_json::json;

use super::*;
use crate::credential::fake::{FakeServer, response};
use crate::credential::issuer::tests::issuer;

fn asked(server: &FakeServer) -> Result<Issued, IssueError> {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "secret").expect("written");
    let endpoint = TokenEndpoint {
        issuer: issuer("{}"),
        token_url: serde_json::from_value(json!(format!("{}/token", server.url))).expect("a URL"),
        revoke_url: None,
        client_id: "me".into(),
        client_secret: SecretRef::File(secret),
        auth: ClientAuth::Basic,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(endpoint.token(vec![("grant_type", "client_credentials")], &["asked".to_owned()]))
}

fn check_bytes(bytes: Vec<u8>, expected: Result<Option<u64>, IssueError>) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let issued = asked(&FakeServer::new(move |_| bytes.clone()));
    let lifetime = issued.as_ref().map(|issued| issued.lifetime.map(|life| life.as_secs()));
    assert_eq!(lifetime.map_err(|error| *error), expected, "{shown}");
}

fn check(status: u16, body: &str, expected: Result<Option<u64>, IssueError>) {
    check_bytes(response(status, body), expected);
}

#[test]
fn a_good_answer_is_a_token() {
    let untold = LIFETIME_UNTOLD.as_secs();
    check(200, r#"{"access_token":"t","token_type":"bEaReR","expires_in":300,"more":[1]}"#, Ok(Some(300)));
    check(200, r#"{"access_token":"t","expires_in":"300"}"#, Ok(Some(300)));
    check(200, r#"{"access_token":"t"}"#, Ok(Some(untold)));
    check(200, r#"{"access_token":"t","expires_in":null,"scope":null}"#, Ok(Some(untold)));
}

#[test]
fn the_granted_scopes_are_those_told_or_asked_for() {
    let check = |scope: &str, expected: &[&str]| {
        let issued = asked(&FakeServer::always(200, &format!(r#"{{"access_token":"t"{scope}}}"#)));
        assert_eq!(
            issued.ok().map(|issued| issued.scopes),
            Some(expected.iter().map(|s| (*s).to_owned()).collect())
        );
    };
    check("", &["asked"]);
    check(r#","scope":"b a b""#, &["a", "b"]);
    check(r#","scope":"""#, &[]);
}

#[test]
fn a_hostile_answer_is_none() {
    let shape = Err(IssueError::Invalid("it is not of the documented shape"));
    for body in ["", "<html>", "null", "[]", "{}", "5", r#"{"access_token":7}"#, r#"{"access_token":null}"#] {
        check(200, body, shape);
    }
    check(200, r#"{"access_token":"t","access_token":"u"}"#, shape);
    check(200, r#"{"access_token":"t","token_type":5}"#, shape);
    check(200, r#"{"access_token":"t"} trailing"#, shape);
    check(200, r#"{"access_token":""}"#, Err(IssueError::Invalid("the secret is empty")));
    for token in [r"t\r\nX-Smuggled: yes", r"t\u0000", "caf\u{e9}", r"\u00e9"] {
        let body = format!(r#"{{"access_token":"{token}"}}"#);
        check(200, &body, Err(IssueError::Invalid("the secret is not printable ASCII")));
    }
    let mac = Err(IssueError::Invalid("the token is not a bearer token"));
    check(200, r#"{"access_token":"t","token_type":"mac"}"#, mac);
    let nested = format!(r#"{{"access_token":"t","more":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    check(200, &nested, Ok(Some(LIFETIME_UNTOLD.as_secs())));
    let padding = "x".repeat(1 << 20);
    let long = Err(IssueError::Invalid("the answer is too long"));
    check(200, &format!(r#"{{"access_token":"t","padding":"{padding}"}}"#), long);
}

#[test]
fn a_status_tells_who_is_to_blame() {
    let busy = Err(IssueError::Unavailable("it cannot answer now"));
    let own_reason = Err(IssueError::Refused("for a reason of its own"));
    let neither = Err(IssueError::Invalid("its status is neither success nor refusal"));
    for status in [500, 502, 503, 408, 429] {
        check(status, r#"{"error":"invalid_client"}"#, busy);
    }
    check(
        401,
        r#"{"error":"invalid_client","error_description":"secret"}"#,
        Err(IssueError::Refused("invalid_client")),
    );
    check(400, r#"{"error":"invalid_scope"}"#, Err(IssueError::Refused("invalid_scope")));
    check(400, r#"{"error":"temporarily_unavailable"}"#, busy);
    check(400, r#"{"error":"something new"}"#, own_reason);
    check(404, "not found", own_reason);
    for status in [201, 204, 301, 307] {
        check(status, r#"{"access_token":"t"}"#, neither);
    }
}

#[test]
fn a_broken_answer_is_none() {
    check_bytes(Vec::new(), Err(IssueError::Unavailable("no answer")));
    check_bytes(b"this is not HTTP\r\n\r\n".to_vec(), Err(IssueError::Unavailable("no answer")));
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"t\"}".to_vec();
    check_bytes(cut, Err(IssueError::Unavailable("the answer broke off")));
    let endless =
        [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec(), vec![b'x'; 2 << 20]].concat();
    check_bytes(endless, Err(IssueError::Invalid("the answer is too long")));
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = FakeServer::always(200, r#"{"access_token":"t"}"#);
    let location = format!("HTTP/1.1 307 Moved\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.url);
    check_bytes(location.into_bytes(), Err(IssueError::Invalid("its status is neither success nor refusal")));
    assert!(elsewhere.seen().is_empty());
}

#[test]
fn a_lifetime_is_a_whole_number_of_seconds() {
    let check = |told: Value, expected: Option<u64>| {
        let seconds = lifetime(&told).ok().map(|life| life.as_secs());
        assert_eq!(seconds, expected, "{told}");
    };
    check(json!(1), Some(1));
    check(json!(300.0), Some(300));
    check(json!("300"), Some(300));
    check(json!(LIFETIME_SECONDS_MAX), Some(LIFETIME_SECONDS_MAX));
    for bad in [json!(0), json!(-1), json!(0.5), json!(1e300), json!(-1e12), json!(10u64.pow(18))] {
        check(bad, None);
    }
    for bad in
        [json!(""), json!("0"), json!("soon"), json!("NaN"), json!("-5"), json!("3e2"), json!("9".repeat(40))]
    {
        check(bad, None);
    }
    for bad in [json!(true), json!([]), json!([300]), json!({}), json!(null)] {
        check(bad, None);
    }
}

#[test]
fn forms_are_encoded_in_one_allocation() {
    let check = |fields: &[(&str, &str)], expected: &str| {
        let form = form(fields);
        assert_eq!(*form, expected);
        let bytes_max: usize = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
        assert_eq!(form.capacity(), bytes_max, "it never grew");
    };
    check(&[], "");
    check(&[("a", "b c"), ("d&", "=%+\u{e9}")], "a=b+c&d%26=%3D%25%2B%C3%A9");
    check(&[("x", "&&&&")], "x=%26%26%26%26");
}
