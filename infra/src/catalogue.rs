//! The catalogue of mysfits, as the objects of a mysfits service, and as what pages say of each.

use anyhow::{Context, Result};
use serde_json::{Value, json};

const CATALOGUE: &str = include_str!("../catalogue/mysfits.json");

/// An object that answers `GET {base}/{key}`.
pub struct CatalogueObject {
    pub key: String,
    pub json: String,
}

/// What pages say of a mysfit.
pub struct Mysfit {
    pub id: String,
    pub name: String,
    pub species: String,
    /// In words, with its unit.
    pub age: String,
    pub goodevil: String,
    pub lawchaos: String,
    pub description: String,
}

/// `mysfits` with all of them, and `mysfits/{id}` with one.
pub fn objects() -> Result<Vec<CatalogueObject>> {
    let entries = entries()?;
    let mut objects = vec![CatalogueObject {
        key: "mysfits".to_owned(),
        json: json!({ "mysfits": entries }).to_string(),
    }];
    for entry in &entries {
        objects.push(CatalogueObject {
            key: format!("mysfits/{}", text(entry, "mysfitId")?),
            json: entry.to_string(),
        });
    }
    Ok(objects)
}

/// All of them, in their order.
pub fn mysfits() -> Result<Vec<Mysfit>> {
    let mysfit = |entry: &Value| {
        Ok(Mysfit {
            id: text(entry, "mysfitId")?,
            name: text(entry, "name")?,
            species: text(entry, "species")?,
            age: years(entry["age"].as_u64().context("a mysfit has no age")?),
            goodevil: text(entry, "goodevil")?,
            lawchaos: text(entry, "lawchaos")?,
            description: text(entry, "description")?,
        })
    };
    entries()?.iter().map(mysfit).collect()
}

fn entries() -> Result<Vec<Value>> {
    serde_json::from_str(CATALOGUE).context("infra/catalogue/mysfits.json is no list")
}

fn text(entry: &Value, field: &str) -> Result<String> {
    let text = entry[field].as_str().map(str::to_owned);
    text.with_context(|| format!("a mysfit in infra/catalogue/mysfits.json has no {field}"))
}

/// As the page's scripts write it too: from a million on in round numbers.
fn years(age: u64) -> String {
    match age {
        1 => "1 year".to_owned(),
        0..1_000_000 => format!("{} years", grouped(age)),
        1_000_000..1_000_000_000 => format!("{} million years", age / 1_000_000),
        _ => format!("{} billion years", age / 1_000_000_000),
    }
}

/// With a comma before each three digits.
fn grouped(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_mysfit_is_complete_and_has_pictures() -> Result<()> {
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/images");
        assert_eq!(objects()?.len(), 13);
        let mysfits = mysfits()?;
        assert_eq!(mysfits.len(), 12);
        for mysfit in mysfits {
            assert!(!mysfit.description.is_empty());
            for picture in [
                format!("{}.svg", mysfit.id),
                format!("share/{}.png", mysfit.id),
            ] {
                assert!(images.join(&picture).is_file(), "there is no {picture}");
            }
        }
        Ok(())
    }

    #[test]
    fn ages_are_read_at_a_glance() {
        let ages = [1, 43, 2_709, 75_000_000, 2_000_000_000].map(years);
        let expected = [
            "1 year",
            "43 years",
            "2,709 years",
            "75 million years",
            "2 billion years",
        ];
        assert_eq!(ages, expected);
    }
}
