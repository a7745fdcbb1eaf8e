//! Answers for people: labelled rows, bounded, and nothing of a bundle or a request that could steer the terminal.

use std::io::IsTerminal;

/// Values of one row that are shown; how many more there are is said.
const VALUES_MAX: usize = 50;
/// Characters of one value that are shown.
const VALUE_CHARS_MAX: usize = 400;
const LABEL_COLUMNS: usize = 13;

/// A colour of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hue {
    /// Good.
    Green,
    /// Bad.
    Red,
    /// Beside the point.
    Dim,
    /// A heading.
    Bold,
}

impl Hue {
    fn code(self) -> &'static str {
        match self {
            Self::Green => "32",
            Self::Red => "31",
            Self::Dim => "2",
            Self::Bold => "1",
        }
    }
}

/// Text that grows row by row.
pub(super) struct Page {
    coloured: bool,
    text: String,
}

impl Page {
    /// A page for standard output, coloured where that is a terminal that wants it.
    pub(super) fn for_stdout() -> Self {
        Self::new(std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none())
    }

    fn new(coloured: bool) -> Self {
        Self { coloured, text: String::new() }
    }

    /// A text in a colour; it is taken as it is, so it must be made harmless before.
    pub(super) fn paint(&self, hue: Hue, text: &str) -> String {
        match self.coloured {
            true => format!("\u{1b}[{}m{text}\u{1b}[0m", hue.code()),
            false => text.to_owned(),
        }
    }

    /// A line as it is.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A label and what stands beside it; nothing is a dash.
    pub(super) fn row(&mut self, label: &str, value: &str) {
        let value = if value.is_empty() { "-" } else { value };
        let label = self.paint(Hue::Dim, &format!("{label:<LABEL_COLUMNS$}"));
        self.line(&format!("{label}{value}"));
    }

    /// A label and values below one another, the first ones of many.
    pub(super) fn rows(&mut self, label: &str, values: &[String]) {
        if values.is_empty() {
            return self.row(label, "none");
        }
        for (at, value) in values.iter().take(VALUES_MAX).enumerate() {
            self.row(if at == 0 { label } else { "" }, value);
        }
        if values.len() > VALUES_MAX {
            self.row("", &format!("and {} more", values.len() - VALUES_MAX));
        }
    }

    /// The whole text.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// A text from outside, cut, without anything that steers the terminal.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(VALUE_CHARS_MAX).map(harmless).collect();
    if text.chars().nth(VALUE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn harmless(character: char) -> char {
    if character.is_control() { '\u{fffd}' } else { character }
}

/// A size in the unit that people read.
pub(super) fn size(bytes: usize) -> String {
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    let mut parts_of_ten = (bytes as u128) * 10;
    let mut shown = format!("{bytes} B");
    for unit in UNITS {
        if parts_of_ten < 10 * 1024 {
            break;
        }
        parts_of_ten /= 1024;
        shown = format!("{}.{} {unit}", parts_of_ten / 10, parts_of_ten % 10);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let check = |bytes, expected| assert_eq!(size(bytes), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1.0 KiB");
        check(1024 * 1024 - 1, "1023.9 KiB");
        check(3 * 1024 * 1024 / 2, "1.5 MiB");
        check(5 << 30, "5.0 GiB");
    }

    #[test]
    fn rows_are_bounded_and_harmless() {
        let mut page = Page::new(false);
        page.rows("names", &vec!["x".to_owned(); VALUES_MAX + 3]);
        page.rows("none", &[]);
        let text = page.into_text();
        assert!(text.contains("and 3 more\n") && text.ends_with("none         none\n"), "{text}");
        assert_eq!(text.lines().count(), VALUES_MAX + 2);
        assert_eq!(shown("a\u{1b}[2J\n\u{9b}"), "a\u{fffd}[2J\u{fffd}\u{fffd}");
        assert_eq!(shown(&"é".repeat(1000)).chars().count(), VALUE_CHARS_MAX + 1);
    }

    #[test]
    fn colour_is_for_terminals() {
        assert_eq!(Page::new(true).paint(Hue::Red, "no"), "\u{1b}[31mno\u{1b}[0m");
        assert_eq!(Page::new(false).paint(Hue::Red, "no"), "no");
    }
}
