//! A template applied to a payload.

use super::ast::{Expression, LoopProperty, Method, Node, Operator, Reference, Root, Step, Target};
use super::functions;
use super::value::Value;
use crate::json::Json;
use crate::scope::Scope;
use http::HeaderName;
use std::cmp::Ordering;
use std::sync::Arc;

/// AWS's quota for the iterations of one `#foreach`; Velocity goes on after the loop then.
const MAX_ITERATIONS: usize = 1000;

/// How long a text may become: no payload of API Gateway is longer.
const MAX_TEXT: usize = 10 * 1024 * 1024;

/// How many pieces of a template are run before it counts as hanging.
const MAX_STEPS: usize = 1_000_000;

/// What a template gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    pub text: String,
    pub overrides: Overrides,
}

/// `$context.responseOverride`, as a template has set it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    pub status: Option<u16>,
    pub headers: Vec<(HeaderName, String)>,
}

/// Why a template gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderError {
    /// The payload is no JSON, and the template needs it to be.
    PayloadIsNotJson(String),
    /// The template asked for something that cannot be done with these values.
    Failed(String),
}

impl RenderError {
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }
}

/// Runs the pieces of a template.
pub(crate) fn render(
    nodes: &[Node],
    variables: usize,
    scope: &Scope<'_>,
) -> Result<Rendered, RenderError> {
    let mut run = Run {
        scope,
        variables: vec![Value::NULL; variables],
        loops: Vec::new(),
        payload: None,
        overrides: Overrides::default(),
        steps: 0,
    };
    let mut text = String::new();
    run.nodes(nodes, &mut text)?;
    Ok(Rendered {
        text,
        overrides: run.overrides,
    })
}

struct Run<'a> {
    scope: &'a Scope<'a>,
    variables: Vec<Value>,
    /// Index and length of each loop, the innermost last.
    loops: Vec<(usize, usize)>,
    /// The payload, once it was read.
    payload: Option<Json>,
    overrides: Overrides,
    steps: usize,
}

impl Run<'_> {
    fn nodes(&mut self, nodes: &[Node], out: &mut String) -> Result<(), RenderError> {
        for node in nodes {
            self.step()?;
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Insert(reference) => self.reference(reference)?.print(out),
                Node::Set(target, value) => {
                    let value = self.expression(value)?;
                    self.set(target, value);
                }
                Node::If {
                    branches,
                    otherwise,
                } => {
                    let mut taken = otherwise;
                    for (condition, nodes) in branches {
                        if self.expression(condition)?.holds() {
                            taken = nodes;
                            break;
                        }
                    }
                    self.nodes(taken, out)?;
                }
                Node::Foreach {
                    variable,
                    list,
                    body,
                } => self.foreach(*variable, list, body, out)?,
            }
            if out.len() > MAX_TEXT {
                return Err(RenderError::failed("the template gives more than 10 MB"));
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), RenderError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(RenderError::failed("the template does not come to an end"));
        }
        Ok(())
    }

    fn set(&mut self, target: &Target, value: Value) {
        match target {
            Target::Variable(variable) => {
                if let Some(place) = self.variables.get_mut(*variable) {
                    *place = value;
                }
            }
            // AWS ignores a status that is no integer between 100 and 599; the 1xx among them are
            // no answers.
            Target::Status => {
                let status = match value {
                    Value::Json(Json::Integer(status)) => u16::try_from(status).ok(),
                    _ => None,
                };
                self.overrides.status = status.filter(|status| (200..=599).contains(status));
            }
            Target::Header(name) => {
                self.overrides.headers.retain(|(known, _)| known != name);
                self.overrides.headers.push((name.clone(), value.printed()));
            }
        }
    }

    fn foreach(
        &mut self,
        variable: usize,
        list: &Expression,
        body: &[Node],
        out: &mut String,
    ) -> Result<(), RenderError> {
        let list = self.expression(list)?;
        // One more than the limit, so that `hasNext` of the last one is right.
        let items = list.items(MAX_ITERATIONS + 1);
        let count = items.len();
        let before = self.variables.get(variable).cloned();
        for (index, item) in items.into_iter().take(MAX_ITERATIONS).enumerate() {
            self.set(&Target::Variable(variable), item);
            self.loops.push((index, count));
            let result = self.nodes(body, out);
            self.loops.pop();
            result?;
        }
        self.set(&Target::Variable(variable), before.unwrap_or(Value::NULL));
        Ok(())
    }

    fn expression(&mut self, expression: &Expression) -> Result<Value, RenderError> {
        self.step()?;
        match expression {
            Expression::Value(value) => Ok(value.clone()),
            Expression::Text(nodes) => {
                let mut text = String::new();
                self.nodes(nodes, &mut text)?;
                Ok(Value::text(text))
            }
            Expression::Reference(reference) => self.reference(reference),
            Expression::List(elements) => {
                let elements: Result<Vec<Value>, RenderError> = elements
                    .iter()
                    .map(|element| self.expression(element))
                    .collect();
                Ok(Value::List(elements?.into()))
            }
            Expression::Range(from, to) => self.range(from, to),
            Expression::Map(members) => {
                let mut map = Vec::with_capacity(members.len());
                for (key, value) in members {
                    let key: Arc<str> = self.expression(key)?.printed().into();
                    map.push((key, self.expression(value)?));
                }
                Ok(Value::Map(map.into()))
            }
            Expression::Not(operand) => Ok(Value::bool(!self.expression(operand)?.holds())),
            Expression::Binary(operator, left, right) => self.binary(*operator, left, right),
        }
    }

    fn range(&mut self, from: &Expression, to: &Expression) -> Result<Value, RenderError> {
        let (from, to) = (self.expression(from)?, self.expression(to)?);
        let (Value::Json(Json::Integer(from)), Value::Json(Json::Integer(to))) = (from, to) else {
            return Err(RenderError::failed("a range needs two integers"));
        };
        // No loop goes further.
        let length = from.abs_diff(to).min(MAX_ITERATIONS as u64);
        let length = i64::try_from(length).unwrap_or(0);
        let numbers: Vec<Value> = (0..=length)
            .map(|step| if from <= to { from + step } else { from - step })
            .map(|number| Value::Json(Json::Integer(number)))
            .collect();
        Ok(Value::List(numbers.into()))
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
    ) -> Result<Value, RenderError> {
        let left = self.expression(left)?;
        match operator {
            Operator::Or if left.holds() => return Ok(Value::bool(true)),
            Operator::And if !left.holds() => return Ok(Value::bool(false)),
            _ => {}
        }
        let right = self.expression(right)?;
        match operator {
            Operator::Or | Operator::And => Ok(Value::bool(right.holds())),
            Operator::Equal => Ok(Value::bool(equal(&left, &right))),
            Operator::NotEqual => Ok(Value::bool(!equal(&left, &right))),
            Operator::Less => compared(&left, &right, Ordering::is_lt),
            Operator::LessOrEqual => compared(&left, &right, Ordering::is_le),
            Operator::Greater => compared(&left, &right, Ordering::is_gt),
            Operator::GreaterOrEqual => compared(&left, &right, Ordering::is_ge),
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => arithmetic(operator, &left, &right),
        }
    }

    fn reference(&mut self, reference: &Reference) -> Result<Value, RenderError> {
        let mut value = self.root(&reference.root)?;
        for step in &reference.steps {
            self.step()?;
            value = match step {
                Step::Property(name) => value.member(name),
                Step::Index(index) => match self.expression(index)? {
                    Value::Json(Json::Integer(index)) => {
                        usize::try_from(index).map_or(Value::NULL, |index| value.element(index))
                    }
                    key => value.member(&key.printed()),
                },
                Step::Call(method) => self.call(&value, method)?,
            };
        }
        Ok(value)
    }

    fn root(&mut self, root: &Root) -> Result<Value, RenderError> {
        let scope = self.scope;
        Ok(match root {
            Root::Variable(variable) => self
                .variables
                .get(*variable)
                .cloned()
                .unwrap_or(Value::NULL),
            Root::Loop(property) => self.loop_property(*property),
            Root::Body => Value::text(if scope.body.is_empty() {
                "{}"
            } else {
                scope.body
            }),
            // What is absent is an empty text, quotes and all.
            Root::InputJson(path) => match path.find(self.payload()?) {
                Some(found) => Value::text(found.to_string()),
                None => Value::text("\"\""),
            },
            Root::InputPath(path) => {
                let found = path.find(self.payload()?);
                found.cloned().map_or(Value::NULL, Value::Json)
            }
            Root::Parameters => parameters(scope),
            Root::Parameter(name) => {
                let name = self.expression(name)?.printed();
                let value = scope
                    .path_parameter(&name)
                    .or_else(|| scope.query_parameter(&name))
                    .map(Value::text)
                    .or_else(|| scope.header(&name).map(Value::text));
                value.unwrap_or_else(|| Value::text(""))
            }
            Root::Utility(utility, argument) => {
                let argument = self.expression(argument)?;
                let value = functions::apply(*utility, &argument)?;
                if let Value::Json(Json::String(text)) = &value
                    && text.len() > MAX_TEXT
                {
                    return Err(RenderError::failed("a text has more than 10 MB"));
                }
                value
            }
            Root::Context(variable) => match scope.context.value(*variable) {
                Some(value) => Value::text(value),
                None => Value::NULL,
            },
            Root::StageVariable(name) => match scope.stage_variables.get(name) {
                Some(value) => Value::text(value),
                None => Value::NULL,
            },
            Root::StageVariables => Value::Map(
                scope
                    .stage_variables
                    .iter()
                    .map(|(name, value)| (Arc::from(name.as_str()), Value::text(value)))
                    .collect(),
            ),
        })
    }

    fn loop_property(&self, property: LoopProperty) -> Value {
        let (index, count) = self.loops.last().copied().unwrap_or((0, 0));
        match property {
            LoopProperty::HasNext => Value::bool(index + 1 < count),
            LoopProperty::Index => Value::integer(index),
            LoopProperty::Count => Value::integer(index + 1),
            LoopProperty::First => Value::bool(index == 0),
            LoopProperty::Last => Value::bool(index + 1 == count),
        }
    }

    fn call(&mut self, value: &Value, method: &Method) -> Result<Value, RenderError> {
        Ok(match method {
            Method::Size => value.size().map_or(Value::NULL, Value::integer),
            Method::IsEmpty => match (value.size(), value) {
                (Some(size), _) => Value::bool(size == 0),
                (None, Value::Json(Json::String(text))) => Value::bool(text.is_empty()),
                _ => Value::NULL,
            },
            // Java counts UTF-16 units.
            Method::Length => match value {
                Value::Json(Json::String(text)) => Value::integer(text.encode_utf16().count()),
                _ => Value::NULL,
            },
            Method::KeySet => match value.names() {
                Some(names) => Value::List(names.iter().map(Value::text).collect()),
                None => Value::NULL,
            },
            Method::Text => Value::text(value.printed()),
            Method::Get(key) => match self.expression(key)? {
                Value::Json(Json::Integer(index)) => {
                    usize::try_from(index).map_or(Value::NULL, |index| value.element(index))
                }
                key => value.member(&key.printed()),
            },
            Method::ContainsKey(key) => {
                let key = self.expression(key)?.printed();
                let names = value.names().unwrap_or_default();
                Value::bool(names.iter().any(|name| **name == *key))
            }
            Method::Contains(part) => {
                let part = self.expression(part)?;
                match value {
                    Value::Json(Json::String(text)) => Value::bool(text.contains(&part.printed())),
                    list => {
                        Value::bool(list.items(usize::MAX).iter().any(|item| equal(item, &part)))
                    }
                }
            }
            Method::Equals(other) => Value::bool(equal(value, &self.expression(other)?)),
            Method::ReplaceAll(pattern, replacement) => match value {
                Value::Json(Json::String(text)) => {
                    let replacement = regex_lite::NoExpand(replacement);
                    Value::text(pattern.replace_all(text, replacement))
                }
                _ => Value::NULL,
            },
        })
    }

    /// The payload as JSON; an empty one is an empty object.
    fn payload(&mut self) -> Result<&Json, RenderError> {
        let payload = match self.payload.take() {
            Some(payload) => payload,
            None if self.scope.body.trim().is_empty() => Json::Object(Arc::new([])),
            None => Json::parse(self.scope.body)
                .map_err(|error| RenderError::PayloadIsNotJson(error.to_string()))?,
        };
        Ok(self.payload.insert(payload))
    }
}

/// `$input.params()`: maps of path, querystring and header parameters.
fn parameters(scope: &Scope<'_>) -> Value {
    let texts = |parameters: &[(String, String)]| {
        let mut map: Vec<(Arc<str>, Value)> = Vec::new();
        for (name, value) in parameters {
            map.retain(|(known, _)| **known != **name);
            map.push((Arc::from(name.as_str()), Value::text(value)));
        }
        Value::Map(map.into())
    };
    let headers: Vec<(Arc<str>, Value)> = scope
        .headers
        .keys()
        .filter_map(|name| {
            Some((
                Arc::from(name.as_str()),
                Value::text(scope.header(name.as_str())?),
            ))
        })
        .collect();
    Value::Map(Arc::new([
        (Arc::from("path"), texts(scope.path)),
        (Arc::from("querystring"), texts(scope.query)),
        (Arc::from("header"), Value::Map(headers.into())),
    ]))
}

/// Numbers are equal by value, everything else as its kind says; what differs in kind is equal
/// when it prints the same (Velocity 1.7).
fn equal(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return left == right;
    }
    let null = |value: &Value| matches!(value, Value::Json(Json::Null));
    if null(left) || null(right) {
        return null(left) && null(right);
    }
    left == right || left.printed() == right.printed()
}

fn compared(
    left: &Value,
    right: &Value,
    wanted: fn(Ordering) -> bool,
) -> Result<Value, RenderError> {
    match (number(left), number(right)) {
        (Some(left), Some(right)) => Ok(Value::bool(left.partial_cmp(&right).is_some_and(wanted))),
        _ => Err(RenderError::failed("only numbers can be compared by size")),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        #[allow(clippy::cast_precision_loss)]
        Value::Json(Json::Integer(number)) => Some(*number as f64),
        #[allow(clippy::cast_precision_loss)]
        Value::Json(Json::Unsigned(number)) => Some(*number as f64),
        Value::Json(Json::Float(number)) => Some(*number),
        _ => None,
    }
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, RenderError> {
    if let (Value::Json(Json::Integer(left)), Value::Json(Json::Integer(right))) = (left, right) {
        let result = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Subtract => left.checked_sub(*right),
            Operator::Multiply => left.checked_mul(*right),
            Operator::Divide => left.checked_div(*right),
            _ => left.checked_rem(*right),
        };
        // Velocity gives null for a division by zero.
        return Ok(result.map_or(Value::NULL, |result| Value::Json(Json::Integer(result))));
    }
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        let result = match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            _ => left % right,
        };
        return Ok(Value::Json(Json::Float(result)));
    }
    let text = |value: &Value| matches!(value, Value::Json(Json::String(_)));
    if operator == Operator::Add && (text(left) || text(right)) {
        let joined = left.printed() + &right.printed();
        if joined.len() > MAX_TEXT {
            return Err(RenderError::failed("a text has more than 10 MB"));
        }
        return Ok(Value::text(joined));
    }
    Err(RenderError::failed("only numbers can be computed with"))
}
