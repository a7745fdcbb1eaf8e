//! The query: decoded for the policy, as sent for the wire, and without the credentials that a workload put in it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The most pairs a query may hold.
pub const PAIRS_MAX: usize = 1024;
/// The most bytes that a query may have once a policy has changed it, unless it came longer.
const CHANGED_BYTES_MAX: usize = 16 * 1024;

/// What is written bare.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Parameters that are a credential or belong to one, spelt as [`folded`] leaves them.
const CARRIERS: &[&str] = &[
    "access_token",
    "api_key",
    "api_token",
    "apikey",
    "apitoken",
    "auth_token",
    "awsaccesskeyid",
    "circle_token",
    "client_assertion",
    "client_secret",
    "googleaccessid",
    "id_token",
    "job_token",
    "jwt",
    "oauth_signature",
    "oauth_token",
    "personal_access_token",
    "private_token",
    "refresh_token",
    "sig",
    "subscription_key",
    "x_amz_algorithm",
    "x_amz_credential",
    "x_amz_date",
    "x_amz_expires",
    "x_amz_security_token",
    "x_amz_signature",
    "x_amz_signedheaders",
    "x_api_key",
    "x_goog_algorithm",
    "x_goog_credential",
    "x_goog_date",
    "x_goog_expires",
    "x_goog_signature",
    "x_goog_signedheaders",
];

/// A query that decodes in one way and carries no credential of the workload's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    wire: String,
    presented: Vec<String>,
}

impl Query {
    /// Reads what follows the `?`. `owned` are the parameters that the route's injections write: the workload's
    /// are removed, as are all known credential carriers. The error is a sentence for the workload.
    pub fn parse(raw: String, owned: &[&str]) -> Result<Self, &'static str> {
        check_bytes(&raw)?;
        let mut presented = Vec::new();
        for (index, piece) in raw.split('&').enumerate() {
            if index == PAIRS_MAX {
                return Err("the query has more than 1024 pairs");
            }
            let (name, value) = split_pair(piece);
            check_part(name, Part::Name)?;
            check_part(value, Part::Value)?;
            if carries(name, owned) {
                presented.push(decoded(name).to_ascii_lowercase());
            } else if piece.split(';').skip(1).any(|inner| carries(split_pair(inner).0, owned)) {
                return Err("the query has a credential behind a semicolon");
            }
        }
        let wire = if presented.is_empty() { raw } else { without_carriers(&raw, owned) };
        Ok(Self { wire, presented })
    }

    /// The text to send, without `?`; empty where nothing is left.
    pub fn wire(&self) -> &str {
        &self.wire
    }

    /// The decoded names and values of [`Self::wire`], in order, duplicates and all.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let pieces = self.wire.split('&').filter(|piece| !piece.is_empty());
        pieces.map(|piece| {
            let (name, value) = split_pair(piece);
            (decoded(name), decoded(value))
        })
    }

    /// The same with some parameters set and then some removed, by their decoded names; the others stay as they were
    /// sent. All values that are set for a name stand at the end, in place of those that were there.
    pub fn changed(
        &self,
        set: &[(String, String)],
        remove: &[String],
        owned: &[&str],
    ) -> Result<Self, Unchangeable> {
        if remove.iter().any(|name| is_owned(name, owned)) {
            return Err(Unchangeable::Unsound("an injection owns a parameter that it removes"));
        }
        let removed = |name: &str| remove.iter().any(|gone| gone == name);
        let touched = |name: &str| removed(name) || set.iter().any(|(given, _)| given == name);
        let pieces = || self.wire.split('&').filter(|piece| !piece.is_empty());
        if pieces().any(|piece| piece.split(';').skip(1).any(|inner| touched(&decoded(split_pair(inner).0))))
        {
            return Err(Unchangeable::Ambiguous(
                "the query has a parameter that the policy changes behind a semicolon",
            ));
        }
        let mut wire = String::with_capacity(self.wire.len());
        for piece in pieces().filter(|piece| !touched(&decoded(split_pair(piece).0))) {
            push_piece(&mut wire, piece);
        }
        for (name, value) in set.iter().filter(|(name, _)| !removed(name)) {
            let name = utf8_percent_encode(name, UNRESERVED);
            push_piece(&mut wire, &format!("{name}={}", utf8_percent_encode(value, UNRESERVED)));
        }
        if wire.len() > CHANGED_BYTES_MAX.max(self.wire.len()) {
            return Err(Unchangeable::Unsound("it is longer than 16 KiB"));
        }
        let changed = Self::parse(wire, owned).map_err(Unchangeable::Unsound)?;
        if !changed.presented.is_empty() {
            return Err(Unchangeable::Unsound("it sets a parameter that is a credential's"));
        }
        Ok(Self { presented: self.presented.clone(), ..changed })
    }

    /// The decoded lower-case names of what was removed.
    pub fn presented(&self) -> &[String] {
        &self.presented
    }
}

/// Why a query cannot be changed as a policy wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchangeable {
    /// The workload's query has a second reading in which the change would not hold.
    Ambiguous(&'static str),
    /// The change is not one that may be made.
    Unsound(&'static str),
}

/// Which half of a pair a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Value,
}

/// Only visible ASCII may stand in a query as sent.
fn check_bytes(raw: &str) -> Result<(), &'static str> {
    if raw.contains('#') {
        return Err("the query has a fragment (#)");
    }
    if !raw.is_ascii() {
        return Err("the query has characters outside ASCII; percent-encode them");
    }
    if !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the query has a space or a control character");
    }
    Ok(())
}

/// Sees to it that a part has one decoded form.
fn check_part(part: &str, place: Part) -> Result<(), &'static str> {
    let is_escape =
        |at: usize| part.as_bytes().get(at..at + 2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !part.contains('%') {
        return Ok(());
    }
    if !part.match_indices('%').all(|(at, _)| is_escape(at + 1)) {
        return Err("the query has a % without two hexadecimal digits");
    }
    let text = percent_decode_str(part).decode_utf8().map_err(|_| "the query is not UTF-8 once decoded")?;
    let is_line_space = |char| place == Part::Value && matches!(char, '\t' | '\n' | '\r');
    if text.chars().any(|char| char.is_control() && !is_line_space(char)) {
        return Err("the query has an encoded control character");
    }
    Ok(())
}

/// The two sides of the first `=`; a name alone has an empty value.
fn split_pair(piece: &str) -> (&str, &str) {
    piece.split_once('=').unwrap_or((piece, ""))
}

/// A checked part as form decoding reads it: `+` is a space.
fn decoded(part: &str) -> Cow<'_, str> {
    if !part.contains(['%', '+']) {
        return Cow::Borrowed(part);
    }
    let spaced = part.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// Whether the parameter is a credential of the workload's.
fn carries(name: &str, owned: &[&str]) -> bool {
    let name = decoded(name);
    is_owned(&name, CARRIERS) || is_owned(&name, owned)
}

/// Whether a decoded name is one of `owned` to a lenient reader.
fn is_owned(name: &str, owned: &[&str]) -> bool {
    let stem = stem(name);
    owned.iter().any(|other| other.len() == stem.len() && folded(other).eq(folded(stem)))
}

/// Appends a piece behind its `&`.
fn push_piece(wire: &mut String, piece: &str) {
    if !wire.is_empty() {
        wire.push('&');
    }
    wire.push_str(piece);
}

/// A name as lenient form parsers see it: without leading spaces and without indices (`name[]`).
fn stem(name: &str) -> &str {
    let name = name.trim_start_matches(' ');
    name.split_once('[').map_or(name, |(stem, _)| stem)
}

/// A stem without case, with `-`, `.`, space and `_` alike.
fn folded(stem: &str) -> impl Iterator<Item = u8> {
    stem.bytes().map(|byte| match byte {
        b'-' | b'.' | b' ' => b'_',
        byte => byte.to_ascii_lowercase(),
    })
}

/// The query as sent, less the carriers.
fn without_carriers(raw: &str, owned: &[&str]) -> String {
    let kept: Vec<&str> = raw.split('&').filter(|piece| !carries(split_pair(piece).0, owned)).collect();
    kept.join("&")
}

#[cfg(test)]
mod tests;
