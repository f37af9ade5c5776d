//! What `pulumi import` calls a resource.

use crate::resource::Properties;
use serde_json::Value;

/// The id that `pulumi import` takes for a resource, where it is not the resource's own id: some
/// properties of it, joined. Ids of such types may be the same for several resources (each log
/// group may have a stream of one name), and this tells them apart. The forms are those of the
/// Terraform provider's documentation of each type, under Import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportId {
    /// Input properties, in order; [`ImportId::OWN_ID`] is the resource's own id.
    pub parts: &'static [&'static str],
    /// What is between them.
    pub separator: &'static str,
}

impl ImportId {
    /// The place of the resource's own id among the parts.
    pub const OWN_ID: &'static str = "id";

    /// The id, when all parts of it are known.
    pub fn of(&self, inputs: &Properties, own_id: Option<&str>) -> Option<String> {
        let part = |name: &&str| match *name {
            Self::OWN_ID => own_id,
            name => inputs.get(name).and_then(Value::as_str),
        };
        let parts: Option<Vec<&str>> = self.parts.iter().map(part).collect();
        Some(parts?.join(self.separator))
    }
}
