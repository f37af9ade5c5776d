//! Lists of objects.

use crate::client::{Call, Cloud};
use anyhow::Result;

async fn with_objects(keys: &[&str]) -> Result<Cloud> {
    let cloud = Cloud::with_bucket().await?;
    for key in keys {
        cloud
            .put(&format!("/bucket/{key}"))
            .body("x")
            .send()
            .await?
            .expect(200)?;
    }
    Ok(cloud)
}

const KEYS: &[&str] = &["a", "b/1", "b/2", "b/c/3", "d", "é", "z/1"];

#[tokio::test]
async fn keys_come_in_the_order_of_their_bytes() -> Result<()> {
    let keys = ["b", "a/", "a", "a-", "a0", "Z", "é", "雪", "a b"];
    let cloud = with_objects(&keys).await?;
    let mut sorted = keys;
    sorted.sort_unstable();
    for version in ["1", "2"] {
        let list = cloud
            .get("/bucket")
            .query("list-type", version)
            .send()
            .await?;
        assert_eq!(list.expect(200)?.elements("Key"), sorted);
    }
    let list = cloud
        .get("/bucket")
        .query("encoding-type", "url")
        .send()
        .await?;
    assert!(list.elements("Key").contains(&"a%20b".to_owned()));
    assert!(list.elements("Key").contains(&"%C3%A9".to_owned()));
    Ok(())
}

/// Prefix, delimiter, start; keys and common prefixes.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const CASES: &[Case] = &[
    ("", "", "", KEYS, &[]),
    ("b/", "", "", &["b/1", "b/2", "b/c/3"], &[]),
    ("", "/", "", &["a", "d", "é"], &["b/", "z/"]),
    ("b/", "/", "", &["b/1", "b/2"], &["b/c/"]),
    ("b", "/", "", &[], &["b/"]),
    ("none", "/", "", &[], &[]),
    ("", "", "b/2", &["b/c/3", "d", "é", "z/1"], &[]),
    ("", "/", "b/", &["d", "é"], &["z/"]),
    ("", "/", "b", &["d", "é"], &["b/", "z/"]),
    ("", "", "zzz", &["é"], &[]),
];

#[tokio::test]
async fn prefixes_and_delimiters_select_and_roll_up() -> Result<()> {
    let cloud = with_objects(KEYS).await?;
    for (prefix, delimiter, start, keys, prefixes) in CASES {
        for (version, start_name) in [("1", "marker"), ("2", "start-after")] {
            let mut call = cloud.get("/bucket").query("list-type", version);
            for (name, value) in [
                ("prefix", prefix),
                ("delimiter", delimiter),
                (start_name, start),
            ] {
                if !value.is_empty() {
                    call = call.query(name, value);
                }
            }
            let list = call.send().await?.expect(200)?;
            let mut expected: Vec<String> = keys.iter().map(|key| key.to_string()).collect();
            expected.sort();
            assert_eq!(
                list.elements("Key"),
                expected,
                "{prefix:?} {delimiter:?} {start:?}"
            );
            let found: Vec<String> = list
                .elements("CommonPrefixes")
                .iter()
                .map(|text| text.replace("<Prefix>", "").replace("</Prefix>", ""))
                .collect();
            assert_eq!(found, *prefixes, "{prefix:?} {delimiter:?} {start:?}");
        }
    }
    Ok(())
}

fn list<'a>(cloud: &'a Cloud, delimiter: &str) -> Call<'a> {
    let call = cloud.get("/bucket").query("list-type", 2);
    match delimiter {
        "" => call,
        delimiter => call.query("delimiter", delimiter),
    }
}

#[tokio::test]
async fn pages_join_to_the_whole() -> Result<()> {
    let cloud = with_objects(KEYS).await?;
    for delimiter in ["", "/"] {
        let all = |text: &str| -> Vec<String> {
            let mut found = Vec::new();
            for piece in text.split('<') {
                for name in ["Key>", "Prefix>"] {
                    if let Some(value) = piece.strip_prefix(name)
                        && !value.is_empty()
                    {
                        found.push(value.to_owned());
                    }
                }
            }
            found
        };
        let whole = list(&cloud, delimiter).send().await?;
        let mut expected = all(&whole.text());
        expected.sort();
        for size in 1..=KEYS.len() {
            let mut found = Vec::new();
            let mut token = String::new();
            loop {
                let call = list(&cloud, delimiter).query("max-keys", size);
                let call = match token.is_empty() {
                    true => call,
                    false => call.query("continuation-token", &token),
                };
                let page = call.send().await?.expect(200)?;
                let entries = all(&page.text());
                assert_eq!(page.element("KeyCount")?, entries.len().to_string());
                found.extend(entries);
                if page.element("IsTruncated")? == "false" {
                    break;
                }
                token = page.element("NextContinuationToken")?;
            }
            found.sort();
            assert_eq!(found, expected, "pages of {size}, delimiter {delimiter:?}");
        }
    }
    let none = cloud
        .get("/bucket")
        .query("list-type", 2)
        .query("max-keys", 0)
        .send()
        .await?;
    assert_eq!(
        (none.element("KeyCount")?, none.element("IsTruncated")?),
        ("0".into(), "false".into())
    );
    let call = cloud
        .get("/bucket")
        .query("list-type", 2)
        .query("continuation-token", "?");
    call.send().await?.refused(400, "InvalidArgument")
}

#[tokio::test]
async fn many_keys_below_a_prefix_are_skipped() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    // More than are read from the store at a time.
    let puts = (0..1_300).map(|number| {
        let call = cloud.put(&format!("/bucket/many/{number:04}"));
        async { call.send().await?.expect(200) }
    });
    futures::future::try_join_all(puts).await?;
    cloud.put("/bucket/zero").send().await?.expect(200)?;
    let call = cloud
        .get("/bucket")
        .query("list-type", 2)
        .query("delimiter", "/");
    let list = call.send().await?;
    assert_eq!(list.elements("CommonPrefixes"), ["<Prefix>many/</Prefix>"]);
    assert_eq!(list.elements("Key"), ["zero"]);
    let first = cloud.get("/bucket").query("list-type", 2).send().await?;
    assert_eq!(first.elements("Key").len(), 1_000);
    let token = first.element("NextContinuationToken")?;
    let call = cloud
        .get("/bucket")
        .query("list-type", 2)
        .query("continuation-token", token);
    assert_eq!(call.send().await?.elements("Key").len(), 301);

    let keys = (0..1_000).map(|n| format!("<Object><Key>many/{n:04}</Key></Object>"));
    let xml = format!("<Delete>{}</Delete>", keys.collect::<String>());
    let deleted = cloud
        .post("/bucket")
        .query("delete", "")
        .body(xml)
        .send()
        .await?;
    assert_eq!(deleted.expect(200)?.elements("Deleted").len(), 1_000);
    let rest = cloud.get("/bucket").query("list-type", 2).send().await?;
    assert_eq!(rest.elements("Key").len(), 301);
    Ok(())
}
