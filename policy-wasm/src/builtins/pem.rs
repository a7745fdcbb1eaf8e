//! PEM blocks as Go's `encoding/pem` finds them: anything may stand around a block, nothing within it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Each beginning that is no block is searched for its end.
const BEGINNINGS_MAX: usize = 64;

/// Padded, and with any bits in what does not count.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// One block with its label.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) bytes: Vec<u8>,
}

/// Base64 as Go reads it: line breaks do not count.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text.replace(['\r', '\n'], "")).ok()
}

/// The first block and what follows its last line.
pub(crate) fn decode(text: &str) -> Option<(Block, &str)> {
    let mut rest = text;
    for _attempt in 0..BEGINNINGS_MAX {
        let start = begin(rest)?;
        let after = &rest[start..];
        match block(after) {
            Some(found) => return Some(found),
            None => rest = after,
        }
    }
    None
}

/// Where the label begins: `-----BEGIN ` at the start of a line.
fn begin(text: &str) -> Option<usize> {
    if text.starts_with(BEGIN) {
        return Some(BEGIN.len());
    }
    text.match_indices(BEGIN)
        .find(|(at, _)| text.as_bytes().get(at.wrapping_sub(1)) == Some(&b'\n'))
        .map(|(at, found)| at + found.len())
}

fn block(text: &str) -> Option<(Block, &str)> {
    let (first, mut body) = line(text);
    let label = first.strip_suffix(DASHES)?;
    let mut headers = 0;
    loop {
        let (header, after) = line(body);
        if !header.contains(':') || body.is_empty() {
            break;
        }
        headers += 1;
        body = after;
    }
    let end = match headers == 0 && body.starts_with(END) {
        true => 0,
        false => body.find(&format!("\n{END}"))? + 1,
    };
    let (trailer, rest) = line(&body[end + END.len()..]);
    if trailer.strip_suffix(DASHES) != Some(label) {
        return None;
    }
    let digits: String = body[..end].chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    Some((Block { label: label.to_owned(), bytes: STANDARD.decode(digits).ok()? }, rest))
}

/// A line without the blanks at its end, and the rest.
fn line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    (line.trim_end_matches([' ', '\t', '\r']), rest)
}
