//! Lists page by page, and the tokens between the pages.
//!
//! A token says where the next page begins, and carries a digest of that place and of the list. A
//! token that was never given out is refused, and so is one of another list. Nothing is stored for
//! it, so that it is valid after a restart too.

use super::input::invalid;
use cloud_core::error::{AwsError, AwsResult};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The pages of one list.
pub(super) struct Pages {
    /// The operation and what it is asked about.
    list: String,
}

/// Where a thing is in a list: by its time when the list is in that order, then by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    time: Option<i64>,
    name: String,
}

/// Where a token leads from its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl Key {
    /// Of a list in the order of names.
    pub(super) fn of(name: &str) -> Self {
        Self {
            time: None,
            name: name.to_owned(),
        }
    }

    /// Of a list in the order of times.
    pub(super) fn at(self, time: Option<i64>) -> Self {
        Self { time, ..self }
    }
}

impl Pages {
    /// The pages of the list that an operation gives of these things.
    pub(super) fn new(list: &[&str]) -> Self {
        Self {
            // No name has a line feed.
            list: list.join("\n"),
        }
    }

    /// A token for a position in a list.
    pub(super) fn token(&self, direction: Direction, position: usize) -> String {
        let letter = match direction {
            Direction::Forward => "f",
            Direction::Backward => "b",
        };
        self.signed(&format!("{letter}/{position}"))
    }

    /// Direction and position of a token.
    pub(super) fn position(&self, token: &str) -> AwsResult<(Direction, usize)> {
        let text = self.verified(token)?;
        let (letter, position) = text.split_once('/').ok_or_else(invalid_token)?;
        let direction = match letter {
            "f" => Direction::Forward,
            "b" => Direction::Backward,
            _ => return Err(invalid_token()),
        };
        Ok((direction, position.parse().map_err(|_| invalid_token())?))
    }

    /// The page of at most `limit` things after the one that the token holds, and the next
    /// token when there are more. The one it holds may be gone meanwhile.
    pub(super) fn page(
        &self,
        mut things: Vec<(Key, Value)>,
        descending: bool,
        limit: usize,
        token: Option<&str>,
    ) -> AwsResult<(Vec<Value>, Option<String>)> {
        things.sort_by(|one, other| one.0.cmp(&other.0));
        if descending {
            things.reverse();
        }
        if let Some(token) = token {
            let last = self.key(token)?;
            things.retain(|(key, _)| match descending {
                true => *key < last,
                false => *key > last,
            });
        }
        let more = things.len() > limit;
        things.truncate(limit);
        let last = things.last().filter(|_| more);
        let next = last.map(|(key, _)| {
            let time = key.time.map(|time| time.to_string()).unwrap_or_default();
            self.signed(&format!("{time}/{}", key.name))
        });
        Ok((things.into_iter().map(|(_, thing)| thing).collect(), next))
    }

    fn key(&self, token: &str) -> AwsResult<Key> {
        let text = self.verified(token)?;
        let (time, name) = text.split_once('/').ok_or_else(invalid_token)?;
        let time = match time {
            "" => None,
            time => Some(time.parse().map_err(|_| invalid_token())?),
        };
        Ok(Key::of(name).at(time))
    }

    fn signed(&self, text: &str) -> String {
        format!("{}/{text}", self.digest(text))
    }

    fn verified<'a>(&self, token: &'a str) -> AwsResult<&'a str> {
        let (digest, text) = token.split_once('/').ok_or_else(invalid_token)?;
        match digest == self.digest(text) {
            true => Ok(text),
            false => Err(invalid_token()),
        }
    }

    fn digest(&self, text: &str) -> String {
        let digest = Sha256::digest(format!("{}\n{text}", self.list));
        hex::encode(&digest[..16])
    }
}

fn invalid_token() -> AwsError {
    invalid("The specified nextToken is invalid.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn things(names: &[&str]) -> Vec<(Key, Value)> {
        let all = names.iter().map(|name| (Key::of(name), json!(name)));
        all.collect()
    }

    #[test]
    fn a_list_goes_on_after_what_is_gone() -> AwsResult<()> {
        let pages = Pages::new(&["List"]);
        let (page, token) = pages.page(things(&["c", "a", "b"]), false, 2, None)?;
        assert_eq!(page, [json!("a"), json!("b")]);
        let (page, last) = pages.page(things(&["a", "c"]), false, 2, token.as_deref())?;
        assert_eq!((page, last), (vec![json!("c")], None));
        let (page, token) = pages.page(things(&["a", "b", "c"]), true, 1, None)?;
        assert_eq!(page, [json!("c")]);
        let (page, _) = pages.page(things(&["a", "b"]), true, 5, token.as_deref())?;
        assert_eq!(page, [json!("b"), json!("a")]);
        Ok(())
    }

    #[test]
    fn a_token_that_was_never_given_out_is_refused() -> AwsResult<()> {
        let pages = Pages::new(&["List", "of this"]);
        let token = pages.token(Direction::Backward, 7);
        assert_eq!(pages.position(&token)?, (Direction::Backward, 7));
        for forged in ["f/7", "nonsense", "/", "", &token.replace('7', "8")] {
            assert!(pages.position(forged).is_err(), "{forged}");
        }
        let other = Pages::new(&["List", "of that"]);
        assert!(other.position(&token).is_err());
        Ok(())
    }
}
