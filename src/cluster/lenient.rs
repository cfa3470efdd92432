//! Reads fields of JSON that may have another type than they should: such a field counts as missing, so that it costs
//! neither its object nor the list.

use std::{cell::Cell, collections::BTreeMap, fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::bounds::{Exceeded, KEPT, PARTS};
use crate::shown::{LONGEST, one_line};

thread_local! {
    /// Memory taken by the parts of the document that is being read: serde passes nothing to the types that it reads.
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// Reads a document; fails if the parts of its objects need too much memory.
pub fn within_bounds<T>(read: impl FnOnce() -> T) -> Result<T, Exceeded> {
    TAKEN.set(0);
    let read = read();
    KEPT.check(TAKEN.replace(0)).map(|()| read)
}

/// Whether one more part of this type may be kept, beside `count` others.
fn has_room<T>(count: usize) -> bool {
    if count > PARTS {
        return false;
    }
    TAKEN.set(TAKEN.get() + size_of::<T>());
    TAKEN.get() <= KEPT.most()
}

/// A type, from each kind of JSON that it can be read from.
pub trait Lenient: Sized {
    /// The value that stands for JSON of another kind; None: it counts as missing.
    fn odd() -> Option<Self> {
        None
    }

    fn text(_: &str) -> Option<Self> {
        Self::odd()
    }

    fn integer(_: i64) -> Option<Self> {
        Self::odd()
    }

    fn boolean(_: bool) -> Option<Self> {
        Self::odd()
    }

    fn list<'de, A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::odd())
    }

    fn object<'de, A: MapAccess<'de>>(mut fields: A) -> Result<Option<Self>, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::odd())
    }
}

/// For `deserialize_with`: the field, or its default if it is null or of another type.
pub fn lenient<'de, D: Deserializer<'de>, T: Lenient + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Any::<T>::new().deserialize(deserializer)?.unwrap_or_default())
}

/// The same for a text that is only shown: one line of bounded length.
pub fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(lenient::<D, Words>(deserializer)?.0)
}

/// Implements [`Lenient`] for types that derive `Deserialize`, with what stands for those that are odd.
macro_rules! lenient_objects {
    ($($object:ty $(, odd: $odd:expr)?);*) => {
        $(impl $crate::cluster::Lenient for $object {
            $(fn odd() -> Option<Self> {
                Some($odd)
            })?

            fn object<'de, A: serde::de::MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(fields);
                serde::Deserialize::deserialize(fields).map(Some)
            }
        })*
    };
}
pub(crate) use lenient_objects;

impl Lenient for String {
    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

#[derive(Default)]
struct Words(String);

impl Lenient for Words {
    fn text(text: &str) -> Option<Words> {
        Some(Words(one_line(text, LONGEST)))
    }
}

impl Lenient for Timestamp {
    fn text(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }
}

impl Lenient for bool {
    fn boolean(value: bool) -> Option<bool> {
        Some(value)
    }
}

impl Lenient for i64 {
    fn integer(value: i64) -> Option<i64> {
        Some(value)
    }
}

impl Lenient for u32 {
    fn integer(value: i64) -> Option<u32> {
        value.try_into().ok()
    }
}

impl<T: Lenient> Lenient for Option<T> {
    fn odd() -> Option<Self> {
        T::odd().map(Some)
    }

    fn text(text: &str) -> Option<Self> {
        T::text(text).map(Some)
    }

    fn integer(value: i64) -> Option<Self> {
        T::integer(value).map(Some)
    }

    fn boolean(value: bool) -> Option<Self> {
        T::boolean(value).map(Some)
    }

    fn list<'de, A: SeqAccess<'de>>(items: A) -> Result<Option<Self>, A::Error> {
        T::list(items).map(|read| read.map(Some))
    }

    fn object<'de, A: MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
        T::object(fields).map(|read| read.map(Some))
    }
}

/// Without the items that cannot be read. One more than [`PARTS`] at most, so that it is known that there were more.
impl<T: Lenient> Lenient for Vec<T> {
    fn odd() -> Option<Self> {
        T::odd().map(|item| vec![item])
    }

    fn list<'de, A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut read = Vec::new();
        while has_room::<T>(read.len()) {
            let Some(item) = items.next_element_seed(Any::<T>::new())? else { return Ok(Some(read)) };
            read.extend(item.or_else(T::odd));
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some(read))
    }
}

/// Without the entries that cannot be read.
impl<T: Lenient> Lenient for BTreeMap<String, T> {
    fn object<'de, A: MapAccess<'de>>(mut fields: A) -> Result<Option<Self>, A::Error> {
        let mut read = BTreeMap::new();
        while has_room::<(String, T)>(read.len()) {
            let Some(name) = fields.next_key()? else { return Ok(Some(read)) };
            read.extend(fields.next_value_seed(Any::<T>::new())?.map(|value| (name, value)));
        }
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some(read))
    }
}

/// Takes any JSON.
struct Any<T>(PhantomData<T>);

impl<T> Any<T> {
    fn new() -> Any<T> {
        Any(PhantomData)
    }
}

impl<'de, T: Lenient> DeserializeSeed<'de> for Any<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Lenient> Visitor<'de> for Any<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::text(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Option<T>, E> {
        Ok(T::boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Option<T>, E> {
        Ok(T::integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Option<T>, E> {
        Ok(value.try_into().map_or_else(|_| T::odd(), T::integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        Ok(T::odd())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Option<T>, A::Error> {
        T::list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Option<T>, A::Error> {
        T::object(fields)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Thing {
        #[serde(deserialize_with = "lenient")]
        name: String,
        #[serde(deserialize_with = "words")]
        reason: String,
        #[serde(deserialize_with = "lenient")]
        count: u32,
        #[serde(deserialize_with = "lenient")]
        code: Option<i64>,
        #[serde(deserialize_with = "lenient")]
        ready: Option<bool>,
        #[serde(deserialize_with = "lenient")]
        time: Option<Timestamp>,
        #[serde(deserialize_with = "lenient")]
        labels: Option<BTreeMap<String, String>>,
        #[serde(deserialize_with = "lenient")]
        parts: Vec<Thing>,
        #[serde(deserialize_with = "lenient")]
        inner: Option<Box<Thing>>,
    }

    lenient_objects!(Thing; Box<Thing>);

    const ODD: [&str; 17] = [
        "null",
        "true",
        "0.5",
        "-7",
        "18446744073709551615",
        "123456789012345678901234567890",
        "\"\"",
        "\"never\"",
        "\"9999-12-31T23:59:59Z\"",
        "\"2026-02-30T00:00:00Z\"",
        "\"5\"",
        "[]",
        "[[[1]]]",
        "[null,{},7]",
        "{}",
        "{\"a\":{\"b\":[1]}}",
        "{\"name\":[],\"count\":{},\"parts\":\"\"}",
    ];

    #[test]
    fn no_value_costs_the_other_fields() {
        for field in ["reason", "count", "code", "ready", "time", "labels", "parts", "inner"] {
            for odd in ODD {
                let text = format!("{{\"{field}\": {odd}, \"name\": \"web\"}}");
                let thing: Thing = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
                assert_eq!(thing.name, "web", "{text}");
            }
        }
    }

    #[test]
    fn what_can_be_read_is_read() {
        let thing: Thing = serde_json::from_str(
            r#"{"name":"a","reason":"two\nlines","count":3,"code":3221225786,"ready":false,"time":"2026-05-31T22:03:20Z",
                "labels":{"a":"b","n":1,"x":null},"parts":[{"name":"p"},5,null,{"name":6}],"inner":{"name":"i"}}"#,
        )
        .unwrap();
        assert_eq!((thing.reason.as_str(), thing.count, thing.code), ("two lines", 3, Some(3_221_225_786)));
        assert_eq!((thing.ready, thing.time.is_some()), (Some(false), true));
        assert_eq!(thing.labels.unwrap().into_iter().collect::<Vec<_>>(), [("a".into(), "b".into())]);
        assert_eq!(thing.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["p", ""]);
        assert_eq!(thing.inner.unwrap().name, "i");
    }

    #[test]
    fn no_more_parts_are_kept_than_an_object_can_have() {
        let (items, labels) = ("0,".repeat(PARTS * 3), (0..PARTS * 3).map(|n| format!("\"{n}\":\"\",")));
        let text =
            format!("{{\"parts\":[{items}{{}}],\"labels\":{{{}\"z\":\"\"}}}}", labels.collect::<String>());
        let thing: Thing = serde_json::from_str(&text.replace("0,", "{},")).unwrap();
        assert_eq!((thing.parts.len(), thing.labels.unwrap().len()), (PARTS + 1, PARTS + 1));
    }

    #[test]
    fn all_parts_of_a_document_have_a_limit() {
        let parts = KEPT.most() / size_of::<Thing>() / PARTS + 2;
        let thing = format!("{{\"parts\":[{}{{}}]}}", "{},".repeat(PARTS));
        let read =
            || (0..parts).map(|_| serde_json::from_str::<Thing>(&thing).map(|thing| thing.parts.len()));
        assert_eq!(within_bounds(|| read().take(2).map(Result::unwrap).sum()), Ok(2 * (PARTS + 1)));
        assert!(within_bounds(|| read().map(Result::unwrap).sum::<usize>()).is_err());
    }

    #[test]
    fn numbers_out_of_range_are_missing() {
        for odd in ["-1", "4294967296", "1.5", "\"3\""] {
            let thing: Thing = serde_json::from_str(&format!("{{\"count\":{odd}}}")).unwrap();
            assert_eq!(thing.count, 0, "{odd}");
        }
    }
}
