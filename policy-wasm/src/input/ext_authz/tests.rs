//! The document under the names that published policies use.

use serde_json::json;

use super::*;
use crate::input::body::Json;

fn peer(address: &'static str, port_value: u16) -> Peer<'static> {
    let socket_address = SocketAddress { address: address.into(), port_value };
    Peer { address: Some(Address { socket_address }), ..Peer::default() }
}

#[test]
fn the_document_has_the_plugins_names() {
    let headers = [(":authority", "api.example:8443".into()), ("accept", "text/plain,text/html".into())];
    let extensions = [("route", "api".into())];
    let labels = BTreeMap::from([("team".to_owned(), "payments".to_owned())]);
    let path = ["people".into(), "a b".into()];
    let query = [("lang".into(), vec!["en".into(), "de".into()])];
    let document = CheckRequest {
        attributes: Attributes {
            source: Peer {
                principal: Some("spiffe://a/b"),
                labels: Some(&labels),
                ..peer("172.17.0.1", 61402)
            },
            destination: peer("::1", 8000),
            request: Request {
                time: Timestamp::from_ns(1_795_302_000_000_000_012),
                http: Http {
                    id: "0192f0c1",
                    method: "POST",
                    headers: &headers,
                    path: "/people/a%20b?lang=en&lang=de",
                    host: "api.example:8443",
                    scheme: "https",
                    size: Some(7),
                    protocol: "HTTP/1.1",
                    body: Some("{\"a\":1}"),
                    raw_body: None,
                },
            },
            context_extensions: &extensions,
            metadata_context: Empty {},
            route_metadata_context: Empty {},
        },
        parsed_path: &path,
        parsed_query: &query,
        parsed_body: Body::Json(Json::read("{\"a\":1}").expect("it is JSON")),
        truncated_body: false,
        version: Version::V3,
    };
    let expected = json!({
        "attributes": {
            "source": {
                "address": {"socketAddress": {"address": "172.17.0.1", "portValue": 61402}},
                "principal": "spiffe://a/b",
                "labels": {"team": "payments"}
            },
            "destination": {"address": {"socketAddress": {"address": "::1", "portValue": 8000}}},
            "request": {
                "time": {"seconds": 1_795_302_000, "nanos": 12},
                "http": {
                    "id": "0192f0c1", "method": "POST",
                    "headers": {":authority": "api.example:8443", "accept": "text/plain,text/html"},
                    "path": "/people/a%20b?lang=en&lang=de", "host": "api.example:8443", "scheme": "https",
                    "size": 7, "protocol": "HTTP/1.1", "body": "{\"a\":1}"
                }
            },
            "contextExtensions": {"route": "api"},
            "metadataContext": {},
            "routeMetadataContext": {}
        },
        "parsed_path": ["people", "a b"],
        "parsed_query": {"lang": ["en", "de"]},
        "parsed_body": {"a": 1},
        "truncated_body": false,
        "version": {"ext_authz": "v3", "encoding": "protojson"}
    });
    assert_eq!(serde_json::to_value(&document).expect("it serialises"), expected);
}

#[test]
fn timestamps_count_from_1970() {
    for (now_ns, seconds, nanos) in [
        (0, 0, 0),
        (1_500_000_000, 1, 500_000_000),
        (-1, -1, 999_999_999),
        (i64::MAX, 9_223_372_036, 854_775_807),
    ] {
        let found = Timestamp::from_ns(now_ns);
        assert_eq!((found.seconds, found.nanos), (seconds, nanos), "{now_ns}");
    }
}
