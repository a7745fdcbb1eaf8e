//! What a body is, by what its head says: read only where a policy judges the body.

pub mod form;

use std::borrow::Cow;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

const BOUNDARY_BYTES_MAX: usize = 70;

/// What a body is made of.
#[derive(Debug, PartialEq, Eq)]
pub enum Media<'a> {
    /// `application/json`, or another type with `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data` with its boundary.
    Multipart(Cow<'a, str>),
    /// Another type, or none, in UTF-8 as far as it is told.
    Other,
    /// Compressed, or in another character set.
    Foreign,
}

impl<'a> Media<'a> {
    /// Reads the head. What has more than one reading is refused, with a sentence for the workload.
    pub fn of(headers: &'a HeaderMap) -> Result<Self, &'static str> {
        let mut types = headers.get_all(CONTENT_TYPE).iter();
        let value = types.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
        if types.next().is_some() {
            return Err("a body has one Content-Type");
        }
        let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
        let essence = essence.trim().to_ascii_lowercase();
        let parameters = parameters_of(parameters)?;
        let named = |wanted: &str| {
            let mut found = parameters.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value);
            match (found.next(), found.next()) {
                (value, None) => Ok(value),
                (_, Some(_)) => Err("the Content-Type has a parameter twice"),
            }
        };
        let foreign = named("charset")?.is_some_and(|charset| !is_utf8(charset)) || is_encoded(headers);
        Ok(match essence.as_str() {
            _ if foreign => Self::Foreign,
            "application/json" => Self::Json,
            json if json.ends_with("+json") => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => match named("boundary")? {
                Some(boundary) if is_boundary(boundary) => Self::Multipart(boundary.clone()),
                Some(_) | None => return Err("a multipart body has a boundary of 1 to 70 plain characters"),
            },
            _ => Self::Other,
        })
    }
}

fn is_utf8(charset: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn is_boundary(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    (1..=BOUNDARY_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain) && !text.ends_with(' ')
}

/// The parameters of a media type or a disposition: lower-case names, values without quotes.
fn parameters_of(text: &str) -> Result<Vec<(String, Cow<'_, str>)>, &'static str> {
    let mut parameters = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or("a parameter has no value")?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (Cow::Borrowed(after[..end].trim_end()), &after[end..])
            }
        };
        let name = name.trim_start();
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte))
        {
            return Err("a parameter has no plain name");
        }
        parameters.push((name.to_ascii_lowercase(), value));
        rest = match after.trim_start() {
            "" => "",
            more => more.strip_prefix(';').ok_or("something follows a quoted parameter")?.trim_start(),
        };
    }
    Ok(parameters)
}

/// Text up to the closing quote, and what follows. A backslash has readers that disagree about it.
fn quoted_value(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let (value, after) = text.split_once('"').ok_or("a parameter lacks its closing quote")?;
    if value.contains('\\') {
        return Err("a parameter has a backslash");
    }
    Ok((Cow::Borrowed(value), after))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in values {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn types_are_told_apart() {
        let check = |value: &'static str, expected: Media<'_>| {
            assert_eq!(Media::of(&headers(&[("content-type", value)])), Ok(expected), "{value}");
        };
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/vnd.api+json",
            " application/json ;",
        ] {
            check(json, Media::Json);
        }
        check("application/x-www-form-urlencoded", Media::Form);
        check("multipart/form-data; boundary=a-b", Media::Multipart("a-b".into()));
        check("multipart/form-data; charset=utf-8; Boundary=\"a b\"", Media::Multipart("a b".into()));
        for other in ["text/plain", "", "application/jsonp", "application/octet-stream", "text/plain; a=b"] {
            check(other, Media::Other);
        }
        for foreign in
            ["application/json; charset=utf-16", "application/json; charset=utf-7", "text/plain; charset=x"]
        {
            check(foreign, Media::Foreign);
        }
        assert_eq!(Media::of(&HeaderMap::new()), Ok(Media::Other));
        let gzip = headers(&[("content-type", "application/json"), ("content-encoding", "gzip")]);
        assert_eq!(Media::of(&gzip), Ok(Media::Foreign));
        let plain = headers(&[("content-type", "application/json"), ("content-encoding", "Identity")]);
        assert_eq!(Media::of(&plain), Ok(Media::Json));
    }

    #[test]
    fn two_readings_are_refused() {
        let check = |values: &[(&'static str, &'static str)]| {
            assert!(Media::of(&headers(values)).is_err(), "{values:?}");
        };
        check(&[("content-type", "application/json"), ("content-type", "text/plain")]);
        for value in [
            "application/json; charset=utf-8; charset=utf-16",
            "application/json; charset",
            "application/json; charset=\"utf-8",
            "application/json; charset=\"utf\\-8\"",
            "application/json; charset=\"utf-8\" x",
            "application/json; cha rset=utf-8",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"\"",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/form-data; boundary=\"a \"",
            "multipart/form-data; boundary=a{b}",
        ] {
            check(&[("content-type", value)]);
        }
    }
}
