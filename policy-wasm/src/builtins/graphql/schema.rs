//! Types, directives and what extends them.

use super::lexer::Kind;
use super::parser::{Parser, UNEXPECTED, Variables};
use super::tree::{list, node, text};
use crate::builtins::{Fault, Outcome};
use crate::value::Value;

const LOCATIONS: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// The tree of a schema document.
pub(super) fn document(schema: &str) -> Outcome {
    let mut parser = Parser::new(schema);
    let mut parts: [(&str, Vec<Value>); 5] =
        ["Schema", "SchemaExtension", "Directives", "Definitions", "Extensions"]
            .map(|name| (name, Vec::new()));
    let mut put = |name: &str, value: Value| {
        parts.iter_mut().filter(|(part, _)| *part == name).for_each(|(_, list)| list.push(value.clone()));
    };
    while parser.kind()? != Kind::End {
        let about = parser.description()?;
        let word = parser.peek()?.clone();
        match (word.kind, word.text.as_str()) {
            (Kind::Name, "schema") => put("Schema", parser.schema(about)?),
            (Kind::Name, "directive") => put("Directives", parser.directive_definition(about)?),
            (Kind::Name, "extend") if about.text.is_empty() => {
                let about = Description { own: parser.comment()?, ..Description::default() };
                parser.next()?;
                match parser.is_keyword("schema")? {
                    true => put("SchemaExtension", parser.schema_extension(about)?),
                    false => put("Extensions", parser.definition(about, Extends::AnotherOne)?),
                }
            }
            (Kind::Name, _) => put("Definitions", parser.definition(about, Extends::Nothing)?),
            _ => return Err(UNEXPECTED),
        }
    }
    let comment = parser.comment()?;
    let [schema, schema_extension, directives, definitions, extensions] = parts.map(|(_, part)| list(part));
    Ok(node([
        ("Schema", schema),
        ("SchemaExtension", schema_extension),
        ("Directives", directives),
        ("Definitions", definitions),
        ("Extensions", extensions),
        ("Comment", comment),
    ]))
}

/// What stands before a definition.
#[derive(Default)]
struct Description {
    text: String,
    /// The comment before the description.
    before: Option<Value>,
    /// The comment before the definition itself, where it is known already.
    own: Option<Value>,
}

/// Whether a definition stands for itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extends {
    Nothing,
    AnotherOne,
}

/// What kind of fields a definition has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    WithArguments,
    WithDefaults,
}

impl Parser<'_> {
    fn description(&mut self) -> Result<Description, Fault> {
        if !matches!(self.kind()?, Kind::String | Kind::BlockString) {
            return Ok(Description::default());
        }
        let before = self.comment()?;
        Ok(Description { text: self.next()?.text, before, own: None })
    }

    /// The description of a part of a definition; an empty one counts as none.
    fn part_description(&mut self) -> Result<Description, Fault> {
        let about = self.description()?;
        let before = about.before.filter(|_| !about.text.is_empty());
        Ok(Description { text: about.text, before, own: self.comment()? })
    }

    fn schema(&mut self, about: Description) -> Result<Value, Fault> {
        let about = Description { own: self.comment()?, ..about };
        self.keyword("schema")?;
        self.schema_body(about).map(|(schema, _)| schema)
    }

    fn schema_extension(&mut self, about: Description) -> Result<Value, Fault> {
        self.keyword("schema")?;
        match self.schema_body(about)? {
            (schema, true) => Ok(schema),
            (_, false) => Err(UNEXPECTED),
        }
    }

    /// The definition and whether it says anything.
    fn schema_body(&mut self, about: Description) -> Result<(Value, bool), Fault> {
        let directives = self.directives(Variables::Refused)?;
        let (operations, end) = self.some_with_comment(*b"{}", |parser| {
            let comment = parser.comment()?;
            let operation = parser.next()?.text;
            if !matches!(operation.as_str(), "query" | "mutation" | "subscription") {
                return Err(UNEXPECTED);
            }
            parser.expect(b':')?;
            let name = parser.name()?;
            Ok(node([("Operation", text(operation)), ("Type", text(name)), ("Comment", comment)]))
        })?;
        let says = !directives.is_empty() || !operations.is_empty();
        let schema = node([
            ("Description", text(about.text)),
            ("Directives", list(directives)),
            ("OperationTypes", list(operations)),
            ("BeforeDescriptionComment", about.before),
            ("AfterDescriptionComment", about.own),
            ("EndOfDefinitionComment", end),
        ]);
        Ok((schema, says))
    }

    fn definition(&mut self, about: Description, extends: Extends) -> Result<Value, Fault> {
        let own = if extends == Extends::Nothing { self.comment()? } else { about.own };
        let word = self.name()?;
        let kind = match word.as_str() {
            "scalar" => "SCALAR",
            "type" => "OBJECT",
            "interface" => "INTERFACE",
            "union" => "UNION",
            "enum" => "ENUM",
            "input" => "INPUT_OBJECT",
            _ => return Err(UNEXPECTED),
        };
        let name = self.name()?;
        let implements = kind == "OBJECT" || kind == "INTERFACE" && extends == Extends::Nothing;
        let interfaces = if implements { self.interfaces()? } else { Vec::new() };
        let variables = match (kind, extends) {
            ("INPUT_OBJECT", Extends::AnotherOne) => Variables::Allowed,
            _ => Variables::Refused,
        };
        let directives = self.directives(variables)?;
        let (mut fields, mut types, mut values, mut end) = (Vec::new(), Vec::new(), Vec::new(), None);
        match kind {
            "OBJECT" | "INTERFACE" => (fields, end) = self.fields(Fields::WithArguments)?,
            "INPUT_OBJECT" => (fields, end) = self.fields(Fields::WithDefaults)?,
            "UNION" => types = self.members()?,
            "ENUM" => (values, end) = self.some_with_comment(*b"{}", Parser::enum_value)?,
            _ => {}
        }
        let parts = [&interfaces, &directives, &fields, &types, &values];
        if extends == Extends::AnotherOne && parts.into_iter().all(Vec::is_empty) {
            return Err(UNEXPECTED);
        }
        Ok(node([
            ("Kind", text(kind)),
            ("Description", text(about.text)),
            ("Name", text(name)),
            ("Directives", list(directives)),
            ("Interfaces", list(interfaces)),
            ("Fields", list(fields)),
            ("Types", list(types)),
            ("EnumValues", list(values)),
            ("BuiltIn", Some(false.into())),
            ("BeforeDescriptionComment", about.before),
            ("AfterDescriptionComment", own),
            ("EndOfDefinitionComment", end),
        ]))
    }

    fn interfaces(&mut self) -> Result<Vec<Value>, Fault> {
        // any word of this text will do
        if self.peek()?.text != "implements" {
            return Ok(Vec::new());
        }
        self.next()?;
        self.names_between(b'&')
    }

    fn members(&mut self) -> Result<Vec<Value>, Fault> {
        if self.skip(b'=')? { self.names_between(b'|') } else { Ok(Vec::new()) }
    }

    /// At least one name; the sign may stand before the first too.
    fn names_between(&mut self, sign: u8) -> Result<Vec<Value>, Fault> {
        self.skip(sign)?;
        let mut names = vec![self.name()?.into()];
        while self.skip(sign)? {
            names.push(self.name()?.into());
        }
        Ok(names)
    }

    fn fields(&mut self, fields: Fields) -> Result<(Vec<Value>, Option<Value>), Fault> {
        self.some_with_comment(*b"{}", |parser| match fields {
            Fields::WithArguments => parser.field_definition(),
            Fields::WithDefaults => parser.value_definition(),
        })
    }

    fn field_definition(&mut self) -> Result<Value, Fault> {
        let about = self.part_description()?;
        let name = self.name()?;
        let arguments = self.some(*b"()", Parser::value_definition)?;
        self.expect(b':')?;
        let kind = self.type_reference()?;
        let directives = self.directives(Variables::Refused)?;
        Ok(node([
            ("Description", text(about.text)),
            ("Name", text(name)),
            ("Arguments", list(arguments)),
            ("Type", Some(kind)),
            ("Directives", list(directives)),
            ("BeforeDescriptionComment", about.before),
            ("AfterDescriptionComment", about.own),
        ]))
    }

    /// An argument, or a field of an input object.
    fn value_definition(&mut self) -> Result<Value, Fault> {
        let about = self.part_description()?;
        let name = self.name()?;
        self.expect(b':')?;
        let kind = self.type_reference()?;
        let default = if self.skip(b'=')? { Some(self.value(Variables::Refused)?) } else { None };
        let directives = self.directives(Variables::Refused)?;
        Ok(node([
            ("Description", text(about.text)),
            ("Name", text(name)),
            ("DefaultValue", default),
            ("Type", Some(kind)),
            ("Directives", list(directives)),
            ("BeforeDescriptionComment", about.before),
            ("AfterDescriptionComment", about.own),
        ]))
    }

    fn enum_value(&mut self) -> Result<Value, Fault> {
        let about = self.part_description()?;
        let name = self.name()?;
        let directives = self.directives(Variables::Refused)?;
        Ok(node([
            ("Description", text(about.text)),
            ("Name", text(name)),
            ("Directives", list(directives)),
            ("BeforeDescriptionComment", about.before),
            ("AfterDescriptionComment", about.own),
        ]))
    }

    fn directive_definition(&mut self, about: Description) -> Result<Value, Fault> {
        let own = self.comment()?;
        self.keyword("directive")?;
        self.expect(b'@')?;
        let name = self.name()?;
        let arguments = self.some(*b"()", Parser::value_definition)?;
        let repeatable = self.is_keyword("repeatable")?;
        if repeatable {
            self.next()?;
        }
        self.keyword("on")?;
        let locations = self.names_between(b'|')?;
        if !locations.iter().all(|place| place.as_str().is_some_and(|place| LOCATIONS.contains(&place))) {
            return Err(UNEXPECTED);
        }
        Ok(node([
            ("Description", text(about.text)),
            ("Name", text(name)),
            ("Arguments", list(arguments)),
            ("Locations", list(locations)),
            ("IsRepeatable", Some(repeatable.into())),
            ("BeforeDescriptionComment", about.before),
            ("AfterDescriptionComment", own),
        ]))
    }
}
