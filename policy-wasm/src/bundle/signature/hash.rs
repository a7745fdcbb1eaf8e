//! What OPA's signatures hash: documents as the values they are, so that spaces and the order of keys count for nothing,
//! and every other file as its bytes.

use aws_lc_rs::digest::{Algorithm, Context, SHA224, SHA256, SHA384, SHA512, SHA512_256};

use crate::bundle::archive::File;
use crate::error::SignatureError;
use crate::value::Value;

/// The hashes that OPA knows, less those that can be forged. OPA itself takes SHA-256.
const ALGORITHMS: [(&str, &Algorithm); 5] = [
    ("SHA-224", &SHA224),
    ("SHA-256", &SHA256),
    ("SHA-384", &SHA384),
    ("SHA-512", &SHA512),
    ("SHA-512-256", &SHA512_256),
];
/// The files that are hashed as documents.
const DOCUMENTS: [&str; 3] = [".manifest", "data.json", "data.yaml"];

/// Whether the file has this hash, written in hexadecimal.
pub(super) fn check(file: &File, algorithm: &str, expected: &str) -> Result<(), SignatureError> {
    let path = || file.path.clone();
    let (_, algorithm) = ALGORITHMS
        .into_iter()
        .find(|(name, _)| *name == algorithm)
        .ok_or_else(|| SignatureError::UnknownHash { path: path() })?;
    let mut context = Context::new(algorithm);
    if DOCUMENTS.contains(&file.name()) {
        document(file, &mut context).ok_or_else(|| SignatureError::NotJson { path: path() })?;
    } else {
        context.update(&file.bytes);
    }
    match hex::decode(expected) {
        Ok(expected) if expected == context.finish().as_ref() => Ok(()),
        Ok(_) | Err(_) => Err(SignatureError::Changed { path: path() }),
    }
}

fn document(file: &File, out: &mut Context) -> Option<()> {
    let text = std::str::from_utf8(&file.bytes).ok()?;
    walk(&Value::parse(text).ok()?, out)
}

/// Go's encoding of the value without any space, keys in the order of their bytes; `None` for what JSON does not have.
fn walk(value: &Value, out: &mut Context) -> Option<()> {
    match value {
        Value::Null => out.update(b"null"),
        Value::Boolean(true) => out.update(b"true"),
        Value::Boolean(false) => out.update(b"false"),
        Value::Number(number) => out.update(number.as_str().as_bytes()),
        Value::String(text) => quote(text, out),
        Value::Array(elements) => {
            out.update(b"[");
            for (at, element) in elements.iter().enumerate() {
                separate(at, out);
                walk(element, out)?;
            }
            out.update(b"]");
        }
        Value::Object(fields) => {
            out.update(b"{");
            for (at, (key, value)) in fields.iter().enumerate() {
                separate(at, out);
                quote(key.as_str()?, out);
                out.update(b":");
                walk(value, out)?;
            }
            out.update(b"}");
        }
        Value::Set(_) => return None,
    }
    Some(())
}

fn separate(at: usize, out: &mut Context) {
    if at > 0 {
        out.update(b",");
    }
}

/// As Go quotes where it does not write for HTML.
fn quote(text: &str, out: &mut Context) {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..'\u{20}' | '\u{2028}' | '\u{2029}' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    out.update(quoted.as_bytes());
}
