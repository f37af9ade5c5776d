//! JSON helpers that serde does not have: read a value of any type, write a string straight into a
//! buffer, and tell how long it will be.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value of any type, of which only strings and whole numbers are kept. Reading one fails
/// on broken JSON alone, so that the caller decides what a wrong type means.
#[derive(Debug, Default, PartialEq)]
pub enum Scalar<'de> {
    Text(Cow<'de, str>),
    Integer(i64),
    Other,
    #[default]
    Absent,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// What an object's fields make; a derived Deserialize would take an array for them too.
pub trait Fields<'de>: Sized {
    fn read<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

/// An object, or `None` for a value of any other type.
pub struct Object<T>(pub Option<T>);

impl<'de, T: Fields<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::read(map).map(|fields| Object(Some(fields)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Object(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Object(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Object(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Object(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Object(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Object(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Object(None))
    }
}

/// Appends `text` as a JSON string, quotes included. Only what JSON demands is escaped:
/// U+2028 and everything else above the control characters stays as it is.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let Some(escape) = Escape::of(byte) else {
            continue;
        };
        out.extend_from_slice(&bytes[plain..at]);
        escape.push(out);
        plain = at + 1;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// How many bytes `push_string` would append.
pub fn string_len(text: &str) -> usize {
    let escapes = text.bytes().filter_map(Escape::of);
    2 + text.len() + escapes.map(|escape| escape.len() - 1).sum::<usize>()
}

enum Escape {
    Short(u8),
    Control(u8),
}

impl Escape {
    #[inline]
    fn of(byte: u8) -> Option<Self> {
        match byte {
            b'"' | b'\\' => Some(Self::Short(byte)),
            0x20.. => None,
            0x08 => Some(Self::Short(b'b')),
            b'\t' => Some(Self::Short(b't')),
            b'\n' => Some(Self::Short(b'n')),
            0x0c => Some(Self::Short(b'f')),
            b'\r' => Some(Self::Short(b'r')),
            control => Some(Self::Control(control)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Short(_) => 2,
            Self::Control(_) => 6,
        }
    }

    fn push(&self, out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        match *self {
            Self::Short(letter) => out.extend_from_slice(&[b'\\', letter]),
            Self::Control(byte) => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 0xf)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_string_is_written_as_serde_json_writes_it(text in any::<String>()) {
            let mut out = Vec::new();
            push_string(&mut out, &text);
            prop_assert_eq!(string_len(&text), out.len());
            prop_assert_eq!(serde_json::to_vec(&text)?, out);
        }

        #[test]
        fn control_characters_too(bytes in prop::collection::vec(0u8..0x80, 0..64)) {
            let text = String::from_utf8(bytes)?;
            let mut out = Vec::new();
            push_string(&mut out, &text);
            prop_assert_eq!(string_len(&text), out.len());
            prop_assert_eq!(serde_json::to_vec(&text)?, out);
        }
    }

    #[test]
    fn any_value_is_read() -> serde_json::Result<()> {
        let cases = [
            (r#""a""#, Scalar::Text("a".into())),
            (r#""\u0061\/""#, Scalar::Text("a/".into())),
            ("-7", Scalar::Integer(-7)),
            ("1495072949453", Scalar::Integer(1_495_072_949_453)),
            ("18446744073709551615", Scalar::Other),
            ("1.5", Scalar::Other),
            ("null", Scalar::Other),
            ("true", Scalar::Other),
            (r#"[1,[2,{"a":3}]]"#, Scalar::Other),
            (r#"{"a":{"b":[]}}"#, Scalar::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(serde_json::from_str::<Scalar>(text)?, expected, "{text}");
        }
        Ok(())
    }
}
