//! What a bundle asks of its host, in the manifest's `metadata.claviger`.

use serde_json::{Map, Value as Json};

/// As much as an input document may hold.
const BODY_BYTES_MAX: usize = 1024 * 1024;

const NOT_A_SIZE: &str = "`metadata.claviger.body.max` must be a size from 1 byte to 1MiB, as `64KiB`";

const NOT_A_SERIAL: &str = "`metadata.claviger.serial` must be a whole number from 0";

/// How much of a request's body the policy judges: `{"claviger": {"body": {"max": "64KiB"}}}`.
pub(super) fn body_bytes_max(metadata: &Map<String, Json>) -> Result<Option<usize>, &'static str> {
    let Some(body) = metadata.get("claviger").and_then(|ours| ours.get("body")) else { return Ok(None) };
    let known = body.as_object().is_some_and(|body| body.keys().all(|key| key == "max"));
    if !known {
        return Err("`metadata.claviger.body` must be an object with `max` alone");
    }
    let bytes = match body.get("max") {
        Some(Json::Number(bytes)) => bytes.as_u64().and_then(|bytes| usize::try_from(bytes).ok()),
        Some(Json::String(text)) => size(text),
        Some(Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_)) | None => None,
    };
    bytes.filter(|bytes| (1..=BODY_BYTES_MAX).contains(bytes)).map(Some).ok_or(NOT_A_SIZE)
}

/// Where the bundle stands in the order of its author's bundles: `{"claviger": {"serial": 7}}`.
pub(super) fn serial(metadata: &Map<String, Json>) -> Result<Option<u64>, &'static str> {
    match metadata.get("claviger").and_then(|ours| ours.get("serial")) {
        Some(serial) => serial.as_u64().map(Some).ok_or(NOT_A_SERIAL),
        None => Ok(None),
    }
}

/// A size as the configuration writes it.
fn size(text: &str) -> Option<usize> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let unit: usize = match &text[digits..] {
        "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return None,
    };
    text[..digits].parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_whole_numbers() {
        let check = |metadata: &str, expected: Option<Option<u64>>| {
            let metadata = serde_json::from_str(metadata).expect("it is JSON");
            assert_eq!(serial(&metadata).ok(), expected, "{metadata:?}");
        };
        for silent in ["{}", r#"{"claviger": {}}"#, r#"{"serial": 7}"#] {
            check(silent, Some(None));
        }
        let asking = |serial: &str| format!(r#"{{"claviger": {{"serial": {serial}}}}}"#);
        for (written, meant) in [("0", 0), ("7", 7), ("18446744073709551615", u64::MAX)] {
            check(&asking(written), Some(Some(meant)));
        }
        for wrong in ["-1", "1.5", "1e3", "\"7\"", "null", "true", "[]", "18446744073709551616"] {
            check(&asking(wrong), None);
        }
    }

    #[test]
    fn bodies_are_asked_for_by_size() {
        let check = |metadata: &str, expected: Option<Option<usize>>| {
            let metadata = serde_json::from_str(metadata).expect("it is JSON");
            assert_eq!(body_bytes_max(&metadata).ok(), expected, "{metadata:?}");
        };
        for silent in
            ["{}", r#"{"claviger": {}}"#, r#"{"claviger": {"serial": 1}}"#, r#"{"body": {"max": "1KiB"}}"#]
        {
            check(silent, Some(None));
        }
        let asking = |max: &str| format!(r#"{{"claviger": {{"body": {{"max": {max}}}}}}}"#);
        for (max, bytes) in
            [("\"64KiB\"", 65536), ("\"1MiB\"", 1_048_576), ("\"512B\"", 512), ("4096", 4096), ("1", 1)]
        {
            check(&asking(max), Some(Some(bytes)));
        }
        for max in [
            "0",
            "-1",
            "1.5",
            "1048577",
            "\"2MiB\"",
            "\"64\"",
            "\"64 KiB\"",
            "\"64kb\"",
            "\"KiB\"",
            "\"\"",
            "null",
            "true",
            "\"99999999999999999999MiB\"",
        ] {
            check(&asking(max), None);
        }
        for wrong in [
            r#"{"claviger": {"body": true}}"#,
            r#"{"claviger": {"body": {}}}"#,
            r#"{"claviger": {"body": "64KiB"}}"#,
            r#"{"claviger": {"body": {"max": "1KiB", "min": "1B"}}}"#,
        ] {
            check(wrong, None);
        }
    }
}
