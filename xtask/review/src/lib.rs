//! What a change of a stack means for people: what is lost, what is public or newly allowed, what
//! visitors see, what it costs, and the rest by the stack's parts.
//!
//! All of it follows from what the engine says of a preview ([`Preview`]). Nothing is asked, read
//! or written here; what a value will be is said to be unknown where the engine does not know it.
//!
//! | module | subject |
//! | --- | --- |
//! | [`preview`] | the engine's events, as steps from an old to a new state |
//! | [`value`] | values of properties: secrets, unknown ones, files, and how they are shortened |
//! | [`changes`] | two values compared, path by path |
//! | [`loss`] | what holds data and is deleted, replaced or kept for less time |
//! | [`access`] | policies statement by statement, and what is open to the public |
//! | [`seen`] | answers of the API, files of the site, addresses |
//! | [`package`] | the code of a function |
//! | [`cost`] | dollars a month, and for a million clicks |
//! | [`approval`] | what is approved with a review, as a digest |
//! | [`rest`] | every other changed property, by part |
//! | [`render`] | the review as text, Markdown and JSON |

pub mod access;
pub mod approval;
pub mod changes;
pub mod cost;
pub mod loss;
pub mod package;
pub mod preview;
pub mod render;
pub mod rest;
pub mod seen;
pub mod value;

use serde::Serialize;

use cost::{Cost, Prices};
use loss::Loss;
use preview::Preview;
use rest::Part;

/// A preview, read for people.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// What holds data and would be gone.
    pub lost: Vec<Loss>,
    /// Who may do more or less than before, and what is open to the public.
    pub access: Vec<Finding>,
    /// What visitors of the site and clients of the API see.
    pub seen: Vec<Finding>,
    pub cost: Cost,
    /// Every other change, by part of the stack.
    pub rest: Vec<Part>,
    /// What the engine and the program warn of.
    pub warnings: Vec<String>,
}

/// One thing to know of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The resource that it is about, such as `Role mysfits-api`.
    pub on: String,
    pub says: String,
}

impl Finding {
    pub fn new(on: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            on: on.into(),
            says: says.into(),
        }
    }
}

impl Review {
    /// Reads a preview. `size` gives the bytes of a file of this machine, where there is one.
    pub fn new(preview: &Preview, prices: &Prices, size: &dyn Fn(&str) -> Option<u64>) -> Self {
        Self {
            lost: loss::of(preview),
            access: access::of(preview),
            seen: seen::of(preview),
            cost: Cost::of(preview, prices),
            rest: rest::of(preview, size),
            warnings: preview.warnings.clone(),
        }
    }

    /// Whether nothing at all would change.
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty()
            && self.access.is_empty()
            && self.seen.is_empty()
            && self.rest.is_empty()
    }

    /// Whether data would be gone.
    pub fn loses(&self) -> bool {
        !self.lost.is_empty()
    }
}
