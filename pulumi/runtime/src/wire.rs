//! Values, between Gestalt's form and the protocol's (`google.protobuf.Struct` with signatures).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use pulumi_gestalt_model::{EXACT, PulumiValue, PulumiValueContent as Content};
use pulumi_protocol::{SECRET, SIGNATURE, UNKNOWN};

use crate::registration::Values;

/// A whole number that the engine's numbers do not hold exactly, and where it is.
#[derive(Debug, Default)]
pub struct Inexact(String);

type Result<T> = std::result::Result<T, Inexact>;

/// The inputs of a resource as the engine takes them, and what each of them depends on.
pub(crate) struct Inputs {
    pub object: Struct,
    /// An entry for every property sent: the engine takes a missing map for "everything depends
    /// on everything".
    pub dependencies: BTreeMap<String, BTreeSet<String>>,
    /// Also what a property that is not sent was computed from.
    pub all_dependencies: BTreeSet<String>,
}

/// Encodes a resource's inputs; what is unset is not sent.
pub(crate) fn encode_inputs(fields: Values) -> Result<Inputs> {
    let mut inputs = Inputs {
        object: Struct::default(),
        dependencies: BTreeMap::new(),
        all_dependencies: BTreeSet::new(),
    };
    for (name, value) in fields {
        let mut dependencies = BTreeSet::new();
        collect_dependencies(&value, &mut dependencies);
        inputs.all_dependencies.extend(dependencies.iter().cloned());
        if is_unset(&value) {
            continue;
        }
        let value = encode(value).map_err(|error| error.of(&name))?;
        inputs.object.fields.insert(name.clone(), value);
        inputs.dependencies.insert(name, dependencies);
    }
    Ok(inputs)
}

/// A provider's configuration is strings: other values travel as their JSON text.
pub(crate) fn provider_inputs(fields: Values) -> Values {
    fields
        .into_iter()
        .map(|(name, mut value)| {
            if !is_unset(&value) && !matches!(value.content, Content::String(_)) {
                let mut dependencies = BTreeSet::new();
                collect_dependencies(&value, &mut dependencies);
                value = PulumiValue {
                    secret: value.contains_secret(),
                    dependencies: dependencies.into_iter().collect(),
                    content: match to_json(&value) {
                        Some(json) => Content::String(json.to_string()),
                        None => Content::Nothing,
                    },
                };
            }
            (name, value)
        })
        .collect()
}

/// Encodes outputs that the program registers itself.
pub(crate) fn encode_outputs(
    outputs: impl IntoIterator<Item = (String, PulumiValue)>,
) -> Result<Struct> {
    Ok(Struct {
        fields: encode_entries(outputs)?,
    })
}

/// The arguments of a function: they travel without secret signatures, and the caller marks the answer
/// instead.
pub(crate) fn encode_arguments(fields: Values) -> Result<Arguments> {
    let mut object = Struct::default();
    let mut arguments = Arguments {
        object: None,
        secret: false,
        dependencies: HashSet::new(),
    };
    let mut known = true;
    for (name, value) in fields {
        let mut dependencies = BTreeSet::new();
        collect_dependencies(&value, &mut dependencies);
        arguments.dependencies.extend(dependencies);
        arguments.secret |= value.contains_secret();
        known &= !contains_unknown(&value);
        if !is_unset(&value) {
            let value = encode(without_secrets(value)).map_err(|error| error.of(&name))?;
            object.fields.insert(name, value);
        }
    }
    arguments.object = known.then_some(object);
    Ok(arguments)
}

pub(crate) struct Arguments {
    /// `None` when one of them is unknown.
    pub object: Option<Struct>,
    pub secret: bool,
    pub dependencies: HashSet<String>,
}

fn encode(value: PulumiValue) -> Result<Value> {
    // An unknown is never wrapped: there is nothing in it to hide, and no SDK does.
    if value.secret && value.content != Content::Nothing {
        // One envelope, the outermost, hides all that is in it.
        return Ok(structure(BTreeMap::from([
            (SIGNATURE.to_owned(), string(SECRET)),
            ("value".to_owned(), encode(without_secrets(value))?),
        ])));
    }
    Ok(match value.content {
        Content::None | Content::Absent(_) => kind(Kind::NullValue(0)),
        Content::Nothing => string(UNKNOWN),
        Content::Boolean(value) => kind(Kind::BoolValue(value)),
        Content::Integer(value) => kind(Kind::NumberValue(f64::from(value))),
        Content::Large(value) if (-EXACT..=EXACT).contains(&value) => {
            kind(Kind::NumberValue(value as f64))
        }
        Content::Large(_) => return Err(Inexact::default()),
        Content::Number(value) => kind(Kind::NumberValue(value)),
        Content::String(value) => kind(Kind::StringValue(value)),
        Content::Array(values) => kind(Kind::ListValue(ListValue {
            values: values
                .into_iter()
                .enumerate()
                .map(|(index, value)| {
                    encode(value).map_err(|error| error.of(&format!("[{index}]")))
                })
                .collect::<Result<_>>()?,
        })),
        Content::Object(entries) => structure(encode_entries(entries)?),
    })
}

fn encode_entries(
    entries: impl IntoIterator<Item = (String, PulumiValue)>,
) -> Result<BTreeMap<String, Value>> {
    entries
        .into_iter()
        .filter(|(_, value)| !is_unset(value))
        .map(|(name, value)| match encode(value) {
            Ok(value) => Ok((name, value)),
            Err(error) => Err(error.of(&name)),
        })
        .collect()
}

impl Inexact {
    fn of(self, name: &str) -> Self {
        match self.0.as_str() {
            "" => Self(name.to_owned()),
            inner if inner.starts_with('[') => Self(format!("{name}{inner}")),
            inner => Self(format!("{name}.{inner}")),
        }
    }
}

impl fmt::Display for Inexact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} is a whole number beyond ±(2^53 - 1), which the engine's numbers do not hold \
             exactly: give it as a text, or as an f64",
            self.0
        )
    }
}

/// What a resource or a function answered: every value depends on `dependencies`.
pub(crate) fn decode_fields(
    object: Struct,
    dependencies: &HashSet<String>,
) -> HashMap<String, PulumiValue> {
    object
        .fields
        .into_iter()
        .map(|(name, value)| {
            let mut value = decode(value, dependencies, false);
            // The typed binding reads the secret flag, and whether a value is known, from the
            // outermost value alone.
            value.secret = value.contains_secret();
            if contains_unknown(&value) {
                value.content = Content::Nothing;
            }
            (name, value)
        })
        .collect()
}

/// With `secret`, as something in a secret is: then it is one by itself too.
fn decode(value: Value, dependencies: &HashSet<String>, secret: bool) -> PulumiValue {
    let content = match value.kind {
        None | Some(Kind::NullValue(_)) => Content::None,
        Some(Kind::BoolValue(value)) => Content::Boolean(value),
        Some(Kind::NumberValue(value)) => decode_number(value),
        Some(Kind::StringValue(value)) if value == UNKNOWN => Content::Nothing,
        Some(Kind::StringValue(value)) => Content::String(value),
        Some(Kind::ListValue(list)) => Content::Array(
            list.values
                .into_iter()
                .map(|value| decode(value, dependencies, secret))
                .collect(),
        ),
        Some(Kind::StructValue(mut object)) => {
            if is_secret(&object) {
                let value = object.fields.remove("value").unwrap_or_default();
                return decode(value, dependencies, true);
            }
            Content::Object(
                object
                    .fields
                    .into_iter()
                    .map(|(name, value)| (name, decode(value, dependencies, secret)))
                    .collect(),
            )
        }
    };
    PulumiValue {
        content,
        secret,
        dependencies: dependencies.clone(),
    }
}

/// The wire does not tell whole numbers from others. One that may have been rounded on its way
/// counts as a fraction.
fn decode_number(value: f64) -> Content {
    let exact = -(EXACT as f64)..=EXACT as f64;
    if value.fract() == 0.0 && exact.contains(&value) {
        Content::whole(value as i128)
    } else {
        Content::Number(value)
    }
}

fn is_secret(object: &Struct) -> bool {
    matches!(
        object.fields.get(SIGNATURE).and_then(|value| value.kind.as_ref()),
        Some(Kind::StringValue(signature)) if signature == SECRET
    )
}

fn collect_dependencies(value: &PulumiValue, into: &mut BTreeSet<String>) {
    into.extend(value.dependencies.iter().cloned());
    for child in value.content.children() {
        collect_dependencies(child, into);
    }
}

/// Whether there is nothing to send.
pub fn is_unset(value: &PulumiValue) -> bool {
    matches!(value.content, Content::None | Content::Absent(_))
}

fn contains_unknown(value: &PulumiValue) -> bool {
    value.content == Content::Nothing || value.content.children().any(contains_unknown)
}

fn without_secrets(mut value: PulumiValue) -> PulumiValue {
    value.secret = false;
    value.content = match value.content {
        Content::Array(values) => Content::Array(values.into_iter().map(without_secrets).collect()),
        Content::Object(entries) => Content::Object(
            entries
                .into_iter()
                .map(|(name, value)| (name, without_secrets(value)))
                .collect(),
        ),
        content => content,
    };
    value
}

/// Encodes one value.
///
/// # Errors
/// When a whole number in it is not exact.
pub fn encode_value(value: PulumiValue) -> Result<Value> {
    encode(value)
}

/// A value that the engine says, outside of what a resource has become.
pub fn decode_value(value: Value) -> PulumiValue {
    decode(value, &HashSet::new(), false)
}

/// `None` when anything in it is unknown.
pub fn to_json(value: &PulumiValue) -> Option<serde_json::Value> {
    Some(match &value.content {
        Content::None | Content::Absent(_) => serde_json::Value::Null,
        Content::Nothing => return None,
        Content::Boolean(value) => (*value).into(),
        Content::Integer(value) => (*value).into(),
        // As JSON it is exact, however large.
        Content::Large(value) => serde_json::Number::from_i128(*value)
            .map_or_else(|| value.to_string().into(), serde_json::Value::Number),
        Content::Number(value) => json_number(*value),
        Content::String(value) => value.as_str().into(),
        Content::Array(values) => values
            .iter()
            .map(to_json)
            .collect::<Option<Vec<_>>>()?
            .into(),
        Content::Object(entries) => entries
            .iter()
            .filter(|(_, value)| !is_unset(value))
            .map(|(name, value)| Some((name.clone(), to_json(value)?)))
            .collect::<Option<serde_json::Map<_, _>>>()?
            .into(),
    })
}

/// What is whole is a whole number, of whatever type it was: the engine does not tell them apart.
fn json_number(value: f64) -> serde_json::Value {
    let whole = format!("{value:.0}").parse::<i64>().ok();
    match whole {
        Some(whole) if value.fract() == 0.0 => whole.into(),
        _ => value.into(),
    }
}

fn kind(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

fn string(value: &str) -> Value {
    kind(Kind::StringValue(value.to_owned()))
}

fn structure(fields: BTreeMap<String, Value>) -> Value {
    kind(Kind::StructValue(Struct { fields }))
}
