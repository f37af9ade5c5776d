//! The catalogue of mysfits, as the objects of a mysfits service.

use anyhow::{Context, Result};
use serde_json::{Value, json};

const CATALOGUE: &str = include_str!("../catalogue/mysfits.json");

/// An object that answers `GET {base}/{key}`.
pub struct CatalogueObject {
    pub key: String,
    pub json: String,
}

/// `mysfits` with all of them, and `mysfits/{id}` with one.
pub fn objects() -> Result<Vec<CatalogueObject>> {
    let mysfits: Vec<Value> =
        serde_json::from_str(CATALOGUE).context("infra/catalogue/mysfits.json is no list")?;
    let mut objects = vec![CatalogueObject {
        key: "mysfits".to_owned(),
        json: json!({ "mysfits": mysfits }).to_string(),
    }];
    for mysfit in &mysfits {
        let id = mysfit["mysfitId"].as_str();
        let id = id.context("a mysfit in infra/catalogue/mysfits.json has no mysfitId")?;
        objects.push(CatalogueObject {
            key: format!("mysfits/{id}"),
            json: mysfit.to_string(),
        });
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_mysfit_is_complete_and_has_a_picture() -> Result<()> {
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/images");
        let objects = objects()?;
        assert_eq!(objects.len(), 13);
        for object in &objects[1..] {
            let mysfit: Value = serde_json::from_str(&object.json)?;
            for field in ["name", "species", "goodevil", "lawchaos", "description"] {
                assert!(mysfit[field].as_str().is_some_and(|text| !text.is_empty()));
            }
            assert!(mysfit["age"].is_u64());
            let id = object.key.trim_start_matches("mysfits/");
            assert!(
                images.join(format!("{id}.svg")).is_file(),
                "{id} has no picture"
            );
        }
        Ok(())
    }
}
