//! Expressions: what is in the parentheses of directives and methods.

use super::TemplateError;
use super::ast::{Expression, Node, Operator};
use super::parser::Parser;
use super::value::Value;
use crate::json::Json;

/// Operators from the weakest to the strongest, each with its spellings.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("eq", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("ne", Operator::NotEqual),
    ],
    &[
        ("<=", Operator::LessOrEqual),
        ("le", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("ge", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        ("lt", Operator::Less),
        (">", Operator::Greater),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[
        ("*", Operator::Multiply),
        ("/", Operator::Divide),
        ("%", Operator::Remainder),
    ],
];

impl<'a> Parser<'a> {
    /// An expression, up to what cannot belong to it.
    pub(super) fn expression(&mut self) -> Result<Expression, TemplateError> {
        self.binary(0)
    }

    fn binary(&mut self, level: usize) -> Result<Expression, TemplateError> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        self.lexer.skip_space();
        let rest = self.lexer.rest();
        for (spelling, operator) in operators {
            let Some(after) = rest.strip_prefix(spelling) else {
                continue;
            };
            let word = spelling.starts_with(|c: char| c.is_ascii_alphabetic());
            if word && after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                continue;
            }
            self.lexer.take(spelling);
            return Some(*operator);
        }
        None
    }

    fn unary(&mut self) -> Result<Expression, TemplateError> {
        self.lexer.skip_space();
        let rest = self.lexer.rest();
        let bang = rest.starts_with('!') && !rest.starts_with("!=");
        let word = rest
            .strip_prefix("not")
            .is_some_and(|after| after.starts_with([' ', '(', '$', '!', '\t', '\n']));
        if bang || word {
            self.lexer.take(if bang { "!" } else { "not" });
            let operand = self.nested(Self::unary)?;
            return Ok(Expression::Not(Box::new(operand)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expression, TemplateError> {
        let place = self.lexer.place();
        match self.lexer.peek() {
            Some('$') if self.at_reference() => {
                self.nested(Self::reference).map(Expression::Reference)
            }
            Some('(') => {
                self.lexer.advance();
                let inner = self.nested(Self::expression)?;
                self.lexer.skip_space();
                self.lexer.expect(')')?;
                Ok(inner)
            }
            Some('\'') => self.quotation('\'').map(|(text, _)| text_value(text)),
            Some('"') => {
                let (text, inside) = self.quotation('"')?;
                let nodes = self.quoted(text, inside)?;
                Ok(match nodes.as_slice() {
                    [] => text_value(""),
                    [Node::Text(text)] => text_value(text),
                    _ => Expression::Text(nodes),
                })
            }
            Some('[') => self.nested(Self::list),
            Some('{') => self.nested(Self::map),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some('-') if self.lexer.peek_second().is_some_and(|c| c.is_ascii_digit()) => {
                self.number()
            }
            Some(c) if c.is_ascii_alphabetic() => match self.lexer.identifier() {
                Some("true") => Ok(json_value(Json::Bool(true))),
                Some("false") => Ok(json_value(Json::Bool(false))),
                Some("null") => Ok(json_value(Json::Null)),
                Some(word) => place.error(format!("{word} is no value")),
                None => place.error("a value is expected here"),
            },
            Some(other) => place.error(format!("a value is expected here, not {other}")),
            None => place.error("a value is expected here, not the end"),
        }
    }

    /// The text between two quotes, and the place of its first character.
    fn quotation(&mut self, quote: char) -> Result<(&'a str, super::lexer::Place), TemplateError> {
        let start = self.lexer.place();
        self.lexer.expect(quote)?;
        let inside = self.lexer.place();
        let text = self.lexer.take_while(|c| c != quote);
        if self.lexer.advance().is_none() {
            return start.error("this text has no closing quote");
        }
        Ok((text, inside))
    }

    fn number(&mut self) -> Result<Expression, TemplateError> {
        let place = self.lexer.place();
        let negative = self.lexer.take("-");
        let whole = self.lexer.take_while(|c| c.is_ascii_digit());
        let fraction = self.lexer.peek() == Some('.')
            && self.lexer.peek_second().is_some_and(|c| c.is_ascii_digit());
        let digits = if fraction {
            self.lexer.advance();
            let fraction = self.lexer.take_while(|c| c.is_ascii_digit());
            format!("{whole}.{fraction}")
        } else {
            whole.to_owned()
        };
        let text = if negative {
            format!("-{digits}")
        } else {
            digits
        };
        match Json::parse(&text) {
            Ok(number @ (Json::Integer(_) | Json::Float(_))) => Ok(json_value(number)),
            _ => place.error(format!("{text} is no number that is supported")),
        }
    }

    /// `[a, b]` or `[from..to]`
    fn list(&mut self) -> Result<Expression, TemplateError> {
        self.lexer.expect('[')?;
        let mut elements = Vec::new();
        loop {
            self.lexer.skip_space();
            if elements.is_empty() && self.lexer.take("]") {
                break;
            }
            elements.push(self.expression()?);
            self.lexer.skip_space();
            if elements.len() == 1 && self.lexer.take("..") {
                let to = self.expression()?;
                self.lexer.skip_space();
                self.lexer.expect(']')?;
                let from = elements.swap_remove(0);
                return Ok(Expression::Range(Box::new(from), Box::new(to)));
            }
            if self.lexer.take("]") {
                break;
            }
            self.lexer.expect(',')?;
        }
        Ok(Expression::List(elements))
    }

    /// `{key: value}`
    fn map(&mut self) -> Result<Expression, TemplateError> {
        self.lexer.expect('{')?;
        let mut members = Vec::new();
        loop {
            self.lexer.skip_space();
            if members.is_empty() && self.lexer.take("}") {
                break;
            }
            let key = self.expression()?;
            self.lexer.skip_space();
            self.lexer.expect(':')?;
            members.push((key, self.expression()?));
            self.lexer.skip_space();
            if self.lexer.take("}") {
                break;
            }
            self.lexer.expect(',')?;
        }
        Ok(Expression::Map(members))
    }
}

fn json_value(json: Json) -> Expression {
    Expression::Value(Value::Json(json))
}

fn text_value(text: &str) -> Expression {
    json_value(Json::string(text))
}
