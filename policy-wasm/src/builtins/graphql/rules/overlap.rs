//! Whether fields that would have the same name in the answer can be merged: the same field, with the same arguments
//! and a type that agrees, wherever the fragments bring them together.

use std::collections::{BTreeMap, BTreeSet};

use super::{Judge, Judgement, LEAVES, Selection, must};
use crate::builtins::Fault;
use crate::builtins::graphql::tree::{bottom, field, is_true, items, kind_of, string, type_of};
use crate::builtins::graphql::validity::{Definition, INVALID};
use crate::value::Value;

/// Pairs of fragments that were compared, and whether as parts of objects that exclude each other.
#[derive(Default)]
pub(super) struct Compared<'q>(BTreeMap<(&'q str, &'q str), bool>);

impl<'q> Compared<'q> {
    /// Whether this pair is new. What was compared without exclusion need not be compared with it.
    fn add(&mut self, a: &'q str, b: &'q str, exclusive: bool) -> bool {
        if self.0.get(&(a, b)).is_some_and(|known| exclusive || !known) {
            return false;
        }
        self.0.insert((a, b), exclusive);
        self.0.insert((b, a), exclusive);
        true
    }
}

/// A field with the type that it belongs to.
#[derive(Clone, Copy)]
struct Found<'s, 'v, 'q> {
    node: &'q Value,
    parent: &'s Definition<'v>,
}

/// The fields of a selection by their names in the answer, and the fragments that it spreads.
#[derive(Default)]
struct Fields<'s, 'v, 'q> {
    by_name: BTreeMap<&'q str, Vec<Found<'s, 'v, 'q>>>,
    spreads: BTreeSet<&'q str>,
}

fn answer_name(node: &Value) -> &str {
    match string(node, "Alias") {
        "" => string(node, "Name"),
        alias => alias,
    }
}

impl<'s, 'v: 'q, 'q> Judge<'s, 'v, 'q> {
    /// Compares the fields of one selection with each other and with what its fragments bring.
    pub(super) fn overlaps(&mut self, parent: &'s Definition<'v>, selections: &'q [Value]) -> Judgement {
        if selections.is_empty() {
            return Ok(());
        }
        let fields = self.collect(parent, selections)?;
        for found in fields.by_name.values() {
            for (place, a) in found.iter().enumerate() {
                found[place + 1..].iter().try_for_each(|b| self.pair(false, *a, *b))?;
            }
        }
        let mut seen = BTreeSet::new();
        for a in &fields.spreads {
            self.fields_and_fragment(false, &fields, a, &mut seen)?;
            fields.spreads.iter().skip_while(|b| *b <= a).try_for_each(|b| self.fragments(false, a, b))?;
        }
        Ok(())
    }

    fn collect(
        &mut self,
        parent: &'s Definition<'v>,
        selections: &'q [Value],
    ) -> Result<Fields<'s, 'v, 'q>, Fault> {
        let mut fields = Fields::default();
        let mut open = vec![(parent, selections)];
        while let Some((parent, selections)) = open.pop() {
            for node in selections {
                self.step()?;
                match Selection::of(node) {
                    Selection::Field => {
                        fields.by_name.entry(answer_name(node)).or_default().push(Found { node, parent });
                    }
                    Selection::Spread(name) => drop(fields.spreads.insert(name)),
                    Selection::Inline(condition) => {
                        let parent = condition.map_or(Ok(parent), |name| self.named_type(name))?;
                        open.push((parent, items(node, "SelectionSet")));
                    }
                }
            }
        }
        Ok(fields)
    }

    fn fields_of(&mut self, fragment: &str) -> Result<Fields<'s, 'v, 'q>, Fault> {
        let fragment = *self.fragments.get(fragment).ok_or(INVALID)?;
        let parent = self.named_type(string(fragment, "TypeCondition"))?;
        self.collect(parent, items(fragment, "SelectionSet"))
    }

    fn fields_and_fragment(
        &mut self,
        exclusive: bool,
        fields: &Fields<'s, 'v, 'q>,
        fragment: &'q str,
        seen: &mut BTreeSet<&'q str>,
    ) -> Judgement {
        let mut open = vec![fragment];
        while let Some(fragment) = open.pop() {
            if seen.insert(fragment) {
                let others = self.fields_of(fragment)?;
                self.between(exclusive, fields, &others)?;
                open.extend(others.spreads);
            }
        }
        Ok(())
    }

    fn fragments(&mut self, exclusive: bool, a: &'q str, b: &'q str) -> Judgement {
        let mut open = vec![(a, b)];
        while let Some((a, b)) = open.pop() {
            self.step()?;
            if a == b || !self.compared.add(a, b, exclusive) {
                continue;
            }
            let (of_a, of_b) = (self.fields_of(a)?, self.fields_of(b)?);
            self.between(exclusive, &of_a, &of_b)?;
            open.extend(of_b.spreads.into_iter().map(|inner| (a, inner)));
            open.extend(of_a.spreads.into_iter().map(|inner| (inner, b)));
        }
        Ok(())
    }

    fn between(
        &mut self,
        exclusive: bool,
        ours: &Fields<'s, 'v, 'q>,
        theirs: &Fields<'s, 'v, 'q>,
    ) -> Judgement {
        // the fewer names are looked up among the more: fields are counted when they are collected, not here
        let [few, many] =
            if ours.by_name.len() < theirs.by_name.len() { [ours, theirs] } else { [theirs, ours] };
        for (name, found) in &few.by_name {
            let others = many.by_name.get(name).map_or(&[][..], Vec::as_slice);
            for a in found {
                others.iter().try_for_each(|b| self.pair(exclusive, *a, *b))?;
            }
        }
        Ok(())
    }

    fn pair(&mut self, exclusive: bool, a: Found<'s, 'v, 'q>, b: Found<'s, 'v, 'q>) -> Judgement {
        let are_objects = a.parent.kind == "OBJECT" && b.parent.kind == "OBJECT";
        let exclusive = exclusive || are_objects && a.parent.name != b.parent.name;
        let same = string(a.node, "Name") == string(b.node, "Name")
            && has_same_arguments(items(a.node, "Arguments"), items(b.node, "Arguments"));
        must(exclusive || same)?;
        let [of_a, of_b] = [self.type_of_field(a)?, self.type_of_field(b)?];
        self.types_agree(of_a, of_b)?;
        self.deeper(|judge| {
            let ours = judge.collect(judge.named_type(bottom(of_a))?, items(a.node, "SelectionSet"))?;
            let theirs = judge.collect(judge.named_type(bottom(of_b))?, items(b.node, "SelectionSet"))?;
            judge.selections_agree(exclusive, &ours, &theirs)
        })
    }

    fn selections_agree(
        &mut self,
        exclusive: bool,
        ours: &Fields<'s, 'v, 'q>,
        theirs: &Fields<'s, 'v, 'q>,
    ) -> Judgement {
        self.between(exclusive, ours, theirs)?;
        for spread in &theirs.spreads {
            self.fields_and_fragment(exclusive, ours, spread, &mut BTreeSet::new())?;
        }
        for spread in &ours.spreads {
            self.fields_and_fragment(exclusive, theirs, spread, &mut BTreeSet::new())?;
        }
        for a in &ours.spreads {
            theirs.spreads.iter().try_for_each(|b| self.fragments(exclusive, a, b))?;
        }
        Ok(())
    }

    fn type_of_field(&self, found: Found<'s, 'v, 'q>) -> Result<&'v Value, Fault> {
        let definition = self.schema.field(found.parent, string(found.node, "Name"));
        definition.and_then(type_of).ok_or(INVALID)
    }

    fn types_agree(&self, a: &'v Value, b: &'v Value) -> Judgement {
        match (field(a, "Elem"), field(b, "Elem")) {
            (Some(a), Some(b)) => self.types_agree(a, b),
            (None, None) => {
                let [of_a, of_b] = [self.named_type(bottom(a))?, self.named_type(bottom(b))?];
                let are_leaves = LEAVES.contains(&of_a.kind) && LEAVES.contains(&of_b.kind);
                must(is_true(a, "NonNull") == is_true(b, "NonNull"))?;
                must(!are_leaves || of_a.name == of_b.name)
            }
            _ => must(false),
        }
    }
}

/// Whether two lists say the same in whatever order. As for OPA, lists and objects are the same whatever they hold.
fn has_same_arguments(ours: &[Value], theirs: &[Value]) -> bool {
    let same = |a: &Value, b: &Value| kind_of(a) == kind_of(b) && string(a, "Raw") == string(b, "Raw");
    let is_among = |a: &Value| {
        theirs.iter().any(|b| {
            let values = field(a, "Value").zip(field(b, "Value"));
            string(a, "Name") == string(b, "Name") && values.is_some_and(|(a, b)| same(a, b))
        })
    };
    ours.len() == theirs.len() && ours.iter().all(is_among)
}
