//! The chain: each line carries the hash of the line before it and its own, so that no line can be changed, moved,
//! added or taken away unseen by someone who knows the last hash.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;

use super::json;

const START: &[u8] = b"{\"v\":1,\"seq\":";
const PREV: &[u8] = b",\"prev\":\"";
const HASH: &[u8] = b"\",\"hash\":\"";
const END: &[u8] = b"\"}";
/// A hash in hexadecimal.
const HASH_BYTES: usize = 64;

/// The SHA-256 of a line, in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// What the first line of a chain has for the line before it.
    pub const ZERO: Self = Self([b'0'; HASH_BYTES]);

    fn of(bytes: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, bytes);
        let mut digits = [0; HASH_BYTES];
        hex::encode_to_slice(digest, &mut digits).expect("a SHA-256 has 64 digits");
        Self(digits)
    }

    fn parse(digits: &[u8]) -> Option<Self> {
        let digits: [u8; HASH_BYTES] = digits.try_into().ok()?;
        digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')).then_some(Self(digits))
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        Self::parse(text.as_bytes()).ok_or(NotAHash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(formatter, "{}", char::from(*digit)))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 lower-case hexadecimal digits")]
pub struct NotAHash;

/// The end of a chain, to which the next line is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    seq: u64,
    head: Hash,
}

impl Chain {
    /// A chain without lines.
    pub(super) fn new() -> Self {
        Self { seq: 0, head: Hash::ZERO }
    }

    /// The chain that ends with `link`.
    pub(super) fn after(link: &Link) -> Self {
        Self { seq: link.seq, head: link.hash }
    }

    /// Whether `torn`, cut short somewhere, may be all that there is of a chain.
    pub(super) fn may_begin_with(torn: &[u8]) -> bool {
        let first = [START, b"1,"].concat();
        torn.iter().zip(&first).all(|(found, expected)| found == expected)
    }

    /// Appends the line that says `text` to `out`.
    pub(super) fn append(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        self.seq += 1;
        out.extend_from_slice(START);
        json::number(out, self.seq);
        out.push(b',');
        out.extend_from_slice(text);
        out.extend_from_slice(PREV);
        out.extend_from_slice(&self.head.0);
        // The quote that ends `prev` is covered; what follows it is not.
        let covered = out.len() + 1;
        out.extend_from_slice(HASH);
        self.head = Hash::of(&out[start..covered]);
        out.extend_from_slice(&self.head.0);
        out.extend_from_slice(END);
        out.push(b'\n');
    }
}

/// What ties one line to its neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) prev: Hash,
    pub(super) hash: Hash,
}

/// Why a line is not one of ours, whole and unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It begins or ends like no record of this version.
    #[error("this is not a record of version 1")]
    Shape,
    /// Its own hash does not fit what it says.
    #[error("the record was changed: its hash does not fit")]
    Changed,
    /// It does not follow the line before it.
    #[error("the record does not follow the one before it: its prev is another hash")]
    Unlinked,
    /// A number is missing or comes twice.
    #[error("seq {found} follows seq {before}")]
    Seq {
        /// The number of the line before, 0 at the start.
        before: u64,
        /// The number of this one.
        found: u64,
    },
    /// It is the first of all, and yet not the first of its chain.
    #[error("the chain does not begin here: earlier records are missing")]
    Beheaded,
    /// The last line lacks its end.
    #[error("the record is torn: it does not end with a line feed")]
    Torn,
    /// Longer than any record.
    #[error("the line is longer than any record")]
    TooLong,
    /// The chain ends before the hash that it should end with.
    #[error("the chain does not end with the given head: later records are missing")]
    Headless,
}

impl Link {
    /// Reads `line`, without its line feed, and checks that it is what it was when it was written.
    pub(super) fn read(line: &[u8]) -> Result<Self, Broken> {
        let link = Self::parse(line).ok_or(Broken::Shape)?;
        let covered = line.len() - END.len() - HASH_BYTES - HASH.len() + 1;
        if Hash::of(&line[..covered]) != link.hash {
            return Err(Broken::Changed);
        }
        Ok(link)
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(START)?;
        let comma = memchr::memchr(b',', rest)?;
        let seq = parse_seq(&rest[..comma])?;
        let rest = rest[comma + 1..].strip_suffix(END)?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(HASH_BYTES)?)?;
        let rest = rest.strip_suffix(HASH)?;
        let (rest, prev) = rest.split_at_checked(rest.len().checked_sub(HASH_BYTES)?)?;
        rest.strip_suffix(PREV)?;
        Some(Self { seq, prev: Hash::parse(prev)?, hash: Hash::parse(hash)? })
    }
}

/// Plain decimal, as it is written: no sign, no leading zero.
fn parse_seq(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) || digits.first() == Some(&b'0') {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        Chain::new().append(text.as_bytes(), &mut out);
        out.pop();
        out
    }

    #[test]
    fn a_line_ends_with_the_hash_of_what_is_before_its_hash_member() {
        let line = String::from_utf8(line("\"a\":1")).expect("ASCII");
        let (covered, rest) = line.split_once(",\"hash\":").expect("one hash");
        assert_eq!(covered, format!("{{\"v\":1,\"seq\":1,\"a\":1,\"prev\":\"{}\"", "0".repeat(64)));
        assert_eq!(rest, format!("\"{}\"}}", Hash::of(covered.as_bytes())));
        let zero = Hash::of(b"");
        assert_eq!(zero.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn lines_link_and_a_chain_goes_on_from_the_last() {
        let mut chain = Chain::new();
        let mut out = Vec::new();
        chain.append(b"\"a\":1", &mut out);
        let first = Link::read(out.strip_suffix(b"\n").expect("a line")).expect("whole");
        assert_eq!((first.seq, first.prev), (1, Hash::ZERO));
        assert_eq!(Chain::after(&first), chain);
        out.clear();
        chain.append(b"\"b\":2", &mut out);
        let second = Link::read(out.strip_suffix(b"\n").expect("a line")).expect("whole");
        assert_eq!((second.seq, second.prev), (2, first.hash));
    }

    #[test]
    fn no_changed_byte_reads_as_whole() {
        let good = line("\"time\":\"2026\",\"x\":{\"y\":\"z\"}");
        assert!(Link::read(&good).is_ok());
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut changed = good.clone();
                changed[at] ^= 1 << bit;
                assert!(Link::read(&changed).is_err(), "bit {bit} of byte {at}");
            }
            assert!(Link::read(&good[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn numbers_have_one_spelling() {
        let check = |digits: &str, expected: Option<u64>| assert_eq!(parse_seq(digits.as_bytes()), expected);
        check("1", Some(1));
        check("18446744073709551615", Some(u64::MAX));
        for wrong in ["", "0", "01", "+1", "-1", " 1", "1 ", "1e3", "18446744073709551616"] {
            check(wrong, None);
        }
    }
}
