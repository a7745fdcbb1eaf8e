//! The second reading of a text: without percent signs, JSON escapes and HTML references, of which every byte may or
//! may not have one.

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
    pending: Pending,
}

/// Bytes whose meaning depends on what follows.
#[derive(Default)]
struct Pending {
    bytes: [u8; REFERENCE_BYTES_MAX],
    count: usize,
}

impl Pending {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.count]
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.count] = byte;
        self.count += 1;
    }

    fn drop_first(&mut self, count: usize) {
        self.bytes.copy_within(count..self.count, 0);
        self.count -= count;
    }
}

enum Reading {
    /// It depends on what follows.
    Begun,
    /// All of it stands for this character.
    Escape(u8),
    /// Its first byte stands for itself.
    Plain,
}

/// What an escape begins with.
const BEGINNINGS: [u8; 3] = [b'%', b'\\', b'&'];
/// The references by name that programs use where they must.
const NAMED: [(&[u8], u8); 5] =
    [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];
/// As in `&#0043;`.
const REFERENCE_BYTES_MAX: usize = 8;

/// Whether the readings part at `byte`.
pub(super) fn begins(byte: u8) -> bool {
    BEGINNINGS.contains(&byte)
}

/// The first place where the readings part.
pub(super) fn first(text: &[u8]) -> Option<usize> {
    let [percent, backslash, ampersand] = BEGINNINGS;
    memchr::memchr3(percent, backslash, ampersand, text)
}

/// How many bytes the escape takes that `text` begins with, where no form begins in either reading of it; none where
/// one may, or where more has to be known.
pub(super) fn idle(automaton: &Automaton, text: &[u8]) -> Option<usize> {
    let lengths = 1..=text.len().min(REFERENCE_BYTES_MAX);
    let (character, bytes) = lengths.into_iter().find_map(|length| match reading(&text[..length]) {
        Reading::Begun => None,
        Reading::Escape(character) => Some((character, length)),
        Reading::Plain => Some((text[0], 1)),
    })?;
    let is_idle = !automaton.begins(character) && !text[..bytes].iter().any(|byte| automaton.begins(*byte));
    is_idle.then_some(bytes)
}

impl Unescaped {
    pub(super) fn new() -> Self {
        Self { state: ROOT, widths: VecDeque::new(), width: 0, pending: Pending::default() }
    }

    /// Begins where the first reading stands.
    pub(super) fn part(&mut self, automaton: &Automaton, from: State) {
        self.state = from;
        self.width = automaton.depth(from);
        self.widths.clear();
        self.widths.resize(self.width, 1);
        self.pending.count = 0;
    }

    /// Whether both readings will go on alike.
    pub(super) fn rejoins(&self, first: State) -> bool {
        self.pending.count == 0 && self.state == first && self.width == self.widths.len()
    }

    /// How many bytes of the text could still become a form in this reading. What a form was found in is not counted:
    /// it is redacted.
    pub(super) fn live(&self, automaton: &Automaton) -> usize {
        let whole = automaton.found(self.state) == self.widths.len();
        self.pending.count + if whole { 0 } else { self.width }
    }

    /// Reads one byte and tells of every form that ends.
    pub(super) fn read(&mut self, automaton: &Automaton, byte: u8, mut found: impl FnMut(Run)) {
        self.pending.push(byte);
        while let [first, ..] = *self.pending.bytes() {
            let (character, width) = match reading(self.pending.bytes()) {
                Reading::Begun => return,
                Reading::Escape(character) => (character, self.pending.count),
                Reading::Plain => (first, 1),
            };
            self.pending.drop_first(width);
            self.step(automaton, character, width);
            let characters = automaton.found(self.state);
            if characters > 0 {
                let bytes = self.widths.iter().rev().take(characters).map(|width| usize::from(*width)).sum();
                found(Run { after: self.pending.count, bytes });
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
        [b'%' | b'\\' | b'&'] => Reading::Begun,
        [b'%', digits @ ..] => hex(digits),
        [b'\\', escaped @ (b'/' | b'"' | b'\\' | b'\'')] => Reading::Escape(*escaped),
        [b'\\', b'x', digits @ ..] => hex(digits),
        [b'\\', b'u'] | [b'\\', b'u', b'0'] => Reading::Begun,
        [b'\\', b'u', b'0', b'0', digits @ ..] => hex(digits),
        [b'&', b'#', number @ ..] => numbered(number),
        [b'&', ..] => named(pending),
        _ => Reading::Plain,
    }
}

/// `43;` or `x2b;`, after the `&#`.
fn numbered(number: &[u8]) -> Reading {
    let (digits, radix) = match number {
        [b'x' | b'X', digits @ ..] => (digits, 16),
        digits => (digits, 10),
    };
    let (digits, whole) = match digits {
        [digits @ .., b';'] => (digits, true),
        digits => (digits, false),
    };
    if !digits.iter().all(|digit| char::from(*digit).is_digit(radix)) {
        return Reading::Plain;
    }
    if !whole {
        return if 2 + number.len() < REFERENCE_BYTES_MAX { Reading::Begun } else { Reading::Plain };
    }
    let text = std::str::from_utf8(digits).expect("digits are ASCII");
    u8::from_str_radix(text, radix).map_or(Reading::Plain, Reading::Escape)
}

fn named(pending: &[u8]) -> Reading {
    match NAMED.iter().find(|(name, _)| name.starts_with(pending)) {
        Some((name, character)) if name.len() == pending.len() => Reading::Escape(*character),
        Some(_) => Reading::Begun,
        None => Reading::Plain,
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
