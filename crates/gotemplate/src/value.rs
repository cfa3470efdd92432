//! The values of templates.

use std::{any::Any, collections::BTreeMap, ops::Deref, rc::Rc};

/// A value of a type that Go knows. Text is borrowed from the data or the template whenever possible.
#[derive(Clone, Default)]
pub enum Value<'v> {
    /// No value, for example of a missing key; printed as `<no value>`.
    #[default]
    Missing,
    /// An empty interface: JSON's null.
    Nil,
    /// `bool`
    Bool(bool),
    /// An integer of the given type.
    Int(Width, i64),
    /// `float64`
    Float(f64),
    /// `string`
    Str(Str<'v>),
    /// A number as written in JSON: Go's `json.Number`, a string by kind.
    Number(Str<'v>),
    /// `[]interface {}`
    List(Rc<[Value<'v>]>),
    /// A map with string keys.
    Map(Map<'v>),
    /// A value of a type of the host.
    Object(Object<'v>),
}

/// Integer types, one word wide: values without padding are copied faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Width {
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint8`
    Byte,
}

/// Text: bytes that need not be UTF-8.
#[derive(Clone)]
pub enum Str<'v> {
    /// A part of the data or of the template.
    Borrowed(&'v [u8]),
    /// Text that was made during a run.
    Owned(Rc<[u8]>),
}

impl Deref for Str<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Str::Borrowed(text) => text,
            Str::Owned(text) => text,
        }
    }
}

/// A map with string keys.
#[derive(Clone)]
pub enum Map<'v> {
    /// `map[string]interface {}`, sorted by key, without duplicates. None: a nil map.
    Values(Option<Rc<[Entry<'v>]>>),
    /// `map[string]string`
    Strings(Option<&'v BTreeMap<String, String>>),
}

/// Key and value.
pub type Entry<'v> = (Str<'v>, Value<'v>);

impl<'v> Map<'v> {
    /// The name of Go's type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Map::Values(_) => "map[string]interface {}",
            Map::Strings(_) => "map[string]string",
        }
    }

    /// Whether this is a nil map, which is not the same as an empty one.
    pub fn is_nil(&self) -> bool {
        matches!(self, Map::Values(None) | Map::Strings(None))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        match self {
            Map::Values(entries) => entries.as_ref().map_or(0, |entries| entries.len()),
            Map::Strings(entries) => entries.map_or(0, BTreeMap::len),
        }
    }

    /// Whether there are no entries, as in a nil map.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<Value<'v>> {
        match self {
            Map::Values(entries) => {
                let entries = entries.as_ref()?;
                let at = entries.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
                Some(entries[at].1.clone())
            }
            Map::Strings(entries) => {
                let value = (*entries)?.get(std::str::from_utf8(key).ok()?)?;
                Some(Value::text(value))
            }
        }
    }

    /// In the order of keys.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Entry<'v>> + '_> {
        match self {
            Map::Values(entries) => Box::new(entries.iter().flat_map(|entries| entries.iter().cloned())),
            Map::Strings(entries) => Box::new(
                entries
                    .iter()
                    .flat_map(|entries| entries.iter())
                    .map(|(key, value)| (Str::Borrowed(key.as_bytes()), Value::text(value))),
            ),
        }
    }
}

/// A value that only the host understands, borrowed or created during a run.
#[derive(Clone)]
pub enum Object<'v> {
    /// A part of the data.
    Borrowed(&'v dyn Host),
    /// A value that was made during a run.
    Owned(Rc<dyn Host>),
}

impl<'v> Deref for Object<'v> {
    type Target = dyn Host + 'v;

    fn deref(&self) -> &Self::Target {
        match self {
            Object::Borrowed(object) => *object,
            Object::Owned(object) => &**object,
        }
    }
}

/// A type of the host.
pub trait Host {
    /// Go's name of the type, for example `time.Time`.
    fn type_name(&self) -> &'static str;

    /// How the value is printed, compared and called.
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// An exported field.
    fn field(&self, _name: &str) -> Option<Value<'_>> {
        None
    }

    /// All fields in order, for printing.
    fn fields(&self) -> Vec<(&'static str, Value<'_>)> {
        Vec::new()
    }

    /// Writes the result of Go's `String` method; false if the type has none.
    fn text(&self, _out: &mut Vec<u8>) -> bool {
        false
    }

    /// The parameters of a method; None if there is no such method. The empty name means the function itself.
    fn method(&self, _name: &str) -> Option<&'static Signature> {
        None
    }

    /// Calls a method known to [`Host::method`], with arguments that match its signature.
    fn call(&self, _name: &str, _args: &[Value<'_>], _out: &mut Vec<u8>) -> Result<Answer<'static>, String> {
        Ok(Answer::Value(Value::Missing))
    }

    /// The object itself, for functions of the host that expect a type of their own.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }

    /// Whether `==` holds in Go; not called for types that cannot be compared.
    fn equals(&self, _other: &dyn Host) -> bool {
        false
    }
}

/// The behaviour of a host's type when it is used without naming a field or method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A struct, which is always true.
    Struct,
    /// A pointer to a struct, never nil. Its type's name begins with `*`.
    Pointer,
    /// An integer type with a name.
    Int(i64),
    /// A function.
    Func,
}

/// The result of a call.
pub enum Answer<'v> {
    /// The text appended to the given buffer.
    Text,
    /// A value.
    Value(Value<'v>),
}

/// The types of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    /// Go's `reflect.Value`: as [`Type::Any`], but a missing value stays missing.
    Reflect,
    /// `string`
    String,
    /// An integer type of this name, which takes constants.
    Int(&'static str),
    /// A host's type.
    Host(&'static str),
}

/// The types of the arguments that a function or method takes.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// One type for each required argument.
    pub params: &'static [Type],
    /// The type of any number of further arguments.
    pub rest: Option<Type>,
}

impl<'v> Value<'v> {
    /// A string of the data or the template.
    pub fn text(text: &'v str) -> Value<'v> {
        Value::Str(Str::Borrowed(text.as_bytes()))
    }

    /// A string that was made during a run.
    pub fn owned(text: &[u8]) -> Value<'v> {
        Value::Str(Str::Owned(text.into()))
    }

    /// An `int`.
    pub fn int(int: usize) -> Value<'v> {
        Value::Int(Width::Int, int as i64)
    }

    /// A value of a type of the host, made during a run.
    pub fn host(object: impl Host + 'static) -> Value<'v> {
        Value::Object(Object::Owned(Rc::new(object)))
    }

    /// The type of the value; `<nil>` for none.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Missing | Value::Nil => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(Width::Int, _) => "int",
            Value::Int(Width::Int64, _) => "int64",
            Value::Int(Width::Byte, _) => "uint8",
            Value::Float(_) => "float64",
            Value::Str(_) => "string",
            Value::Number(_) => "json.Number",
            Value::List(_) => "[]interface {}",
            Value::Map(map) => map.type_name(),
            Value::Object(object) => object.type_name(),
        }
    }

    /// Whether it is neither nil nor zero nor empty.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Missing | Value::Nil => false,
            Value::Bool(bool) => *bool,
            Value::Int(_, int) => *int != 0,
            Value::Float(float) => *float != 0.0,
            Value::Str(text) | Value::Number(text) => !text.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Object(object) => object.kind() != Kind::Int(0),
        }
    }

    /// Its integer if it has an integer type.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(_, int) => Some(*int),
            Value::Object(object) => match object.kind() {
                Kind::Int(int) => Some(int),
                _ => None,
            },
            _ => None,
        }
    }

    /// The bytes of a string.
    pub fn as_text(&self) -> Option<&[u8]> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The work to process it: the bytes of its text.
    pub fn weight(&self) -> usize {
        match self {
            Value::Str(text) | Value::Number(text) => text.len(),
            _ => 0,
        }
    }
}
