//! How the answer of `policy test` looks: for people, for machines, and for services that read JUnit's XML.

use std::fmt::Write as _;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::Judged;
use crate::cli::policy::page::{Hue, Page, shown};

/// How the answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people
    Human,
    /// For machines
    Json,
    /// For build services, as XML
    Junit,
}

/// What came of all cases.
pub(super) struct Report {
    judged: Vec<Judged>,
}

impl Report {
    pub(super) fn of(judged: Vec<Judged>) -> Self {
        Self { judged }
    }

    /// How many cases were not as expected.
    pub(super) fn failed(&self) -> usize {
        self.judged.iter().filter(|judged| !judged.passed()).count()
    }

    /// The whole answer.
    pub(super) fn told(&self, format: ReportFormat) -> String {
        match format {
            ReportFormat::Human => self.human(Page::for_stdout()),
            ReportFormat::Json => format!("{:#}\n", self.to_json()),
            ReportFormat::Junit => self.junit(),
        }
    }

    fn to_json(&self) -> Value {
        let cases: Vec<Value> = self.judged.iter().map(Judged::to_json).collect();
        json!({ "passed": self.judged.len() - self.failed(), "failed": self.failed(), "cases": cases })
    }

    fn human(&self, mut page: Page) -> String {
        for judged in &self.judged {
            judged.show(&mut page);
        }
        let failed = self.failed();
        let passed = self.judged.len() - failed;
        let hue = if failed == 0 { Hue::Green } else { Hue::Red };
        let sum = page.paint(hue, &format!("{passed} passed, {failed} failed"));
        page.line(&sum);
        page.into_text()
    }

    fn junit(&self) -> String {
        let (cases, failed) = (self.judged.len(), self.failed());
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{cases}\" failures=\"{failed}\">\n\
             <testsuite name=\"claviger policy test\" tests=\"{cases}\" failures=\"{failed}\">\n"
        );
        for judged in &self.judged {
            let _ = write!(
                xml,
                "<testcase classname=\"{}\" name=\"{}\" file=\"{0}\" line=\"{}\"",
                escaped(&judged.file),
                escaped(&judged.case.name),
                judged.case.line
            );
            let _ = match judged.passed() {
                true => writeln!(xml, "/>"),
                false => {
                    let told = judged.differences().join("\n");
                    let message = escaped(&told);
                    writeln!(xml, "><failure message=\"not as expected\">{message}</failure></testcase>")
                }
            };
        }
        xml.push_str("</testsuite>\n</testsuites>\n");
        xml
    }
}

impl Judged {
    fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }

    fn to_json(&self) -> Value {
        let mismatches: Vec<Value> = self
            .mismatches
            .iter()
            .map(|found| json!({ "path": found.path, "expected": found.expected, "found": found.found }))
            .collect();
        json!({
            "file": self.file,
            "line": self.case.line,
            "name": self.case.name,
            "passed": self.passed(),
            "outcome": self.verdict.outcome(),
            "decision": self.verdict.to_json(),
            "mismatches": mismatches,
            "trace": self.trace.lines(),
        })
    }

    fn show(&self, page: &mut Page) {
        let (hue, word) = if self.passed() { (Hue::Green, "ok") } else { (Hue::Red, "FAIL") };
        let word = page.paint(hue, &format!("{word:<6}"));
        let name = shown(&self.case.name);
        if self.passed() {
            return page.line(&format!("{word}{name}"));
        }
        page.line(&format!("{word}{name}  {}:{}", shown(&self.file), self.case.line));
        for difference in self.differences() {
            page.line(&format!("      {}", shown(&difference)));
        }
        page.line(&format!("      decision: {}", shown(&self.verdict.to_json().to_string())));
        for line in self.trace.lines() {
            page.line(&format!("      trace: {}", shown(line)));
        }
    }

    fn differences(&self) -> Vec<String> {
        let word = |value: &Value| match value {
            Value::Null => "nothing".to_owned(),
            Value::String(_) | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                value.to_string()
            }
        };
        let told = |found: &super::Mismatch| {
            format!("{}: expected {}, found {}", found.path, word(&found.expected), word(&found.found))
        };
        self.mismatches.iter().map(told).collect()
    }
}

/// Text for XML: what it has marks for is escaped, and what it has no place for replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            control if control.is_control() => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_holds_any_text() {
        assert_eq!(escaped("a<b>&\"c\"\u{1b}\n\u{0}"), "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}&#10;\u{fffd}");
    }
}
