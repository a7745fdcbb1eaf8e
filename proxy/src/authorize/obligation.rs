//! What a permit may bind us to: only less than the route offers, and only headers that nobody else owns.

use http::header::{HOST, HeaderName, HeaderValue};

use crate::error::Error;
use crate::request::headers::{self, Class};
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
pub(super) fn scopes(offered: &[String], chosen: Option<Vec<String>>) -> Result<Vec<String>, Error> {
    let Some(mut chosen) = chosen else { return Ok(offered.to_vec()) };
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.iter().all(|scope| offered.contains(scope)) {
        Ok(chosen)
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

/// Headers that the policy takes out.
pub(super) fn headers_to_remove(wanted: &[String], owned: &[&HeaderName]) -> Result<Vec<HeaderName>, Error> {
    wanted.iter().map(|name| free(name, owned)).collect()
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
        assert!(headers_to_remove(&["accept".into()], &[&mine]).is_ok());
        assert!(headers_to_remove(&["x-token".into()], &[&mine]).is_err());
    }

    #[test]
    fn scopes_narrow_and_never_widen() {
        let offered = ["read".to_owned(), "write".to_owned()];
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
