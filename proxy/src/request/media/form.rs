//! `application/x-www-form-urlencoded` and `multipart/form-data`, read strictly: a policy must not be shown another form
//! than its upstream will read.

use std::borrow::Cow;

use claviger_policy::input::Named;
use claviger_policy::input::body::{Json, Part};
use memchr::memmem;
use percent_encoding::percent_decode_str;

use super::parameters_of;

/// The most values a form may have.
const VALUES_MAX: usize = 1024;

/// Said of every fault.
pub const NOT_A_FORM: &str = "the body is not the form that its Content-Type says";

/// The values of a form by name, in order.
pub fn urlencoded(text: &str) -> Result<Vec<Named<'_>>, &'static str> {
    let mut named: Vec<Named<'_>> = Vec::new();
    for (index, piece) in text.split('&').filter(|piece| !piece.is_empty()).enumerate() {
        // some readers take a semicolon for another `&`
        if index == VALUES_MAX || piece.contains(';') {
            return Err(NOT_A_FORM);
        }
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        push(&mut named, decoded(name)?, decoded(value)?);
    }
    Ok(named)
}

fn decoded(part: &str) -> Result<Cow<'_, str>, &'static str> {
    if !part.contains(['%', '+']) {
        return Ok(Cow::Borrowed(part));
    }
    let escapes = part.split('%').skip(1);
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !escapes.into_iter().all(is_escape) {
        return Err(NOT_A_FORM);
    }
    let spaced = part.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| NOT_A_FORM)?;
    Ok(Cow::Owned(text.into_owned()))
}

/// The values of a multipart form by name, in order; what is not text is null.
pub fn multipart<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<(&'a str, Vec<Part<'a>>)>, &'static str> {
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let mut named: Vec<(&str, Vec<Part<'_>>)> = Vec::new();
    // the first delimiter has no line before it
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..]).ok_or(NOT_A_FORM)?;
    for _ in 0..=VALUES_MAX {
        if let Some(end) = rest.strip_prefix(b"--") {
            return if end.is_empty() || end == b"\r\n" { Ok(named) } else { Err(NOT_A_FORM) };
        }
        let part = rest.strip_prefix(b"\r\n").ok_or(NOT_A_FORM)?;
        let end = finder.find(part).ok_or(NOT_A_FORM)?;
        let (name, value) = read_part(&part[..end])?;
        push(&mut named, name, value);
        rest = &part[end + delimiter.len()..];
    }
    Err(NOT_A_FORM)
}

fn read_part(part: &[u8]) -> Result<(&str, Part<'_>), &'static str> {
    let end = memmem::find(part, b"\r\n\r\n").ok_or(NOT_A_FORM)?;
    let head = std::str::from_utf8(&part[..end]).map_err(|_| NOT_A_FORM)?;
    let (mut name, mut is_json) = (None, false);
    let mut seen: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        let (field, value) = line.split_once(':').ok_or(NOT_A_FORM)?;
        let field = field.to_ascii_lowercase();
        let plain = line.chars().all(|char| !char.is_control() || char == '\t');
        if !plain || line.starts_with([' ', '\t']) || field.contains(' ') || seen.contains(&field) {
            return Err(NOT_A_FORM);
        }
        match field.as_str() {
            "content-disposition" => name = Some(form_name(value.trim())?),
            "content-type" => is_json = value.to_ascii_lowercase().contains("application/json"),
            // another reader might decode what this one shows as it is
            "content-transfer-encoding" => return Err(NOT_A_FORM),
            _ => {}
        }
        seen.push(field);
    }
    let name = name.ok_or(NOT_A_FORM)?;
    let value = match (std::str::from_utf8(&part[end + 4..]), is_json) {
        (Ok(text), true) => Part::Json(Json::read(text).map_err(|_| NOT_A_FORM)?),
        (Ok(text), false) => Part::Text(text),
        (Err(_), true) => return Err(NOT_A_FORM),
        (Err(_), false) => Part::Nothing,
    };
    Ok((name, value))
}

/// The name in `form-data; name="…"`, where it is there once and in one spelling.
fn form_name(disposition: &str) -> Result<&str, &'static str> {
    let (kind, parameters) = disposition.split_once(';').ok_or(NOT_A_FORM)?;
    let parameters = parameters_of(parameters).map_err(|_| NOT_A_FORM)?;
    let mut names = parameters.into_iter().filter(|(name, _)| name.trim_end_matches('*') == "name");
    match (names.next(), names.next()) {
        (Some((name, Cow::Borrowed(value))), None)
            if kind.trim().eq_ignore_ascii_case("form-data") && name == "name" && !value.is_empty() =>
        {
            Ok(value)
        }
        _ => Err(NOT_A_FORM),
    }
}

fn push<N: PartialEq, V>(named: &mut Vec<(N, Vec<V>)>, name: N, value: V) {
    match named.iter_mut().find(|(known, _)| *known == name) {
        Some((_, values)) => values.push(value),
        None => named.push((name, vec![value])),
    }
}

#[cfg(test)]
mod tests {
    use claviger_policy::input::body::Body;

    use super::*;

    #[test]
    fn urlencoded_forms() {
        let check = |text: &str, expected: Option<&str>| {
            let found = urlencoded(text)
                .ok()
                .map(|form| serde_json::to_string(&Body::Form(form)).expect("it serialises"));
            assert_eq!(found.as_deref(), expected, "{text:?}");
        };
        check("", Some("{}"));
        check(
            "firstname=foo&lastname=bar&lastname=foobar",
            Some(r#"{"firstname":["foo"],"lastname":["bar","foobar"]}"#),
        );
        check("a+b=%7E+x&c&=d&e=f=g", Some(r#"{"a b":["~ x"],"c":[""],"":["d"],"e":["f=g"]}"#));
        check("q=caf%c3%a9&&r=ä", Some(r#"{"q":["café"],"r":["ä"]}"#));
        for refused in ["a=1;b=2", "a=%zz", "a=%4", "a=%ff", "%=1"] {
            check(refused, None);
        }
        check(&vec!["a=1"; VALUES_MAX + 1].join("&"), None);
    }

    #[test]
    fn multipart_forms() {
        let check = |body: &[u8], expected: Option<&str>| {
            let found = multipart(body, "foo").ok();
            let found = found.map(|parts| serde_json::to_string(&Body::Parts(parts)).expect("it serialises"));
            assert_eq!(found.as_deref(), expected, "{}", String::from_utf8_lossy(body));
        };
        let part = |head: &str, value: &str| format!("--foo\r\n{head}\r\n\r\n{value}\r\n");
        let named = |value: &str| part("Content-Disposition: form-data; name=\"a\"", value);
        let whole = |parts: &[String]| format!("{}--foo--\r\n", parts.concat()).into_bytes();
        let json =
            part("content-disposition: form-data; name=b\r\nContent-Type: application/json;", "{\"n\": 1.0}");
        let file = part(
            "Content-Disposition: form-data; name=\"a\"; filename=\"x\"\r\nContent-Type: text/plain",
            "--fo",
        );
        check(b"--foo--", Some("{}"));
        check(&whole(&[named("1")]), Some(r#"{"a":["1"]}"#));
        check(&whole(&[named(""), json, file]), Some(r#"{"a":["","--fo"],"b":[{"n": 1.0}]}"#));
        check(&whole(&[named("two\r\nlines\r\n")]), Some(r#"{"a":["two\r\nlines\r\n"]}"#));
        let mut binary = whole(&[named("?")]);
        let at = memmem::find(&binary, b"?").expect("it is there");
        binary[at] = 0xff;
        check(&binary, Some(r#"{"a":[null]}"#));

        let mut longer = named("x\r\n--fool");
        for refused in [
            "".to_owned(),
            "--foo".to_owned(),
            named("1"),
            format!("preamble\r\n{}--foo--", named("1")),
            format!("{}--foo--epilogue", named("1")),
            "--foo\nContent-Disposition: form-data; name=\"a\"\n\n1\n--foo--".to_owned(),
            std::mem::take(&mut longer) + "--foo--",
            part("X-A: b", "1") + "--foo--",
            part("Content-Disposition: form-data", "1") + "--foo--",
            part("Content-Disposition: form-data; name=\"\"", "1") + "--foo--",
            part("Content-Disposition: attachment; name=\"a\"", "1") + "--foo--",
            part("Content-Disposition: form-data; name=\"a\"; name=\"b\"", "1") + "--foo--",
            part("Content-Disposition: form-data; name=\"a\"; name*=utf-8''b", "1") + "--foo--",
            part("Content-Disposition: form-data; name=\"a\\\"b\"", "1") + "--foo--",
            part("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b", "1")
                + "--foo--",
            part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", "1")
                + "--foo--",
            part("Content-Disposition: form-data;\r\n name=a", "1") + "--foo--",
            part("Content-Disposition: form-data; name=a\r\nContent-Type: application/json", "{") + "--foo--",
        ] {
            check(refused.as_bytes(), None);
        }
    }
}
