//! Arguments and their values: of the type that is asked for, or a variable that may stand there.

use super::{Judge, Judgement, distinct, must};
use crate::builtins::Fault;
use crate::builtins::graphql::tree::{
    field, is_null, is_true, items, kind_of, literal, named, string, type_of,
};
use crate::builtins::graphql::validity::{Definition, INVALID, is_compatible, is_required};
use crate::value::Value;

const BUILT_IN_SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

/// What a value has to be.
#[derive(Clone, Copy)]
pub(super) struct Expected<'s, 'v, 'q> {
    pub(super) reference: &'q Value,
    /// Of the type at the reference's bottom.
    pub(super) definition: &'s Definition<'v>,
    /// Whether something else stands in for a null.
    pub(super) has_default: bool,
}

/// What is asked of the numbers in a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    Any,
    /// A value that holds this one has a known type.
    Readable,
}

impl Expected<'_, '_, '_> {
    /// Values of other scalars may be anything.
    fn is_known(&self) -> bool {
        self.definition.kind != "SCALAR" || BUILT_IN_SCALARS.contains(&self.definition.name)
    }
}

/// Whether OPA can make a number of a number.
fn is_readable(kind: i64, raw: &str) -> bool {
    match kind {
        literal::INT => raw.parse::<i64>().is_ok(),
        literal::FLOAT => raw.parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    }
}

impl<'s, 'v: 'q, 'q> Judge<'s, 'v, 'q> {
    pub(super) fn arguments(&mut self, wanted: &'v [Value], given: &'q [Value]) -> Judgement {
        must(distinct(given, "Name"))?;
        for argument in given {
            let definition = named(wanted, string(argument, "Name")).ok_or(INVALID)?;
            let expected = self.argument_type(definition)?;
            self.value(field(argument, "Value").ok_or(INVALID)?, Some(expected), Numbers::Any)?;
        }
        must(
            wanted
                .iter()
                .all(|wanted| !is_required(wanted) || named(given, string(wanted, "Name")).is_some()),
        )
    }

    /// A value of which nothing is expected is still looked through: for variables.
    pub(super) fn value(
        &mut self,
        value: &'q Value,
        expected: Option<Expected<'s, 'v, 'q>>,
        numbers: Numbers,
    ) -> Judgement {
        self.step()?;
        let kind = kind_of(value).ok_or(INVALID)?;
        let known = expected.as_ref().is_some_and(Expected::is_known);
        let numbers = if known { Numbers::Readable } else { numbers };
        must(numbers == Numbers::Any || is_readable(kind, string(value, "Raw")))?;
        let children = items(value, "Children");
        for child in children {
            let inner = match kind {
                literal::OBJECT => self.expected_of_field(expected, string(child, "Name"))?,
                _ => expected.and_then(expected_of_element),
            };
            self.value(field(child, "Value").ok_or(INVALID)?, inner, numbers)?;
        }
        must(kind != literal::OBJECT || distinct(children, "Name"))?;
        if kind == literal::VARIABLE {
            return self.variable_used(value, expected);
        }
        expected.map_or(Ok(()), |expected| self.fits(value, kind, expected))
    }

    fn expected_of_field(
        &self,
        expected: Option<Expected<'s, 'v, 'q>>,
        name: &str,
    ) -> Result<Option<Expected<'s, 'v, 'q>>, Fault> {
        let definition = expected.and_then(|expected| expected.definition.fields.get(name).copied());
        definition.map(|definition| self.argument_type(definition)).transpose()
    }

    fn variable_used(&mut self, value: &'q Value, expected: Option<Expected<'s, 'v, 'q>>) -> Judgement {
        let name = string(value, "Raw");
        let variable = *self.variables.get(name).ok_or(INVALID)?;
        self.used.insert(name);
        let Some(expected) = expected else { return Ok(()) };
        let stood_in =
            expected.has_default || field(variable, "DefaultValue").is_some_and(|default| !is_null(default));
        let own = type_of(variable).ok_or(INVALID)?;
        must(is_compatible(own, &nullable_where(stood_in, expected.reference)))
    }

    fn fits(&self, value: &'q Value, kind: i64, expected: Expected<'s, 'v, 'q>) -> Judgement {
        let Expected { reference, definition, .. } = expected;
        if kind == literal::NULL {
            return must(!is_true(reference, "NonNull"));
        }
        if !expected.is_known() {
            return Ok(());
        }
        let is = |names: &[&str]| names.contains(&definition.name);
        match kind {
            literal::LIST => must(field(reference, "Elem").is_some()),
            literal::INT => must(is(&["Int", "Float", "ID"])),
            literal::FLOAT => must(is(&["Float"])),
            literal::STRING | literal::BLOCK => must(definition.kind != "ENUM" && is(&["String", "ID"])),
            literal::BOOLEAN => must(is(&["Boolean"])),
            literal::ENUM => {
                let known = named(definition.all("EnumValues"), string(value, "Raw")).is_some();
                must(definition.kind == "ENUM" && known)
            }
            literal::OBJECT => self.fits_object(items(value, "Children"), definition),
            _ => Err(INVALID),
        }
    }

    fn fits_object(&self, given: &'q [Value], definition: &'s Definition<'v>) -> Judgement {
        must(given.iter().all(|given| definition.fields.contains_key(string(given, "Name"))))?;
        let is_given = |name: &str| named(given, name).is_some();
        must(definition.fields.iter().all(|(name, wanted)| !is_required(wanted) || is_given(name)))?;
        if named(definition.all("Directives"), "oneOf").is_none() {
            return Ok(());
        }
        let [only] = given else { return Err(INVALID) };
        let value = field(only, "Value").ok_or(INVALID)?;
        match kind_of(value) {
            Some(literal::VARIABLE) => {
                let variable = self.variables.get(string(value, "Raw")).ok_or(INVALID)?;
                must(type_of(variable).is_some_and(|own| is_true(own, "NonNull")))
            }
            _ => must(!is_null(value)),
        }
    }
}

fn expected_of_element<'s, 'v, 'q>(expected: Expected<'s, 'v, 'q>) -> Option<Expected<'s, 'v, 'q>> {
    let reference = field(expected.reference, "Elem")?;
    Some(Expected { reference, has_default: false, ..expected })
}

/// The type, without its demand for a value where something stands in for a missing one.
fn nullable_where(stood_in: bool, reference: &Value) -> Value {
    let mut reference = reference.clone();
    if let (true, Value::Object(fields)) = (stood_in, &mut reference) {
        fields.insert("NonNull".into(), false.into());
    }
    reference
}
