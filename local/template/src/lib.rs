//! The languages of API Gateway's declarations: mapping templates, mappings of parameters,
//! `$context` variables in logs and messages, and JSONPath. A template is the part of Velocity that
//! API Gateway documents and this cloud can run.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`scope`], [`context`] | what an expression can see of a request |
//! | [`json`], `jsonpath` | payloads, as the languages read and write them |
//! | [`mapping`], [`substitution`], [`headers`] | the three small languages, and the headers that they may set |
//! | `ast` | what a template means once it is read |
//! | `lexer` | the text, with line and column |
//! | `parser` | text and directives |
//! | `reference`, `expression` | `$…` and what is in parentheses |
//! | `evaluate`, `value`, `functions` | a template applied to a payload |
//!
//! A template is read, and refused with line and column, when it is declared. Source of the
//! variables and functions: AWS, "Variables for data transformations for API Gateway"; of the
//! language: Velocity's user guide and reference, version 1.7, the current one when API Gateway
//! appeared. What Velocity would print unchanged because it has no value (`$input.path` of
//! something absent, an unset variable) is empty, as API Gateway prints it.

#![warn(unreachable_pub)]

mod ast;
pub mod context;
mod evaluate;
mod expression;
mod functions;
pub mod headers;
pub mod json;
mod jsonpath;
mod lexer;
pub mod mapping;
mod parser;
mod reference;
pub mod scope;
pub mod substitution;
mod value;

#[cfg(test)]
mod tests;

pub use evaluate::{Overrides, RenderError, Rendered};

use scope::Scope;
use std::collections::BTreeMap;
use std::fmt;

/// A map of strings, such as stage variables by name.
pub type Strings = BTreeMap<String, String>;

/// AWS's quota for the size of a mapping template, in bytes.
const MAX_SIZE: usize = 300 * 1024;

/// A template that can be applied.
#[derive(Debug, Clone)]
pub struct Template {
    nodes: Vec<ast::Node>,
    variables: usize,
}

/// What is wrong with a template, or not supported, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_SIZE {
            return Err(TemplateError {
                line: 1,
                column: 1,
                message: format!("a template may have {MAX_SIZE} bytes at most"),
            });
        }
        let mut parser = parser::Parser::new(text);
        let nodes = parser.template()?;
        Ok(Self {
            nodes,
            variables: parser.variables(),
        })
    }

    /// Applies the template to a request.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Rendered, RenderError> {
        evaluate::render(&self.nodes, self.variables, scope)
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.message
        )
    }
}

impl std::error::Error for TemplateError {}
