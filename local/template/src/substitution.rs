//! Texts with variables that are put in as they are, without Velocity: the bodies of gateway
//! responses, and the format of an access log.

use crate::Strings;
use crate::context::{Place, RequestContext, Variable};

/// A text with variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Substitution {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Context(Variable),
    StageVariable(String),
}

impl Substitution {
    /// Reads a text; refuses a variable that does not exist where the text is used.
    pub fn parse(text: &str, place: Place) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            plain.push_str(before);
            let (braced, inside) = match after.strip_prefix('{') {
                Some(inside) => (true, inside),
                None => (false, after),
            };
            let end = inside
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
                .unwrap_or(inside.len());
            let name = inside[..end].trim_end_matches('.');
            let piece = variable(name, place)?;
            let closed = !braced || inside[name.len()..].starts_with('}');
            let Some(piece) = piece.filter(|_| closed) else {
                plain.push('$');
                rest = after;
                continue;
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
            rest = &inside[name.len() + usize::from(braced)..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// Whether a variable is used.
    pub fn uses(&self, variable: Variable) -> bool {
        self.pieces.contains(&Piece::Context(variable))
    }

    /// The text for a request; `missing` is the text of what has no value.
    pub fn render(
        &self,
        context: &RequestContext,
        stage_variables: &Strings,
        missing: &str,
    ) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Context(variable) => match context.value(*variable) {
                    Some(value) => text.push_str(&value),
                    None => text.push_str(missing),
                },
                Piece::StageVariable(name) => {
                    text.push_str(stage_variables.get(name).map_or(missing, String::as_str));
                }
            }
        }
        text
    }
}

/// The variable of a name; nothing for a dollar that is just one.
fn variable(name: &str, place: Place) -> Result<Option<Piece>, String> {
    if let Some(name) = name.strip_prefix("context.") {
        return match Variable::named(name, place) {
            Some(variable) => Ok(Some(Piece::Context(variable))),
            None => Err(format!("$context.{name} is not supported here")),
        };
    }
    match (place, name.split_once('.')) {
        (Place::GatewayResponse, Some(("stageVariables", name))) => {
            Ok(Some(Piece::StageVariable(name.to_owned())))
        }
        (_, Some((root @ ("stageVariables" | "input" | "util" | "method" | "integration"), _))) => {
            Err(format!("${root} is not supported here"))
        }
        _ => Ok(None),
    }
}
