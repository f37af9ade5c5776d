//! The tokens of lists: where the next page begins, in a form that only this cloud gives out.
//!
//! A token is the place, with a digest of it and of the list in front: it is valid after a restart.
//! A token of another list is refused, and so is one that was never given out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest, Sha256};

/// How much of the digest is in the token, in bytes.
const MARK: usize = 12;

/// The token of the page of `list` that begins after `place`.
pub fn token(list: &str, place: &str) -> String {
    let mut bytes = mark(list, place).to_vec();
    bytes.extend_from_slice(place.as_bytes());
    URL_SAFE.encode(bytes)
}

/// The place that a token of `list` was given out for; nothing when it never was.
pub fn place(list: &str, token: &str) -> Option<String> {
    let bytes = URL_SAFE.decode(token).ok()?;
    let (given, place) = bytes.split_at_checked(MARK)?;
    let place = std::str::from_utf8(place).ok()?;
    (given == mark(list, place)).then(|| place.to_owned())
}

fn mark(list: &str, place: &str) -> [u8; MARK] {
    let mut digest = Sha256::new();
    for text in [list, place] {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    let digest = digest.finalize();
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_place_in_its_list_alone() {
        let given = token("objects of a", "é/1");
        assert_eq!(place("objects of a", &given).as_deref(), Some("é/1"));
        assert_eq!(place("objects of b", &given), None);
        let mut changed = given.clone();
        changed.replace_range(..1, if given.starts_with('A') { "B" } else { "A" });
        for wrong in ["", "?", "é", "ZA==", "YVdyb25nVG9rZW4y", changed.as_str()] {
            assert_eq!(place("objects of a", wrong), None, "{wrong}");
        }
    }
}
