//! What queries and schemas share: words with their comments, values, directives, types.

use super::lexer::{Kind, Lexer, Token};
use super::tree::{list, literal, node, text};
use crate::builtins::Fault;
use crate::value::Value;

pub(super) const DEPTH_MAX: usize = 96;
const TOKENS_MAX: usize = 64 * 1024;
pub(super) const UNEXPECTED: Fault = Fault::Undefined("the GraphQL is malformed");

/// Whether variables may stand in a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Variables {
    Allowed,
    Refused,
}

/// The words of a document, one ahead.
pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: Option<Token>,
    /// What stands before the word that is ahead.
    comment: Option<Value>,
    depth: usize,
    tokens: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(document: &'a str) -> Parser<'a> {
        Parser { lexer: Lexer::new(document), ahead: None, comment: None, depth: 0, tokens: 0 }
    }

    pub(super) fn peek(&mut self) -> Result<&Token, Fault> {
        if self.ahead.is_none() {
            let mut comments = Vec::new();
            let token = loop {
                self.tokens += 1;
                if self.tokens > TOKENS_MAX {
                    return Err(Fault::Halt("the GraphQL document is too large"));
                }
                let token = self.lexer.next()?;
                if token.kind != Kind::Comment {
                    break token;
                }
                comments.push(node([("Value", text(token.text))]));
            };
            self.comment = list(comments).map(|comments| node([("List", Some(comments))]));
            self.ahead = Some(token);
        }
        self.ahead.as_ref().ok_or(UNEXPECTED)
    }

    pub(super) fn kind(&mut self) -> Result<Kind, Fault> {
        self.peek().map(|token| token.kind)
    }

    pub(super) fn next(&mut self) -> Result<Token, Fault> {
        self.peek()?;
        self.comment = None;
        self.ahead.take().ok_or(UNEXPECTED)
    }

    /// The comment before the word that is ahead.
    pub(super) fn comment(&mut self) -> Result<Option<Value>, Fault> {
        self.peek()?;
        Ok(self.comment.clone())
    }

    pub(super) fn skip(&mut self, sign: u8) -> Result<bool, Fault> {
        let found = self.kind()? == Kind::Sign(sign);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, sign: u8) -> Result<(), Fault> {
        if self.skip(sign)? { Ok(()) } else { Err(UNEXPECTED) }
    }

    pub(super) fn name(&mut self) -> Result<String, Fault> {
        if self.kind()? == Kind::Name { self.next().map(|token| token.text) } else { Err(UNEXPECTED) }
    }

    pub(super) fn is_keyword(&mut self, word: &str) -> Result<bool, Fault> {
        self.peek().map(|token| token.kind == Kind::Name && token.text == word)
    }

    pub(super) fn keyword(&mut self, word: &str) -> Result<(), Fault> {
        if self.is_keyword(word)? { self.next().map(drop) } else { Err(UNEXPECTED) }
    }

    /// What `read` finds between the two signs, at least one; nothing where the first is not there.
    pub(super) fn some(
        &mut self,
        [open, close]: [u8; 2],
        read: impl FnMut(&mut Self) -> Result<Value, Fault>,
    ) -> Result<Vec<Value>, Fault> {
        self.some_with_comment([open, close], read).map(|(found, _)| found)
    }

    /// The same with the comment before the sign that closes.
    pub(super) fn some_with_comment(
        &mut self,
        [open, close]: [u8; 2],
        read: impl FnMut(&mut Self) -> Result<Value, Fault>,
    ) -> Result<(Vec<Value>, Option<Value>), Fault> {
        if self.kind()? != Kind::Sign(open) {
            return Ok((Vec::new(), None));
        }
        let (found, comment) = self.many([open, close], read)?;
        if found.is_empty() { Err(UNEXPECTED) } else { Ok((found, comment)) }
    }

    fn many(
        &mut self,
        [open, close]: [u8; 2],
        mut read: impl FnMut(&mut Self) -> Result<Value, Fault>,
    ) -> Result<(Vec<Value>, Option<Value>), Fault> {
        self.expect(open)?;
        self.deeper()?;
        let mut found = Vec::new();
        while self.kind()? != Kind::Sign(close) {
            found.push(read(self)?);
        }
        let comment = self.comment()?;
        self.next()?;
        self.depth -= 1;
        Ok((found, comment))
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(Fault::Halt("the GraphQL is nested too deeply")) } else { Ok(()) }
    }

    pub(super) fn directives(&mut self, variables: Variables) -> Result<Vec<Value>, Fault> {
        let mut directives = Vec::new();
        while self.skip(b'@')? {
            let name = self.name()?;
            let arguments = self.arguments(variables)?;
            // where it stands is told by validation only
            directives.push(node([
                ("Name", text(name)),
                ("Arguments", list(arguments)),
                ("Location", text("")),
            ]));
        }
        Ok(directives)
    }

    pub(super) fn arguments(&mut self, variables: Variables) -> Result<Vec<Value>, Fault> {
        self.some(*b"()", |parser| parser.named_value(variables))
    }

    fn named_value(&mut self, variables: Variables) -> Result<Value, Fault> {
        let comment = self.comment()?;
        let name = self.name()?;
        self.expect(b':')?;
        let value = self.value(variables)?;
        Ok(node([("Name", text(name)), ("Value", Some(value)), ("Comment", comment)]))
    }

    pub(super) fn value(&mut self, variables: Variables) -> Result<Value, Fault> {
        let comment = self.comment()?;
        let token = self.peek()?.clone();
        let kind = match token.kind {
            Kind::Sign(b'[') => {
                let element = |parser: &mut Self| {
                    let value = parser.value(variables)?;
                    Ok(node([("Name", text("")), ("Value", Some(value))]))
                };
                let (elements, _) = self.many(*b"[]", element)?;
                return Ok(constant("", literal::LIST, elements, comment));
            }
            Kind::Sign(b'{') => {
                let (fields, _) = self.many(*b"{}", |parser| parser.named_value(variables))?;
                return Ok(constant("", literal::OBJECT, fields, comment));
            }
            Kind::Sign(b'$') if variables == Variables::Allowed => {
                let name = self.variable()?;
                return Ok(constant(&name, literal::VARIABLE, Vec::new(), None));
            }
            Kind::Int => literal::INT,
            Kind::Float => literal::FLOAT,
            Kind::String => literal::STRING,
            Kind::BlockString => literal::BLOCK,
            Kind::Name => match token.text.as_str() {
                "true" | "false" => literal::BOOLEAN,
                "null" => literal::NULL,
                _ => literal::ENUM,
            },
            Kind::Sign(_) | Kind::Spread | Kind::End | Kind::Comment => return Err(UNEXPECTED),
        };
        self.next()?;
        // only lists and objects keep their comment
        Ok(constant(&token.text, kind, Vec::new(), None))
    }

    pub(super) fn variable(&mut self) -> Result<String, Fault> {
        self.expect(b'$')?;
        self.name()
    }

    pub(super) fn type_reference(&mut self) -> Result<Value, Fault> {
        let (mut name, mut element) = (String::new(), None);
        if self.skip(b'[')? {
            self.deeper()?;
            element = Some(self.type_reference()?);
            self.expect(b']')?;
            self.depth -= 1;
        } else {
            name = self.name()?;
        }
        let required = self.skip(b'!')?;
        Ok(node([("NamedType", text(name)), ("Elem", element), ("NonNull", Some(required.into()))]))
    }
}

fn constant(raw: &str, kind: i64, children: Vec<Value>, comment: Option<Value>) -> Value {
    node([
        ("Raw", text(raw)),
        ("Children", list(children)),
        ("Kind", Some(kind.into())),
        ("Comment", comment),
        ("ExpectedTypeHasDefault", Some(false.into())),
    ])
}
