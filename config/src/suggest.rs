//! The name that was probably meant.

/// Characters of a name that is still compared.
const NAME_CHARS_MAX: usize = 64;

/// The candidate nearest to `word`, if one is near enough to be a slip of the hand.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > NAME_CHARS_MAX {
        return None;
    }
    let slips_max = (length / 3).max(1);
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// A name in backquotes for a message: short, and without control characters.
pub(crate) fn quoted(name: &str) -> String {
    let shown: String = name.chars().take(NAME_CHARS_MAX).filter(|c| !c.is_control()).collect();
    let rest = if name.chars().nth(NAME_CHARS_MAX).is_some() { "…" } else { "" };
    format!("`{shown}{rest}`")
}

/// Names in backquotes, as `a`, `b` or `c`.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slips_of_the_hand_are_suggested() {
        let known = ["upstream", "credential", "credentials", "tls"];
        for (word, expected) in [
            ("upstrem", Some("upstream")),
            ("Upstream", Some("upstream")),
            ("credentail", Some("credential")),
            ("credentialss", Some("credentials")),
            ("tsl", Some("tls")),
            ("x", None),
            ("listeners", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(1 << 20), known), None);
    }

    #[test]
    fn names_are_told_short_and_printable() {
        assert_eq!(quoted("a\u{1b}b"), "`ab`");
        assert_eq!(quoted(&"a".repeat(100)), format!("`{}…`", "a".repeat(64)));
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
