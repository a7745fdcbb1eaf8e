//! Semantic versions, read as leniently as OPA reads them: with a leading `v`, zeros and signs.

use std::cmp::Ordering;

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[("semver.compare", compare), ("semver.is_valid", is_valid)];

/// -1, 0 or 1; build metadata does not count.
fn compare(_: &mut Scope, operands: &[Value]) -> Outcome {
    let no_version = Fault::Undefined("it is no semantic version");
    let one = Version::parse(operand::string(operands, 0)?).ok_or(no_version)?;
    let other = Version::parse(operand::string(operands, 1)?).ok_or(no_version)?;
    Ok(Value::from(one.compare(&other) as i64))
}

fn is_valid(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(operand::any(operands, 0)?.as_str().is_some_and(|text| Version::parse(text).is_some()).into())
}

struct Version<'a> {
    numbers: [i64; 3],
    pre_release: &'a str,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Version<'a>> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, metadata) = text.split_once('+').unwrap_or((text, ""));
        let (text, pre_release) = text.split_once('-').unwrap_or((text, ""));
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let plain = |tag: &str| tag.is_empty() || tag.split('.').all(is_part);
        let numbers = text.split('.').map(|number| number.parse().ok()).collect::<Option<Vec<i64>>>()?;
        let numbers = numbers.try_into().ok().filter(|_| plain(metadata) && plain(pre_release))?;
        Some(Version { numbers, pre_release })
    }

    fn compare(&self, other: &Version<'_>) -> Ordering {
        let by_tag = || match (self.pre_release, other.pre_release) {
            (one, other) if one == other => Ordering::Equal,
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (one, other) => compare_tags(one, other),
        };
        self.numbers.cmp(&other.numbers).then_with(by_tag)
    }
}

/// Part by part; numbers come before words, and fewer parts before more.
fn compare_tags(one: &str, other: &str) -> Ordering {
    let rank = |part: &str| match part.parse::<u64>() {
        Ok(number) if part.bytes().all(|byte| byte.is_ascii_digit()) => (0, number, String::new()),
        Ok(_) | Err(_) => (1, 0, part.to_owned()),
    };
    one.split('.').map(rank).cmp(other.split('.').map(rank))
}
