//! Files and archives as inputs.
//!
//! Where the engine expects an asset or an archive, the generated binding takes a map of strings;
//! these types are that map, with the signature by which the engine knows it. Relative paths start
//! at the folder of Pulumi.yaml.

use std::collections::HashMap;

use crate::input::{Input, inputs};

const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
const ASSET: &str = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";

/// An archive on disk: a `.zip`, `.tar`, `.tar.gz`, or a folder.
///
/// ```
/// # use std::collections::HashMap;
/// # use pulumi_program::{FileArchive, Input};
/// let code: Input<Option<HashMap<String, String>>> = FileArchive::new("target/function.zip").into();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileArchive {
    path: String,
}

/// One file on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAsset {
    path: String,
}

/// A file whose text the program makes.
///
/// ```
/// # use std::collections::HashMap;
/// # use pulumi_program::{Output, StringAsset};
/// let url = Output::new("https://example.org".to_owned());
/// let source = url.map(|url| HashMap::from(StringAsset::new(format!("{{\"api\":\"{url}\"}}"))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringAsset {
    text: String,
}

impl FileArchive {
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }
}

impl FileAsset {
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }
}

impl StringAsset {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

impl From<FileArchive> for HashMap<String, String> {
    fn from(archive: FileArchive) -> Self {
        signed(ARCHIVE, "path", archive.path)
    }
}

impl From<FileAsset> for HashMap<String, String> {
    fn from(asset: FileAsset) -> Self {
        signed(ASSET, "path", asset.path)
    }
}

impl From<StringAsset> for HashMap<String, String> {
    fn from(asset: StringAsset) -> Self {
        signed(ASSET, "text", asset.text)
    }
}

fn signed(signature: &str, key: &str, value: String) -> HashMap<String, String> {
    HashMap::from([
        (SIGNATURE.to_owned(), signature.to_owned()),
        (key.to_owned(), value),
    ])
}

inputs! {
    [] FileArchive => HashMap<String, String>: archive => HashMap::from(archive);
    [] FileAsset => HashMap<String, String>: asset => HashMap::from(asset);
    [] StringAsset => HashMap<String, String>: asset => HashMap::from(asset);
}
