//! Assets and archives, as the engine gets them.

use anyhow::Result;
use pulumi_mock::value::{
    asset_archive, file_archive, file_asset, remote_archive, remote_asset, secret, string_asset,
};
use serde_json::json;

use crate::{SAMPLES, sample};

#[test]
fn an_asset_or_an_archive_arrives_as_what_it_is() -> Result<()> {
    let run = sample("assets")
        .config("project:folder", "/f")
        .run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let gathered = asset_archive(json!({
        "word": file_asset("/f/word.txt"),
        "far": remote_archive("file:///f/empty.tar"),
        "deep": asset_archive(json!({ "text": string_asset("body") })),
    }));
    assert_eq!(
        run.resource("given")?.inputs,
        json!({
            "archive": file_archive("/f/empty.tar"),
            "file": file_asset("/f/word.txt"),
            "any": file_asset("/f/word.txt"),
            "text": string_asset("body"),
            "later": string_asset("later"),
            "remote": remote_asset("file:///f/word.txt"),
            "far": remote_archive("file:///f/empty.tar"),
            "hidden": secret(string_asset("hidden")),
            "gathered": gathered,
        })
    );
    assert_eq!(
        run.resource("again")?.inputs,
        json!({ "gathered": gathered })
    );
    Ok(())
}
