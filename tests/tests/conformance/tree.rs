//! JSON for comparing: numbers by their exact value, and results as the set that they are.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A JSON value; its order is any order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A number.
    Number(Decimal),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Tree>),
    /// A map.
    Object(BTreeMap<String, Tree>),
}

/// 0.digits × 10^exponent, without leading or trailing zeros.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal {
    negative: bool,
    exponent: i64,
    digits: String,
}

impl Tree {
    /// Reads JSON text.
    pub(crate) fn read(text: &str) -> Result<Tree, serde_json::Error> {
        match text.trim_start().as_bytes().first() {
            Some(b'{') => {
                let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
                let fields = fields.into_iter().map(|(key, value)| Ok((key, Tree::read(value.get())?)));
                fields.collect::<Result<_, _>>().map(Tree::Object)
            }
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(text)?;
                elements
                    .into_iter()
                    .map(|element| Tree::read(element.get()))
                    .collect::<Result<_, _>>()
                    .map(Tree::Array)
            }
            Some(b'-' | b'0'..=b'9') => Ok(Tree::Number(Decimal::read(text.trim()))),
            Some(b'"') => serde_json::from_str(text).map(Tree::String),
            Some(_) | None => {
                let word: Option<bool> = serde_json::from_str(text)?;
                Ok(word.map_or(Tree::Null, Tree::Boolean))
            }
        }
    }

    /// The results of a result set, in any order and each once; `unordered` disregards the order of bound arrays too.
    pub(crate) fn results(text: &str, unordered: bool) -> Result<Vec<Tree>, String> {
        let Ok(Tree::Array(mut results)) = Tree::read(text) else {
            return Err(format!("no result set: {text}"));
        };
        if unordered {
            results.iter_mut().for_each(Tree::sort_bindings);
        }
        results.sort();
        results.dedup();
        Ok(results)
    }

    fn sort_bindings(&mut self) {
        let Tree::Object(bindings) = self else { return };
        for bound in bindings.values_mut() {
            if let Tree::Array(elements) = bound {
                elements.sort();
            }
        }
    }
}

impl Decimal {
    fn read(text: &str) -> Decimal {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let digits = significant.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Decimal { negative: false, exponent: 0, digits };
        }
        let exponent: i64 = exponent.parse().expect("no case has an exponent beyond 64 bits");
        let exponent = exponent + whole.len() as i64 - (all.len() - significant.len()) as i64;
        Decimal { negative, exponent, digits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_compare_by_value() {
        let same = [
            ("1", "1.0"),
            ("-0", "0"),
            ("100", "1e2"),
            ("0.010", "1E-2"),
            (r#"{"a":[1]}"#, r#"{"a": [1e0]}"#),
        ];
        let other =
            [("1", "-1"), ("1", "10"), ("null", "false"), ("[1,2]", "[2,1]"), ("\"1\"", "1"), ("[]", "{}")];
        let read = |text| Tree::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        same.iter().for_each(|(a, b)| assert_eq!(read(a), read(b), "{a} {b}"));
        other.iter().for_each(|(a, b)| assert_ne!(read(a), read(b), "{a} {b}"));
        let bound = [r#"[{"x":[2,1]},{"x":[1,2]}]"#, r#"[{"x":[1,2]}]"#];
        assert_eq!(Tree::results(bound[0], true), Tree::results(bound[1], true));
        assert_ne!(Tree::results(bound[0], false), Tree::results(bound[1], false));
    }
}
