//! Whether a query may be asked of a schema. OPA's rules, which are those of the GraphQL specification: one that does
//! not hold makes the query invalid, whatever the others say.

mod arguments;
mod overlap;

use std::collections::{BTreeMap, BTreeSet};

use super::parser::DEPTH_MAX;
use super::tree::{bottom, field, is_null, is_true, items, string, type_of};
use super::validity::{Definition, INPUT_KINDS, INVALID, Schema};
use crate::builtins::Fault;
use crate::value::Value;
use arguments::{Expected, Numbers};

/// Nodes that are looked at, and pairs of fields that are compared, in all.
const STEPS_MAX: usize = 50_000;
const TOO_MUCH: Fault = Fault::Halt("the GraphQL query is too large to be judged");
const COMPOSITE: [&str; 3] = ["OBJECT", "INTERFACE", "UNION"];
const LEAVES: [&str; 2] = ["SCALAR", "ENUM"];
/// Fields whose answers are lists of types, fields or values: how often they may be nested.
const INTROSPECTED_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];
const INTROSPECTED_LISTS_MAX: usize = 3;

type Judgement = Result<(), Fault>;

fn must(holds: bool) -> Judgement {
    if holds { Ok(()) } else { Err(INVALID) }
}

/// An error where a rule does not hold.
pub(super) fn judge(query: &Value, schema: &Schema<'_>) -> Judgement {
    let operations = items(query, "Operations");
    let mut judge = Judge {
        schema,
        fragments: fragments(items(query, "Fragments"))?,
        variables: BTreeMap::new(),
        spread: BTreeSet::new(),
        used: BTreeSet::new(),
        compared: overlap::Compared::default(),
        depth: 0,
        steps: 0,
    };
    judge.cycles()?;
    must(distinct(operations, "Name"))?;
    let mut reached = BTreeSet::new();
    for operation in operations {
        must(operations.len() == 1 || !string(operation, "Name").is_empty())?;
        judge.operation(operation)?;
        reached.append(&mut judge.spread);
    }
    for fragment in judge.fragments.clone().into_values() {
        must(reached.contains(string(fragment, "Name")))?;
        judge.fragment(fragment)?;
    }
    Ok(())
}

fn fragments(nodes: &[Value]) -> Result<BTreeMap<&str, &Value>, Fault> {
    must(distinct(nodes, "Name"))?;
    Ok(nodes.iter().map(|fragment| (string(fragment, "Name"), fragment)).collect())
}

fn distinct(nodes: &[Value], name: &str) -> bool {
    let mut seen = BTreeSet::new();
    nodes.iter().all(|node| seen.insert(string(node, name)))
}

/// What a selection is; the tree does not say it otherwise.
enum Selection<'q> {
    Field,
    Spread(&'q str),
    /// A fragment in place, with its type where it names one.
    Inline(Option<&'q str>),
}

impl<'q> Selection<'q> {
    fn of(node: &'q Value) -> Selection<'q> {
        if field(node, "Alias").is_some() {
            Selection::Field
        } else if field(node, "Name").is_some() {
            Selection::Spread(string(node, "Name"))
        } else {
            Selection::Inline(Some(string(node, "TypeCondition")).filter(|name| !name.is_empty()))
        }
    }
}

/// One walk through a query.
struct Judge<'s, 'v, 'q> {
    schema: &'s Schema<'v>,
    fragments: BTreeMap<&'q str, &'q Value>,
    /// The variables of the operation that is walked through, by name.
    variables: BTreeMap<&'q str, &'q Value>,
    /// Fragments that it has spread, and variables that it has used.
    spread: BTreeSet<&'q str>,
    used: BTreeSet<&'q str>,
    compared: overlap::Compared<'q>,
    depth: usize,
    steps: usize,
}

impl<'s, 'v: 'q, 'q> Judge<'s, 'v, 'q> {
    fn step(&mut self) -> Judgement {
        self.steps += 1;
        if self.steps > STEPS_MAX { Err(TOO_MUCH) } else { Ok(()) }
    }

    /// Runs `inner` one level deeper: spread fragments make a query deeper than its text.
    fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Judgement) -> Judgement {
        self.step()?;
        self.depth += 1;
        if self.depth > 2 * DEPTH_MAX {
            return Err(TOO_MUCH);
        }
        inner(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn named_type(&self, name: &str) -> Result<&'s Definition<'v>, Fault> {
        self.schema.types.get(name).ok_or(INVALID)
    }

    /// No fragment contains itself.
    fn cycles(&mut self) -> Judgement {
        let (mut entered, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for start in self.fragments.clone().into_keys() {
            if !entered.insert(start) {
                continue;
            }
            let mut path = vec![(start, self.spreads_of(start)?)];
            while let Some((name, open)) = path.last_mut() {
                let Some(next) = open.pop_first() else {
                    ended.insert(*name);
                    path.pop();
                    continue;
                };
                if entered.insert(next) {
                    path.push((next, self.spreads_of(next)?));
                } else {
                    must(ended.contains(next))?;
                }
            }
        }
        Ok(())
    }

    /// The fragments that a fragment spreads, at any depth of its selections.
    fn spreads_of(&mut self, fragment: &str) -> Result<BTreeSet<&'q str>, Fault> {
        let mut spreads = BTreeSet::new();
        let mut open: Vec<&'q Value> = self.fragments.get(fragment).copied().into_iter().collect();
        while let Some(node) = open.pop() {
            self.step()?;
            for selection in items(node, "SelectionSet") {
                match Selection::of(selection) {
                    Selection::Spread(name) => drop(spreads.insert(name)),
                    Selection::Field | Selection::Inline(_) => open.push(selection),
                }
            }
        }
        Ok(spreads)
    }

    fn operation(&mut self, operation: &'q Value) -> Judgement {
        let kind = match string(operation, "Operation") {
            "" => "query",
            kind => kind,
        };
        let root = self.schema.root(kind).ok_or(INVALID)?;
        let variables = items(operation, "VariableDefinitions");
        must(distinct(variables, "Variable"))?;
        self.used.clear();
        self.variables = variables.iter().map(|variable| (string(variable, "Variable"), variable)).collect();
        for variable in variables {
            self.variable(variable)?;
        }
        self.directives(items(operation, "Directives"), &kind.to_ascii_uppercase())?;
        self.selections(root, items(operation, "SelectionSet"))?;
        self.overlaps(root, items(operation, "SelectionSet"))?;
        must(self.variables.len() == self.used.len())?;
        if kind == "subscription" { self.single_field(operation) } else { Ok(()) }
    }

    fn variable(&mut self, variable: &'q Value) -> Judgement {
        let reference = type_of(variable).ok_or(INVALID)?;
        let definition = self.named_type(bottom(reference))?;
        must(INPUT_KINDS.contains(&definition.kind))?;
        if let Some(default) = field(variable, "DefaultValue") {
            let expected = Expected { reference, definition, has_default: false };
            self.value(default, Some(expected), Numbers::Any)?;
        }
        self.directives(items(variable, "Directives"), "VARIABLE_DEFINITION")
    }

    /// What its own definition has to keep; its selections are judged where it is spread.
    fn fragment(&mut self, fragment: &'q Value) -> Judgement {
        let definition = self.named_type(string(fragment, "TypeCondition"))?;
        must(COMPOSITE.contains(&definition.kind))?;
        self.overlaps(definition, items(fragment, "SelectionSet"))
    }

    fn selections(&mut self, parent: &'s Definition<'v>, selections: &'q [Value]) -> Judgement {
        self.deeper(|judge| selections.iter().try_for_each(|selection| judge.selection(parent, selection)))
    }

    fn selection(&mut self, parent: &'s Definition<'v>, node: &'q Value) -> Judgement {
        self.step()?;
        match Selection::of(node) {
            Selection::Field => self.field(parent, node),
            Selection::Inline(None) => {
                self.directives(items(node, "Directives"), "INLINE_FRAGMENT")?;
                self.inner(parent, node)
            }
            Selection::Inline(Some(condition)) => {
                let definition = self.named_type(condition)?;
                must(COMPOSITE.contains(&definition.kind) && self.can_be(parent, definition))?;
                self.directives(items(node, "Directives"), "INLINE_FRAGMENT")?;
                self.inner(definition, node)
            }
            Selection::Spread(name) => self.fragment_spread(parent, node, name),
        }
    }

    fn inner(&mut self, definition: &'s Definition<'v>, node: &'q Value) -> Judgement {
        self.selections(definition, items(node, "SelectionSet"))?;
        self.overlaps(definition, items(node, "SelectionSet"))
    }

    fn fragment_spread(&mut self, parent: &'s Definition<'v>, spread: &'q Value, name: &'q str) -> Judgement {
        let fragment = *self.fragments.get(name).ok_or(INVALID)?;
        let definition = self.named_type(string(fragment, "TypeCondition"))?;
        must(self.can_be(parent, definition))?;
        self.directives(items(spread, "Directives"), "FRAGMENT_SPREAD")?;
        if !self.spread.insert(name) {
            return Ok(());
        }
        self.directives(items(fragment, "Directives"), "FRAGMENT_DEFINITION")?;
        self.selections(definition, items(fragment, "SelectionSet"))
    }

    /// Whether an object of the one type may be of the other.
    fn can_be(&self, parent: &Definition<'v>, other: &Definition<'v>) -> bool {
        !COMPOSITE.contains(&parent.kind)
            || !COMPOSITE.contains(&other.kind)
            || !self.schema.objects(parent).is_disjoint(&self.schema.objects(other))
    }

    fn field(&mut self, parent: &'s Definition<'v>, node: &'q Value) -> Judgement {
        let name = string(node, "Name");
        let definition = self.schema.field(parent, name).ok_or(INVALID)?;
        let kind = self.named_type(bottom(type_of(definition).ok_or(INVALID)?))?;
        self.arguments(items(definition, "Arguments"), items(node, "Arguments"))?;
        self.directives(items(node, "Directives"), "FIELD")?;
        must(LEAVES.contains(&kind.kind) == items(node, "SelectionSet").is_empty())?;
        if matches!(name, "__schema" | "__type") {
            self.introspection(node, 0)?;
        }
        self.inner(kind, node)
    }

    fn directives(&mut self, directives: &'q [Value], location: &str) -> Judgement {
        let mut seen = BTreeSet::new();
        for directive in directives {
            let name = string(directive, "Name");
            let definition = *self.schema.directives.get(name).ok_or(INVALID)?;
            self.arguments(items(definition, "Arguments"), items(directive, "Arguments"))?;
            must(items(definition, "Locations").iter().any(|place| place.as_str() == Some(location)))?;
            must(seen.insert(name) || is_true(definition, "IsRepeatable"))?;
        }
        Ok(())
    }

    /// Questions about the schema must not fan out.
    fn introspection(&mut self, node: &'q Value, lists: usize) -> Judgement {
        self.step()?;
        let lists = lists + usize::from(INTROSPECTED_LISTS.contains(&string(node, "Name")));
        must(lists < INTROSPECTED_LISTS_MAX)?;
        self.introspected(items(node, "SelectionSet"), lists)
    }

    fn introspected(&mut self, selections: &'q [Value], lists: usize) -> Judgement {
        self.deeper(|judge| {
            selections.iter().try_for_each(|selection| match Selection::of(selection) {
                Selection::Field => judge.introspection(selection, lists),
                Selection::Inline(_) => judge.introspected(items(selection, "SelectionSet"), lists),
                Selection::Spread(name) => match judge.fragments.get(name).copied() {
                    Some(fragment) => judge.introspected(items(fragment, "SelectionSet"), lists),
                    None => Ok(()),
                },
            })
        })
    }

    /// A subscription asks for one thing, and not for the schema.
    fn single_field(&mut self, operation: &'q Value) -> Judgement {
        let (mut names, mut spread) = (BTreeSet::new(), BTreeSet::new());
        let mut open = vec![operation];
        while let Some(node) = open.pop() {
            self.step()?;
            for selection in items(node, "SelectionSet") {
                match Selection::of(selection) {
                    Selection::Field => {
                        names.insert(string(selection, "Name"));
                    }
                    Selection::Inline(_) => open.push(selection),
                    Selection::Spread(name) if spread.insert(name) => {
                        open.extend(self.fragments.get(name).copied());
                    }
                    Selection::Spread(_) => {}
                }
            }
        }
        must(names.len() <= 1 && names.iter().all(|name| !name.starts_with("__")))
    }

    fn argument_type(&self, definition: &'v Value) -> Result<Expected<'s, 'v, 'q>, Fault> {
        let reference = type_of(definition).ok_or(INVALID)?;
        let has_default = field(definition, "DefaultValue").is_some_and(|value| !is_null(value));
        Ok(Expected { reference, definition: self.named_type(bottom(reference))?, has_default })
    }
}
