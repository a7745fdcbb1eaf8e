//! RE2's syntax in Rust's, for the part of it that both read alike or that can be rewritten. In doubt there is no
//! translation: a pattern that RE2 refuses must not match here.

use std::ops::Range;

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetBinaryOp, ClassSetItem, Flag, Flags,
    FlagsItemKind, GroupKind, HexLiteralKind, Literal, LiteralKind, Repetition, RepetitionKind,
    RepetitionRange, SpecialLiteralKind, Visitor,
};

/// RE2's bound on a count, and on the product of counts within each other.
const REPEATS_MAX: u32 = 1000;

/// Texts that one of the engines reads in a way of its own: `{,` as a bound, `--` and a leading `]` in a class, NUL as
/// the end.
const READ_DIFFERENTLY: [&str; 5] = ["{,", "--", "[]", "[^]", "\0"];

/// The pattern as Rust's engine has to be given it.
pub(super) fn translate(pattern: &str) -> Option<String> {
    if READ_DIFFERENTLY.iter().any(|text| pattern.contains(text)) {
        return None;
    }
    let ast = Parser::new().parse(pattern).ok()?;
    let found = ast::visit(&ast, Walk::default()).ok()?;
    // what letters fold to beyond ASCII is a matter of each engine's tables
    if found.folds && (found.has_words || !pattern.is_ascii()) {
        return None;
    }
    let mut translated = pattern.to_owned();
    for (place, text) in found.edits.iter().rev() {
        translated.replace_range(place.clone(), text);
    }
    Some(translated)
}

/// The engines may differ here.
struct Doubtful;

/// What the pattern has.
#[derive(Default)]
struct Walk {
    /// In the order of the pattern.
    edits: Vec<(Range<usize>, &'static str)>,
    /// It ignores case somewhere.
    folds: bool,
    /// It speaks of word characters or of named classes.
    has_words: bool,
    /// The product of the counts around this place, and around each place further out.
    repeats: Vec<u32>,
}

impl Visitor for Walk {
    type Output = Walk;
    type Err = Doubtful;

    fn finish(self) -> Result<Walk, Doubtful> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Doubtful> {
        match ast {
            Ast::Empty(_) | Ast::Dot(_) | Ast::ClassBracketed(_) | Ast::Alternation(_) | Ast::Concat(_) => {
                Ok(())
            }
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Literal(literal) => plain(literal),
            Ast::Assertion(assertion) => self.assertion(assertion),
            Ast::ClassUnicode(_) => Err(Doubtful),
            Ast::ClassPerl(class) => self.perl(class, outside_brackets(class)),
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Group(group) => match &group.kind {
                GroupKind::CaptureIndex(_) => Ok(()),
                GroupKind::CaptureName { starts_with_p: true, name } if is_word(&name.name) => Ok(()),
                GroupKind::CaptureName { .. } => Err(Doubtful),
                GroupKind::NonCapturing(flags) => self.flags(flags),
            },
        }
    }

    fn visit_post(&mut self, ast: &Ast) -> Result<(), Doubtful> {
        if let Ast::Repetition(_) = ast {
            self.repeats.pop();
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Doubtful> {
        match item {
            ClassSetItem::Empty(_) | ClassSetItem::Union(_) => Ok(()),
            ClassSetItem::Literal(literal) => plain(literal),
            ClassSetItem::Range(range) => plain(&range.start).and_then(|()| plain(&range.end)),
            ClassSetItem::Ascii(_) => {
                self.has_words = true;
                Ok(())
            }
            ClassSetItem::Perl(class) if !class.negated => self.perl(class, members(&class.kind)),
            ClassSetItem::Perl(_) | ClassSetItem::Unicode(_) | ClassSetItem::Bracketed(_) => Err(Doubtful),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), Doubtful> {
        Err(Doubtful)
    }
}

impl Walk {
    fn flags(&mut self, flags: &Flags) -> Result<(), Doubtful> {
        for item in &flags.items {
            match item.kind {
                FlagsItemKind::Negation | FlagsItemKind::Flag(Flag::DotMatchesNewLine) => {}
                FlagsItemKind::Flag(Flag::CaseInsensitive) => self.folds = true,
                FlagsItemKind::Flag(
                    Flag::MultiLine | Flag::SwapGreed | Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace,
                ) => return Err(Doubtful),
            }
        }
        Ok(())
    }

    fn assertion(&mut self, assertion: &ast::Assertion) -> Result<(), Doubtful> {
        match assertion.kind {
            AssertionKind::StartLine | AssertionKind::EndLine => Ok(()),
            AssertionKind::StartText | AssertionKind::EndText => Ok(()),
            AssertionKind::WordBoundary => {
                self.has_words = true;
                self.edit(assertion.span, r"(?-u:\b)");
                Ok(())
            }
            AssertionKind::NotWordBoundary
            | AssertionKind::WordBoundaryStart
            | AssertionKind::WordBoundaryEnd
            | AssertionKind::WordBoundaryStartAngle
            | AssertionKind::WordBoundaryEndAngle
            | AssertionKind::WordBoundaryStartHalf
            | AssertionKind::WordBoundaryEndHalf => Err(Doubtful),
        }
    }

    /// RE2's classes of one letter are ASCII.
    fn perl(&mut self, class: &ClassPerl, text: &'static str) -> Result<(), Doubtful> {
        self.has_words |= class.kind == ClassPerlKind::Word;
        self.edit(class.span, text);
        Ok(())
    }

    fn repetition(&mut self, repetition: &Repetition) -> Result<(), Doubtful> {
        if matches!(*repetition.ast, Ast::Repetition(_) | Ast::Assertion(_) | Ast::Empty(_) | Ast::Flags(_)) {
            return Err(Doubtful);
        }
        let around = self.repeats.last().copied().unwrap_or(1);
        let count = match &repetition.op.kind {
            RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
            RepetitionKind::Range(
                RepetitionRange::Exactly(count)
                | RepetitionRange::AtLeast(count)
                | RepetitionRange::Bounded(_, count),
            ) => *count,
        };
        let product = around.saturating_mul(count.max(1));
        self.repeats.push(product);
        if product > REPEATS_MAX { Err(Doubtful) } else { Ok(()) }
    }

    fn edit(&mut self, span: ast::Span, text: &'static str) {
        self.edits.push((span.start.offset..span.end.offset, text));
    }
}

fn plain(literal: &Literal) -> Result<(), Doubtful> {
    match literal.kind {
        LiteralKind::Verbatim | LiteralKind::Meta => Ok(()),
        LiteralKind::Superfluous if literal.c != '_' => Ok(()),
        LiteralKind::HexFixed(HexLiteralKind::X) | LiteralKind::HexBrace(HexLiteralKind::X) => Ok(()),
        LiteralKind::Special(
            SpecialLiteralKind::Bell
            | SpecialLiteralKind::FormFeed
            | SpecialLiteralKind::Tab
            | SpecialLiteralKind::LineFeed
            | SpecialLiteralKind::CarriageReturn
            | SpecialLiteralKind::VerticalTab,
        ) => Ok(()),
        LiteralKind::Superfluous
        | LiteralKind::Octal
        | LiteralKind::HexFixed(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
        | LiteralKind::HexBrace(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
        | LiteralKind::Special(SpecialLiteralKind::Space) => Err(Doubtful),
    }
}

fn is_word(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn outside_brackets(class: &ClassPerl) -> &'static str {
    match (&class.kind, class.negated) {
        (ClassPerlKind::Digit, false) => "[0-9]",
        (ClassPerlKind::Digit, true) => "[^0-9]",
        (ClassPerlKind::Space, false) => r"[\t\n\f\r ]",
        (ClassPerlKind::Space, true) => r"[^\t\n\f\r ]",
        (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
        (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
    }
}

fn members(kind: &ClassPerlKind) -> &'static str {
    match kind {
        ClassPerlKind::Digit => "0-9",
        ClassPerlKind::Space => r"\t\n\f\r ",
        ClassPerlKind::Word => "0-9A-Za-z_",
    }
}
