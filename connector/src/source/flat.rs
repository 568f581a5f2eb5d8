//! JSON values as far as their columns' types depend on them: nothing of what lists and objects hold is kept, as that could be
//! as large as the line, and its names as many as there are lines.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt::{self, Formatter};

/// A value, empty if it is a list or an object.
#[derive(Debug, PartialEq)]
pub struct Flat(pub Value);

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Flattening).map(Flat)
    }
}

struct Flattening;

impl<'de> Visitor<'de> for Flattening {
    type Value = Value;

    fn expecting(&self, told: &mut Formatter<'_>) -> fmt::Result {
        told.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    /// One that is too large for a whole number of the columns would lose its last digits as a fraction: it stays text.
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::String(String::new()), Value::from))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Value, E> {
        Ok(Value::String(String::new()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<Flat>()?.is_some() {} // and not IgnoredAny, which knows no bound of depth
        Ok(Value::Array(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        while object.next_entry::<IgnoredAny, Flat>()?.is_some() {}
        Ok(Value::Object(Map::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_value_holds_is_not_kept() {
        let rows = [
            ("null", json!(null)),
            ("true", json!(true)),
            ("-7", json!(-7)),
            ("9223372036854775807", json!(i64::MAX)),
            ("9223372036854775808", json!("")),
            ("1.5", json!(1.5)),
            ("\"Ada\"", json!("")),
            ("[1, {\"a\": [2]}]", json!([])),
            ("{\"ORD-1\": {\"b\": 1}}", json!({})),
        ];
        for (text, expected) in rows {
            let read: Flat = serde_json::from_str(text).expect("JSON");
            assert_eq!(read.0, expected, "{text}");
        }
    }
}
