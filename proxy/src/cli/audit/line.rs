//! How a line of the audit looks to whoever follows it.

use std::io::IsTerminal;

use serde_json::Value;

use crate::cli::Format;

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const CYAN: &str = "\u{1b}[36m";
const PLAIN: &str = "\u{1b}[0m";

/// How lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As they are.
    Json,
    /// Shortened for people.
    Plain,
    /// The same, with colours.
    Coloured,
}

impl Look {
    /// As asked for, with colours where standard output is a terminal that wants them.
    pub(super) fn for_stdout(format: Format) -> Self {
        let wants_colour = || std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        match format {
            Format::Json => Self::Json,
            Format::Human if wants_colour() => Self::Coloured,
            Format::Human => Self::Plain,
        }
    }

    /// What is shown of `line`, both with their line feeds.
    pub(super) fn show(self, line: &[u8]) -> Vec<u8> {
        let shown = match self {
            Self::Json => return line.to_vec(),
            Self::Plain | Self::Coloured => match serde_json::from_slice(line) {
                Ok(event) => self.event(&event),
                Err(_) => {
                    format!("not a record: {}", harmless(&String::from_utf8_lossy(line.trim_ascii_end())))
                }
            },
        };
        format!("{shown}\n").into_bytes()
    }

    fn event(self, event: &Value) -> String {
        let time = text(&event["time"]).get(11..23).unwrap_or("?").to_owned();
        let words = if event["event"].is_string() { self.happening(event) } else { self.request(event) };
        let shown: Vec<String> = std::iter::once(time).chain(words).filter(|word| !word.is_empty()).collect();
        shown.join("  ")
    }

    fn request(self, event: &Value) -> Vec<String> {
        let request = &event["request"];
        let outcome = if event["decision"].is_null() {
            "undecided".into()
        } else {
            text(&event["decision"]["outcome"])
        };
        let colour = match outcome.as_str() {
            "allow" => GREEN,
            "deny" => RED,
            _ => YELLOW,
        };
        let micros = event["duration_us"].as_u64().unwrap_or_default();
        vec![
            self.coloured(colour, &outcome),
            text(&event["upstream"]["status"]),
            text(&request["method"]),
            format!("{}{}", text(&request["route"]), text(&request["path"])),
            format!("{}.{:03} ms", micros / 1000, micros % 1000),
            pair("uid", &event["workload"]["uid"]),
            pair("task", &event["task"]),
            pair("credential", &event["credential"]["name"]),
            pair("rule", &event["decision"]["rule"]),
            pair("refusal", &event["refusal"]),
            if event["interrupted"] == true { self.coloured(YELLOW, "interrupted") } else { String::new() },
            text(&event["decision"]["reason"]),
        ]
    }

    fn happening(self, event: &Value) -> Vec<String> {
        vec![
            self.coloured(CYAN, &text(&event["event"])),
            pair("credential", &event["credential"]["name"]),
            pair("lease", &event["credential"]["lease"]),
            pair("expires", &event["credential"]["expires"]),
            pair("route", &event["route"]),
            pair("subject", &event["subject"]),
            pair("torn_bytes", &event["torn_bytes"]),
        ]
    }

    fn coloured(self, colour: &str, word: &str) -> String {
        match self {
            Self::Coloured => format!("{colour}{word}{PLAIN}"),
            Self::Json | Self::Plain => word.to_owned(),
        }
    }
}

/// A value as a word; nothing where there is none.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            harmless(&value.to_string())
        }
    }
}

fn pair(name: &str, value: &Value) -> String {
    if value.is_null() { String::new() } else { format!("{name}={}", text(value)) }
}

/// Workloads choose paths, and policies reasons: nothing of them may steer the terminal.
fn harmless(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(look: Look, line: &str, expected: &str) {
        let shown = String::from_utf8(look.show(format!("{line}\n").as_bytes())).expect("UTF-8");
        assert_eq!(shown, format!("{expected}\n"));
    }

    const ALLOWED: &str = r#"{"v":1,"seq":1,"time":"2026-11-21T23:00:00.123456789Z","id":"i","listener":"app","workload":{"uid":1000},"request":{"method":"GET","route":"api","path":"/a","protocol":"HTTP/1.1"},"decision":{"outcome":"allow","rule":"get","reason":"fine"},"credential":{"name":"key"},"upstream":{"status":200},"refusal":null,"bytes_in":0,"bytes_out":1,"duration_us":41230}"#;

    #[test]
    fn requests() {
        let plain =
            "23:00:00.123  allow  200  GET  api/a  41.230 ms  uid=1000  credential=key  rule=get  fine";
        check(Look::Json, ALLOWED, ALLOWED);
        check(Look::Plain, ALLOWED, plain);
        let coloured = plain.replace("allow", "\u{1b}[32mallow\u{1b}[0m");
        check(Look::Coloured, ALLOWED, &coloured);
        let refused = r#"{"time":"2026-11-21T23:00:00.123456789Z","request":{"method":"GET"},"decision":null,"upstream":null,"refusal":"no_route","interrupted":true,"duration_us":1}"#;
        check(Look::Plain, refused, "23:00:00.123  undecided  GET  0.001 ms  refusal=no_route  interrupted");
    }

    #[test]
    fn happenings() {
        let issued = r#"{"time":"2026-11-21T23:00:00.123456789Z","event":"lease_issued","credential":{"name":"key","lease":"l","expires":null},"route":"api","subject":"uid=1"}"#;
        check(
            Look::Plain,
            issued,
            "23:00:00.123  lease_issued  credential=key  lease=l  route=api  subject=uid=1",
        );
        let recovered = r#"{"time":"2026-11-21T23:00:00.123456789Z","event":"recovered","torn_bytes":7}"#;
        check(Look::Plain, recovered, "23:00:00.123  recovered  torn_bytes=7");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let hostile = ALLOWED.replace("/a", "/\\u001b[2J\u{9b}1m").replace("allow", "\\u0007");
        let shown = String::from_utf8(Look::Plain.show(hostile.as_bytes())).expect("UTF-8");
        assert!(!shown.trim_end().chars().any(char::is_control), "{shown:?}");
        check(Look::Plain, "\u{1b}[2Jno json", "not a record: \u{fffd}[2Jno json");
        check(Look::Plain, "[]", "?  undecided  0.000 ms");
    }
}
