//! References: `$name`, `${name}`, `$!name`, and what may follow the name.

use super::TemplateError;
use super::ast::{Expression, LoopProperty, Method, Reference, Root, Step, Utility};
use super::lexer::{Place, starts_identifier};
use super::parser::Parser;
use super::value::Value;
use crate::context::{self, Variable};
use crate::json::Json;
use crate::jsonpath::JsonPath;
use regex_lite::Regex;
use std::collections::VecDeque;

/// A step as it is written.
enum Written<'a> {
    Property(&'a str),
    Call(&'a str, Vec<Expression>),
    Index(Expression),
}

type Steps<'a> = VecDeque<(Written<'a>, Place)>;

impl<'a> Parser<'a> {
    /// Whether the `$` that comes next starts a reference, and is not just a dollar.
    pub(super) fn at_reference(&self) -> bool {
        let Some(rest) = self.lexer.rest().strip_prefix('$') else {
            return false;
        };
        let rest = rest.strip_prefix('!').unwrap_or(rest);
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.starts_with(starts_identifier)
    }

    /// A reference, from its `$` on.
    pub(super) fn reference(&mut self) -> Result<Reference, TemplateError> {
        let start = self.lexer.place();
        self.lexer.expect('$')?;
        // A quiet reference prints nothing where a loud one would print itself; here both do.
        self.lexer.take("!");
        let formal = self.lexer.take("{");
        let Some(name) = self.lexer.identifier() else {
            return start.error("a name is expected after the $");
        };
        let mut steps = Steps::new();
        loop {
            let place = self.lexer.place();
            let property = self.lexer.peek() == Some('.')
                && self.lexer.peek_second().is_some_and(starts_identifier);
            if property {
                self.lexer.advance();
                let name = self.lexer.identifier().unwrap_or_default();
                let step = match self.lexer.peek() {
                    Some('(') => Written::Call(name, self.arguments()?),
                    _ => Written::Property(name),
                };
                steps.push_back((step, place));
            } else if self.lexer.take("[") {
                let index = self.nested(Self::expression)?;
                self.lexer.skip_space();
                self.lexer.expect(']')?;
                steps.push_back((Written::Index(index), place));
            } else {
                break;
            }
        }
        if formal {
            self.lexer.expect('}')?;
        }
        let root = self.root(name, start, &mut steps)?;
        let steps = steps.into_iter().map(step).collect::<Result<_, _>>()?;
        Ok(Reference { root, steps })
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, TemplateError> {
        self.lexer.expect('(')?;
        let mut arguments = Vec::new();
        loop {
            self.lexer.skip_space();
            if arguments.is_empty() && self.lexer.take(")") {
                return Ok(arguments);
            }
            arguments.push(self.nested(Self::expression)?);
            self.lexer.skip_space();
            if self.lexer.take(")") {
                return Ok(arguments);
            }
            self.lexer.expect(',')?;
        }
    }

    fn root(&self, name: &str, start: Place, steps: &mut Steps<'a>) -> Result<Root, TemplateError> {
        match name {
            "input" => input(start, steps),
            "util" => utility(start, steps),
            "context" => context_variable(start, steps),
            "stageVariables" => Ok(stage_variable(steps)),
            "foreach" if self.in_loop() => loop_property(start, steps),
            "foreach" => start.error("$foreach exists within a #foreach alone"),
            _ => match self.variable(name) {
                Some(variable) => Ok(Root::Variable(variable)),
                None => start.error(format!("${name} has no value: no #set above gives it one")),
            },
        }
    }
}

fn input(start: Place, steps: &mut Steps<'_>) -> Result<Root, TemplateError> {
    match steps.pop_front() {
        Some((Written::Property("body"), _)) => Ok(Root::Body),
        Some((Written::Call("json", arguments), place)) => {
            json_path("json", arguments, place).map(Root::InputJson)
        }
        Some((Written::Call("path", arguments), place)) => {
            json_path("path", arguments, place).map(Root::InputPath)
        }
        Some((Written::Call("params", mut arguments), place)) => {
            match (arguments.pop(), arguments.pop()) {
                (None, _) => Ok(Root::Parameters),
                (Some(name), None) => Ok(Root::Parameter(Box::new(name))),
                _ => place.error("$input.params takes one argument or none"),
            }
        }
        step => start.error(format!(
            "$input{} is not supported; there are $input.body, $input.json('…'), \
             $input.path('…') and $input.params(…)",
            written(step.as_ref().map(|(step, _)| step))
        )),
    }
}

/// The path in a call's one argument, which has to be written out.
fn json_path(
    function: &str,
    mut arguments: Vec<Expression>,
    place: Place,
) -> Result<JsonPath, TemplateError> {
    let argument = arguments.pop();
    let literal = argument
        .as_ref()
        .and_then(literal)
        .filter(|_| arguments.is_empty());
    let Some(path) = literal else {
        return place.error(format!(
            "$input.{function} takes one JSONPath in quotes; a computed one is not supported"
        ));
    };
    JsonPath::parse(path).or_else(|message| place.error(message))
}

fn utility(start: Place, steps: &mut Steps<'_>) -> Result<Root, TemplateError> {
    let step = steps.pop_front();
    let utility = match &step {
        Some((Written::Call(name, _), _)) => match *name {
            "base64Encode" => Some(Utility::Base64Encode),
            "base64Decode" => Some(Utility::Base64Decode),
            "escapeJavaScript" => Some(Utility::EscapeJavaScript),
            "urlEncode" => Some(Utility::UrlEncode),
            "urlDecode" => Some(Utility::UrlDecode),
            "parseJson" => Some(Utility::ParseJson),
            _ => None,
        },
        _ => None,
    };
    match (utility, step) {
        (Some(utility), Some((Written::Call(name, mut arguments), place))) => {
            match (arguments.pop(), arguments.is_empty()) {
                (Some(argument), true) => Ok(Root::Utility(utility, Box::new(argument))),
                _ => place.error(format!("$util.{name} takes one argument")),
            }
        }
        (_, step) => start.error(format!(
            "$util{} is not supported; there are base64Encode, base64Decode, escapeJavaScript, \
             urlEncode, urlDecode and parseJson",
            written(step.as_ref().map(|(step, _)| step))
        )),
    }
}

fn context_variable(start: Place, steps: &mut Steps<'_>) -> Result<Root, TemplateError> {
    let names: Vec<&str> = steps
        .iter()
        .map_while(|(step, _)| match step {
            Written::Property(name) => Some(*name),
            _ => None,
        })
        .collect();
    for count in (1..=names.len()).rev() {
        let name = names[..count].join(".");
        if let Some(variable) = Variable::named(&name, context::Place::Template) {
            steps.drain(..count);
            return Ok(Root::Context(variable));
        }
    }
    start.error(format!(
        "$context{} is not supported in a mapping template",
        names
            .iter()
            .map(|name| format!(".{name}"))
            .collect::<String>()
    ))
}

fn stage_variable(steps: &mut Steps<'_>) -> Root {
    if let Some((Written::Property(name), _)) = steps.front() {
        let name = (*name).to_owned();
        steps.pop_front();
        return Root::StageVariable(name);
    }
    Root::StageVariables
}

fn loop_property(start: Place, steps: &mut Steps<'_>) -> Result<Root, TemplateError> {
    let step = steps.pop_front();
    let property = match &step {
        Some((Written::Property(name), _)) => Some(*name),
        Some((Written::Call(name, arguments), _)) if arguments.is_empty() => Some(*name),
        _ => None,
    };
    match property {
        Some("hasNext") => Ok(Root::Loop(LoopProperty::HasNext)),
        Some("index") => Ok(Root::Loop(LoopProperty::Index)),
        Some("count") => Ok(Root::Loop(LoopProperty::Count)),
        Some("first") => Ok(Root::Loop(LoopProperty::First)),
        Some("last") => Ok(Root::Loop(LoopProperty::Last)),
        _ => start.error(format!(
            "$foreach{} is not supported; there are hasNext, index, count, first and last",
            written(step.as_ref().map(|(step, _)| step))
        )),
    }
}

fn step((step, place): (Written<'_>, Place)) -> Result<Step, TemplateError> {
    match step {
        Written::Property(name) => Ok(Step::Property(name.to_owned())),
        Written::Index(index) => Ok(Step::Index(Box::new(index))),
        Written::Call(name, arguments) => method(name, arguments, place).map(Step::Call),
    }
}

fn method(
    name: &str,
    mut arguments: Vec<Expression>,
    place: Place,
) -> Result<Method, TemplateError> {
    let second = if arguments.len() == 2 {
        arguments.pop()
    } else {
        None
    };
    let first = if arguments.len() == 1 {
        arguments.pop()
    } else {
        None
    };
    if !arguments.is_empty() {
        return place.error(format!("{name} does not take so many arguments"));
    }
    match (name, first, second) {
        ("size", None, None) => Ok(Method::Size),
        ("isEmpty", None, None) => Ok(Method::IsEmpty),
        ("length", None, None) => Ok(Method::Length),
        ("keySet", None, None) => Ok(Method::KeySet),
        ("toString", None, None) => Ok(Method::Text),
        ("get", Some(key), None) => Ok(Method::Get(Box::new(key))),
        ("containsKey", Some(key), None) => Ok(Method::ContainsKey(Box::new(key))),
        ("contains", Some(part), None) => Ok(Method::Contains(Box::new(part))),
        ("equals", Some(other), None) => Ok(Method::Equals(Box::new(other))),
        ("replaceAll", Some(pattern), Some(replacement)) => {
            replace_all(&pattern, &replacement, place)
        }
        _ => place.error(format!(
            "the method {name} is not supported with these arguments; there are size(), isEmpty(), \
             length(), keySet(), toString(), get(key), containsKey(key), contains(part), \
             equals(other) and replaceAll(pattern, replacement)"
        )),
    }
}

fn replace_all(
    pattern: &Expression,
    replacement: &Expression,
    place: Place,
) -> Result<Method, TemplateError> {
    let (Some(pattern), Some(replacement)) = (literal(pattern), literal(replacement)) else {
        return place.error("replaceAll takes a pattern and a replacement in quotes");
    };
    // In Java both mean groups or escapes, which they do not mean here.
    if replacement.contains(['$', '\\']) {
        return place.error("a replacement with $ or \\ is not supported");
    }
    match Regex::new(pattern) {
        Ok(pattern) => Ok(Method::ReplaceAll(pattern, replacement.to_owned())),
        Err(error) => place.error(format!("the pattern {pattern} is not supported: {error}")),
    }
}

/// The text of an expression that is nothing but a text.
fn literal(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Value(Value::Json(Json::String(text))) => Some(text),
        _ => None,
    }
}

fn written(step: Option<&Written<'_>>) -> String {
    match step {
        None => String::new(),
        Some(Written::Property(name)) => format!(".{name}"),
        Some(Written::Call(name, _)) => format!(".{name}(…)"),
        Some(Written::Index(_)) => "[…]".to_owned(),
    }
}
