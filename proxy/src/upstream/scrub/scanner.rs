//! Finds one secret's forms in a stream that comes in pieces, and overwrites them byte for byte. Of each piece only
//! the end is held back that could be the beginning of a form.

use std::ops::Range;

use bytes::Bytes;

use super::unescape::{self, Unescaped};
use crate::credential::forms::automaton::{Automaton, ROOT, State};

/// Stands in place of every byte of a secret, so that lengths stay true.
pub(super) const REDACTED: u8 = b'*';

/// Where the search for one secret stands in one stream.
pub(super) struct Scanner {
    /// Of the text as it is.
    state: State,
    unescaped: Unescaped,
    /// Whether the second reading differs from the first.
    apart: bool,
    /// The end of the earlier pieces, redacted as far as it is known to be secret.
    held: Vec<u8>,
    /// What is to be overwritten in `held` and the piece after it, in order.
    secret: Vec<Range<usize>>,
    found: bool,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self {
            state: ROOT,
            unescaped: Unescaped::new(),
            apart: false,
            held: Vec::new(),
            secret: Vec::new(),
            found: false,
        }
    }

    /// A whole text without the secret, where that is in it.
    pub(super) fn hidden(automaton: &Automaton, text: &[u8]) -> Option<Vec<u8>> {
        let mut scanner = Self::new();
        scanner.scan(automaton, text);
        let mut clean = (!scanner.secret.is_empty()).then(|| text.to_vec())?;
        scanner.secret.drain(..).for_each(|range| clean[range].fill(REDACTED));
        Some(clean)
    }

    /// Whether anything was overwritten yet.
    pub(super) fn found(&self) -> bool {
        self.found
    }

    /// Takes the next piece, and gives what may go on: a piece without anything to hold or to hide as it came.
    pub(super) fn push(&mut self, automaton: &Automaton, piece: Bytes) -> Bytes {
        self.scan(automaton, &piece);
        let live = match self.apart {
            true => self.live(automaton).max(self.unescaped.live(automaton)),
            false => self.live(automaton),
        };
        self.assemble(piece, live)
    }

    /// The stream has ended: what was held back began no form.
    pub(super) fn finish(&mut self) -> Bytes {
        (self.state, self.apart) = (ROOT, false);
        std::mem::take(&mut self.held).into()
    }

    /// How many bytes could still become a form; one that is whole is redacted, and need not wait for a longer one.
    fn live(&self, automaton: &Automaton) -> usize {
        let depth = automaton.depth(self.state);
        if automaton.found(self.state) == depth { 0 } else { depth }
    }

    fn scan(&mut self, automaton: &Automaton, piece: &[u8]) {
        let before = self.held.len();
        let (mut at, mut escape) = (0, 0);
        while at < piece.len() {
            if self.state == ROOT && !self.apart {
                at = skip(automaton, piece, at, &mut escape);
            }
            if let Some(byte) = piece.get(at) {
                at += 1;
                self.read(automaton, *byte, before + at);
            }
        }
    }

    /// Reads one byte, after which `end` bytes of `held` and the piece are read.
    fn read(&mut self, automaton: &Automaton, byte: u8, end: usize) {
        if !self.apart && unescape::begins(byte) {
            self.apart = true;
            self.unescaped.part(automaton, self.state);
        }
        self.state = automaton.next(self.state, byte);
        let found = automaton.found(self.state);
        if found > 0 {
            hide(&mut self.secret, end.saturating_sub(found)..end);
        }
        if self.apart {
            let secret = &mut self.secret;
            self.unescaped.read(automaton, byte, |run| {
                let end = end - run.after;
                hide(secret, end.saturating_sub(run.bytes)..end);
            });
            self.apart = !self.unescaped.rejoins(self.state);
        }
    }

    fn assemble(&mut self, piece: Bytes, live: usize) -> Bytes {
        self.found |= !self.secret.is_empty();
        // what a whole form covers has gone on, though a longer one may have begun with it
        let live = live.min(self.held.len() + piece.len());
        if self.held.is_empty() && self.secret.is_empty() {
            let ready = piece.len() - live;
            self.held.extend_from_slice(&piece[ready..]);
            return piece.slice(..ready);
        }
        let mut whole = Vec::with_capacity(self.held.len() + piece.len());
        whole.append(&mut self.held);
        whole.extend_from_slice(&piece);
        self.secret.drain(..).for_each(|range| whole[range].fill(REDACTED));
        let ready = whole.len() - live;
        self.held.extend_from_slice(&whole[ready..]);
        whole.truncate(ready);
        whole.into()
    }
}

/// The first place, from `at`, where a form may begin in either reading. `escape` is where the readings last parted.
fn skip(automaton: &Automaton, text: &[u8], mut at: usize, escape: &mut usize) -> usize {
    loop {
        if *escape <= at {
            *escape = unescape::first(&text[at..]).map_or(text.len(), |place| at + place);
        }
        at = automaton.skip(&text[..*escape], at);
        let passed = if at == *escape { unescape::idle(automaton, &text[at..]) } else { None };
        match passed {
            Some(bytes) => at += bytes,
            None => return at,
        }
    }
}

/// Adds a range; ranges that touch become one, so that text full of secrets is not gone over again and again.
fn hide(secret: &mut Vec<Range<usize>>, mut range: Range<usize>) {
    while let Some(last) = secret.pop_if(|last| last.end >= range.start) {
        range = last.start.min(range.start)..last.end.max(range.end);
    }
    secret.push(range);
}
