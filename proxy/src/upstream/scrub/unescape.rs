//! The second reading of a text: without percent signs and JSON escapes, of which every byte may or may not have one.

use std::collections::VecDeque;

use crate::credential::forms::automaton::{Automaton, ROOT, State};

/// A run of bytes of the text, counted back from where a scanner stands.
pub(super) struct Run {
    /// How many bytes after its end were read.
    pub(super) after: usize,
    /// Its own bytes.
    pub(super) bytes: usize,
}

/// Where the second reading stands while it differs from the first.
pub(super) struct Unescaped {
    state: State,
    /// How many bytes each of the last `depth(state)` characters takes in the text.
    widths: VecDeque<u8>,
    width: usize,
    /// The beginning of what may be an escape.
    pending: Vec<u8>,
}

enum Reading {
    /// It depends on what follows.
    Begun,
    /// All of it stands for this character.
    Escape(u8),
    /// Its first byte stands for itself.
    Plain,
}

/// Whether the readings part at `byte`.
pub(super) fn begins(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\')
}

impl Unescaped {
    pub(super) fn new() -> Self {
        Self { state: ROOT, widths: VecDeque::new(), width: 0, pending: Vec::new() }
    }

    /// Begins where the first reading stands.
    pub(super) fn part(&mut self, automaton: &Automaton, from: State) {
        self.state = from;
        self.width = automaton.depth(from);
        self.widths.clear();
        self.widths.resize(self.width, 1);
        self.pending.clear();
    }

    /// Whether both readings will go on alike.
    pub(super) fn rejoins(&self, first: State) -> bool {
        self.pending.is_empty() && self.state == first && self.width == self.widths.len()
    }

    /// How many bytes of the text could still become a form in this reading. What a form was found in is not counted:
    /// it is redacted.
    pub(super) fn live(&self, automaton: &Automaton) -> usize {
        let whole = automaton.found(self.state) == self.widths.len();
        self.pending.len() + if whole { 0 } else { self.width }
    }

    /// Reads one byte and tells of every form that ends.
    pub(super) fn read(&mut self, automaton: &Automaton, byte: u8, mut found: impl FnMut(Run)) {
        self.pending.push(byte);
        while !self.pending.is_empty() {
            let (character, width) = match reading(&self.pending) {
                Reading::Begun => return,
                Reading::Escape(character) => (character, self.pending.len()),
                Reading::Plain => (self.pending[0], 1),
            };
            self.pending.drain(..width);
            self.step(automaton, character, width);
            let characters = automaton.found(self.state);
            if characters > 0 {
                let bytes = self.widths.iter().rev().take(characters).map(|width| usize::from(*width)).sum();
                found(Run { after: self.pending.len(), bytes });
            }
        }
    }

    fn step(&mut self, automaton: &Automaton, character: u8, width: usize) {
        self.state = automaton.next(self.state, character);
        self.width += width;
        self.widths.push_back(u8::try_from(width).expect("escapes are short"));
        while self.widths.len() > automaton.depth(self.state) {
            self.width -= self.widths.pop_front().map_or(0, usize::from);
        }
    }
}

fn reading(pending: &[u8]) -> Reading {
    match pending {
        [b'%'] | [b'\\'] => Reading::Begun,
        [b'%', digits @ ..] => hex(digits),
        [b'\\', escaped @ (b'/' | b'"' | b'\\' | b'\'')] => Reading::Escape(*escaped),
        [b'\\', b'x', digits @ ..] => hex(digits),
        [b'\\', b'u'] | [b'\\', b'u', b'0'] => Reading::Begun,
        [b'\\', b'u', b'0', b'0', digits @ ..] => hex(digits),
        _ => Reading::Plain,
    }
}

/// Two digits, when they are there.
fn hex(digits: &[u8]) -> Reading {
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    match digits {
        [] => Reading::Begun,
        [high] if value(high).is_some() => Reading::Begun,
        [high, low] => match (value(high), value(low)) {
            (Some(high), Some(low)) => Reading::Escape(16 * high + low),
            _ => Reading::Plain,
        },
        _ => Reading::Plain,
    }
}
