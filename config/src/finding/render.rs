//! Findings for people, in the form that rustc made familiar: message, place, line, caret, help.

use std::fmt::Write as _;

use super::{Finding, Findings, Severity};
use crate::Source;

/// Characters of a line that are shown.
const LINE_CHARS_MAX: usize = 160;

/// Codes whose line may hold a secret by mistake: only what stands before it is shown.
const SECRET_AFTER: [&str; 3] = ["inline_secret", "unknown_key", "duplicate_key"];

/// Whether a terminal reads along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With ANSI colours.
    Colour,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

pub(super) fn render(findings: &Findings, source: &Source, style: Style) -> String {
    let lines: Vec<&str> = source.text().lines().collect();
    let mut out = String::new();
    for finding in findings {
        one(&mut out, finding, source.name(), &lines, style).expect("writing to a String does not fail");
    }
    out
}

fn one(
    out: &mut String,
    finding: &Finding,
    file: &str,
    lines: &[&str],
    style: Style,
) -> Result<(), std::fmt::Error> {
    let (severity, hue) = match finding.severity {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
    };
    let (line, column) = (finding.location.line, finding.location.column);
    let bar = style.paint("1;34", "|");
    let margin = " ".repeat(line.to_string().len());
    let title = style.paint(hue, &format!("{severity}[{}]", finding.code));
    writeln!(out, "{title}: {}", style.paint("1", &finding.message))?;
    writeln!(out, "{margin}{} {file}:{line}:{column}", style.paint("1;34", "-->"))?;
    if let Some(text) = line.checked_sub(1).and_then(|line| lines.get(line)) {
        let (shown, caret) = excerpt(finding, text);
        let pad = " ".repeat(caret);
        writeln!(out, "{margin} {bar}")?;
        writeln!(out, "{} {bar} {shown}", style.paint("1;34", &line.to_string()))?;
        writeln!(out, "{margin} {bar} {pad}{}", style.paint(hue, "^"))?;
    }
    if !finding.path.is_empty() {
        writeln!(out, "{margin} {} at `{}`", style.paint("1;34", "="), finding.path)?;
    }
    if let Some(near) = &finding.suggestion {
        writeln!(out, "{}: did you mean `{near}`?", style.paint("1;36", "help"))?;
    }
    writeln!(out)
}

/// The part of a line that may be shown, and how far into it the caret stands.
fn excerpt(finding: &Finding, line: &str) -> (String, usize) {
    let column = finding.location.column.saturating_sub(1);
    let start = column.saturating_sub(LINE_CHARS_MAX / 2);
    let mut shown: String = line
        .chars()
        .skip(start)
        .take(allowed_chars(finding, line).saturating_sub(start).min(LINE_CHARS_MAX))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if SECRET_AFTER.contains(&finding.code) {
        shown.push('…');
    }
    (shown, column - start)
}

/// How many characters of the line hold no secret: up to the value, or through the key and its colon.
fn allowed_chars(finding: &Finding, line: &str) -> usize {
    let column = finding.location.column.saturating_sub(1);
    if !SECRET_AFTER.contains(&finding.code) {
        return usize::MAX;
    }
    let key = finding.path.rsplit('.').next().unwrap_or_default();
    let rest: String = line.chars().skip(column).collect();
    if finding.code != "inline_secret" || rest.starts_with(&format!("{key}:")) {
        let colon = rest.chars().position(|c| c == ':').map_or(0, |at| at + 2);
        return column + colon;
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;

    fn shown(text: &str, finding: Finding, style: Style) -> String {
        let mut findings = Findings::default();
        findings.push(finding);
        findings.render(&Source::new("c.yaml", text), style)
    }

    fn at(code: &'static str, path: &str, line: usize, column: usize) -> Finding {
        Finding::error(code, path, Location { line, column }, "it is wrong")
    }

    #[test]
    fn a_finding_is_shown_with_its_line() {
        let finding = at("bad_value", "a.b", 2, 6).suggest(Some("d"));
        let expected = "error[bad_value]: it is wrong\n --> c.yaml:2:6\n  |\n2 |   b: c\n  |      ^\n  = at `a.b`\nhelp: did you mean `d`?\n\n";
        assert_eq!(shown("a:\n  b: c\n", finding, Style::Plain), expected);
        let finding = Finding { severity: Severity::Warning, ..at("bad_value", "", 9, 1) };
        assert_eq!(
            shown("a:\n", finding, Style::Plain),
            "warning[bad_value]: it is wrong\n --> c.yaml:9:1\n\n"
        );
    }

    #[test]
    fn colour_is_for_terminals() {
        let plain = shown("a: b", at("bad_value", "a", 1, 4), Style::Plain);
        let colour = shown("a: b", at("bad_value", "a", 1, 4), Style::Colour);
        assert!(!plain.contains('\u{1b}') && colour.contains("\u{1b}[1;31m"));
    }

    #[test]
    fn long_lines_and_control_characters_are_tamed() {
        let text = format!("a: {}\u{7}{}", "x".repeat(500), "y".repeat(500));
        let shown = shown(&text, at("bad_value", "a", 1, 504), Style::Plain);
        let line = shown.lines().nth(3).unwrap_or_default();
        assert!(line.chars().count() < LINE_CHARS_MAX + 10 && line.contains("x y"), "{shown}");
    }

    #[test]
    fn a_line_is_shown_up_to_what_may_be_a_secret() {
        for (code, path, column, expected) in [
            ("inline_secret", "a.key", 11, "1 | a: { key: …"),
            ("unknown_key", "a.key", 6, "1 | a: { key: …"),
            ("duplicate_key", "a.key", 6, "1 | a: { key: …"),
            ("bad_value", "a.key", 11, "1 | a: { key: hunter2 }"),
        ] {
            let shown = shown("a: { key: hunter2 }", at(code, path, 1, column), Style::Plain);
            assert_eq!(shown.lines().nth(3), Some(expected), "{code}");
        }
    }
}
