//! What a policy is shown of a body: all of it, or that it was not all.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_policy::input::body::{Body, Json};

use crate::error::Error;
use crate::request::body::Sample;
use crate::request::media::{Media, form};
use crate::route::Routed;

const NOT_JSON: &str = "the body is not JSON with one reading, as its Content-Type says";

/// The beginning of a body, and what it is made of.
pub(super) struct Shown<'a> {
    sample: &'a Sample,
    media: Media<'a>,
}

impl<'a> Shown<'a> {
    /// Refuses a body of which the head says more than one thing.
    pub(super) fn of(routed: &'a Routed, sample: &'a Sample) -> Result<Self, Error> {
        let media = match sample.bytes.is_empty() {
            true => Media::Other,
            false => Media::of(&routed.request().headers).map_err(Error::BadRequest)?,
        };
        Ok(Self { sample, media })
    }

    pub(super) fn truncated(&self) -> bool {
        self.sample.truncated
    }

    /// A JSON value, or other text.
    pub(super) fn value(&self) -> Result<Body<'a>, Error> {
        match (self.whole(), &self.media) {
            (None, _) | (_, Media::Foreign) => Ok(Body::Nothing),
            (Some(bytes), Media::Json) => json(bytes),
            (Some(bytes), Media::Form | Media::Multipart(_) | Media::Other) => {
                Ok(std::str::from_utf8(bytes).map_or(Body::Nothing, Body::Text))
            }
        }
    }

    /// What OPA's Envoy plugin parses: JSON and forms.
    pub(super) fn parsed(&self) -> Result<Body<'a>, Error> {
        match (self.whole(), &self.media) {
            (None, _) | (_, Media::Foreign | Media::Other) => Ok(Body::Nothing),
            (Some(bytes), Media::Json) => json(bytes),
            (Some(bytes), Media::Form) => {
                let text = std::str::from_utf8(bytes).map_err(|_| form::NOT_A_FORM);
                text.and_then(form::urlencoded).map(Body::Form).map_err(Error::BadRequest)
            }
            (Some(bytes), Media::Multipart(boundary)) => {
                form::multipart(bytes, boundary).map(Body::Parts).map_err(Error::BadRequest)
            }
        }
    }

    /// The beginning as text; a character that is cut is left out.
    pub(super) fn text(&self) -> Option<&'a str> {
        let bytes = &self.sample.bytes[..];
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) if self.sample.truncated && error.error_len().is_none() => {
                std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()
            }
            Err(_) => None,
        }
        .filter(|text| !text.is_empty())
    }

    /// The beginning in base64, where it is not text.
    pub(super) fn base64(&self) -> Option<String> {
        let is_binary = self.text().is_none() && !self.sample.bytes.is_empty();
        is_binary.then(|| STANDARD.encode(&self.sample.bytes))
    }

    /// As Envoy tells it, in a header that is shown to the policy alone.
    pub(super) fn partial_body_header(&self) -> (&'static str, Cow<'static, str>) {
        let told = if self.sample.truncated { "true" } else { "false" };
        ("x-envoy-auth-partial-body", Cow::Borrowed(told))
    }

    fn whole(&self) -> Option<&'a [u8]> {
        let there = !self.sample.truncated && !self.sample.bytes.is_empty();
        there.then_some(&self.sample.bytes[..])
    }
}

fn json(bytes: &[u8]) -> Result<Body<'_>, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::BadRequest(NOT_JSON))?;
    Json::read(text).map(Body::Json).map_err(|_| Error::BadRequest(NOT_JSON))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: Result<Body<'_>, Error>) -> String {
        body.map_or("refused".to_owned(), |body| serde_json::to_string(&body).expect("it serialises"))
    }

    #[test]
    fn bodies_are_shown_whole_or_not() {
        let check = |media: Media<'_>, bytes: &'static [u8], truncated: bool, value: &str, parsed: &str| {
            let sample = Sample { bytes: bytes.into(), truncated };
            let shown = Shown { sample: &sample, media };
            let found = (told(shown.value()), told(shown.parsed()));
            assert_eq!((found.0.as_str(), found.1.as_str()), (value, parsed), "{bytes:?}");
        };
        check(Media::Json, b"{\"n\": 1e400}", false, "{\"n\": 1e400}", "{\"n\": 1e400}");
        check(Media::Json, b"{\"n\": 1e4", true, "null", "null");
        check(Media::Json, b"", false, "null", "null");
        check(Media::Json, b"{", false, "refused", "refused");
        check(Media::Json, b"{\"a\":1,\"a\":2}", false, "refused", "refused");
        check(Media::Json, b"\"\xff\"", false, "refused", "refused");
        check(Media::Form, b"a=1&b=%20", false, "\"a=1&b=%20\"", "{\"a\":[\"1\"],\"b\":[\" \"]}");
        check(Media::Form, b"a=%", false, "\"a=%\"", "refused");
        check(Media::Form, b"a=\xff", false, "null", "refused");
        check(Media::Multipart("b".into()), b"--b--", false, "\"--b--\"", "{}");
        check(Media::Multipart("b".into()), b"--b", true, "null", "null");
        check(Media::Other, b"{}", false, "\"{}\"", "null");
        check(Media::Other, b"\xff", false, "null", "null");
        check(Media::Foreign, b"{}", false, "null", "null");
    }

    #[test]
    fn the_beginning_is_text_or_base64() {
        let check = |bytes: &'static [u8], truncated: bool, text: Option<&str>, base64: Option<&str>| {
            let sample = Sample { bytes: bytes.into(), truncated };
            let shown = Shown { sample: &sample, media: Media::Other };
            assert_eq!((shown.text(), shown.base64().as_deref()), (text, base64), "{bytes:?}");
        };
        check(b"", false, None, None);
        check(b"abc", false, Some("abc"), None);
        check(b"ab\xc3", true, Some("ab"), None);
        check(b"ab\xc3", false, None, Some("YWLD"));
        check(b"a\xffb", true, None, Some("Yf9i"));
    }
}
