//! Takes reflected secrets out of an answer: every form of every secret that its request carried, in the reason, the
//! headers and the body, over any boundary. What cannot be read is not passed on.

mod coding;
mod scanner;
mod trial;
mod unescape;

use std::rc::Rc;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, HeaderValue,
};
use http::{StatusCode, response};
use hyper::ext::ReasonPhrase;

use self::coding::{Coding, Decoder};
use self::scanner::Scanner;
pub use self::trial::Trial;
use crate::credential::cache::Sought;
use crate::credential::forms::automaton::Automaton;
use crate::error::Error;
use crate::exchange::Exchange;

/// Digests of the bytes as they came; those of an answer that is decoded on the way are no longer true.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// One answer on its way through.
pub(super) struct Scrubber {
    searches: Vec<Search>,
    decoder: Option<Decoder>,
    exchange: Rc<Exchange>,
    told: bool,
    over: bool,
}

struct Search {
    sought: Sought,
    scanner: Scanner,
}

impl Scrubber {
    /// Looks for every secret in `sought`, and makes the head of the answer safe. An answer that cannot be read as a
    /// whole is an error.
    pub(super) fn begin(
        sought: Vec<Sought>,
        head: &mut response::Parts,
        exchange: Rc<Exchange>,
    ) -> Result<Self, Error> {
        if head.status == StatusCode::PARTIAL_CONTENT {
            return Err(Error::UpstreamProtocol("it sent a part of an answer that was asked for whole"));
        }
        let coding = Coding::of(&head.headers).map_err(Error::UpstreamProtocol)?;
        if coding.is_some() {
            decoded(&mut head.headers);
        }
        head.headers.remove(ACCEPT_RANGES);
        let searches = sought.into_iter().map(|sought| Search { sought, scanner: Scanner::new() }).collect();
        let decoder = coding.map(Decoder::new);
        let mut scrubber = Self { searches, decoder, exchange, told: false, over: false };
        scrubber.head(head);
        Ok(scrubber)
    }

    fn head(&mut self, head: &mut response::Parts) {
        let reason = head.extensions.get::<ReasonPhrase>();
        let hidden = reason.and_then(|reason| self.hidden(reason.as_bytes(), Sought::forms));
        let mut found = hidden.is_some();
        if found {
            head.extensions.remove::<ReasonPhrase>();
        }
        let names = head.headers.keys().filter(|name| self.hidden(name.as_ref(), Sought::folded).is_some());
        let names: Vec<HeaderName> = names.cloned().collect();
        found |= !names.is_empty();
        names.iter().for_each(|name| drop(head.headers.remove(name)));
        for (name, value) in &mut head.headers {
            if let Some(hidden) =
                self.hidden(value.as_bytes(), Sought::forms).filter(|_| name != CONTENT_LENGTH)
            {
                *value = HeaderValue::from_bytes(&hidden).expect("asterisks are valid in a header");
                found = true;
            }
        }
        self.tell(found);
    }

    /// A whole text without its secrets, if there were any.
    fn hidden(&self, text: &[u8], forms: fn(&Sought) -> &Automaton) -> Option<Vec<u8>> {
        let mut clean: Option<Vec<u8>> = None;
        for Search { sought, .. } in &self.searches {
            let text = clean.as_deref().unwrap_or(text);
            if text.len() >= sought.forms().form_bytes_min() {
                clean = Scanner::hidden(forms(sought), text).or(clean);
            }
        }
        clean
    }

    /// Takes a piece of the body as it came.
    pub(super) fn push(&mut self, piece: Bytes) -> Result<Bytes, &'static str> {
        match &mut self.decoder {
            None => Ok(self.search(piece)),
            Some(decoder) => {
                decoder.push(piece);
                self.more().map(Option::unwrap_or_default)
            }
        }
    }

    /// What is left to be read of the last piece, of which a little can be much; none when the next piece is needed.
    pub(super) fn more(&mut self) -> Result<Option<Bytes>, &'static str> {
        let Some(decoder) = &mut self.decoder else { return Ok(None) };
        let plain = decoder.next()?;
        Ok(plain.map(|plain| self.search(plain)))
    }

    /// The body has ended: gives what was held back.
    pub(super) fn finish(&mut self) -> Result<Bytes, &'static str> {
        self.decoder.as_ref().map_or(Ok(()), Decoder::finish)?;
        let mut rest = Bytes::new();
        for Search { sought, scanner } in &mut self.searches {
            let ready = scanner.push(sought.forms(), rest);
            rest = [ready, scanner.finish()].concat().into();
        }
        self.over = true;
        let found = self.found();
        self.tell(found);
        Ok(rest)
    }

    /// Whether the body keeps its length.
    pub(super) fn keeps_length(&self) -> bool {
        self.decoder.is_none()
    }

    /// Whether [`Self::finish`] has given the last.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    fn search(&mut self, mut piece: Bytes) -> Bytes {
        for Search { sought, scanner } in &mut self.searches {
            piece = scanner.push(sought.forms(), piece);
        }
        let found = self.found();
        self.tell(found);
        piece
    }

    fn found(&self) -> bool {
        self.searches.iter().any(|search| search.scanner.found())
    }

    /// Counts and logs an answer that told a secret, once.
    fn tell(&mut self, found: bool) {
        if found && !self.told {
            self.told = true;
            self.exchange.saw_reflection();
        }
    }
}

/// What is no longer true of an answer that is decoded on the way.
fn decoded(headers: &mut HeaderMap) {
    headers.remove(CONTENT_ENCODING);
    headers.remove(CONTENT_LENGTH);
    DIGESTS.iter().for_each(|name| drop(headers.remove(name)));
    if let Some(tag) = headers.get_mut(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/")) {
        let weak = [b"W/", tag.as_bytes()].concat();
        *tag = HeaderValue::from_bytes(&weak).expect("a prefix keeps it valid");
    }
}

#[cfg(test)]
mod tests;
