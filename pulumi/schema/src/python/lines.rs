//! Cuts Python source into statements: enough of its grammar for generated code.

/// A statement with its line breaks gone, and the column where it starts.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    pub indent: usize,
    pub text: String,
}

/// The statements of a file: lines, joined where a bracket or a string is still open.
pub fn statements(source: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut text = String::new();
    let mut depth = 0_usize;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => {
                let length = string_length(rest, first);
                text.push_str(&rest[..length]);
                length
            }
            '\n' if depth == 0 => {
                finish(&mut text, &mut statements);
                1
            }
            '\n' => {
                text.push(' ');
                1
            }
            _ => {
                match first {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                text.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    finish(&mut text, &mut statements);
    statements
}

/// The statements inside a class at the top level.
pub fn class<'a>(statements: &'a [Statement], name: &str) -> Option<&'a [Statement]> {
    let plain = format!("class {name}:");
    let derived = format!("class {name}(");
    let start = statements.iter().position(|statement| {
        statement.indent == 0 && (statement.text == plain || statement.text.starts_with(&derived))
    })?;
    let body = &statements[start + 1..];
    let end = body.iter().position(|statement| statement.indent == 0);
    Some(&body[..end.unwrap_or(body.len())])
}

/// The text between two markers, the first of each.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

fn string_length(rest: &str, quote: char) -> usize {
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let mark = if rest.starts_with(&triple) {
        triple
    } else {
        quote.to_string()
    };
    let mut at = mark.len();
    while at < rest.len() {
        if rest[at..].starts_with(&mark) {
            return at + mark.len();
        }
        let escaped = rest[at..].starts_with('\\');
        let mut letters = rest[at..].chars();
        at += letters.next().map_or(1, char::len_utf8);
        if escaped {
            at += letters.next().map_or(0, char::len_utf8);
        }
    }
    rest.len()
}

fn finish(text: &mut String, statements: &mut Vec<Statement>) {
    let line = std::mem::take(text);
    let trimmed = line.trim_start();
    if !trimmed.is_empty() {
        statements.push(Statement {
            indent: line.len() - trimmed.len(),
            text: trimmed.trim_end().to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_strings_hold_a_statement_together() {
        let source = "class A:\n    \"\"\"Text\nclass B:\n    \"\"\"\n    def f(a,\n          b='#)'): # end\n        pass\nx = 1\n";
        let found = statements(source);
        let texts: Vec<(usize, &str)> = found
            .iter()
            .map(|statement| (statement.indent, statement.text.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                (0, "class A:"),
                (4, "\"\"\"Text\nclass B:\n    \"\"\""),
                (4, "def f(a,           b='#)'):"),
                (8, "pass"),
                (0, "x = 1"),
            ]
        );
        assert_eq!(class(&found, "A").map(<[_]>::len), Some(3));
        assert!(class(&found, "B").is_none());
    }
}
