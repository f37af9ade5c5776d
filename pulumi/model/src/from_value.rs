//! From values to Rust's types.

use std::collections::{BTreeMap, HashMap};

use crate::error::{Error, Result};
use crate::value::{PulumiValue, PulumiValueContent as Content};

/// What an output can be read as.
pub trait FromPulumiValue: Sized {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self>;
}

fn expected(what: &str, value: &PulumiValue) -> Error {
    match value.content {
        Content::Absent(reason) => Error::new(absent(reason)),
        ref content => Error::new(format!("Expected {what}, got {content:?}")),
    }
}

/// Without the type, which the reason leaves a place for: the field says enough.
fn absent(reason: &str) -> &str {
    reason
        .split_once(" while ")
        .map_or(reason, |(reason, _)| reason)
}

impl FromPulumiValue for PulumiValue {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        Ok(match value.content {
            Content::Absent(_) => Self::none(),
            _ => value.clone(),
        })
    }
}

impl FromPulumiValue for String {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        match &value.content {
            Content::String(text) => Ok(text.clone()),
            _ => Err(expected("String", value)),
        }
    }
}

impl FromPulumiValue for bool {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        match value.content {
            Content::Boolean(flag) => Ok(flag),
            _ => Err(expected("Boolean", value)),
        }
    }
}

/// The engine does not tell whole numbers from others, so every whole one is a number too.
impl FromPulumiValue for f64 {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        match value.content {
            Content::Number(number) => Ok(number),
            Content::Integer(number) => Ok(number.into()),
            Content::Large(number) => Ok(number as f64),
            _ => Err(expected("Number", value)),
        }
    }
}

fn whole<T: TryFrom<i128>>(value: &PulumiValue) -> Result<T> {
    let name = std::any::type_name::<T>();
    match (value.content.as_whole(), &value.content) {
        (Some(number), _) => T::try_from(number)
            .map_err(|_| Error::new(format!("Expected {name}, got a whole number beyond it"))),
        (None, Content::Number(number)) if number.fract() == 0.0 => Err(Error::new(format!(
            "Expected {name}, got a number too large to be exact (beyond ±(2^53 - 1)), which f64 \
             takes"
        ))),
        (None, _) => Err(expected("Integer", value)),
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl FromPulumiValue for $type {
            fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
                whole(value)
            }
        }
    )+};
}

whole_numbers!(i32, u32, i64, u64);

impl<T: FromPulumiValue> FromPulumiValue for Option<T> {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        match value.content {
            Content::None | Content::Absent(_) => Ok(None),
            _ => T::from_pulumi_value(value).map(Some),
        }
    }
}

impl<T: FromPulumiValue> FromPulumiValue for Box<T> {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        T::from_pulumi_value(value).map(Self::new)
    }
}

impl<T: FromPulumiValue> FromPulumiValue for Vec<T> {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        match &value.content {
            Content::Array(items) => items.iter().map(T::from_pulumi_value).collect(),
            _ => Err(expected("Array", value)),
        }
    }
}

fn entries<T, C>(value: &PulumiValue) -> Result<C>
where
    T: FromPulumiValue,
    C: FromIterator<(String, T)>,
{
    match &value.content {
        Content::Object(entries) => entries
            .iter()
            .map(|(name, value)| Ok((name.clone(), T::from_pulumi_value(value)?)))
            .collect(),
        _ => Err(expected("Object", value)),
    }
}

impl<T: FromPulumiValue> FromPulumiValue for BTreeMap<String, T> {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        entries(value)
    }
}

impl<T: FromPulumiValue> FromPulumiValue for HashMap<String, T> {
    fn from_pulumi_value(value: &PulumiValue) -> Result<Self> {
        entries(value)
    }
}
