//! From YAML events to the tree, within bounds, refusing what a configuration has no need of.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{Entry, Form, Node, Scalar, Value};
use crate::source::FILE_BYTES_MAX;
use crate::suggest::quoted;
use crate::{Finding, Findings, Location};

/// Values that a file may hold.
const NODES_MAX: usize = 20_000;
/// Collections that may lie within one another.
const DEPTH_MAX: usize = 32;

/// Reads as much of one document as can be understood; `None` if that is nothing.
pub(super) fn parse(text: &str, findings: &mut Findings) -> Option<Node> {
    let read = refuse_bytes(text).and_then(|()| Builder::new(text, findings).document());
    read.map_err(|finding| findings.push(*finding)).ok()
}

/// A finding is boxed where it is an error: it is large, and rare.
type Fallible<T> = Result<T, Box<Finding>>;

fn fatal<T>(code: &'static str, location: Location, message: impl Into<String>) -> Fallible<T> {
    Err(Box::new(Finding::error(code, "", location, message)))
}

/// Refuses what is too large or no text before any of it is interpreted.
fn refuse_bytes(text: &str) -> Fallible<()> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is larger than {} KiB", FILE_BYTES_MAX / 1024);
        return fatal("file_too_large", Location::START, message);
    }
    let Some(at) = text.char_indices().position(|(at, c)| !is_text(c, &text[at..])) else { return Ok(()) };
    let before: String = text.chars().take(at).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    fatal("not_text", Location { line, column }, "a configuration is UTF-8 text without control characters")
}

fn is_text(c: char, from_here: &str) -> bool {
    match c {
        '\n' | '\t' => true,
        '\r' => from_here.starts_with("\r\n"),
        char::REPLACEMENT_CHARACTER | '\u{feff}' | '\u{2028}' | '\u{2029}' => false,
        c => !c.is_control(),
    }
}

struct Builder<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    path: Vec<String>,
    nodes: usize,
    findings: &'a mut Findings,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, findings: &'a mut Findings) -> Self {
        Self { text, parser: Parser::new_from_str(text), path: Vec::new(), nodes: 0, findings }
    }

    /// The only document of the file.
    fn document(&mut self) -> Fallible<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                content @ (Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd) => {
                    if root.is_some() {
                        return fatal("bad_yaml", place(span.start), "one file holds one document");
                    }
                    root = Some(self.node(content, span, Location::START)?);
                }
            }
        }
        root.map_or_else(|| fatal("bad_yaml", Location::START, "the file is empty"), Ok)
    }

    /// The value that begins with `event`; `anchor` is where it stands if it has no place of its own.
    fn node(&mut self, event: Event<'a>, span: Span, anchor: Location) -> Fallible<Node> {
        let here = place(span.start);
        self.count(here)?;
        self.refuse_reuse(&event, here)?;
        let block_text = matches!(event, Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..));
        let location = if span.is_empty() || block_text { anchor } else { here };
        let value = match event {
            Event::Scalar(text, style, ..) => Value::Scalar(scalar(text.into_owned(), style)),
            Event::SequenceStart(..) => self.sequence()?,
            Event::MappingStart(..) => self.mapping()?,
            Event::Alias(_)
            | Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return fatal("bad_yaml", here, "a value was expected here"),
        };
        Ok(Node { location, value })
    }

    fn sequence(&mut self) -> Fallible<Value> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Sequence(items));
            }
            self.path.push(items.len().to_string());
            items.push(self.node(event, span, place(span.start))?);
            self.path.pop();
        }
    }

    fn mapping(&mut self) -> Fallible<Value> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Mapping(entries));
            }
            let (key, location) = self.key(event, span)?;
            self.path.push(key);
            let (event, span) = self.next()?;
            let value = self.node(event, span, location)?;
            let key = self.path.pop().expect("pushed above, and every inner push is popped");
            match entries.iter().find(|entry| entry.key == key) {
                Some(first) => self.duplicate(&key, first.location, location),
                None => entries.push(Entry { key, location, value }),
            }
        }
    }

    fn key(&mut self, event: Event<'a>, span: Span) -> Fallible<(String, Location)> {
        let here = place(span.start);
        self.count(here)?;
        self.refuse_reuse(&event, here)?;
        let Event::Scalar(text, style, ..) = event else {
            return fatal("bad_yaml", here, "a key is text, not a list or a mapping");
        };
        if text == "<<" && style == ScalarStyle::Plain {
            return fatal("bad_yaml", here, "merge keys (`<<`) are not supported: write the keys out");
        }
        Ok((text.into_owned(), here))
    }

    fn duplicate(&mut self, key: &str, first: Location, second: Location) {
        let path: Vec<&str> = self.path.iter().map(String::as_str).chain([key]).collect();
        let message = format!("{} stands here again; it was first set on line {}", quoted(key), first.line);
        self.findings.error("duplicate_key", path.join("."), second, message);
    }

    fn count(&mut self, here: Location) -> Fallible<()> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return fatal("file_too_large", here, format!("the file holds more than {NODES_MAX} values"));
        }
        if self.path.len() > DEPTH_MAX {
            return fatal(
                "file_too_large",
                here,
                format!("more than {DEPTH_MAX} blocks lie within each other"),
            );
        }
        Ok(())
    }

    /// Anchors and aliases can make a small file huge, and tags can make it mean something else.
    fn refuse_reuse(&self, event: &Event<'_>, here: Location) -> Fallible<()> {
        let (anchor, tag) = match event {
            Event::Alias(id) => (*id, false),
            Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => (*anchor, tag.is_some()),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => (0, false),
        };
        if anchor != 0 {
            return fatal("bad_yaml", here, "anchors and aliases are not supported: write the value out");
        }
        if tag {
            return fatal("bad_yaml", here, "tags (`!…`) are not supported");
        }
        Ok(())
    }

    fn next(&mut self) -> Fallible<(Event<'a>, Span)> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(Box::new(self.syntax(&error))),
            None => fatal("bad_yaml", Location::START, "the file ends too early"),
        }
    }

    /// What the YAML reader says, at a place that exists; two frequent slips in words of our own.
    fn syntax(&self, error: &ScanError) -> Finding {
        let lines: Vec<&str> = self.text.lines().collect();
        let at = place(*error.marker());
        let line = at.line.clamp(1, lines.len().max(1));
        if let Some(tab) =
            (line..=line + 1).find(|line| lines.get(line - 1).is_some_and(|text| indents_by_tab(text)))
        {
            let location = Location { line: tab, column: 1 };
            return Finding::error("bad_yaml", "", location, "a tab cannot indent: use spaces");
        }
        let end = lines.get(line - 1).map_or(1, |text| text.chars().count() + 1);
        let column = if line == at.line { at.column.min(end) } else { end };
        let mut message = error.info().to_owned();
        if lines.get(line - 1).is_some_and(|text| text.contains("${")) {
            message +=
                "; a variable cannot stand within `{ }` or `[ ]`: write that setting on lines of its own";
        }
        Finding::error("bad_yaml", "", Location { line, column }, message)
    }
}

fn indents_by_tab(line: &str) -> bool {
    line.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t')
}

fn place(marker: Marker) -> Location {
    Location { line: marker.line().max(1), column: marker.col() + 1 }
}

fn scalar(text: String, style: ScalarStyle) -> Scalar {
    let form = if style == ScalarStyle::Plain { Form::Plain } else { Form::Quoted };
    Scalar { text, form }
}
