//! JSON as API Gateway's templates see it.
//!
//! A template reads a payload, picks parts of it and writes them again. The order of an object's
//! members is kept and no whitespace is written, as Jackson does, which API Gateway uses.
//! Numbers come out as Java writes them: integers as they are, others as `Double.toString` does.
//! (An integer beyond 64 bits becomes a double here and stays exact on AWS.)

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::Arc;

/// A JSON value; cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    /// An integer that only fits without a sign.
    Unsigned(u64),
    Float(f64),
    String(Arc<str>),
    Array(Arc<[Json]>),
    Object(Arc<[(Arc<str>, Json)]>),
}

impl Json {
    /// Reads a JSON text.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub fn string(text: impl AsRef<str>) -> Self {
        Self::String(Arc::from(text.as_ref()))
    }

    /// A member of an object.
    pub fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(member, _)| &**member == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// An element of an array.
    pub fn element(&self, index: usize) -> Option<&Json> {
        match self {
            Self::Array(elements) => elements.get(index),
            _ => None,
        }
    }
}

/// The JSON text, without whitespace.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Float(value) => f.write_str(&java_double(*value)),
            Self::String(text) => quote(text, f),
            Self::Array(elements) => {
                f.write_char('[')?;
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    write!(f, "{element}")?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    quote(name, f)?;
                    write!(f, ":{value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

/// A text as a JSON string, quotes and all.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    // Writing to a string cannot fail.
    let _ = quote(text, &mut quoted);
    quoted
}

fn quote(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            control if control < ' ' => write!(out, "\\u{:04X}", u32::from(control))?,
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

/// A number as `java.lang.Double.toString` writes it: plain between 10⁻³ and 10⁷, scientific
/// beyond, always with a digit after the point.
pub(crate) fn java_double(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&magnitude) {
        let plain = format!("{value}");
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let scientific = format!("{value:E}");
    match scientific.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => scientific,
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Unsigned(value), Json::Integer))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::string(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element()? {
            array.push(element);
        }
        Ok(Json::Array(array.into()))
    }

    /// A name that comes twice keeps its first place and its last value, as in Java's
    /// `LinkedHashMap`.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object: Vec<(Arc<str>, Json)> = Vec::new();
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            let name: Arc<str> = name.into();
            match places.get(&name) {
                Some(&place) => object[place].1 = value,
                None => {
                    places.insert(Arc::clone(&name), object.len());
                    object.push((name, value));
                }
            }
        }
        Ok(Json::Object(object.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;

    #[test]
    fn what_is_read_is_written_without_whitespace_in_the_same_order() -> Result<()> {
        for (text, written) in [
            (
                r#" { "b" : 1 , "a" : [ 1.50 , true , null ] } "#,
                r#"{"b":1,"a":[1.5,true,null]}"#,
            ),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (r#""\u00e4\/\n\u0001\"""#, "\"ä/\\n\\u0001\\\"\""),
            ("18446744073709551615", "18446744073709551615"),
            ("-5", "-5"),
            ("100.0", "100.0"),
            ("1e10", "1.0E10"),
            ("12345678.9", "1.23456789E7"),
            ("0.0001", "1.0E-4"),
        ] {
            assert_eq!(Json::parse(text)?.to_string(), written, "{text}");
        }
        Ok(())
    }

    #[test]
    fn nesting_is_limited() {
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }
}
