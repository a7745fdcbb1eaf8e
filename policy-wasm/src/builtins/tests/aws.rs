//! Requests signed for Amazon's services. The expected values are what OPA 1.18.2 gave.

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "providers.aws.sign_req",
        r#"[{"url": "https://ex.org:8443/a%20b/\"c?x=1&y=%20", "method": "PUT", "body": {"b": [1.5, "<"], "a": true}, "headers": {"X-A": "v", "User-Agent": "z", "Authorization": "q", "n": 5}}, {"aws_service": "s3", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1", "aws_session_token": "tok"}, 1700000000123456789]"#,
        Some(
            r#"{"body": {"a": true, "b": [1.5, "<"]}, "headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/20231114/eu-1/s3/aws4_request,SignedHeaders=host;n;x-a;x-amz-content-sha256;x-amz-date;x-amz-security-token,Signature=1519576c6b498832587d59331a70c4253d1b822b692f07a41aeaff6c60c9d5ef", "User-Agent": "z", "X-A": "v", "host": "ex.org:8443", "n": "", "x-amz-content-sha256": "2bcd1783e4dafc6f930e16db2355d2557eb990e1b931a1cc72f796c0e9c4e2e4", "x-amz-date": "20231114T221320Z", "x-amz-security-token": "tok"}, "method": "PUT", "url": "https://ex.org:8443/a%20b/\"c?x=1&y=%20"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 0]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/19700101/eu-1/sts/aws4_request,SignedHeaders=host;x-amz-date,Signature=9fa61b088a0d9f737207a3fbdbd488603144064bba9f8fc0078f15f2afadad61", "host": "h", "x-amz-date": "19700101T000000Z"}, "method": "GET", "url": "http://h/"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET", "raw_body": "é", "body": 1}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, -1]"#,
        Some(
            r#"{"body": 1, "headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/19691231/eu-1/sts/aws4_request,SignedHeaders=host;x-amz-date,Signature=8f72926bb888e03d2c1cb8522f13952abcb2a79d85291ad2324a38e92e782509", "host": "h", "x-amz-date": "19691231T235959Z"}, "method": "GET", "raw_body": "é", "url": "http://h/"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET"}, {"aws_service": "s3", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1", "aws_session_token": "tok", "disable_payload_signing": true}, 1700000000123456789]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/20231114/eu-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,Signature=b2545b12a20a71b867f06703a4ef6c81a7f2bbac59ca5cfc5c38abe2e07cb390", "host": "h", "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": "20231114T221320Z", "x-amz-security-token": "tok"}, "method": "GET", "url": "http://h/"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/*", "method": "GET", "body": {3, 1}}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        Some(
            r#"{"body": {1, 3}, "headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/20231114/eu-1/sts/aws4_request,SignedHeaders=host;x-amz-date,Signature=1a8f3ca392f7850c1a8f02793877c116915ff6ce7b4d1b302b6ada6041aaa076", "host": "h", "x-amz-date": "20231114T221320Z"}, "method": "GET", "url": "http://h/*"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://[::1]:8/a[1]?", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/20231114/eu-1/sts/aws4_request,SignedHeaders=host;x-amz-date,Signature=53c474854cb8d865da6465ff438a37e3acf2f3f69458e3615f29e054dd2fd057", "host": "[::1]:8", "x-amz-date": "20231114T221320Z"}, "method": "GET", "url": "http://[::1]:8/a[1]?"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "mailto:x", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/20231114/eu-1/sts/aws4_request,SignedHeaders=host;x-amz-date,Signature=f0bad628eaa057ab2a0559b8dfab66bd677853294778e7cc8b5abafebb9afab5", "host": "", "x-amz-date": "20231114T221320Z"}, "method": "GET", "url": "mailto:x"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET", "headers": {"Host": "other", "X-AMZ-DATE": "then"}}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/20231114/eu-1/sts/aws4_request,SignedHeaders=host;x-amz-date,Signature=05d123de6684a6ff206af3db0a9d5ea816fc3b1f46aa05eb8fe6407d9a48a7ce", "Host": "other", "X-AMZ-DATE": "then", "host": "h", "x-amz-date": "20231114T221320Z"}, "method": "GET", "url": "http://h/"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET"}, {"aws_service": "s3", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1", "aws_session_token": "tok", "disable_payload_signing": 1}, 1700000000123456789]"#,
        None,
    ),
    ("providers.aws.sign_req", r#"[{"url": "http://h/", "method": "GET"}, {}, 1700000000123456789]"#, None),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": 1}, 1700000000123456789]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET", "x": 1}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": 1}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET", "headers": []}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://a b/", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1700000000123456789]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 1.5]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 99999999999999999999]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, 9223372036854775807]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/22620411/eu-1/sts/aws4_request,SignedHeaders=host;x-amz-date,Signature=6568e7b3710ae72590039543b443cc373a0775437a8a2242889cef149fc78dbf", "host": "h", "x-amz-date": "22620411T234716Z"}, "method": "GET", "url": "http://h/"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"url": "http://h/", "method": "GET"}, {"aws_service": "sts", "aws_access_key": "AK", "aws_secret_access_key": "SK", "aws_region": "eu-1"}, -9223372036854775808]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/16770921/eu-1/sts/aws4_request,SignedHeaders=host;x-amz-date,Signature=b4257943565731a460d32499bfdc8ca87b162a4e1a9a9fc6ac28638e118d7812", "host": "h", "x-amz-date": "16770921T001243Z"}, "method": "GET", "url": "http://h/"}"#,
        ),
    ),
];
