//! Reviews of what the real engine has said. `previews/another-bucket.jsonl` are events of a
//! preview of stack `local` on the embedded cloud, with other settings than those that are
//! deployed: another name of the clicks bucket, an origin more, a lower throttle, longer buffers,
//! and no repository. Some of the resources are left out; `xtask/tests/end_to_end/previews.rs`
//! checks whole previews.

use anyhow::{Context, Result};
use review::Review;
use review::cost::Prices;
use review::preview::Preview;
use review::render::{markdown, text};
use std::path::Path;

fn review(name: &str) -> Result<(Preview, Review)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let events = std::fs::read_to_string(here.join("tests/previews").join(name))?;
    let prices = std::fs::read_to_string(here.join("../../docs/prices.json"))?;
    let prices = Prices::parse(&prices).map_err(anyhow::Error::msg)?;
    let preview = Preview::parse(&events)?;
    let review = Review::new(&preview, &prices, &|_| None);
    Ok((preview, review))
}

#[test]
fn what_matters_most_comes_first() -> Result<()> {
    let (_, review) = review("another-bucket.jsonl")?;
    let text = text::render("local", &review, None);
    let mut places = Vec::new();
    for part in [
        "Stack local: data is lost, ",
        "\nLost\n    Repository mysfits-processor",
        "    Bucket mysfits-clicks (mysfits-clicks-jgfreem) is replaced",
        "        bucket: \"mysfits-clicks-jgfreem\" → \"other-clicks\"\n",
        "\nPublic or allowed\n",
        "RolePolicy mysfits-delivery: what it allows after this change is known after the deployment alone",
        "pages of https://shop.example may now read its answers",
        "MethodSettings mysfits-api-put: settings.throttlingRateLimit: 10000 → 99",
        "\nSeen by visitors and clients\n",
        "\nCost (prices of us-east-1",
        "A month in which nobody clicks",
        "What is added in a month in which somebody always clicks",
        "What each million of clicks adds",
        "\nStorage\n",
    ] {
        let place = text.find(part);
        places.push(place.with_context(|| format!("no {part:?} in:\n{text}"))?);
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!(places, sorted, "{text}");
    Ok(())
}

#[test]
fn what_depends_on_something_unknown_has_an_unknown_cost() -> Result<()> {
    let (_, review) = review("another-bucket.jsonl")?;
    let table = review
        .cost
        .tables
        .iter()
        .find(|table| table.of.contains("always clicks"));
    let table = table.context("no such table")?;
    assert!(table.before.is_some());
    assert_eq!(table.after, None);
    Ok(())
}

#[test]
fn an_approval_is_of_these_very_changes() -> Result<()> {
    let (mut preview, _) = review("another-bucket.jsonl")?;
    let approval = review::approval::of(&preview);
    // In another order it is the same.
    preview.steps.reverse();
    assert_eq!(review::approval::of(&preview), approval);
    preview.steps.pop();
    assert_ne!(review::approval::of(&preview), approval);
    Ok(())
}

#[test]
fn a_comment_is_cut_at_the_length_that_github_takes() -> Result<()> {
    let (_, review) = review("another-bucket.jsonl")?;
    let whole = markdown::render("local", &review, Some("0123"), usize::MAX);
    assert!(
        whole.contains("<details>") && whole.contains("--approved 0123"),
        "{whole}"
    );
    let short = markdown::render("local", &review, Some("0123"), whole.len() - 200);
    assert!(
        short.len() < whole.len() && !short.contains("<details>"),
        "{short}"
    );
    assert!(short.contains(":warning:"), "{short}");
    Ok(())
}
