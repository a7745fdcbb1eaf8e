//! Whether a schema holds together: every name it speaks of is there and of the right kind, nothing is defined twice,
//! directives stand where they may, and types have what their interfaces promise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::schema;
use super::tree::{bottom, field, is_null, is_true, items, named, string, type_of};
use crate::builtins::Fault;
use crate::value::Value;

/// What every schema has beside its own: the introspection types, and the directives that are built in.
const PRELUDE: &str = include_str!("prelude.graphql");
/// A schema may bring its own of these.
const BUILT_IN_DIRECTIVES: [&str; 6] = ["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"];
const NO_ENUM_VALUES: [&str; 3] = ["true", "false", "null"];
pub(super) const INPUT_KINDS: [&str; 3] = ["SCALAR", "ENUM", "INPUT_OBJECT"];

/// What the query's root has without saying so, and `__typename`, which everything has.
const INTROSPECTION: &str =
    "type Introspection { __schema: __Schema! __type(name: String!): __Type __typename: String }";
pub(super) const INVALID: Fault = Fault::Undefined("the GraphQL is not valid");

/// The schema of a tree as [`schema::document`] gives it, where it is valid.
pub(super) fn schema(document: &Value) -> Result<Schema<'_>, Fault> {
    static PRELUDES: OnceLock<Option<[Value; 2]>> = OnceLock::new();
    let read = || Some([schema::document(PRELUDE).ok()?, schema::document(INTROSPECTION).ok()?]);
    let [prelude, introspection] = PRELUDES.get_or_init(read).as_ref().ok_or(INVALID)?;
    let schema = Schema::of(prelude, introspection, document).ok_or(INVALID)?;
    schema.judge(document).ok_or(INVALID)?;
    Ok(schema)
}

fn must(holds: bool) -> Option<()> {
    holds.then_some(())
}

fn is_reserved(name: &str) -> bool {
    name.starts_with("__")
}

/// How often a directive that is not repeatable may stand in a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Uses {
    Once,
    /// The list is put together from several places.
    Often,
}

/// A type with everything that extends it.
pub(super) struct Definition<'v> {
    pub(super) kind: &'v str,
    pub(super) name: &'v str,
    /// The first of a name, where several have it.
    pub(super) fields: BTreeMap<&'v str, &'v Value>,
    built_in: bool,
    parts: Vec<&'v Value>,
}

impl<'v> Definition<'v> {
    fn new(node: &'v Value, built_in: bool) -> Self {
        let (kind, name) = (string(node, "Kind"), string(node, "Name"));
        Definition { kind, name, fields: BTreeMap::new(), built_in, parts: Vec::new() }
    }

    fn extend(&mut self, part: &'v Value) {
        for field in items(part, "Fields") {
            self.fields.entry(string(field, "Name")).or_insert(field);
        }
        self.parts.push(part);
    }

    pub(super) fn all(&self, name: &str) -> Vec<&'v Value> {
        self.parts.iter().flat_map(|part| items(part, name)).collect()
    }

    fn names(&self, name: &str) -> Vec<&'v str> {
        self.all(name).into_iter().filter_map(Value::as_str).collect()
    }
}

/// Types and directives by name.
pub(super) struct Schema<'v> {
    pub(super) types: BTreeMap<&'v str, Definition<'v>>,
    pub(super) directives: BTreeMap<&'v str, &'v Value>,
    /// What may stand where an abstract type is promised.
    possible: BTreeMap<&'v str, BTreeSet<&'v str>>,
    /// The types of `query`, `mutation` and `subscription`, as far as there are any.
    roots: BTreeMap<&'v str, &'v str>,
    introspection: &'v Value,
}

impl<'v> Schema<'v> {
    fn of(prelude: &'v Value, introspection: &'v Value, document: &'v Value) -> Option<Schema<'v>> {
        let mut types: BTreeMap<&str, Definition<'_>> = BTreeMap::new();
        let theirs = items(prelude, "Definitions").iter().map(|node| (node, true));
        for (node, from_prelude) in
            theirs.chain(items(document, "Definitions").iter().map(|node| (node, false)))
        {
            let mut definition = Definition::new(node, from_prelude || is_true(node, "BuiltIn"));
            definition.extend(node);
            must(types.insert(definition.name, definition).is_none())?;
        }
        for node in items(document, "Extensions") {
            let extended = types.entry(string(node, "Name")).or_insert_with(|| Definition::new(node, false));
            must(extended.kind == string(node, "Kind"))?;
            extended.extend(node);
        }
        let mut directives = BTreeMap::new();
        for node in items(prelude, "Directives").iter().chain(items(document, "Directives")) {
            let name = string(node, "Name");
            must(directives.insert(name, node).is_none() || BUILT_IN_DIRECTIVES.contains(&name))?;
        }
        let (possible, roots) = (possible(&types), roots(&types, document));
        Some(Schema { types, directives, possible, roots, introspection })
    }

    /// The type that an operation begins with.
    pub(super) fn root(&self, operation: &str) -> Option<&Definition<'v>> {
        self.types.get(self.roots.get(operation)?)
    }

    /// A field of a type by its name, also where the type does not name it.
    pub(super) fn field(&self, definition: &Definition<'v>, name: &str) -> Option<&'v Value> {
        let is_query = self.roots.get("query") == Some(&definition.name);
        let implied = name == "__typename" || is_query && matches!(name, "__schema" | "__type");
        match items(self.introspection, "Definitions") {
            [introspection] if implied => named(items(introspection, "Fields"), name),
            _ => definition.fields.get(name).copied(),
        }
    }

    /// The objects that a type stands for.
    pub(super) fn objects(&self, definition: &Definition<'v>) -> BTreeSet<&'v str> {
        match definition.kind {
            "OBJECT" => BTreeSet::from([definition.name]),
            _ => self.possible.get(definition.name).cloned().unwrap_or_default(),
        }
    }

    fn judge(&self, document: &'v Value) -> Option<()> {
        let roots = items(document, "Schema");
        must(roots.len() <= 1)?;
        for root in roots.iter().chain(items(document, "SchemaExtension")) {
            for operation in items(root, "OperationTypes") {
                must(self.types.contains_key(string(operation, "Type")))?;
            }
            self.directives(items(root, "Directives").iter(), "SCHEMA", None, Uses::Once)?;
        }
        self.types.values().try_for_each(|definition| self.definition(definition))?;
        self.directives.values().try_for_each(|directive| {
            must(!is_reserved(string(directive, "Name")))?;
            self.arguments(items(directive, "Arguments"), Some(string(directive, "Name")))
        })
    }

    fn definition(&self, definition: &Definition<'v>) -> Option<()> {
        let fields = definition.all("Fields");
        let place =
            if definition.kind == "INPUT_OBJECT" { "INPUT_FIELD_DEFINITION" } else { "FIELD_DEFINITION" };
        for field in &fields {
            must(!is_reserved(string(field, "Name")))?;
            must(self.types.contains_key(bottom(type_of(field)?)))?;
            self.arguments(items(field, "Arguments"), None)?;
            self.directives(items(field, "Directives").iter(), place, None, Uses::Once)?;
        }
        for member in definition.names("Types") {
            must(self.types.get(member)?.kind == "OBJECT")?;
        }
        definition
            .names("Interfaces")
            .iter()
            .try_for_each(|interface| self.implements(definition, interface))?;
        self.body(definition, &fields)?;
        let names: BTreeSet<&str> = fields.iter().map(|field| string(field, "Name")).collect();
        must(names.len() == fields.len())?;
        must(definition.built_in || !is_reserved(definition.name))?;
        self.directives(definition.all("Directives").into_iter(), definition.kind, None, Uses::Often)
    }

    /// What each kind of type must have.
    fn body(&self, definition: &Definition<'v>, fields: &[&'v Value]) -> Option<()> {
        let kind = |field: &Value| {
            type_of(field).and_then(|kind| self.types.get(bottom(kind))).map(|found| found.kind)
        };
        match definition.kind {
            "OBJECT" | "INTERFACE" => {
                must(!fields.is_empty() && fields.iter().all(|field| kind(field) != Some("INPUT_OBJECT")))
            }
            "INPUT_OBJECT" => {
                let takes = |field: &&Value| kind(field).is_none_or(|kind| INPUT_KINDS.contains(&kind));
                must(!fields.is_empty() && fields.iter().all(takes))
            }
            "ENUM" => {
                let values = definition.all("EnumValues");
                let names: BTreeSet<&str> = values.iter().map(|value| string(value, "Name")).collect();
                must(!values.is_empty() && names.len() == values.len())?;
                must(NO_ENUM_VALUES.iter().all(|name| !names.contains(name)))?;
                values.iter().try_for_each(|value| {
                    self.directives(items(value, "Directives").iter(), "ENUM_VALUE", None, Uses::Once)
                })
            }
            _ => Some(()),
        }
    }

    fn arguments(&self, arguments: &'v [Value], within: Option<&str>) -> Option<()> {
        arguments.iter().try_for_each(|argument| {
            must(!is_reserved(string(argument, "Name")))?;
            let kind = self.types.get(bottom(type_of(argument)?))?.kind;
            must(INPUT_KINDS.contains(&kind))?;
            self.directives(items(argument, "Directives").iter(), "ARGUMENT_DEFINITION", within, Uses::Once)
        })
    }

    /// `within` is the directive whose definition these stand in.
    fn directives<'d>(
        &self,
        directives: impl Iterator<Item = &'d Value>,
        place: &str,
        within: Option<&str>,
        uses: Uses,
    ) -> Option<()> {
        let mut seen = BTreeSet::new();
        for directive in directives {
            let name = string(directive, "Name");
            must(!is_reserved(name) && within != Some(name))?;
            let definition = self.directives.get(name)?;
            let again = !seen.insert(name);
            must(!again || uses == Uses::Often || is_true(definition, "IsRepeatable"))?;
            must(items(definition, "Locations").iter().any(|location| location.as_str() == Some(place)))?;
            let (given, wanted) = (items(directive, "Arguments"), items(definition, "Arguments"));
            must(given.iter().all(|argument| named(wanted, string(argument, "Name")).is_some()))?;
            must(wanted.iter().all(|argument| is_served(argument, given)))?;
        }
        Some(())
    }

    fn implements(&self, definition: &Definition<'v>, interface: &str) -> Option<()> {
        let interface = self.types.get(interface)?;
        must(interface.kind == "INTERFACE")?;
        let fields = definition.all("Fields");
        for promised in interface.all("Fields") {
            let found = named(fields.iter().copied(), string(promised, "Name"))?;
            must(self.keeps(type_of(promised)?, type_of(found)?))?;
            let (wanted, given) = (items(promised, "Arguments"), items(found, "Arguments"));
            for argument in wanted {
                let given = named(given, string(argument, "Name"))?;
                must(is_compatible(type_of(argument)?, type_of(given)?))?;
            }
            let surplus = given.iter().filter(|argument| named(wanted, string(argument, "Name")).is_none());
            must(surplus.into_iter().all(|argument| !is_required(argument)))?;
        }
        let own = definition.names("Interfaces");
        must(interface.names("Interfaces").iter().all(|further| own.contains(further)))
    }

    /// Whether a type is what another one promises, or narrower.
    fn keeps(&self, promised: &Value, actual: &Value) -> bool {
        if is_true(promised, "NonNull") && !is_true(actual, "NonNull") {
            return false;
        }
        match (field(promised, "Elem"), field(actual, "Elem")) {
            (Some(promised), Some(actual)) => self.keeps(promised, actual),
            (Some(_), None) => false,
            (None, _) => {
                let (promised, actual) = (string(promised, "NamedType"), string(actual, "NamedType"));
                let possible = self.possible.get(promised);
                promised == actual || possible.is_some_and(|possible| possible.contains(actual))
            }
        }
    }
}

fn possible<'v>(types: &BTreeMap<&'v str, Definition<'v>>) -> BTreeMap<&'v str, BTreeSet<&'v str>> {
    let mut possible: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for definition in types.values() {
        for member in definition.names("Types") {
            possible.entry(definition.name).or_default().insert(member);
        }
        for interface in definition.names("Interfaces") {
            possible.entry(interface).or_default().insert(definition.name);
        }
    }
    possible
}

/// Where a schema does not name the types of its operations, those with the usual names are taken.
fn roots<'v>(types: &BTreeMap<&'v str, Definition<'v>>, document: &'v Value) -> BTreeMap<&'v str, &'v str> {
    let named = items(document, "Schema").iter().chain(items(document, "SchemaExtension"));
    let named = named.flat_map(|root| items(root, "OperationTypes"));
    let named: BTreeMap<_, _> =
        named.map(|operation| (string(operation, "Operation"), string(operation, "Type"))).collect();
    let usual = [("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")];
    let usual = usual.into_iter().filter(|(operation, kind)| {
        items(document, "Schema").is_empty() && types.contains_key(kind) && !named.contains_key(operation)
    });
    usual.chain(named.clone()).collect()
}

pub(super) fn is_required(argument: &Value) -> bool {
    type_of(argument).is_some_and(|kind| is_true(kind, "NonNull"))
        && field(argument, "DefaultValue").is_none()
}

/// Whether a directive's argument is given where it has to be.
fn is_served(argument: &Value, given: &[Value]) -> bool {
    let value = named(given, string(argument, "Name")).and_then(|given| field(given, "Value"));
    !is_required(argument) || value.is_some_and(|value| !is_null(value))
}

/// Whether an argument takes what the promised one takes.
pub(super) fn is_compatible(promised: &Value, actual: &Value) -> bool {
    if string(promised, "NamedType") != string(actual, "NamedType") {
        return false;
    }
    let inner = match (field(promised, "Elem"), field(actual, "Elem")) {
        (Some(promised), Some(actual)) => is_compatible(promised, actual),
        (Some(_), None) => false,
        (None, _) => true,
    };
    inner && (!is_true(actual, "NonNull") || is_true(promised, "NonNull"))
}
