//! Signing in, likes and adoptions, where a deployment has them, and not a trace of them elsewhere.

use super::axe::Axe;
use super::driver::Browser;
use super::standin::{CLIENT, POOL, SUB, StandIn, claims};
use super::{COLE, GARY, NESSI, SNOWFLAKE, Site, WIDE, card};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

#[tokio::test]
async fn visitors_sign_in_like_and_adopt() -> Result<()> {
    let site = Site::deployed().await?;
    site.no_trace().await.context("without configuration")?;

    let pool = StandIn::serve(&site.url).await?;
    let service = StandIn::serve(&site.url).await?;
    site.configure(&format!(
        "  mysfits:adoption: true\n  mysfits:mysfitsApiUrl: {}/\n  mysfits:cognitoDomain: {}\n  \
         mysfits:cognitoUserPoolId: {POOL}\n  mysfits:cognitoUserPoolClientId: {CLIENT}\n",
        service.url, pool.url
    ))
    .await?;
    site.signed_in(&pool, &service).await.context("signed in")?;
    site.refused(&pool).await.context("refused")?;
    site.run_out(&pool).await.context("run out")?;
    ensure!(service.refusals().is_empty(), "{:?}", service.refusals());
    site.driver.stop().await?;
    site.place.assert_clean()
}

impl Site {
    async fn no_trace(&self) -> Result<()> {
        let browser = self.visit(WIDE, &format!("#mysfit={COLE}")).await?;
        browser.find("dialog[open]").await?;
        ensure!(browser.count("#account").await? == 0);
        ensure!(browser.count("#profile-actions button").await? == 1);
        let loaded = browser
            .value("performance.getEntriesByType('resource').map((one) => one.name)")
            .await?
            .to_string();
        ensure!(
            !loaded.contains("account.js") && !loaded.contains("adoption.js"),
            "{loaded}"
        );
        let page = browser
            .value("document.documentElement.outerHTML")
            .await?
            .to_string();
        ensure!(!page.to_lowercase().contains("sign in"), "{page}");
        self.recorded(COLE, 1).await?;
        self.leave(browser).await
    }

    async fn signed_in(&self, pool: &StandIn, service: &StandIn) -> Result<()> {
        let axe = Axe::get()?;
        let browser = self.visit(WIDE, "#goodevil=Evil").await?;
        ensure!(browser.count(".card").await? == 4);
        browser.click(&card(SNOWFLAKE)).await?;
        // As a guest; signing in leads back to the same profile, which was open before.
        self.of_user(SNOWFLAKE, &["guest"]).await?;
        axe.check_for_all(&browser, "a profile before signing in")
            .await?;
        browser.click("#profile-adopt").await?;
        browser.click("#enter").await?;
        browser
            .until("document.getElementById('account')?.textContent.includes('Signed in as ada@example.com')")
            .await?;
        browser.find("dialog[open]").await?;
        let address = browser.address().await?;
        ensure!(
            address == format!("{}/#goodevil=Evil&mysfit={SNOWFLAKE}", self.url),
            "{address}"
        );

        browser.click("#profile-like").await?;
        browser
            .until("document.getElementById('profile-like').textContent === 'Liked (1)'")
            .await?;
        browser.click("#profile-adopt").await?;
        browser
            .until("document.getElementById('profile-adopt').textContent === 'Adopted'")
            .await?;
        axe.check_for_all(&browser, "an adopted mysfit").await?;
        let posts = service.posts();
        ensure!(posts.len() == 2, "{posts:?}");
        for ((what, mysfit, token), expected) in posts.iter().zip(["like", "adopt"]) {
            ensure!(what == expected && mysfit == SNOWFLAKE, "{what} {mysfit}");
            ensure!(claims(token)?["sub"] == SUB);
        }
        browser.click("#profile-close").await?;
        browser
            .until(&format!(
                "document.querySelector(\"{}\").textContent.includes('Adopted')",
                card(SNOWFLAKE)
            ))
            .await?;
        axe.check_for_all(&browser, "the list of a signed-in visitor")
            .await?;
        browser.screenshot(&self.picture("signed-in.png")).await?;

        // From now on it is the user who clicks, also after a reload, and in this tab alone.
        browser
            .goto(&format!("{}/#mysfit={GARY}", self.url))
            .await?;
        browser.travel("refresh").await?;
        browser.find("dialog[open]").await?;
        self.of_user(GARY, &[SUB]).await?;
        self.of_user(SNOWFLAKE, &["guest"]).await?;
        ensure!(browser.value("JSON.stringify({ ...localStorage })").await? == "{}");
        let errors = browser.console_errors().await?;
        ensure!(errors.is_empty(), "{errors:#?}");

        browser.click("#profile-close").await?;
        browser.click("#sign-out").await?;
        browser.find("#sign-in").await?;
        ensure!(pool.signed_out() == 1);
        ensure!(
            browser
                .value("JSON.stringify({ ...sessionStorage })")
                .await?
                == "{}"
        );
        self.leave(browser).await
    }

    /// An answer that nobody asked for in this tab, one that was used already, and a user who
    /// would rather not.
    async fn refused(&self, pool: &StandIn) -> Result<()> {
        let browser = self.driver.browser(WIDE).await?;
        browser
            .goto(&format!("{}/?code=code-1&state=made-up", self.url))
            .await?;
        self.says(&browser, "That sign-in was not begun in this tab.")
            .await?;
        ensure!(browser.address().await? == format!("{}/", self.url));
        ensure!(pool.refusals().is_empty(), "{:?}", pool.refusals());

        browser.click("#sign-in").await?;
        browser.click("#refuse").await?;
        self.says(&browser, "The sign-in was not completed.")
            .await?;

        browser.click("#sign-in").await?;
        browser.find("#enter").await?;
        browser
            .execute("const link = document.getElementById('enter'); link.href = link.href.replace(/code=code-\\d+/, 'code=code-1');")
            .await?;
        browser.click("#enter").await?;
        self.says(&browser, "The sign-in was refused.").await?;
        ensure!(
            pool.refusals() == ["invalid_grant"],
            "{:?}",
            pool.refusals()
        );
        browser.close().await
    }

    async fn says(&self, browser: &Browser, message: &str) -> Result<()> {
        let said = format!("document.querySelector('.account__said')?.textContent === '{message}'");
        browser.until(&said).await?;
        ensure!(browser.count("#sign-in").await? == 1);
        Ok(())
    }

    async fn run_out(&self, pool: &StandIn) -> Result<()> {
        pool.tokens_hold(3);
        let browser = self.visit(WIDE, "").await?;
        browser.click("#sign-in").await?;
        browser.click("#enter").await?;
        browser.find("#sign-out").await?;
        self.says(&browser, "Your sign-in has run out.").await?;
        browser.click(&card(NESSI)).await?;
        self.of_user(NESSI, &["guest"]).await?;
        self.leave(browser).await
    }

    /// Fails unless the clicks on a mysfit are of these users.
    async fn of_user(&self, mysfit: &str, users: &[&str]) -> Result<()> {
        let of = |records: &[Value]| -> Vec<Value> {
            let clicks = records.iter().filter(|record| record["mysfitId"] == mysfit);
            clicks.map(|record| record["userId"].clone()).collect()
        };
        let records = self
            .records
            .wait_until(|records| of(records).len() >= users.len())
            .await?;
        ensure!(
            json!(of(&records)) == json!(users),
            "{mysfit}: {:?}",
            of(&records)
        );
        Ok(())
    }
}
