//! serde's view of a node.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{Error, Step};
use super::stand_in::StandIn;
use crate::node::{Entry, Form, Node, Scalar, Typed, Value};
use crate::suggest::one_of;
use crate::value::SecretRef;

/// Decodes one node that was not rejected.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    node: &'a Node,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(node: &'a Node) -> Self {
        Self { node }
    }

    /// A problem with the node as a whole.
    fn wrong_type(self, expected: &str) -> Error {
        let found = match &self.node.value {
            Value::Scalar(scalar) if matches!(scalar.typed(), Typed::Nothing) => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Rejected { .. } | Value::Dropped => return Error::stand_in_failed(),
        };
        Error::wrong("wrong_type", format!("expected {expected}, found {found}"))
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Scalar(scalar) => match scalar.typed() {
                Typed::Nothing => visitor.visit_unit(),
                Typed::Bool(value) => visitor.visit_bool(value),
                Typed::Unsigned(value) => visitor.visit_u64(value),
                Typed::Signed(value) => visitor.visit_i64(value),
                Typed::Float(value) => visitor.visit_f64(value),
                Typed::Text(text) => visitor.visit_str(text),
            },
            Value::Sequence(items) => visitor.visit_seq(Items { left: items, at: 0 }),
            Value::Mapping(entries) => visitor.visit_map(Entries::all(entries)),
            Value::Rejected { attempt } => StandIn::new(*attempt).deserialize_any(visitor),
            Value::Dropped => Err(Error::stand_in_failed()),
        }
    }

    /// Text is also what a variable holds, whatever it looks like: whoever sets it cannot quote it.
    fn visit_text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Scalar(Scalar { text, form: Form::Expanded(_) }) => visitor.visit_str(text),
            Value::Scalar(_)
            | Value::Sequence(_)
            | Value::Mapping(_)
            | Value::Rejected { .. }
            | Value::Dropped => self.visit(visitor),
        }
    }

    fn visit_struct<'de, V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(Entries { left: entries, fields: Some(fields) }),
            Value::Scalar(_) | Value::Sequence(_) | Value::Rejected { .. } | Value::Dropped => {
                Err(self.wrong_type("a mapping"))
            }
        }
    }

    fn visit_enum<'de, V: Visitor<'de>>(
        self,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Scalar(scalar) => match self.node.text() {
                Some(name) => visitor.visit_enum(Choice::among(variants, name, scalar.written(), None)?),
                None => Err(self.wrong_type(&one_of(variants))),
            },
            Value::Mapping(entries) => visitor.visit_enum(self.only_choice(variants, entries)?),
            Value::Sequence(_) | Value::Rejected { .. } | Value::Dropped => {
                Err(self.wrong_type(&one_of(variants)))
            }
        }
    }

    fn only_choice(
        self,
        variants: &'static [&'static str],
        entries: &'a [Entry],
    ) -> Result<Choice<'a>, Error> {
        match entries {
            [] => Err(self.wrong_type(&format!("exactly one of {}", one_of(variants)))),
            [entry] => Choice::among(variants, &entry.key, &entry.key, Some(&entry.value))
                .map_err(|error| error.at(entry.location)),
            [_, second, ..] => {
                let message = format!("only one key can stand here, of {}", one_of(variants));
                Err(Error::wrong("two_kinds", message).at(second.location))
            }
        }
    }
}

/// Decodes `node`, or what stands in for it.
fn feed<'de, S: DeserializeSeed<'de>>(seed: S, node: &Node) -> Result<S::Value, Error> {
    match &node.value {
        Value::Rejected { attempt } => {
            let stand_in = StandIn::new(*attempt);
            seed.deserialize(stand_in).map_err(|_| Error::stand_in_failed())
        }
        Value::Dropped => Err(Error::stand_in_failed()),
        Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) => {
            seed.deserialize(Decoder::new(node)).map_err(|error| error.within(node))
        }
    }
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    /// A key without a value is more likely a slip than a wish, so it is judged as a value.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.visit_struct(fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == SecretRef::NAME && !is_secret_ref(self.node, variants) {
            return Err(Error::wrong("inline_secret", SecretRef::INLINE));
        }
        self.visit_enum(variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier
    }
}

/// Whether the node only says where a secret is. Whatever else stands there may be the secret itself.
fn is_secret_ref(node: &Node, variants: &[&str]) -> bool {
    matches!(node.entries(), [entry] if variants.contains(&entry.key.as_str()))
}

/// The items of a list, without those that were rejected.
struct Items<'a> {
    left: &'a [Node],
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        while let Some((item, left)) = self.left.split_first() {
            let at = self.at;
            (self.left, self.at) = (left, at + 1);
            if !item.is_told() {
                return feed(seed, item).map(Some).map_err(|error| error.under(Step::Index(at)));
            }
        }
        Ok(None)
    }
}

/// The entries of a mapping; of a struct, if its fields are known.
struct Entries<'a> {
    left: &'a [Entry],
    fields: Option<&'static [&'static str]>,
}

impl<'a> Entries<'a> {
    fn all(entries: &'a [Entry]) -> Self {
        Self { left: entries, fields: None }
    }

    /// Whether an entry is passed over: it was told of, and nothing can or need be made up for it.
    fn passes_over(&self, entry: &Entry) -> bool {
        let wanted = self.fields.is_some_and(|fields| fields.contains(&entry.key.as_str()));
        matches!(entry.value.value, Value::Dropped) || (entry.value.is_told() && !wanted)
    }

    /// A key that the struct does not have, whether or not the struct itself would mind.
    fn refuse_unknown(&self, entry: &Entry) -> Result<(), Error> {
        match self.fields {
            Some(fields) if !fields.contains(&entry.key.as_str()) => {
                Err(Error::not_among("unknown_key", "key", &entry.key, fields))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let Some((entry, left)) = self.left.split_first() {
            if self.passes_over(entry) {
                self.left = left;
                continue;
            }
            let place = |error: Error| error.at(entry.location).under(Step::Key(entry.key.clone()));
            self.refuse_unknown(entry).map_err(place)?;
            let key: StrDeserializer<'_, Error> = entry.key.as_str().into_deserializer();
            return seed.deserialize(key).map(Some).map_err(place);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (entry, left) = self.left.split_first().expect("serde asks for a value only after its key");
        self.left = left;
        feed(seed, &entry.value).map_err(|error| error.under(Step::Key(entry.key.clone())))
    }
}

/// A variant by its name, with its content if it has any.
struct Choice<'a> {
    name: &'static str,
    content: Option<&'a Node>,
}

impl<'a> Choice<'a> {
    fn among(
        variants: &'static [&'static str],
        name: &str,
        written: &str,
        content: Option<&'a Node>,
    ) -> Result<Self, Error> {
        match variants.iter().find(|variant| **variant == name) {
            Some(name) => Ok(Self { name, content }),
            None => Err(Error::not_among("unknown_variant", "value", written, variants)),
        }
    }

    fn under(&self, error: Error) -> Error {
        error.under(Step::Key(self.name.to_owned()))
    }

    /// The content, which must be there. If nothing can stand in for it, nothing can for the whole.
    fn content(&self) -> Result<&'a Node, Error> {
        let name = self.name;
        match self.content {
            Some(Node { value: Value::Dropped, .. }) => Err(Error::stand_in_failed()),
            Some(content) => Ok(content),
            None => Err(Error::wrong("wrong_type", format!("expected a mapping with the key `{name}`"))),
        }
    }
}

impl<'de, 'a> EnumAccess<'de> for Choice<'a> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        let found = Unexpected::Map;
        match self.content {
            None => Ok(()),
            Some(_) => Err(serde::de::Error::invalid_type(found, &self.name)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        feed(seed, self.content()?).map_err(|error| self.under(error))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        let content = Decoder::new(self.content()?);
        content.deserialize_seq(visitor).map_err(|error| self.under(error.within(content.node)))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let content = Decoder::new(self.content()?);
        content.visit_struct(fields, visitor).map_err(|error| self.under(error.within(content.node)))
    }
}
