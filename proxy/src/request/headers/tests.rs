use super::*;

fn check(expected: Class, names: &[&str]) {
    for name in names {
        assert_eq!(class(name), expected, "{name}");
    }
}

#[test]
fn classes() {
    check(
        Class::HopByHop,
        &["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-status"],
    );
    check(
        Class::Framing,
        &[
            "host",
            "content-length",
            "transfer-encoding",
            "expect",
            "te",
            "trailer",
            "upgrade",
            "http2-settings",
        ],
    );
    check(Class::Own, &["claviger-purpose", "claviger-task", "claviger-anything"]);
    check(
        Class::Carrier,
        &[
            "authorization",
            "proxy-authorization",
            "cookie",
            "cookie2",
            "x-api-key",
            "api-key",
            "apikey",
            "x-apikey",
            "private-token",
            "job-token",
            "deploy-token",
            "x-auth-token",
            "x-access-token",
            "x-vault-token",
            "x-goog-api-key",
            "x-goog-iam-authorization-token",
            "x-amz-security-token",
            "x-amz-date",
            "ocp-apim-subscription-key",
            "x-functions-key",
            "circle-token",
            "x-gitlab-token",
            "dpop",
            "x-github-token",
            "x-token",
            "signature",
            "signature-input",
            "x-serverless-authorization",
            "x-original-authorization",
            "x-consul-token",
            "x-ms-copy-source-authorization",
            "x-auth-key",
        ],
    );
    check(
        Class::Forwarding,
        &[
            "forwarded",
            "x-forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-anything",
            "x-real-ip",
            "via",
            "true-client-ip",
            "x-true-client-ip",
            "cf-connecting-ip",
            "x-envoy-original-path",
            "x-original-url",
            "x-original-host",
            "x-rewrite-url",
            "x-http-method-override",
            "x-method-override",
            "x-http-method",
            "x-host",
            "proxy",
            "x-client-ip",
            "x-middleware-subrequest",
            "client-cert",
            "remote-user",
            "x-ms-client-principal-name",
            "early-data",
            "x-auth-request-user",
            "x-scheme",
        ],
    );
    check(
        Class::EndToEnd,
        &[
            "accept",
            "accept-encoding",
            "user-agent",
            "content-type",
            "content-encoding",
            "range",
            "if-match",
            "origin",
            "x-request-id",
            "x-many",
            "x-stays",
            "x-amz-target",
            "x-amz-content-sha256",
            "x-amz-meta-a",
            "x-github-api-version",
            "x-goog-user-project",
            "x-ms-version",
            "x-ms-date",
            "traceparent",
            "idempotency-key",
            "anthropic-version",
            "date",
            "x",
            "x-",
            "a",
            "sec-websocket-key",
            "link",
            "prefer",
            "x-csrf-token",
            "x-hub-signature",
            "",
            "claviger",
        ],
    );
}

#[test]
fn every_known_name_is_found() {
    for (expected, names) in KNOWN {
        check(*expected, names);
    }
    assert!(KNOWN.iter().map(|(_, names)| names.len()).sum::<usize>() * 3 < SLOTS, "the index is too full");
}

#[test]
fn underscores_fold() {
    check(Class::Own, &["claviger_purpose", "claviger_task"]);
    check(
        Class::Carrier,
        &["x_api_key", "x-api_key", "proxy_authorization", "private_token", "x_vault-token"],
    );
    check(Class::Forwarding, &["x_forwarded_for", "x-forwarded_anything", "x_http_method_override"]);
    check(
        Class::Ambiguous,
        &["content_length", "transfer_encoding", "keep_alive", "user_agent", "x_many", "_", "a_"],
    );
    check(Class::Ambiguous, &[&format!("claviger_{}", "a".repeat(FOLDED_BYTES_MAX))]);
}

#[test]
fn plain_values() {
    for value in [&b""[..], b"a", b" \t~!", b"text/html;q=0.5", &[b'a'; 1000]] {
        assert!(value_is_plain(value), "{value:?}");
    }
    for byte in (0..=0xff).filter(|byte| !matches!(byte, b'\t' | b' '..=b'~')) {
        assert!(!value_is_plain(&[b'a', byte, b'b']), "{byte}");
    }
}
