//! Whatever serialises becomes a value in memory, in the form that `serde_json` would give it.

use std::fmt::Display;

use serde::ser::{
    Error, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::builder::{Builder, Fault, Key, Mark};
use super::text;
use crate::error::EvalError;
use crate::input::unknown;

/// Where what is not known stands: beyond the memory of every module, so that whoever looks at it traps.
const NOWHERE: u32 = 0xffff_0000;

/// How `serde_json` tells a serializer that text is JSON already.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Writes the document and gives its address.
pub(crate) fn write(builder: &mut Builder<'_>, document: &impl Serialize) -> Result<u32, Fault> {
    document.serialize(builder)
}

impl Error for Fault {
    fn custom<T: Display>(cause: T) -> Fault {
        Fault::Refused(EvalError::InputNotJson { cause: cause.to_string() })
    }
}

impl std::error::Error for Fault {}

impl Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Full => out.write_str("the memory given is full"),
            Fault::Refused(error) => error.fmt(out),
        }
    }
}

macro_rules! integers {
    ($($name:ident: $type:ty),+) => {
        $(fn $name(self, value: $type) -> Result<u32, Fault> {
            self.integer(i128::from(value))
        })+
    };
}

impl<'b, 'm> Serializer for &'b mut Builder<'m> {
    type Ok = u32;
    type Error = Fault;
    type SerializeSeq = Elements<'b, 'm>;
    type SerializeTuple = Elements<'b, 'm>;
    type SerializeTupleStruct = Elements<'b, 'm>;
    type SerializeTupleVariant = Elements<'b, 'm>;
    type SerializeMap = Fields<'b, 'm>;
    type SerializeStruct = Fields<'b, 'm>;
    type SerializeStructVariant = Fields<'b, 'm>;

    integers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    );

    fn serialize_u128(self, value: u128) -> Result<u32, Fault> {
        self.number(&value.to_string())
    }

    fn serialize_bool(self, value: bool) -> Result<u32, Fault> {
        self.boolean(value)
    }

    fn serialize_f32(self, value: f32) -> Result<u32, Fault> {
        self.float(value.is_finite(), &value)
    }

    fn serialize_f64(self, value: f64) -> Result<u32, Fault> {
        self.float(value.is_finite(), &value)
    }

    fn serialize_char(self, value: char) -> Result<u32, Fault> {
        self.string(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<u32, Fault> {
        self.string(value)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<u32, Fault> {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Result<u32, Fault> {
        self.null()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<u32, Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<u32, Fault> {
        self.null()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<u32, Fault> {
        self.null()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<u32, Fault> {
        self.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<u32, Fault> {
        match name == unknown::NAME {
            true => Ok(NOWHERE),
            false => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<u32, Fault> {
        let mut fields = Fields::begin(self, None)?;
        fields.field(variant, value)?;
        fields.finish()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'b, 'm>, Fault> {
        Elements::begin(self, None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'b, 'm>, Fault> {
        Elements::begin(self, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements<'b, 'm>, Fault> {
        Elements::begin(self, None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements<'b, 'm>, Fault> {
        Elements::begin(self, Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'b, 'm>, Fault> {
        Fields::begin(self, None)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'b, 'm>, Fault> {
        match name == RAW_VALUE {
            true => Ok(Fields { builder: self, form: Form::Raw(None) }),
            false => Fields::begin(self, None),
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields<'b, 'm>, Fault> {
        Fields::begin(self, Some(variant))
    }
}

impl Builder<'_> {
    /// As `serde_json` writes it: what is no number is `null`.
    fn float(&mut self, finite: bool, value: &impl Serialize) -> Result<u32, Fault> {
        match finite {
            true => self.number(&serde_json::to_string(value).map_err(Fault::custom)?),
            false => self.null(),
        }
    }

    /// `{"variant": value}`; the object around it was begun before.
    fn variant(&mut self, variant: &'static str, outer: Mark, value: u32) -> Result<u32, Fault> {
        let key = self.word(variant)?;
        self.push_field(key, value)?;
        self.object(outer)
    }
}

/// An array under way, perhaps inside the object that names its variant.
pub(crate) struct Elements<'b, 'm> {
    builder: &'b mut Builder<'m>,
    mark: Mark,
    variant: Option<(&'static str, Mark)>,
}

impl<'b, 'm> Elements<'b, 'm> {
    fn begin(builder: &'b mut Builder<'m>, variant: Option<&'static str>) -> Result<Self, Fault> {
        let variant = enter_variant(builder, variant)?;
        builder.descend()?;
        let mark = builder.elements_mark();
        Ok(Elements { builder, mark, variant })
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let element = value.serialize(&mut *self.builder)?;
        self.builder.push_element(element);
        Ok(())
    }

    fn finish(self) -> Result<u32, Fault> {
        let array = self.builder.array(self.mark)?;
        leave_variant(self.builder, self.variant, array)
    }
}

/// An object under way, perhaps inside the object that names its variant; or a document that is text already.
pub(crate) struct Fields<'b, 'm> {
    builder: &'b mut Builder<'m>,
    form: Form,
}

enum Form {
    Object { mark: Mark, key: Option<Key>, variant: Option<(&'static str, Mark)> },
    Raw(Option<u32>),
}

impl<'b, 'm> Fields<'b, 'm> {
    fn begin(builder: &'b mut Builder<'m>, variant: Option<&'static str>) -> Result<Self, Fault> {
        let variant = enter_variant(builder, variant)?;
        builder.descend()?;
        let mark = builder.fields_mark();
        Ok(Fields { builder, form: Form::Object { mark, key: None, variant } })
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        match &mut self.form {
            Form::Object { .. } => {
                let key = self.builder.word(name)?;
                let value = value.serialize(&mut *self.builder)?;
                self.builder.push_field(key, value)
            }
            Form::Raw(written) => {
                *written = Some(value.serialize(Plain(Json(self.builder)))?);
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<u32, Fault> {
        match self.form {
            Form::Object { mark, variant, .. } => {
                let object = self.builder.object(mark)?;
                leave_variant(self.builder, variant, object)
            }
            Form::Raw(written) => written.ok_or_else(|| Fault::custom("a raw value has no text")),
        }
    }
}

fn enter_variant(
    builder: &mut Builder<'_>,
    variant: Option<&'static str>,
) -> Result<Option<(&'static str, Mark)>, Fault> {
    let Some(variant) = variant else { return Ok(None) };
    builder.descend()?;
    Ok(Some((variant, builder.fields_mark())))
}

fn leave_variant(
    builder: &mut Builder<'_>,
    variant: Option<(&'static str, Mark)>,
    value: u32,
) -> Result<u32, Fault> {
    match variant {
        Some((variant, outer)) => builder.variant(variant, outer, value),
        None => Ok(value),
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident),+) => {
        $(impl $trait for Elements<'_, '_> {
            type Ok = u32;
            type Error = Fault;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.element(value)
            }

            fn end(self) -> Result<u32, Fault> {
                self.finish()
            }
        })+
    };
}

elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($trait:ident),+) => {
        $(impl $trait for Fields<'_, '_> {
            type Ok = u32;
            type Error = Fault;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Fault> {
                self.field(name, value)
            }

            fn end(self) -> Result<u32, Fault> {
                self.finish()
            }
        })+
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Fields<'_, '_> {
    type Ok = u32;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Fault> {
        let name = name.serialize(Plain(Name(self.builder)))?;
        if let Form::Object { key, .. } = &mut self.form {
            *key = Some(name);
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = match &mut self.form {
            Form::Object { key, .. } => key.take(),
            Form::Raw(_) => None,
        };
        let key = key.ok_or_else(|| Fault::custom("a value has no key"))?;
        let value = value.serialize(&mut *self.builder)?;
        self.builder.push_field(key, value)
    }

    fn end(self) -> Result<u32, Fault> {
        self.finish()
    }
}

/// What becomes of text that stands where no other value may.
trait Use {
    type Made;
    fn text(self, text: &str) -> Result<Self::Made, Fault>;
}

/// It is a key.
struct Name<'b, 'm>(&'b mut Builder<'m>);
/// It is JSON.
struct Json<'b, 'm>(&'b mut Builder<'m>);

impl Use for Name<'_, '_> {
    type Made = Key;

    fn text(self, text: &str) -> Result<Key, Fault> {
        self.0.key(text)
    }
}

impl Use for Json<'_, '_> {
    type Made = u32;

    fn text(self, json: &str) -> Result<u32, Fault> {
        text::write(self.0, json)
    }
}

/// Takes text, and what has a plain form as text; refuses everything else, as `serde_json` does for keys.
struct Plain<U>(U);

macro_rules! plain {
    ($($name:ident: $type:ty),+) => {
        $(fn $name(self, value: $type) -> Result<U::Made, Fault> {
            self.0.text(&value.to_string())
        })+
    };
}

macro_rules! refused {
    ($($name:ident($($argument:ty),*) -> $made:ty;)+) => {
        $(fn $name(self, $(_: $argument),*) -> Result<$made, Fault> {
            Err(Fault::custom("a key must be a string"))
        })+
    };
}

type No<T> = Impossible<T, Fault>;

impl<U: Use> Serializer for Plain<U> {
    type Ok = U::Made;
    type Error = Fault;
    type SerializeSeq = No<U::Made>;
    type SerializeTuple = No<U::Made>;
    type SerializeTupleStruct = No<U::Made>;
    type SerializeTupleVariant = No<U::Made>;
    type SerializeMap = No<U::Made>;
    type SerializeStruct = No<U::Made>;
    type SerializeStructVariant = No<U::Made>;

    plain!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_char: char
    );

    fn serialize_str(self, text: &str) -> Result<U::Made, Fault> {
        self.0.text(text)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<U::Made, Fault> {
        self.0.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<U::Made, Fault> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<U::Made, Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<U::Made, Fault> {
        Err(Fault::custom("a key must be a string"))
    }

    refused! {
        serialize_f32(f32) -> U::Made;
        serialize_f64(f64) -> U::Made;
        serialize_bytes(&[u8]) -> U::Made;
        serialize_none() -> U::Made;
        serialize_unit() -> U::Made;
        serialize_unit_struct(&'static str) -> U::Made;
        serialize_seq(Option<usize>) -> No<U::Made>;
        serialize_tuple(usize) -> No<U::Made>;
        serialize_tuple_struct(&'static str, usize) -> No<U::Made>;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No<U::Made>;
        serialize_map(Option<usize>) -> No<U::Made>;
        serialize_struct(&'static str, usize) -> No<U::Made>;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No<U::Made>;
    }
}
