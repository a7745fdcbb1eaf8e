//! Rule names as a label: a policy may make them of anything, so only so many, and only plain ones, get a series each.

use std::collections::HashSet;

const RULES_MAX: usize = 64;
const RULE_BYTES_MAX: usize = 64;

/// The names that have a series.
#[derive(Default)]
pub(super) struct Rules {
    known: HashSet<String>,
}

impl Rules {
    /// `none` where no rule is named, and `other` where it is beyond the bounds.
    pub(super) fn label(&mut self, rule: Option<&str>) -> String {
        let Some(rule) = rule else { return "none".to_owned() };
        if self.known.contains(rule) {
            return rule.to_owned();
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
        let sound = !rule.is_empty() && rule.len() <= RULE_BYTES_MAX && rule.bytes().all(plain);
        if !sound || self.known.len() == RULES_MAX {
            return "other".to_owned();
        }
        self.known.insert(rule.to_owned());
        rule.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded() {
        let mut rules = Rules::default();
        let mut check = |rule: Option<&str>, expected: &str| assert_eq!(rules.label(rule), expected);
        check(None, "none");
        check(Some(""), "other");
        check(Some("a b"), "other");
        check(Some("a\"} 1\n"), "other");
        check(Some(&"a".repeat(65)), "other");
        (0..RULES_MAX).for_each(|number| check(Some(&format!("rule-{number}")), &format!("rule-{number}")));
        check(Some("one-more"), "other");
        check(Some("rule-7"), "rule-7");
    }
}
