//! Pages of the site that say what only the deployment knows: what they may connect to, and which
//! mysfits there are.
//!
//! A card and the page of a profile are written in `web/`, with fields in double braces. The cards
//! are for visitors without scripts, and for everybody until the scripts have run, which fill the
//! same card.

use anyhow::{Context, Result, ensure};
use http::Uri;

use crate::catalogue::Mysfit;

/// The page that is filled once for each mysfit.
pub const PROFILE: &str = "profile.html";

/// What a page's content security policy says before the deployment is known.
const OWN_ORIGIN_ALONE: &str = "connect-src 'self'";

/// Where the cards of a published catalogue go.
const CARDS: &str = "<!-- infra puts the published catalogue here -->";

const CARD_BEGINS: &str = "<template id=\"card\">";
const CARD_ENDS: &str = "</template>";

/// Whether a page says what it may connect to.
pub fn connects(html: &str) -> bool {
    html.contains(OWN_ORIGIN_ALONE)
}

/// Lets a page connect to `services`, URLs of which the origin counts.
pub fn admit(html: &str, services: &[String]) -> String {
    let mut origins: Vec<String> = services.iter().filter_map(|url| origin(url).ok()).collect();
    origins.sort();
    origins.dedup();
    let admitted = format!("{OWN_ORIGIN_ALONE} {}", origins.join(" "));
    html.replacen(OWN_ORIGIN_ALONE, &admitted, 1)
}

/// A page with the cards of a published catalogue in it.
///
/// # Errors
/// When a page that has a place for cards has no card.
pub fn with_cards(html: &str, mysfits: &[Mysfit]) -> Result<String> {
    if !html.contains(CARDS) {
        return Ok(html.to_owned());
    }
    let card = html
        .split_once(CARD_BEGINS)
        .and_then(|(_, rest)| rest.split_once(CARD_ENDS))
        .map(|(card, _)| card)
        .with_context(|| format!("a page with a place for cards has no {CARD_BEGINS}"))?;
    let cards: Result<String> = mysfits
        .iter()
        .map(|mysfit| filled(card, &fields(mysfit)))
        .collect();
    Ok(html.replacen(CARDS, &cards?, 1))
}

/// The page of one profile.
///
/// # Errors
/// When the page names a field that there is not.
pub fn of_profile(html: &str, mysfit: &Mysfit, site: &str) -> Result<String> {
    let mut fields = fields(mysfit).to_vec();
    fields.push(("site", site.to_owned()));
    filled(html, &fields)
}

/// The key of a profile's page.
pub fn key(mysfit: &Mysfit) -> String {
    let letters = mysfit.name.chars();
    let name: String = letters
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    format!("profile/{name}.html")
}

fn fields(mysfit: &Mysfit) -> [(&'static str, String); 8] {
    [
        ("mysfitId", mysfit.id.clone()),
        ("name", mysfit.name.clone()),
        ("species", mysfit.species.clone()),
        ("age", mysfit.age.clone()),
        ("goodevil", mysfit.goodevil.clone()),
        ("lawchaos", mysfit.lawchaos.clone()),
        ("description", mysfit.description.clone()),
        ("link", format!("/{}", key(mysfit))),
    ]
}

fn filled(html: &str, fields: &[(&str, String)]) -> Result<String> {
    let mut text = html.to_owned();
    for (name, value) in fields {
        text = text.replace(&format!("{{{{{name}}}}}"), &escaped(value));
    }
    let unknown = text.split_once("{{").map(|(_, rest)| rest);
    let unknown = unknown.and_then(|rest| rest.split_once("}}"));
    ensure!(
        unknown.is_none(),
        "a page in web/ names a field {}, which no mysfit has",
        unknown.map_or("", |(name, _)| name)
    );
    Ok(text)
}

/// Fit for HTML's text and for its attributes in quotation marks.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn origin(url: &str) -> Result<String> {
    let parts = url.parse::<Uri>()?.into_parts();
    let scheme = parts.scheme.map(|scheme| scheme.to_string());
    let authority = parts.authority.map(|authority| authority.to_string());
    Ok(format!(
        "{}://{}",
        scheme.unwrap_or_default(),
        authority.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mysfit(name: &str) -> Mysfit {
        Mysfit {
            id: "b41ff031-141e-4a8d-bb56-158a22bea0b3".to_owned(),
            name: name.to_owned(),
            species: "Yeti".to_owned(),
            age: "13 years".to_owned(),
            goodevil: "Evil".to_owned(),
            lawchaos: "Neutral".to_owned(),
            description: "\"Tall\" & <wide>".to_owned(),
        }
    }

    fn web(page: &str) -> Result<String> {
        let path = format!("{}/../web/{page}", env!("CARGO_MANIFEST_DIR"));
        Ok(std::fs::read_to_string(path)?)
    }

    #[test]
    fn a_page_may_connect_to_the_services_and_nothing_else() {
        let page = "<meta content=\"default-src 'none'; connect-src 'self'; base-uri 'none'\">";
        let services = [
            "https://id.execute-api.us-east-1.amazonaws.com/prod/clicks".to_owned(),
            "https://d1.cloudfront.net".to_owned(),
        ];
        assert_eq!(
            admit(page, &services),
            "<meta content=\"default-src 'none'; connect-src 'self' https://d1.cloudfront.net \
             https://id.execute-api.us-east-1.amazonaws.com; base-uri 'none'\">"
        );
    }

    #[test]
    fn the_site_s_pages_have_the_policy_that_is_filled_in() -> Result<()> {
        for page in ["index.html", PROFILE] {
            assert_eq!(web(page)?.matches(OWN_ORIGIN_ALONE).count(), 1, "{page}");
        }
        Ok(())
    }

    #[test]
    fn cards_and_profiles_are_filled_and_text_stays_text() -> Result<()> {
        let page = with_cards(&web("index.html")?, &[mysfit("A & <b>")])?;
        let cards = page.split_once("id=\"grid\"").map_or("", |(_, rest)| rest);
        let (card, _) = cards.split_once("</ul>").context("no list")?;
        assert!(card.contains(">A &amp; &lt;b&gt;<"), "{card}");
        assert!(card.contains("href=\"/profile/A----b-.html\""), "{card}");
        assert!(!card.contains("{{"), "{card}");

        let profile = of_profile(&web(PROFILE)?, &mysfit("Snowflake"), "https://d1.example")?;
        for expected in [
            "<title>Snowflake the Yeti – Mythical Mysfits</title>",
            "content=\"&quot;Tall&quot; &amp; &lt;wide&gt;\"",
            "content=\"https://d1.example/profile/Snowflake.html\"",
            "content=\"https://d1.example/images/share/b41ff031-141e-4a8d-bb56-158a22bea0b3.png\"",
        ] {
            assert!(profile.contains(expected), "{expected}: {profile}");
        }
        Ok(())
    }

    #[test]
    fn a_field_that_no_mysfit_has_is_refused() {
        let refused = of_profile("<p>{{nmae}}</p>", &mysfit("x"), "https://d1.example");
        assert!(refused.is_err_and(|error| error.to_string().contains("nmae")));
    }
}
