//! What a permit may bind us to: only less than the route offers, and only headers that nobody else owns.

use std::sync::Arc;

use claviger_policy::QueryChanges;
use http::header::{HOST, HeaderName, HeaderValue};

use crate::error::Error;
use crate::request::headers::{self, Class};
use crate::request::query::{Query, Unchangeable};
use crate::route::Offer;

/// The offer that the policy chose, or the only one there is.
pub(super) fn offer(offers: &[Offer], chosen: Option<&str>) -> Result<Option<usize>, Error> {
    match (chosen, offers) {
        (Some(name), offers) => match offers.iter().position(|offer| &*offer.name == name) {
            Some(index) => Ok(Some(index)),
            None => Err(Error::CredentialNotOffered(
                "the policy chose a credential that this route does not offer",
            )),
        },
        (None, []) => Ok(None),
        (None, [_]) => Ok(Some(0)),
        (None, _) => {
            Err(Error::PolicyUnsound("the route offers several credentials and the permit names none".into()))
        }
    }
}

/// The scopes to ask for, sorted: all that are configured, or those of them that the policy chose.
pub(super) fn scopes(offered: &Arc<[String]>, chosen: Option<Vec<String>>) -> Result<Arc<[String]>, Error> {
    let Some(mut chosen) = chosen else { return Ok(Arc::clone(offered)) };
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.iter().all(|scope| offered.contains(scope)) {
        Ok(chosen.into())
    } else {
        Err(Error::CredentialNotOffered("the policy asked for scopes beyond those configured"))
    }
}

/// Headers that the policy writes.
pub(super) fn headers_to_set(
    wanted: &[(String, String)],
    owned: &[&HeaderName],
) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let parsed = wanted.iter().map(|(name, value)| {
        let value = HeaderValue::from_str(value).map_err(|_| unsound("the value of", name))?;
        Ok((free(name, owned)?, value))
    });
    parsed.collect()
}

/// Headers that the policy takes out. Those that no request is sent with are out already, but the injection's own.
pub(super) fn headers_to_remove(wanted: &[String], owned: &[&HeaderName]) -> Result<Vec<HeaderName>, Error> {
    let mut names = Vec::with_capacity(wanted.len());
    for name in wanted {
        let parsed: HeaderName = name.parse().map_err(|_| unsound("this name of", name))?;
        match headers::class(parsed.as_str()) {
            Class::EndToEnd if !owned.contains(&&parsed) && parsed != HOST => names.push(parsed),
            Class::Carrier | Class::Forwarding | Class::Own | Class::Ambiguous
                if !owned.contains(&&parsed) => {}
            Class::EndToEnd
            | Class::Ambiguous
            | Class::Carrier
            | Class::HopByHop
            | Class::Own
            | Class::Forwarding
            | Class::Framing => return Err(unsound("removing", name)),
        }
    }
    Ok(names)
}

/// Headers that the policy puts on an answer.
pub(super) fn answer_headers(wanted: &[(String, String)]) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let parsed = wanted.iter().map(|(name, value)| {
        let value = HeaderValue::from_str(value).map_err(|_| unsound("the value of", name))?;
        Ok((answer_name(name)?, value))
    });
    parsed.collect()
}

/// Headers of an answer that the policy hides.
pub(super) fn answer_names(wanted: &[String]) -> Result<Vec<HeaderName>, Error> {
    wanted.iter().map(|name| answer_name(name)).collect()
}

/// Whether the answer is scrubbed: a policy may ask for it, and may not do without where the route wants it.
pub(super) fn scrubbing(configured: bool, wanted: Option<bool>) -> Result<bool, Error> {
    match (configured, wanted) {
        (true, Some(false)) => {
            Err(Error::PolicyUnsound("its `response.scrub` is false where the route scrubs answers".into()))
        }
        (configured, wanted) => Ok(configured || wanted == Some(true)),
    }
}

/// A header of an answer that belongs neither to the connection nor to us, leads nobody round us, and lets no web page
/// in.
fn answer_name(name: &str) -> Result<HeaderName, Error> {
    let parsed: HeaderName = name.parse().map_err(|_| unsound("this name of", name))?;
    let text = parsed.as_str();
    match headers::class(text) {
        Class::EndToEnd | Class::Carrier | Class::Forwarding
            if text != "alt-svc" && !text.starts_with("access-control-") =>
        {
            Ok(parsed)
        }
        Class::EndToEnd
        | Class::Ambiguous
        | Class::Carrier
        | Class::HopByHop
        | Class::Own
        | Class::Forwarding
        | Class::Framing => Err(unsound("on an answer the", name)),
    }
}

/// The query as the policy changes it; none where it leaves it as it is.
pub(super) fn query(wanted: &QueryChanges, judged: &Query, owned: &[&str]) -> Result<Option<Query>, Error> {
    if wanted.set.is_empty() && wanted.remove.is_empty() {
        return Ok(None);
    }
    judged.changed(&wanted.set, &wanted.remove, owned).map(Some).map_err(|why| match why {
        Unchangeable::Ambiguous(why) => Error::BadRequest(why),
        Unchangeable::Unsound(why) => Error::PolicyUnsound(format!("its query cannot be sent: {why}")),
    })
}

/// A header that neither the connection nor an injection owns.
fn free(name: &str, owned: &[&HeaderName]) -> Result<HeaderName, Error> {
    let parsed: HeaderName = name.parse().map_err(|_| unsound("this name of", name))?;
    match headers::class(parsed.as_str()) {
        Class::EndToEnd if !owned.contains(&&parsed) && parsed != HOST => Ok(parsed),
        Class::EndToEnd
        | Class::Ambiguous
        | Class::Carrier
        | Class::HopByHop
        | Class::Own
        | Class::Forwarding
        | Class::Framing => Err(unsound("this choice of", name)),
    }
}

fn unsound(what: &str, name: &str) -> Error {
    // the name came from the policy, not from the request; it is for the operator's log and audit alone
    Error::PolicyUnsound(format!("{what} header {name:?} cannot be honoured"))
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn headers_that_somebody_owns_are_refused() {
        let mine: HeaderName = HeaderName::from_static("x-token");
        let check = |name: &str, value: &str, honoured: bool| {
            let set = headers_to_set(&[(name.to_owned(), value.to_owned())], &[&mine]);
            assert_eq!(set.is_ok(), honoured, "{name}: {value}");
        };
        check("X-Team", "payments", true);
        check("User-Agent", "ours", true);
        for name in [
            "x-token",
            AUTHORIZATION.as_str(),
            "HOST",
            "connection",
            "te",
            "Content-Length",
            "transfer-encoding",
        ] {
            check(name, "planted", false);
        }
        for name in ["claviger-task", "x-forwarded-for", "cookie", "x a", "", "x_team"] {
            check(name, "planted", false);
        }
        check("x-team", "a\r\nX-Planted: b", false);
        check("x-team", "a\0b", false);
    }

    #[test]
    fn what_nobody_sends_needs_no_removing() {
        let mine: HeaderName = HeaderName::from_static("x-token");
        let check = |name: &str, expected: Option<&[&str]>| {
            let found = headers_to_remove(&[name.to_owned()], &[&mine]).ok();
            let found = found.as_ref().map(|names| names.iter().map(HeaderName::as_str).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        check("Accept", Some(&["accept"]));
        for name in ["authorization", "cookie", "x-forwarded-for", "claviger-purpose", "x_team"] {
            check(name, Some(&[]));
        }
        for name in ["x-token", "host", "connection", "content-length", "transfer-encoding", "te", "a b"] {
            check(name, None);
        }
    }

    #[test]
    fn scrubbing_is_never_loosened() {
        let check = |configured, wanted, expected| {
            assert_eq!(scrubbing(configured, wanted).ok(), expected, "{configured} {wanted:?}");
        };
        check(true, None, Some(true));
        check(true, Some(true), Some(true));
        check(true, Some(false), None);
        check(false, None, Some(false));
        check(false, Some(true), Some(true));
        check(false, Some(false), Some(false));
    }

    #[test]
    fn answers_keep_what_is_the_connections_and_ours() {
        let check = |name: &str, value: &str, honoured: bool| {
            let found = answer_headers(&[(name.to_owned(), value.to_owned())]);
            assert_eq!(found.is_ok(), honoured, "{name}: {value}");
            if value == "a" {
                assert_eq!(answer_names(&[name.to_owned()]).is_ok(), honoured, "{name}");
            }
        };
        for name in ["X-Foo", "Location", "WWW-Authenticate", "Set-Cookie", "Content-Type", "Cache-Control"] {
            check(name, "a", true);
        }
        for name in [
            "connection",
            "keep-alive",
            "content-length",
            "transfer-encoding",
            "trailer",
            "upgrade",
            "proxy-status",
            "proxy-authenticate",
            "claviger-request-id",
            "alt-svc",
            "access-control-allow-origin",
            "content_length",
            "a b",
        ] {
            check(name, "a", false);
        }
        check("x-foo", "a\r\nX-Planted: b", false);
    }

    #[test]
    fn scopes_narrow_and_never_widen() {
        let offered = Arc::from(["read".to_owned(), "write".to_owned()]);
        let check = |chosen: Option<&[&str]>, expected: Option<&[&str]>| {
            let chosen = chosen.map(|chosen| chosen.iter().map(|scope| (*scope).to_owned()).collect());
            let found = scopes(&offered, chosen).ok();
            assert_eq!(
                found.as_deref(),
                expected.map(|scopes| scopes.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).as_deref()
            );
        };
        check(None, Some(&["read", "write"]));
        check(Some(&["write", "read", "read"]), Some(&["read", "write"]));
        check(Some(&["read"]), Some(&["read"]));
        check(Some(&[]), Some(&[]));
        check(Some(&["read", "admin"]), None);
    }
}
