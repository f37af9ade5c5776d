//! What a deployment of the API captures.
//!
//! A deployment is a picture of the API: it must be taken after everything that it shows, and
//! again whenever any of that changes.

use pulumi_program::{Output, all};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

#[derive(Default)]
pub struct Snapshot {
    urns: Vec<Output<String>>,
    definitions: Vec<Output<Value>>,
}

impl Snapshot {
    /// Adds a resource of the API, with everything in its definition that may change.
    pub fn add<T>(&mut self, urn: &Output<String>, definition: &Output<T>)
    where
        T: Serialize + Clone + Send + Sync + 'static,
    {
        self.urns.push(urn.clone());
        let definition = definition.map(|definition| {
            // Values of maps with text keys: nothing in them fails to be JSON.
            serde_json::to_value(definition).unwrap_or_default()
        });
        self.definitions.push(definition);
    }

    /// The resources that a deployment must come after.
    pub fn urns(&self) -> Vec<&Output<String>> {
        self.urns.iter().collect()
    }

    /// A text that is another when any definition is.
    pub fn digest(self) -> Output<String> {
        all(self.definitions).map(|definitions| digest(&definitions))
    }
}

/// Independent of the order of maps: `Value` sorts their keys.
fn digest(definitions: &[Value]) -> String {
    let text = Value::from(definitions).to_string();
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
