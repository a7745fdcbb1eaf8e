//! The compact form: three parts in base64url.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::builtins::{Fault, json_text, operand};
use crate::value::Value;

const PARTS: usize = 3;
/// As OPA decodes: padding may be left out, and bits that count for nothing may be set.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A token whose header has been read.
pub(super) struct Token<'a> {
    text: &'a str,
    parts: [&'a str; PARTS],
    pub(super) header: BTreeMap<Value, Value>,
}

/// What the header says that matters here.
pub(super) struct Fields {
    pub(super) alg: String,
    pub(super) kid: String,
    cty: String,
    critical: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

impl<'a> Token<'a> {
    pub(super) fn split(text: &'a str) -> Result<[&'a str; PARTS], Fault> {
        let parts: Vec<&str> = text.splitn(PARTS + 1, '.').collect();
        parts.try_into().map_err(|_| Fault::Undefined("it is no token of three parts"))
    }

    pub(super) fn parse(text: &'a str) -> Result<Token<'a>, Fault> {
        let parts = Token::split(text)?;
        let header = object(&decoded(parts[0])?)?;
        match header.contains_key(&"enc".into()) {
            true => Err(Fault::Undefined("the token is encrypted, which is not supported")),
            false => Ok(Token { text, parts, header }),
        }
    }

    /// The bytes that the signature is over.
    pub(super) fn signed(&self) -> &'a [u8] {
        &self.text.as_bytes()[..self.parts[0].len() + 1 + self.parts[1].len()]
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, Fault> {
        decoded(self.parts[2])
    }

    pub(super) fn payload_text(&self) -> Result<String, Fault> {
        decoded(self.parts[1]).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(super) fn payload_object(&self) -> Result<Value, Fault> {
        object(&decoded(self.parts[1])?).map(Value::Object)
    }

    /// Whether the payload is another token.
    pub(super) fn is_nested(&self) -> Result<bool, Fault> {
        let cty = self.header.get(&"cty".into()).map(operand::as_string).transpose()?;
        Ok(cty == Some("JWT"))
    }

    pub(super) fn fields(&self) -> Result<Fields, Fault> {
        let mut fields = Fields {
            alg: String::new(),
            kid: String::new(),
            cty: String::new(),
            critical: BTreeSet::new(),
            unknown: BTreeSet::new(),
        };
        for (name, value) in &self.header {
            let name = operand::as_string(name)?;
            match name {
                "alg" => fields.alg = operand::as_string(value)?.to_owned(),
                "kid" => fields.kid = operand::as_string(value)?.to_owned(),
                "cty" => fields.cty = operand::as_string(value)?.to_owned(),
                "typ" => drop(operand::as_string(value)?),
                "crit" => fields.critical = critical(value)?,
                _ => drop(fields.unknown.insert(name.to_owned())),
            }
        }
        Ok(fields)
    }
}

impl Fields {
    /// There is an algorithm, and nothing critical that is not understood.
    pub(super) fn are_valid(&self) -> bool {
        !self.alg.is_empty() && self.critical.is_disjoint(&self.unknown)
    }

    pub(super) fn say_nested(&self) -> bool {
        self.cty.eq_ignore_ascii_case("JWT")
    }
}

fn critical(value: &Value) -> Result<BTreeSet<String>, Fault> {
    let names = value.as_array().filter(|names| !names.is_empty());
    let names = names.ok_or(Fault::Undefined("`crit` must be a list that is not empty"))?;
    names.iter().map(|name| operand::as_string(name).map(str::to_owned)).collect()
}

pub(super) fn decoded(part: &str) -> Result<Vec<u8>, Fault> {
    LENIENT.decode(part).map_err(|_| Fault::Undefined("a part of the token is no base64url"))
}

fn object(bytes: &[u8]) -> Result<BTreeMap<Value, Value>, Fault> {
    let Value::Object(fields) = json_text::read(&String::from_utf8_lossy(bytes))? else {
        return Err(Fault::Undefined("a part of the token is no object"));
    };
    Ok(fields)
}
