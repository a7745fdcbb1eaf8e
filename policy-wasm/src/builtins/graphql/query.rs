//! Operations and fragments.

use super::lexer::Kind;
use super::parser::{Parser, UNEXPECTED, Variables};
use super::tree::{list, node, text};
use crate::builtins::{Fault, Outcome};
use crate::value::Value;

/// The tree of a query document.
pub(super) fn document(query: &str) -> Outcome {
    let mut parser = Parser::new(query);
    let (mut operations, mut fragments) = (Vec::new(), Vec::new());
    loop {
        let word = parser.peek()?.clone();
        match (word.kind, word.text.as_str()) {
            (Kind::End, _) => break,
            (Kind::Sign(b'{'), _) => operations.push(parser.bare_operation()?),
            (Kind::Name, "query" | "mutation" | "subscription") => operations.push(parser.operation()?),
            (Kind::Name, "fragment") => fragments.push(parser.fragment()?),
            _ => return Err(UNEXPECTED),
        }
    }
    Ok(node([("Operations", list(operations)), ("Fragments", list(fragments))]))
}

impl Parser<'_> {
    /// It does not keep its comment.
    fn bare_operation(&mut self) -> Result<Value, Fault> {
        let selections = self.selections()?;
        Ok(node([("Operation", text("query")), ("Name", text("")), ("SelectionSet", list(selections))]))
    }

    fn operation(&mut self) -> Result<Value, Fault> {
        let comment = self.comment()?;
        let operation = self.name()?;
        let name = if self.kind()? == Kind::Name { self.name()? } else { String::new() };
        let variables = self.variables()?;
        let directives = self.directives(Variables::Allowed)?;
        let selections = self.selections()?;
        Ok(node([
            ("Operation", text(operation)),
            ("Name", text(name)),
            ("VariableDefinitions", list(variables)),
            ("Directives", list(directives)),
            ("SelectionSet", list(selections)),
            ("Comment", comment),
        ]))
    }

    fn variables(&mut self) -> Result<Vec<Value>, Fault> {
        self.some(*b"()", |parser| {
            let comment = parser.comment()?;
            let name = parser.variable()?;
            parser.expect(b':')?;
            let kind = parser.type_reference()?;
            let default = if parser.skip(b'=')? { Some(parser.value(Variables::Refused)?) } else { None };
            let directives = parser.directives(Variables::Allowed)?;
            Ok(node([
                ("Variable", text(name)),
                ("Type", Some(kind)),
                ("DefaultValue", default),
                ("Directives", list(directives)),
                ("Comment", comment),
                ("Used", Some(false.into())),
            ]))
        })
    }

    fn selections(&mut self) -> Result<Vec<Value>, Fault> {
        if self.kind()? != Kind::Sign(b'{') {
            return Err(UNEXPECTED);
        }
        self.some(
            *b"{}",
            |parser| {
                if parser.kind()? == Kind::Spread { parser.spread() } else { parser.field() }
            },
        )
    }

    fn field(&mut self) -> Result<Value, Fault> {
        let comment = self.comment()?;
        let alias = self.name()?;
        let name = if self.skip(b':')? { self.name()? } else { alias.clone() };
        let arguments = self.arguments(Variables::Allowed)?;
        let directives = self.directives(Variables::Allowed)?;
        let inner = if self.kind()? == Kind::Sign(b'{') { self.selections()? } else { Vec::new() };
        Ok(node([
            ("Alias", text(alias)),
            ("Name", text(name)),
            ("Arguments", list(arguments)),
            ("Directives", list(directives)),
            ("SelectionSet", list(inner)),
            ("Comment", comment),
        ]))
    }

    /// `...name`, or `... on Type {}` and its shorter forms.
    fn spread(&mut self) -> Result<Value, Fault> {
        let comment = self.comment()?;
        self.next()?;
        if self.kind()? == Kind::Name && !self.is_keyword("on")? {
            let name = self.name()?;
            let directives = self.directives(Variables::Allowed)?;
            return Ok(node([("Name", text(name)), ("Directives", list(directives)), ("Comment", comment)]));
        }
        let mut condition = String::new();
        if self.is_keyword("on")? {
            self.next()?;
            condition = self.name()?;
        }
        let directives = self.directives(Variables::Allowed)?;
        let selections = self.selections()?;
        Ok(node([
            ("TypeCondition", text(condition)),
            ("Directives", list(directives)),
            ("SelectionSet", list(selections)),
            ("Comment", comment),
        ]))
    }

    fn fragment(&mut self) -> Result<Value, Fault> {
        let comment = self.comment()?;
        self.keyword("fragment")?;
        if self.is_keyword("on")? {
            return Err(UNEXPECTED);
        }
        let name = self.name()?;
        let variables = self.variables()?;
        self.keyword("on")?;
        let condition = self.name()?;
        let directives = self.directives(Variables::Allowed)?;
        let selections = self.selections()?;
        Ok(node([
            ("Name", text(name)),
            ("VariableDefinition", list(variables)),
            ("TypeCondition", text(condition)),
            ("Directives", list(directives)),
            ("SelectionSet", list(selections)),
            ("Comment", comment),
        ]))
    }
}
