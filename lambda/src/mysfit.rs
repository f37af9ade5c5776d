//! A mysfit as the catalogue knows it: its id, and the attributes that a click is enriched
//! with.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess};
use uuid::Uuid;

use crate::json::{self, Fields, Object, Scalar};

/// The id of a mysfit: a UUID in its hyphenated form. It becomes part of a URL, so nothing
/// else can be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MysfitId(Uuid);

impl MysfitId {
    pub const LEN: usize = uuid::fmt::Hyphenated::LENGTH;

    /// Upper case is read too, as RFC 9562 asks; it is written in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        // The other forms that the uuid crate reads (simple, braced, URN) differ in length.
        if text.len() != Self::LEN {
            return None;
        }
        Uuid::try_parse(text).ok().map(Self)
    }

    pub fn push(self, out: &mut Vec<u8>) {
        let mut buffer = [0; Self::LEN];
        out.extend_from_slice(self.0.hyphenated().encode_lower(&mut buffer).as_bytes());
    }
}

impl fmt::Display for MysfitId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The attributes of one mysfit, kept as the piece of JSON that they become in every record:
/// `"goodevil":"…","lawchaos":"…","species":"…"`.
#[derive(Debug, PartialEq)]
pub struct Mysfit {
    fragment: Box<[u8]>,
}

impl Mysfit {
    /// The longest attribute, as a JSON string without its quotes. Without a limit there is
    /// no bound for the reply (see `reply`); the catalogue's longest has 12.
    pub const MAX_ATTRIBUTE: usize = 64;

    /// What three attributes of that length make.
    pub const MAX_FRAGMENT: usize =
        r#""goodevil":"","lawchaos":"","species":"""#.len() + 3 * Self::MAX_ATTRIBUTE;

    /// Reads the bare object that the mysfits service answers with.
    pub fn parse(answer: &[u8]) -> Result<Self, MysfitError> {
        let Ok(Object(Some(attributes))) = serde_json::from_slice(answer) else {
            return Err(MysfitError::NotAnObject);
        };
        let Attributes {
            goodevil,
            lawchaos,
            species,
        } = attributes;
        let mut fragment = Vec::with_capacity(Self::MAX_FRAGMENT);
        push_attribute(&mut fragment, "goodevil", &goodevil)?;
        fragment.push(b',');
        push_attribute(&mut fragment, "lawchaos", &lawchaos)?;
        fragment.push(b',');
        push_attribute(&mut fragment, "species", &species)?;
        Ok(Self {
            fragment: fragment.into(),
        })
    }

    pub fn fragment(&self) -> &[u8] {
        &self.fragment
    }
}

#[derive(Debug, PartialEq)]
pub enum MysfitError {
    /// Not a statement about a mysfit at all: an error page, say.
    NotAnObject,
    /// The service's answer, but no click can be enriched with it: the attribute named here
    /// is missing, empty, no string or too long.
    Attribute(&'static str),
}

#[derive(Default)]
struct Attributes<'a> {
    goodevil: Scalar<'a>,
    lawchaos: Scalar<'a>,
    species: Scalar<'a>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Goodevil,
    Lawchaos,
    Species,
    #[serde(other)]
    Other,
}

impl<'de> Fields<'de> for Attributes<'de> {
    fn read<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut attributes = Self::default();
        while let Some(field) = map.next_key()? {
            match field {
                Field::Goodevil => attributes.goodevil = map.next_value()?,
                Field::Lawchaos => attributes.lawchaos = map.next_value()?,
                Field::Species => attributes.species = map.next_value()?,
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(attributes)
    }
}

fn push_attribute(
    out: &mut Vec<u8>,
    name: &'static str,
    value: &Scalar,
) -> Result<(), MysfitError> {
    let quotes = 2;
    match value {
        Scalar::Text(text)
            if !text.is_empty() && json::string_len(text) <= Mysfit::MAX_ATTRIBUTE + quotes =>
        {
            json::push_string(out, name);
            out.push(b':');
            json::push_string(out, text);
            Ok(())
        }
        _ => Err(MysfitError::Attribute(name)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";

    #[test]
    fn an_id_is_a_hyphenated_uuid() {
        assert_eq!(
            MysfitId::parse(ID).map(|id| id.to_string()),
            Some(ID.into())
        );
        let upper = MysfitId::parse(&ID.to_uppercase()).map(|id| id.to_string());
        assert_eq!(upper, Some(ID.into()));

        let long = "a".repeat(10_240);
        let refused = [
            "",
            "../",
            "../../../../../../../../../../../etc/",
            "b41ff031-141e-4a8d-bb56-158a22bea0b",
            "b41ff031-141e-4a8d-bb56-158a22bea0b33",
            "b41ff031141e4a8dbb56158a22bea0b3",
            "{b41ff031-141e-4a8d-bb56-158a22bea0b3}",
            "urn:uuid:b41ff031-141e-4a8d-bb56-158a22bea0b3",
            "b41ff031-141e-4a8d-bb56-158a22bea0b?",
            "b41ff031-141e-4a8d-bb56-158a22be%2f3",
            "b41ff031-141e-4a8d-bb56-158a22bea0\u{e9}",
            "b41ff031_141e_4a8d_bb56_158a22bea0b3",
            " 41ff031-141e-4a8d-bb56-158a22bea0b3",
            "-b41ff03-1141e-4a8d-bb56-158a22bea03",
            &long,
        ];
        for text in refused {
            assert_eq!(MysfitId::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_no_id_never_becomes_one(text in "\\PC{0,48}") {
            if let Some(id) = MysfitId::parse(&text) {
                prop_assert_eq!(id.to_string(), text.to_lowercase());
            }
        }
    }

    #[test]
    fn the_attributes_are_kept_as_json() -> Result<(), MysfitError> {
        let answer =
            br#"{"species":"Ye\"ti\u2028","age":13,"lawchaos":"Neutral","goodevil":"Evil"}"#;
        let mysfit = Mysfit::parse(answer)?;
        let fragment =
            "\"goodevil\":\"Evil\",\"lawchaos\":\"Neutral\",\"species\":\"Ye\\\"ti\u{2028}\"";
        assert_eq!(std::str::from_utf8(mysfit.fragment()), Ok(fragment));
        Ok(())
    }

    #[test]
    fn an_answer_without_usable_attributes_is_told_from_one_that_is_no_mysfit() {
        let not_answers = [
            "",
            "<html></html>",
            "[]",
            "null",
            "\"Yeti\"",
            "{\"species\":",
        ];
        for answer in not_answers {
            let parsed = Mysfit::parse(answer.as_bytes());
            assert_eq!(parsed, Err(MysfitError::NotAnObject), "{answer}");
        }

        let long = format!(
            r#"{{"goodevil":"a","lawchaos":"b","species":"{}"}}"#,
            "s".repeat(65)
        );
        let escapes = format!(
            r#"{{"goodevil":"a","lawchaos":"b","species":"{}"}}"#,
            r"\u0001".repeat(11)
        );
        let unusable = [
            "{}",
            r#"{"goodevil":"a","lawchaos":"b"}"#,
            r#"{"goodevil":"a","lawchaos":"b","species":""}"#,
            r#"{"goodevil":"a","lawchaos":["b"],"species":"c"}"#,
            r#"{"goodevil":1,"lawchaos":"b","species":"c"}"#,
            &long,
            &escapes,
        ];
        for answer in unusable {
            let parsed = Mysfit::parse(answer.as_bytes());
            assert!(matches!(parsed, Err(MysfitError::Attribute(_))), "{answer}");
        }

        let longest = format!(
            r#"{{"goodevil":"{0}","lawchaos":"{0}","species":"{0}"}}"#,
            "s".repeat(64)
        );
        let fragment = Mysfit::parse(longest.as_bytes()).map(|mysfit| mysfit.fragment().len());
        assert_eq!(fragment, Ok(Mysfit::MAX_FRAGMENT));
    }
}
