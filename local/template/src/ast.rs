//! What a template means: names are resolved, paths and patterns are compiled.

use super::value::Value;
use crate::context::Variable;
use crate::jsonpath::JsonPath;
use http::HeaderName;
use regex_lite::Regex;

/// A piece of a template.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text(String),
    Insert(Reference),
    Set(Target, Expression),
    If {
        branches: Vec<(Expression, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    Foreach {
        variable: usize,
        list: Expression,
        body: Vec<Node>,
    },
}

/// What `#set` may set.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A variable of the template, by number.
    Variable(usize),
    /// `$context.responseOverride.status`
    Status,
    /// `$context.responseOverride.header.NAME`
    Header(HeaderName),
}

/// A value to be computed.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Value(Value),
    /// A text in double quotes.
    Text(Vec<Node>),
    Reference(Reference),
    List(Vec<Expression>),
    Range(Box<Expression>, Box<Expression>),
    Map(Vec<(Expression, Expression)>),
    Not(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// `$root.step.step…`
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub root: Root,
    pub steps: Vec<Step>,
}

/// Where a reference starts.
#[derive(Debug, Clone)]
pub(crate) enum Root {
    Variable(usize),
    /// `$foreach.…` of the innermost loop.
    Loop(LoopProperty),
    /// `$input.body`
    Body,
    /// `$input.json(path)`
    InputJson(JsonPath),
    /// `$input.path(path)`
    InputPath(JsonPath),
    /// `$input.params()`
    Parameters,
    /// `$input.params(name)`
    Parameter(Box<Expression>),
    /// `$util.function(argument)`
    Utility(Utility, Box<Expression>),
    Context(Variable),
    StageVariables,
    StageVariable(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopProperty {
    HasNext,
    Index,
    Count,
    First,
    Last,
}

/// A function of `$util`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Utility {
    Base64Encode,
    Base64Decode,
    EscapeJavaScript,
    UrlEncode,
    UrlDecode,
    ParseJson,
}

/// How a reference goes on.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Property(String),
    Index(Box<Expression>),
    Call(Method),
}

/// A method of a value.
#[derive(Debug, Clone)]
pub(crate) enum Method {
    Size,
    IsEmpty,
    Length,
    KeySet,
    Text,
    Get(Box<Expression>),
    ContainsKey(Box<Expression>),
    Contains(Box<Expression>),
    Equals(Box<Expression>),
    ReplaceAll(Regex, String),
}
