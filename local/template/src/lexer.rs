//! A template's text, read character by character, with line and column.

use super::TemplateError;

/// A place in a text.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    position: usize,
    line: usize,
    column: usize,
}

/// Where something starts, for messages about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    line: usize,
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            line: 1,
            column: 1,
        }
    }

    /// A text within this one (a quoted string), with positions of the whole.
    pub(crate) fn within(text: &'a str, place: Place) -> Self {
        Self {
            text,
            position: 0,
            line: place.line,
            column: place.column,
        }
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character after the next one.
    pub(crate) fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(crate) fn advance(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        if character == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(character)
    }

    /// Takes `expected` when it is what comes next.
    pub(crate) fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            for _ in expected.chars() {
                self.advance();
            }
        }
        found
    }

    /// Takes characters as long as they are wanted.
    pub(crate) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.position;
        while self.peek().is_some_and(&wanted) {
            self.advance();
        }
        &self.text[start..self.position]
    }

    /// A name: a letter or `_`, then letters, digits, `_` and `-`.
    pub(crate) fn identifier(&mut self) -> Option<&'a str> {
        self.peek().filter(|c| starts_identifier(*c))?;
        Some(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'))
    }

    pub(crate) fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Blanks and the end of the line after a directive belong to the directive, when nothing
    /// else is on the rest of the line.
    pub(crate) fn skip_end_of_line(&mut self) {
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let after = &rest[blanks..];
        let end = if after.starts_with("\r\n") {
            2
        } else if after.starts_with(['\n', '\r']) {
            1
        } else {
            return;
        };
        for _ in 0..blanks + end {
            self.advance();
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            line: self.line,
            column: self.column,
        }
    }

    /// An error at the present place.
    pub(crate) fn error<T>(&self, message: impl Into<String>) -> Result<T, TemplateError> {
        self.place().error(message)
    }

    /// Takes a character that must come next.
    pub(crate) fn expect(&mut self, expected: char) -> Result<(), TemplateError> {
        if self.peek() == Some(expected) {
            self.advance();
            return Ok(());
        }
        match self.peek() {
            Some(found) => self.error(format!("{expected} is expected here, not {found}")),
            None => self.error(format!("{expected} is expected here, not the end")),
        }
    }
}

impl Place {
    pub(crate) fn error<T>(self, message: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError {
            line: self.line,
            column: self.column,
            message: message.into(),
        })
    }
}

pub(crate) fn starts_identifier(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}
