//! GraphQL's words.

use crate::builtins::Fault;

const NO_GRAPHQL: Fault = Fault::Undefined("it is no GraphQL");

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    /// One of `!$&():=@[]{}|`.
    Sign(u8),
    /// `...`
    Spread,
    Name,
    Int,
    Float,
    String,
    BlockString,
    Comment,
}

/// A word with its text: a string's without quotes and escapes, a comment's with its `#`.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// The words of a document, one after another.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Token, Fault> {
        const BYTE_ORDER_MARK: char = '\u{feff}';
        let blank = |c: char| matches!(c, '\t' | ' ' | ',' | '\n' | '\r' | BYTE_ORDER_MARK);
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(blank).len();
        let rest = &self.text[self.at..];
        match rest.as_bytes() {
            [] => Ok(Token { kind: Kind::End, text: String::new() }),
            [
                sign @ (b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'}'
                | b'|'),
                ..,
            ] => {
                self.at += 1;
                Ok(Token { kind: Kind::Sign(*sign), text: String::new() })
            }
            [b'.', b'.', b'.', ..] => {
                self.at += 3;
                Ok(Token { kind: Kind::Spread, text: String::new() })
            }
            [b'#', ..] => self.span(Kind::Comment, |c| c > '\u{1f}' || c == '\t'),
            [b'_' | b'a'..=b'z' | b'A'..=b'Z', ..] => {
                self.span(Kind::Name, |c| c.is_ascii_alphanumeric() || c == '_')
            }
            [b'-' | b'0'..=b'9', ..] => self.number(),
            [b'"', b'"', b'"', ..] => self.block_string(),
            [b'"', ..] => self.string(),
            _ => Err(NO_GRAPHQL),
        }
    }

    /// As many characters as belong to it.
    fn span(&mut self, kind: Kind, belongs: impl Fn(char) -> bool) -> Result<Token, Fault> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        Ok(Token { kind, text: rest[..length].to_owned() })
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let (start, mut kind) = (self.at, Kind::Int);
        self.accept(b"-");
        match self.accept(b"0") {
            true if self.digits() > 0 => return Err(NO_GRAPHQL),
            true => {}
            false => self.some_digits()?,
        }
        if self.accept(b".") {
            kind = Kind::Float;
            self.some_digits()?;
        }
        if self.accept(b"eE") {
            kind = Kind::Float;
            self.accept(b"-+");
            self.some_digits()?;
        }
        Ok(Token { kind, text: self.text[start..self.at].to_owned() })
    }

    fn accept(&mut self, wanted: &[u8]) -> bool {
        let found = self.text.as_bytes().get(self.at).is_some_and(|byte| wanted.contains(byte));
        self.at += usize::from(found);
        found
    }

    fn digits(&mut self) -> usize {
        let count = self.text.as_bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn some_digits(&mut self) -> Result<(), Fault> {
        if self.digits() > 0 { Ok(()) } else { Err(NO_GRAPHQL) }
    }

    fn string(&mut self) -> Result<Token, Fault> {
        let mut text = String::new();
        let mut rest = self.text[self.at + 1..].chars();
        loop {
            match rest.next().ok_or(NO_GRAPHQL)? {
                '"' => break,
                '\\' => text.push(escape(&mut rest)?),
                c if c < '\u{20}' && c != '\t' => return Err(NO_GRAPHQL),
                c => text.push(c),
            }
        }
        self.at = self.text.len() - rest.as_str().len();
        Ok(Token { kind: Kind::String, text })
    }

    fn block_string(&mut self) -> Result<Token, Fault> {
        let (mut text, mut rest) = (String::new(), &self.text[self.at + 3..]);
        loop {
            let quotes = rest.bytes().take_while(|&byte| byte == b'"').count();
            if quotes >= 3 {
                // the last three end it
                text.push_str(&rest[3..quotes]);
                rest = &rest[quotes..];
                break;
            }
            if let Some(after) = rest.strip_prefix("\\\"\"\"") {
                text.push_str("\"\"\"");
                rest = after;
                continue;
            }
            let c = rest.chars().next().ok_or(NO_GRAPHQL)?;
            rest = &rest[c.len_utf8()..];
            match c {
                '\r' => {
                    rest = rest.strip_prefix('\n').unwrap_or(rest);
                    text.push('\n');
                }
                c if c < '\u{20}' && !matches!(c, '\t' | '\n') => return Err(NO_GRAPHQL),
                c => text.push(c),
            }
        }
        self.at = self.text.len() - rest.len();
        Ok(Token { kind: Kind::BlockString, text: dedented(&text) })
    }
}

/// What stands behind a backslash.
fn escape(rest: &mut std::str::Chars<'_>) -> Result<char, Fault> {
    match rest.next().ok_or(NO_GRAPHQL)? {
        c @ ('"' | '/' | '\\') => Ok(c),
        'b' => Ok('\u{8}'),
        'f' => Ok('\u{c}'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'u' => {
            let digits: String = rest.take(4).collect();
            let code = (digits.len() == 4).then(|| u32::from_str_radix(&digits, 16).ok()).flatten();
            // half of a pair is no character
            code.filter(|_| !digits.starts_with('+'))
                .map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
                .ok_or(NO_GRAPHQL)
        }
        _ => Err(NO_GRAPHQL),
    }
}

/// Lines without the indentation that they share, and without the blank ones at both ends.
fn dedented(text: &str) -> String {
    let indent = |line: &str| line.find(|c| c != ' ' && c != '\t');
    let lines: Vec<&str> = text.split('\n').collect();
    let common = lines.iter().filter_map(|line| indent(line)).min().unwrap_or(0);
    let inner = lines.iter().enumerate().map(|(at, line)| match at {
        0 => *line,
        _ => line.get(common..).unwrap_or(""),
    });
    let inner: Vec<&str> = inner.collect();
    let first = inner.iter().position(|line| indent(line).is_some()).unwrap_or(inner.len());
    let last = inner.iter().rposition(|line| indent(line).is_some()).map_or(first, |at| at + 1);
    inner[first..last].join("\n")
}
