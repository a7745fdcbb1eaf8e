//! Do two glob-like patterns match a text in common? `[a-z]+`, `.*` and plain characters, with `\` to quote.

use crate::builtins::Fault;

/// Comparisons of two tokens; several stars in both patterns would need exponentially many.
const STEPS_MAX: usize = 200_000;
const TOKENS_MAX: usize = 4096;
const NO_GLOB: Fault = Fault::Undefined("a pattern is no glob");

/// Whether the patterns have a text in common that is not empty.
pub(super) fn intersect(one: &str, other: &str) -> Result<bool, Fault> {
    let (one, other) = (simplified(tokens(one)?), simplified(tokens(other)?));
    let Some((one, other)) = trimmed(&one, &other) else { return Ok(false) };
    Search { steps: 0 }.plain(one, other)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Once,
    Plus,
    Star,
}

#[derive(Clone, PartialEq, Eq)]
enum Shape {
    One(char),
    Any,
    /// Sorted ranges that do not touch.
    Of(Vec<(char, char)>),
}

#[derive(Clone)]
struct Token {
    shape: Shape,
    repeat: Repeat,
}

impl Token {
    fn meets(&self, other: &Token) -> bool {
        match (&self.shape, &other.shape) {
            (Shape::Any, _) | (_, Shape::Any) => true,
            (Shape::One(one), Shape::One(other)) => one == other,
            (Shape::One(one), Shape::Of(ranges)) | (Shape::Of(ranges), Shape::One(one)) => {
                ranges.iter().any(|(from, to)| (from..=to).contains(&one))
            }
            (Shape::Of(ranges), Shape::Of(others)) => {
                ranges.iter().any(|(from, to)| others.iter().any(|(begin, end)| from <= end && begin <= to))
            }
        }
    }
}

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
}

fn tokens(pattern: &str) -> Result<Vec<Token>, Fault> {
    let mut reader = Reader { chars: pattern.chars().peekable() };
    let mut tokens = Vec::new();
    while let Some((c, quoted)) = reader.next()? {
        let shape = match c {
            _ if quoted => Shape::One(c),
            '.' => Shape::Any,
            '[' => reader.set()?,
            ']' | '+' | '*' => return Err(NO_GLOB),
            c => Shape::One(c),
        };
        tokens.push(Token { shape, repeat: reader.repeat() });
        if tokens.len() > TOKENS_MAX {
            return Err(Fault::Halt("a pattern is too long"));
        }
    }
    Ok(tokens)
}

impl Reader<'_> {
    /// A character, and whether a backslash stands before it.
    fn next(&mut self) -> Result<Option<(char, bool)>, Fault> {
        match self.chars.next() {
            Some('\\') => self.chars.next().map(|c| Some((c, true))).ok_or(NO_GLOB),
            other => Ok(other.map(|c| (c, false))),
        }
    }

    fn repeat(&mut self) -> Repeat {
        let repeat = match self.chars.peek() {
            Some('+') => Repeat::Plus,
            Some('*') => Repeat::Star,
            Some(_) | None => return Repeat::Once,
        };
        self.chars.next();
        repeat
    }

    fn set(&mut self) -> Result<Shape, Fault> {
        let (mut ranges, mut before) = (Vec::new(), None);
        while let Some((c, quoted)) = self.next()? {
            match c {
                ']' if !quoted => return Ok(Shape::Of(merged(ranges))),
                '-' if !quoted => {
                    let from = before.take().ok_or(NO_GLOB)?;
                    let (to, quoted) = self.next()?.ok_or(NO_GLOB)?;
                    if to < from || !quoted && matches!(to, ']' | '-') {
                        return Err(NO_GLOB);
                    }
                    ranges.push((from, to));
                }
                c => {
                    ranges.push((c, c));
                    before = Some(c);
                }
            }
        }
        Err(NO_GLOB)
    }
}

fn merged(mut ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    ranges.sort_unstable();
    let mut merged: Vec<(char, char)> = Vec::new();
    for (from, to) in ranges {
        match merged.last_mut() {
            Some(last) if u32::from(from) <= u32::from(last.1) + 1 => last.1 = last.1.max(to),
            Some(_) | None => merged.push((from, to)),
        }
    }
    merged
}

/// Equal neighbours that both repeat are one.
fn simplified(tokens: Vec<Token>) -> Vec<Token> {
    let mut simple: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match simple.last_mut() {
            Some(last)
                if token.repeat != Repeat::Once
                    && last.repeat != Repeat::Once
                    && token.shape == last.shape =>
            {
                if token.repeat == Repeat::Plus {
                    last.repeat = Repeat::Plus;
                }
            }
            Some(_) | None => simple.push(token),
        }
    }
    simple
}

/// Cuts off what is plain at both ends, all but one token, or finds that the ends differ.
fn trimmed<'a>(one: &'a [Token], other: &'a [Token]) -> Option<(&'a [Token], &'a [Token])> {
    let plain = |(a, b): &(&Token, &Token)| a.repeat == Repeat::Once && b.repeat == Repeat::Once;
    let mut start = 0;
    for (a, b) in one.iter().zip(other).take_while(plain) {
        if !a.meets(b) {
            return None;
        }
        start += 1;
    }
    let start = start.max(1) - 1;
    let (one, other) = (&one[start.min(one.len())..], &other[start.min(other.len())..]);
    let mut cut = 0;
    for (a, b) in one.iter().rev().zip(other.iter().rev()).take_while(plain) {
        if !a.meets(b) {
            return None;
        }
        cut += 1;
    }
    let cut = cut.max(1) - 1;
    Some((&one[..one.len() - cut], &other[..other.len() - cut]))
}

struct Search {
    steps: usize,
}

impl Search {
    fn meets(&mut self, one: &Token, other: &Token) -> Result<bool, Fault> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(Fault::Halt("the patterns are too complex"));
        }
        Ok(one.meets(other))
    }

    fn plain(&mut self, one: &[Token], other: &[Token]) -> Result<bool, Fault> {
        for (at, (a, b)) in one.iter().zip(other).enumerate() {
            if a.repeat != Repeat::Once || b.repeat != Repeat::Once {
                return self.repeated(&one[at..], &other[at..]);
            }
            if !self.meets(a, b)? {
                return Ok(false);
            }
        }
        Ok(one.len() == other.len())
    }

    fn repeated(&mut self, one: &[Token], other: &[Token]) -> Result<bool, Fault> {
        match (one[0].repeat, other[0].repeat) {
            (Repeat::Plus, _) => self.plus(one, other),
            (Repeat::Star, _) => self.star(one, other),
            (Repeat::Once, Repeat::Plus) => self.plus(other, one),
            (Repeat::Once, Repeat::Star) => self.star(other, one),
            (Repeat::Once, Repeat::Once) => Ok(false),
        }
    }

    fn plus(&mut self, plussed: &[Token], other: &[Token]) -> Result<bool, Fault> {
        if !self.meets(&plussed[0], &other[0])? {
            return Ok(false);
        }
        if self.star(plussed, &other[1..])? {
            return Ok(true);
        }
        Ok(other[0].repeat != Repeat::Once && self.plain(&plussed[1..], other)?)
    }

    fn star(&mut self, starred: &[Token], other: &[Token]) -> Result<bool, Fault> {
        let next = starred.get(1);
        for (at, token) in other.iter().enumerate() {
            if let Some(next) = next
                && self.meets(token, next)?
                && self.plain(&starred[1..], &other[at..])?
            {
                return Ok(true);
            }
            if !self.meets(token, &starred[0])? {
                return Ok(false);
            }
        }
        Ok(next.is_none())
    }
}
