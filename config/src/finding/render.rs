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
    if let Some(text) = lines.get(line - 1) {
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
    let column = finding.location.column - 1;
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
    let column = finding.location.column - 1;
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
