//! Services that a deployment may use beside this project, played by this process: a user pool's
//! sign-in pages, which follow the protocol (RFC 6749, RFC 7636, OpenID Connect Core), and a
//! mysfits service that takes likes and adoptions, as the workshop's does.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

pub const POOL: &str = "us-east-1_abcdefghi";
pub const CLIENT: &str = "1example23456789";
pub const SUB: &str = "5b1d7c0e-3f52-4b8e-9d1a-6f2a7c4e8b90";

/// A server at a port of its own.
pub struct StandIn {
    pub url: String,
    state: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// The site's address, which is registered for return and sign-out.
    registered: String,
    /// For how many seconds tokens hold.
    lifetime: u64,
    /// Codes that are not used yet, with the challenge and address of each.
    codes: BTreeMap<String, (String, String)>,
    issued: usize,
    /// What was refused, and why.
    refusals: Vec<String>,
    signed_out: usize,
    /// `like` or `adopt`, the mysfit, and the request's Authorization.
    posts: Vec<(String, String, String)>,
    mysfits: Vec<Value>,
}

type Answer = (StatusCode, HeaderMap, String);

impl StandIn {
    /// Starts it for a site.
    pub async fn serve(site: &str) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let catalogue = include_str!("../../../../infra/catalogue/mysfits.json");
        let state = Arc::new(Mutex::new(Seen {
            registered: format!("{site}/"),
            lifetime: 3_600,
            mysfits: serde_json::from_str(catalogue)?,
            ..Seen::default()
        }));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, state })
    }

    /// Has the tokens of later sign-ins run out so soon.
    pub fn tokens_hold(&self, seconds: u64) {
        self.state.lock().unwrap().lifetime = seconds;
    }

    pub fn refusals(&self) -> Vec<String> {
        self.state.lock().unwrap().refusals.clone()
    }

    pub fn signed_out(&self) -> usize {
        self.state.lock().unwrap().signed_out
    }

    pub fn posts(&self) -> Vec<(String, String, String)> {
        self.state.lock().unwrap().posts.clone()
    }
}

async fn answer(
    State(state): State<Arc<Mutex<Seen>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let mut seen = state.lock().unwrap();
    let query = pairs(uri.query().unwrap_or_default());
    let path: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    let outcome = match (method.as_str(), path.as_slice()) {
        ("GET", ["oauth2", "authorize"]) => seen.authorize(&query),
        ("POST", ["oauth2", "token"]) => seen.token(&headers, &body),
        ("GET", ["logout"]) => seen.logout(&query),
        ("OPTIONS", ["mysfits", ..]) => {
            Ok(found(StatusCode::NO_CONTENT, "text/plain", String::new()))
        }
        // What browsers ask every site for.
        ("GET", ["favicon.ico"]) => Ok(found(StatusCode::NO_CONTENT, "text/plain", String::new())),
        ("GET", ["mysfits"]) => Ok(found(
            StatusCode::OK,
            "application/json",
            json!({ "mysfits": seen.listed() }).to_string(),
        )),
        ("GET", ["mysfits", id]) => seen.mysfit(id),
        ("POST", ["mysfits", id, what @ ("like" | "adopt")]) => seen.post(id, what, &headers),
        _ => Ok(found(StatusCode::NOT_FOUND, "text/plain", String::new())),
    };
    let mut answer = outcome.unwrap_or_else(|why| {
        seen.refusals.push(why.clone());
        found(
            StatusCode::BAD_REQUEST,
            "application/json",
            json!({ "error": why }).to_string(),
        )
    });
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", "Authorization"),
        ("access-control-allow-methods", "GET,POST"),
    ] {
        answer.1.insert(name, HeaderValue::from_static(value));
    }
    answer
}

impl Seen {
    /// The page where a user signs in: here a link is all that it takes.
    fn authorize(&mut self, query: &BTreeMap<String, String>) -> Result<Answer, String> {
        expect(query, "response_type", "code")?;
        expect(query, "client_id", CLIENT)?;
        expect(query, "redirect_uri", &self.registered)?;
        expect(query, "code_challenge_method", "S256")?;
        expect(query, "scope", "openid")?;
        let challenge = one(query, "code_challenge")?;
        let state = one(query, "state")?;
        if challenge.len() != 43 || state.len() < 32 {
            return Err("a challenge or a state is too short".to_owned());
        }
        self.issued += 1;
        let code = format!("code-{}", self.issued);
        self.codes.insert(
            code.clone(),
            (challenge.to_owned(), self.registered.clone()),
        );
        let back = |parameters: &[(&str, &str)]| {
            let mut url = Url::parse(&self.registered).map_err(|error| error.to_string())?;
            url.query_pairs_mut().extend_pairs(parameters);
            Ok::<_, String>(url.to_string().replace('&', "&amp;"))
        };
        let page = format!(
            "<!doctype html><title>Sign in</title><a id=\"enter\" href=\"{}\">Enter</a> \
             <a id=\"refuse\" href=\"{}\">Leave</a>",
            back(&[("code", &code), ("state", state)])?,
            back(&[("error", "access_denied"), ("state", state)])?
        );
        Ok(found(StatusCode::OK, "text/html", page))
    }

    fn token(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<Answer, String> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return Err("the token's request is no form".to_owned());
        }
        let form = pairs(&String::from_utf8_lossy(body));
        expect(&form, "grant_type", "authorization_code")?;
        expect(&form, "client_id", CLIENT)?;
        let code = one(&form, "code")?;
        // A code is good once.
        let (challenge, address) = self.codes.remove(code).ok_or("invalid_grant")?;
        expect(&form, "redirect_uri", &address)?;
        let verifier = one(&form, "code_verifier")?;
        let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        if digest != challenge || verifier.len() < 43 {
            return Err("the verifier is not the challenge's".to_owned());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_err(|error| error.to_string())?.as_secs();
        let claims = json!({
            "sub": SUB,
            "aud": CLIENT,
            "iss": format!("https://cognito-idp.us-east-1.amazonaws.com/{POOL}"),
            "token_use": "id",
            "cognito:username": "ada",
            "email": "ada@example.com",
            "iat": now,
            "exp": now + self.lifetime,
        });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!(
            "{}.{}.c2ln",
            part(&json!({ "alg": "RS256" })),
            part(&claims)
        );
        let answer = json!({
            "id_token": token,
            "access_token": "access",
            "refresh_token": "refresh",
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        });
        Ok(found(
            StatusCode::OK,
            "application/json",
            answer.to_string(),
        ))
    }

    fn logout(&mut self, query: &BTreeMap<String, String>) -> Result<Answer, String> {
        expect(query, "client_id", CLIENT)?;
        expect(query, "logout_uri", &self.registered)?;
        self.signed_out += 1;
        let mut answer = found(StatusCode::FOUND, "text/plain", String::new());
        let location =
            HeaderValue::from_str(&self.registered).map_err(|error| error.to_string())?;
        answer.1.insert(header::LOCATION, location);
        Ok(answer)
    }

    /// The list says nothing of likes, as the workshop's does not.
    fn listed(&self) -> Vec<Value> {
        let mut mysfits = self.mysfits.clone();
        for mysfit in &mut mysfits {
            if let Some(fields) = mysfit.as_object_mut() {
                fields.remove("likes");
            }
        }
        mysfits
    }

    fn mysfit(&self, id: &str) -> Result<Answer, String> {
        let mysfit = self.mysfits.iter().find(|mysfit| mysfit["mysfitId"] == id);
        let mut mysfit = mysfit.ok_or("no such mysfit")?.clone();
        if mysfit["likes"].is_null() {
            mysfit["likes"] = json!(0);
        }
        Ok(found(
            StatusCode::OK,
            "application/json",
            mysfit.to_string(),
        ))
    }

    fn post(&mut self, id: &str, what: &str, headers: &HeaderMap) -> Result<Answer, String> {
        let token = headers.get(header::AUTHORIZATION);
        let token = token
            .and_then(|token| token.to_str().ok())
            .unwrap_or_default();
        if token.split('.').count() != 3 {
            return Ok(found(
                StatusCode::UNAUTHORIZED,
                "application/json",
                "{}".to_owned(),
            ));
        }
        self.posts
            .push((what.to_owned(), id.to_owned(), token.to_owned()));
        let mysfit = self
            .mysfits
            .iter_mut()
            .find(|mysfit| mysfit["mysfitId"] == id);
        let mysfit = mysfit.ok_or("no such mysfit")?;
        match what {
            "like" => mysfit["likes"] = json!(mysfit["likes"].as_u64().unwrap_or_default() + 1),
            _ => mysfit["adopted"] = json!(true),
        }
        Ok(found(
            StatusCode::OK,
            "application/json",
            json!({ "Update": "Success" }).to_string(),
        ))
    }
}

fn found(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
    (status, headers, body)
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let url = Url::parse(&format!("http://query/?{query}"));
    url.map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default()
}

fn one<'a>(pairs: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, String> {
    pairs
        .get(name)
        .map(String::as_str)
        .ok_or_else(|| format!("{name} is missing"))
}

fn expect(pairs: &BTreeMap<String, String>, name: &str, value: &str) -> Result<(), String> {
    match one(pairs, name)? {
        found if found == value => Ok(()),
        found => Err(format!("{name} is {found} instead of {value}")),
    }
}

/// The claims of a token.
pub fn claims(token: &str) -> Result<Value> {
    let part = token.split('.').nth(1).context("no token")?;
    Ok(serde_json::from_slice(
        &BASE64_URL_SAFE_NO_PAD.decode(part)?,
    )?)
}
