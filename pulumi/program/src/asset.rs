//! Files and archives as inputs.
//!
//! Where the engine expects an asset or an archive, the generated binding takes a map of strings;
//! these types make that map, with the signature by which the engine knows it. Relative paths
//! start at [`Program::directory`](crate::Program::directory).

use std::collections::{BTreeMap, HashMap};

use pulumi_gestalt_model::{Output, PulumiValue, PulumiValueContent, ToPulumiValue};
use pulumi_protocol::{ARCHIVE, ASSET, SIGNATURE};

use crate::input::{Input, inputs};

/// One type of asset or archive: what it is, and the key of the one text that it has.
macro_rules! assets {
    ($($(#[$documentation:meta])* $name:ident: $signature:ident $key:ident;)+) => {$(
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $key: String,
        }

        impl $name {
            pub fn new($key: impl Into<String>) -> Self {
                Self { $key: $key.into() }
            }
        }

        impl From<$name> for HashMap<String, String> {
            fn from(asset: $name) -> Self {
                HashMap::from([
                    (SIGNATURE.to_owned(), $signature.to_owned()),
                    (stringify!($key).to_owned(), asset.$key),
                ])
            }
        }

        impl From<$name> for Entry {
            fn from(asset: $name) -> Self {
                Self(EntryContent::One(asset.into()))
            }
        }

        impl ToPulumiValue for $name {
            async fn to_pulumi_value(&self) -> PulumiValue {
                HashMap::from(self.clone()).to_pulumi_value().await
            }
        }

        inputs! {
            [] $name => HashMap<String, String>: asset => asset;
            [] Output<$name> => HashMap<String, String>: asset => asset;
        }
    )+};
}

assets! {
    /// An archive on disk: a `.zip`, `.tar`, `.tar.gz`, or a folder.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use pulumi_program::{FileArchive, Input};
    /// let code: Input<Option<HashMap<String, String>>> = FileArchive::new("target/function.zip").into();
    /// ```
    FileArchive: ARCHIVE path;

    /// One file on disk.
    FileAsset: ASSET path;

    /// A file whose text the program makes.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use pulumi_program::{Input, Output, StringAsset};
    /// let url = Output::new("https://example.org".to_owned());
    /// let source = url.map(|url| StringAsset::new(format!("{{\"api\":\"{url}\"}}")));
    /// let source: Input<Option<HashMap<String, String>>> = source.into();
    /// ```
    StringAsset: ASSET text;

    /// One file at an `http`, `https` or `file` address, which the engine fetches.
    RemoteAsset: ASSET uri;

    /// An archive at an `http`, `https` or `file` address, which the engine fetches.
    RemoteArchive: ARCHIVE uri;
}

/// An archive that the program puts together.
///
/// ```
/// # use std::collections::HashMap;
/// # use pulumi_program::{AssetArchive, FileArchive, Input, StringAsset};
/// let code = AssetArchive::new()
///     .with("index.js", StringAsset::new("exports.handler = async () => 'hello';"))
///     .with("node_modules", FileArchive::new("node_modules"));
/// let code: Input<HashMap<String, String>> = code.into();
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct AssetArchive {
    entries: BTreeMap<String, Entry>,
}

/// An entry of an archive: an asset as a file, or an archive as a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry(EntryContent);

#[derive(Debug, Clone, PartialEq, Eq)]
enum EntryContent {
    One(HashMap<String, String>),
    Archive(AssetArchive),
}

impl AssetArchive {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an asset or an archive there, in place of what was there by this name.
    pub fn with(mut self, name: &str, entry: impl Into<Entry>) -> Self {
        self.entries.insert(name.to_owned(), entry.into());
        self
    }

    fn value(&self) -> PulumiValue {
        let entries = self.entries.iter();
        let entries = entries.map(|(name, entry)| (name.clone(), entry.value()));
        object([
            (SIGNATURE.to_owned(), text(ARCHIVE)),
            ("assets".to_owned(), object(entries)),
        ])
    }
}

impl Entry {
    fn value(&self) -> PulumiValue {
        match &self.0 {
            EntryContent::One(asset) => {
                object(asset.iter().map(|(key, value)| (key.clone(), text(value))))
            }
            EntryContent::Archive(archive) => archive.value(),
        }
    }
}

impl From<AssetArchive> for Entry {
    fn from(archive: AssetArchive) -> Self {
        Self(EntryContent::Archive(archive))
    }
}

impl ToPulumiValue for AssetArchive {
    async fn to_pulumi_value(&self) -> PulumiValue {
        self.value()
    }
}

inputs! {
    [] AssetArchive => HashMap<String, String>: archive => archive;
    [] Output<AssetArchive> => HashMap<String, String>: archive => archive;
}

fn object(entries: impl IntoIterator<Item = (String, PulumiValue)>) -> PulumiValue {
    PulumiValueContent::Object(entries.into_iter().collect()).into()
}

fn text(text: &str) -> PulumiValue {
    PulumiValueContent::String(text.to_owned()).into()
}
