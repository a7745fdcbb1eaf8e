//! Arguments and their values: of the type that is asked for, or a variable that may stand there.

use super::{Judge, Judgement, distinct, must};
use crate::builtins::Fault;
use crate::builtins::graphql::tree::{field, is_true, items, kind_of, literal, named, string, type_of};
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

pub(super) fn is_null(value: &Value) -> bool {
    kind_of(value) == Some(literal::NULL)
}

/// Whether OPA can make numbers of the numbers in a value.
fn is_readable(value: &Value) -> bool {
    let raw = string(value, "Raw");
    let own = match kind_of(value) {
        Some(literal::INT) => raw.parse::<i64>().is_ok(),
        Some(literal::FLOAT) => raw.parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    };
    own && items(value, "Children").iter().filter_map(|child| field(child, "Value")).all(is_readable)
}

impl<'s, 'v: 'q, 'q> Judge<'s, 'v, 'q> {
    pub(super) fn arguments(&mut self, wanted: &'v [Value], given: &'q [Value]) -> Judgement {
        must(distinct(given, "Name"))?;
        for argument in given {
            let definition = named(wanted, string(argument, "Name")).ok_or(INVALID)?;
            let expected = self.argument_type(definition)?;
            self.value(field(argument, "Value").ok_or(INVALID)?, Some(expected))?;
        }
        must(
            wanted
                .iter()
                .all(|wanted| !is_required(wanted) || named(given, string(wanted, "Name")).is_some()),
        )
    }

    /// A value of which nothing is expected is still looked through: for variables.
    pub(super) fn value(&mut self, value: &'q Value, expected: Option<Expected<'s, 'v, 'q>>) -> Judgement {
        self.step()?;
        let kind = kind_of(value).ok_or(INVALID)?;
        let children = items(value, "Children");
        for child in children {
            let inner = match kind {
                literal::OBJECT => self.expected_of_field(expected, string(child, "Name"))?,
                _ => expected.and_then(expected_of_element),
            };
            self.value(field(child, "Value").ok_or(INVALID)?, inner)?;
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
        let definition = expected.and_then(|expected| Self::field_named(expected.definition, name));
        definition.map(|definition| self.argument_type(definition)).transpose()
    }

    fn variable_used(&mut self, value: &'q Value, expected: Option<Expected<'s, 'v, 'q>>) -> Judgement {
        let name = string(value, "Raw");
        let variable = self.variable_named(name).ok_or(INVALID)?;
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
        let is = |names: &[&str]| names.contains(&definition.name);
        if definition.kind == "SCALAR" && !is(&BUILT_IN_SCALARS) {
            return Ok(());
        }
        must(is_readable(value))?;
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
        let wanted = definition.all("Fields");
        must(
            wanted
                .iter()
                .all(|wanted| !is_required(wanted) || named(given, string(wanted, "Name")).is_some()),
        )?;
        must(given.iter().all(|given| named(wanted.iter().copied(), string(given, "Name")).is_some()))?;
        if named(definition.all("Directives"), "oneOf").is_none() {
            return Ok(());
        }
        let [only] = given else { return Err(INVALID) };
        let value = field(only, "Value").ok_or(INVALID)?;
        match kind_of(value) {
            Some(literal::VARIABLE) => {
                let variable = self.variable_named(string(value, "Raw")).ok_or(INVALID)?;
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
