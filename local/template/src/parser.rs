//! Text and directives.

use super::TemplateError;
use super::ast::{Expression, Node, Target};
use super::lexer::{Lexer, Place, starts_identifier};
use crate::headers::settable;

/// How deep blocks, parentheses and quotes may be nested.
const MAX_DEPTH: usize = 48;

/// Directives of Velocity that this cloud does not run.
const REFUSED: [&str; 8] = [
    "break", "define", "evaluate", "include", "macro", "parse", "return", "stop",
];

/// Reads a template.
pub(crate) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    /// The variables that some `#set` or `#foreach` further up gives a value; a variable is its
    /// place in this list.
    names: Vec<&'a str>,
    /// How many loops the present place is in.
    loops: usize,
    depth: usize,
}

/// What ended a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Text,
    End,
    Else,
    ElseIf,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            lexer: Lexer::new(text),
            names: Vec::new(),
            loops: 0,
            depth: 0,
        }
    }

    /// The whole template.
    pub(crate) fn template(&mut self) -> Result<Vec<Node>, TemplateError> {
        let start = self.lexer.place();
        let (nodes, ending) = self.block()?;
        match ending {
            Ending::Text => Ok(nodes),
            Ending::End => start.error("there is an #end too many"),
            Ending::Else | Ending::ElseIf => start.error("there is an #else without its #if"),
        }
    }

    /// How many variables the template has.
    pub(crate) fn variables(&self) -> usize {
        self.names.len()
    }

    pub(super) fn in_loop(&self) -> bool {
        self.loops > 0
    }

    /// The number of a variable that has been given a value.
    pub(super) fn variable(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    fn declare(&mut self, name: &'a str) -> usize {
        self.variable(name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }

    /// Runs a nested part of the parser, unless it is nested too deep.
    pub(super) fn nested<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.depth == MAX_DEPTH {
            return self.lexer.error(format!(
                "more than {MAX_DEPTH} levels of nesting are not supported"
            ));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// A text in double quotes, whose quotes are gone: a small template of its own.
    pub(super) fn quoted(
        &mut self,
        text: &'a str,
        place: Place,
    ) -> Result<Vec<Node>, TemplateError> {
        let outer = std::mem::replace(&mut self.lexer, Lexer::within(text, place));
        let nodes = self.nested(Self::template);
        self.lexer = outer;
        nodes
    }

    fn block(&mut self) -> Result<(Vec<Node>, Ending), TemplateError> {
        let mut nodes = Vec::new();
        let mut text = String::new();
        loop {
            let Some(character) = self.lexer.peek() else {
                flush(&mut nodes, &mut text);
                return Ok((nodes, Ending::Text));
            };
            match character {
                '\\' => self.backslashes(&mut text),
                '$' if self.at_reference() => {
                    flush(&mut nodes, &mut text);
                    nodes.push(Node::Insert(self.nested(Self::reference)?));
                }
                '#' if self.lexer.rest().starts_with("##") => {
                    self.lexer.take_while(|c| c != '\n');
                    self.lexer.advance();
                }
                '#' if self.lexer.rest().starts_with("#*") => self.comment()?,
                '#' if self.lexer.rest().starts_with("#[[") => {
                    return self.lexer.error("#[[ … ]]# is not supported");
                }
                '#' => match self.directive_name() {
                    Some("end") => {
                        flush(&mut nodes, &mut text);
                        self.take_directive("end");
                        return Ok((nodes, Ending::End));
                    }
                    Some("else") => {
                        flush(&mut nodes, &mut text);
                        self.take_directive("else");
                        return Ok((nodes, Ending::Else));
                    }
                    Some("elseif") => {
                        flush(&mut nodes, &mut text);
                        self.take_directive("elseif");
                        return Ok((nodes, Ending::ElseIf));
                    }
                    Some(name) => {
                        flush(&mut nodes, &mut text);
                        match self.directive(name)? {
                            Some(node) => nodes.push(node),
                            None => text.push_str(&self.unknown_directive()),
                        }
                    }
                    None => text.extend(self.lexer.advance()),
                },
                _ => text.extend(self.lexer.advance()),
            }
        }
    }

    /// Backslashes escape a reference or a directive after them; elsewhere they are text.
    fn backslashes(&mut self, text: &mut String) {
        let slashes = self.lexer.take_while(|c| c == '\\').len();
        let escapes = match self.lexer.peek() {
            Some('$') => self.at_reference(),
            Some('#') => self.directive_name().is_some(),
            _ => false,
        };
        if !escapes {
            text.extend(std::iter::repeat_n('\\', slashes));
            return;
        }
        text.extend(std::iter::repeat_n('\\', slashes / 2));
        if slashes % 2 == 1 {
            text.extend(self.lexer.advance());
        }
    }

    fn comment(&mut self) -> Result<(), TemplateError> {
        let start = self.lexer.place();
        self.lexer.take("#*");
        while !self.lexer.take("*#") {
            if self.lexer.advance().is_none() {
                return start.error("this comment has no end (*#)");
            }
        }
        Ok(())
    }

    /// The name of the directive that starts here, in one of its forms `#name` and `#{name}`.
    fn directive_name(&self) -> Option<&'a str> {
        let rest = self.lexer.rest().strip_prefix('#')?;
        let (rest, formal) = match rest.strip_prefix('{') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        (name.starts_with(starts_identifier) && (!formal || after.starts_with('}'))).then_some(name)
    }

    /// Takes `#name`, and for those without a parenthesis what is left of the line.
    fn take_directive(&mut self, name: &str) {
        self.lexer.take("#");
        let formal = self.lexer.take("{");
        self.lexer.take(name);
        if formal {
            self.lexer.take("}");
        }
        if name != "elseif" {
            self.lexer.skip_end_of_line();
        }
    }

    fn directive(&mut self, name: &'a str) -> Result<Option<Node>, TemplateError> {
        let place = self.lexer.place();
        match name {
            "set" => self.set().map(Some),
            "if" => self.nested(Self::condition).map(Some),
            "foreach" => self.nested(Self::foreach).map(Some),
            _ if REFUSED.contains(&name) => place.error(format!("#{name} is not supported")),
            _ => {
                let rest = self.lexer.rest();
                let after = &rest[rest.find(name).unwrap_or(0) + name.len()..];
                if after.trim_start_matches(['}', ' ']).starts_with('(') {
                    return place.error(format!(
                        "#{name}(…) is no directive, and macros are not supported"
                    ));
                }
                Ok(None)
            }
        }
    }

    /// `#name` that is none: text, as in Velocity.
    fn unknown_directive(&mut self) -> String {
        let mut text = String::from("#");
        self.lexer.advance();
        text.push_str(
            self.lexer
                .take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == '{'),
        );
        text
    }

    /// `#set($name = expression)`
    fn set(&mut self) -> Result<Node, TemplateError> {
        self.take_head("set")?;
        let place = self.lexer.place();
        let target = self.target()?;
        self.lexer.skip_space();
        self.lexer.expect('=')?;
        let value = self.nested(Self::expression)?;
        self.close()?;
        // Only now: a variable cannot be used in the first `#set` of itself.
        let target = match target {
            Name::Variable(name) => Target::Variable(self.declare(name)),
            Name::Context(path) => match path.as_slice() {
                ["responseOverride", "status"] => Target::Status,
                ["responseOverride", "header", name] => match settable(name) {
                    Ok(name) => Target::Header(name),
                    Err(reason) => return place.error(reason),
                },
                path => {
                    return place.error(format!(
                        "$context.{} cannot be set; supported are $context.responseOverride.status \
                         and $context.responseOverride.header.NAME",
                        path.join(".")
                    ));
                }
            },
        };
        Ok(Node::Set(target, value))
    }

    fn target(&mut self) -> Result<Name<'a>, TemplateError> {
        self.lexer.skip_space();
        let place = self.lexer.place();
        self.lexer.expect('$')?;
        self.lexer.take("!");
        let formal = self.lexer.take("{");
        let Some(name) = self.lexer.identifier() else {
            return place.error("#set needs the name of a variable here");
        };
        let mut path = Vec::new();
        while self.lexer.take(".") {
            match self.lexer.identifier() {
                Some(part) => path.push(part),
                None => return self.lexer.error("a name is expected after the point"),
            }
        }
        if formal {
            self.lexer.expect('}')?;
        }
        match name {
            "context" => Ok(Name::Context(path)),
            "input" | "util" | "stageVariables" | "foreach" => {
                place.error(format!("${name} cannot be set"))
            }
            _ if path.is_empty() => Ok(Name::Variable(name)),
            _ => place.error(format!("a property of ${name} cannot be set")),
        }
    }

    /// `#if(…) … #elseif(…) … #else … #end`
    fn condition(&mut self) -> Result<Node, TemplateError> {
        let start = self.lexer.place();
        self.take_head("if")?;
        let mut branches = Vec::new();
        loop {
            let condition = self.nested(Self::expression)?;
            self.close()?;
            let (nodes, ending) = self.block()?;
            branches.push((condition, nodes));
            match ending {
                Ending::ElseIf => {
                    self.lexer.skip_space();
                    self.lexer.expect('(')?;
                }
                Ending::End => {
                    return Ok(Node::If {
                        branches,
                        otherwise: Vec::new(),
                    });
                }
                Ending::Else => break,
                Ending::Text => return start.error("this #if has no #end"),
            }
        }
        let (otherwise, ending) = self.block()?;
        match ending {
            Ending::End => Ok(Node::If {
                branches,
                otherwise,
            }),
            Ending::Text => start.error("this #if has no #end"),
            Ending::Else | Ending::ElseIf => start.error("this #if goes on after its #else"),
        }
    }

    /// `#foreach($name in list) … #end`
    fn foreach(&mut self) -> Result<Node, TemplateError> {
        let start = self.lexer.place();
        self.take_head("foreach")?;
        let Name::Variable(name) = self.target()? else {
            return start.error("#foreach needs the name of a variable");
        };
        self.lexer.skip_space();
        if !self.lexer.take("in") {
            return self.lexer.error("in is expected here");
        }
        let list: Expression = self.nested(Self::expression)?;
        self.close()?;
        let variable = self.declare(name);
        self.loops += 1;
        let block = self.block();
        self.loops -= 1;
        match block? {
            (body, Ending::End) => Ok(Node::Foreach {
                variable,
                list,
                body,
            }),
            _ => start.error("this #foreach has no #end"),
        }
    }

    /// `#name(`
    fn take_head(&mut self, name: &str) -> Result<(), TemplateError> {
        self.lexer.take("#");
        let formal = self.lexer.take("{");
        self.lexer.take(name);
        if formal {
            self.lexer.take("}");
        }
        self.lexer.skip_space();
        self.lexer.expect('(')
    }

    /// `)`, and what is left of the line when that is nothing.
    fn close(&mut self) -> Result<(), TemplateError> {
        self.lexer.skip_space();
        self.lexer.expect(')')?;
        self.lexer.skip_end_of_line();
        Ok(())
    }
}

/// What is left of the `=` of a `#set`.
enum Name<'a> {
    Variable(&'a str),
    /// The path below `$context`.
    Context(Vec<&'a str>),
}

fn flush(nodes: &mut Vec<Node>, text: &mut String) {
    if !text.is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
}
