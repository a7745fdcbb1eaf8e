//! Tells the tour: to people as it goes on, to machines as one array at its end.

use std::io::IsTerminal;

use serde_json::{Value, json};

use super::chapter::Chapter;
use super::scene::{ROUTE, Scene};
use super::tour::{Line, Visit};
use crate::cli::{Format, print, print_json};

/// No line is longer, so that none is broken by a terminal.
const COLUMNS_MAX: usize = 100;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

/// Tells what was shown, and remembers whether all of it was proved.
pub(super) struct Narrator {
    voice: Voice,
    told: Vec<Value>,
    all_proved: bool,
}

/// How the tour ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Every claim holds.
    Proved,
    /// Some claim does not.
    Disproved,
}

/// To whom the tour is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Machine,
    Plain,
    Colour,
}

impl Narrator {
    /// Colour is for terminals alone, and not where `NO_COLOR` is set.
    pub(super) fn new(format: Format) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let voice = match format {
            Format::Json => Voice::Machine,
            Format::Human if std::io::stdout().is_terminal() && !plain => Voice::Colour,
            Format::Human => Voice::Plain,
        };
        Self { voice, told: Vec::new(), all_proved: true }
    }

    /// Who takes part.
    pub(super) fn introduce(&self, scene: &Scene, sidecar: &str) {
        let (issuer, upstream) = (scene.issuer.address(), scene.upstream.address());
        self.say(BOLD, "Claviger in one minute: five parts, real sockets, nothing but 127.0.0.1");
        self.say(
            "",
            &format!(
                "
                        policy (WebAssembly)      issuer  {issuer}
                             ▲ may it?              ▲ a token for it
                             │                      │
  ┌──────────┐  no key   ┌───┴──────────────────────┴───┐  Bearer tok_…  ┌──────────┐
  │ workload ├──────────▶│ claviger     {sidecar:<15} ├───────────────▶│ upstream │
  └──────────┘           └──────────────┬───────────────┘                └──────────┘
                                        ▼                                 {upstream}
                                   audit.jsonl
"
            ),
        );
    }

    /// One chapter.
    pub(super) fn tell(&mut self, chapter: Chapter, visit: Visit) {
        let (proved, detail) = match &visit.proof {
            Ok(proof) => (true, proof),
            Err(why) => (false, why),
        };
        self.all_proved &= proved;
        self.told.push(json!({ "step": chapter.name(), "ok": proved, "detail": detail }));
        let (mark, colour) = if proved { ('✓', GREEN) } else { ('✗', RED) };
        let number = self.told.len();
        self.say(
            colour,
            &format!("{number} {mark} {:9} {}", chapter.name(), self.paint(BOLD, chapter.claim())),
        );
        for line in &visit.lines {
            match line {
                Line::Sent(text) => self.say(CYAN, &format!("    $ {text}")),
                Line::Seen(text) => self.say("", &format!("    ← {text}")),
            }
        }
        match &visit.proof {
            Ok(_) => self.say(DIM, &format!("    {}\n", chapter.moral())),
            Err(why) => self.say(RED, &format!("    not so: {why}\n")),
        }
    }

    /// What to try while the sidecar stays up.
    pub(super) fn invite(&self, scene: &Scene, sidecar: &str) {
        let (orders, folder) = (format!("http://{sidecar}/{ROUTE}/orders"), scene.folder().display());
        self.say(BOLD, "It stays up for you. Try");
        for command in [
            format!("curl {orders}"),
            format!("curl -X DELETE {orders}/7"),
            format!("curl -X DELETE -H 'Claviger-Purpose: cancelled by phone' {orders}/7"),
            format!("curl http://{sidecar}/elsewhere"),
            format!("cat {folder}/claviger.yaml"),
            format!("tail -f {folder}/audit.jsonl"),
        ] {
            self.say(CYAN, &format!("    $ {command}"));
        }
        self.say(DIM, "    Ctrl-C stops the sidecar and shows how it ends.\n");
    }

    /// The last word.
    pub(super) fn close(self) -> Ending {
        if self.voice == Voice::Machine {
            print_json(&Value::from(self.told));
        } else if self.all_proved {
            self.say(GREEN, "All six hold. Next: README.md shows a configuration of your own.");
        } else {
            self.say(RED, "Something does not hold; CLAVIGER_LOG=debug claviger demo tells more.");
        }
        if self.all_proved { Ending::Proved } else { Ending::Disproved }
    }

    /// Prints lines that are no longer than a terminal is wide.
    fn say(&self, colour: &str, text: &str) {
        if self.voice == Voice::Machine {
            return;
        }
        for line in text.split('\n') {
            print(&format!("{}\n", self.paint(colour, &clipped(line))));
        }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.voice == Voice::Colour && !colour.is_empty() && !text.is_empty() {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

fn clipped(line: &str) -> String {
    if line.chars().count() <= COLUMNS_MAX {
        return line.to_owned();
    }
    line.chars().take(COLUMNS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let check = |line: String, shown: String| assert_eq!(clipped(&line), shown);
        check(String::new(), String::new());
        check("─".repeat(COLUMNS_MAX), "─".repeat(COLUMNS_MAX));
        check("─".repeat(COLUMNS_MAX + 1), "─".repeat(COLUMNS_MAX - 1) + "…");
    }

    #[test]
    fn one_claim_that_does_not_hold_spoils_the_tour() {
        let check = |proofs: [Result<String, String>; 2], all_proved: bool| {
            let mut narrator = Narrator { voice: Voice::Machine, told: Vec::new(), all_proved: true };
            for (chapter, proof) in Chapter::AT_THE_END.into_iter().zip(proofs) {
                narrator.tell(chapter, Visit { lines: Vec::new(), proof });
            }
            assert_eq!(narrator.told[1]["step"], "audited");
            assert_eq!((&narrator.told[1]["ok"], narrator.all_proved), (&all_proved.into(), all_proved));
        };
        check([Ok("a".into()), Ok("b".into())], true);
        check([Ok("a".into()), Err("b".into())], false);
    }
}
