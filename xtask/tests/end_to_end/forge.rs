//! A substitute for GitHub's REST API: comments and issues of one repository, as strict as GitHub about
//! who asks and what a request has.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;

const TOKEN: &str = "ghs_of_the_job";
const REPOSITORY: &str = "octo-org/click-stream";

/// What the repository holds.
#[derive(Default)]
struct Repository {
    /// Issues and pull requests; each has a list `comments` besides what GitHub gives.
    issues: Vec<Value>,
    /// The writes: `POST /issues`.
    writes: Vec<String>,
    next_id: u64,
}

pub struct Forge {
    address: String,
    repository: Arc<Mutex<Repository>>,
    _runtime: Runtime,
}

impl Forge {
    /// A repository with an open pull request, number 7.
    pub fn start() -> Result<Self> {
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = format!("http://{}", listener.local_addr()?);
        let repository = Arc::new(Mutex::new(Repository {
            issues: vec![json!({
                "number": 7, "title": "A change", "body": "", "state": "open",
                "user": { "type": "User" }, "pull_request": {}, "comments": [],
            })],
            writes: Vec::new(),
            next_id: 100,
        }));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&repository));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            address,
            repository,
            _runtime: runtime,
        })
    }

    /// Makes a command one of a job of the pull request, or of main.
    pub fn enter(&self, command: &mut Command, reference: &str) {
        command
            .env("GITHUB_API_URL", &self.address)
            .env("GITHUB_REPOSITORY", REPOSITORY)
            .env("GITHUB_TOKEN", TOKEN)
            .env("GITHUB_REF", reference);
    }

    /// The writes since the last time.
    pub fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.repository.lock().unwrap().writes)
    }

    /// The issue or pull request.
    pub fn issue(&self, number: u64) -> Result<Value> {
        let repository = self.repository.lock().unwrap();
        let mut issues = repository.issues.iter();
        let issue = issues.find(|issue| issue["number"] == number);
        issue.cloned().with_context(|| format!("no issue {number}"))
    }

    /// The issue of this title.
    pub fn titled(&self, title: &str) -> Result<Value> {
        let repository = self.repository.lock().unwrap();
        let mut issues = repository.issues.iter();
        let issue = issues.find(|issue| issue["title"] == title);
        issue.cloned().with_context(|| format!("no issue {title}"))
    }

    pub fn comments(&self, number: u64) -> Result<Vec<Value>> {
        Ok(self.issue(number)?["comments"]
            .as_array()
            .cloned()
            .unwrap_or_default())
    }

    /// A person's comment.
    pub fn say(&self, number: u64, body: &str) {
        let mut repository = self.repository.lock().unwrap();
        let id = repository.id();
        let comment = json!({ "id": id, "body": body, "user": { "type": "User" } });
        if let Some(issue) = repository.find(number) {
            issue["comments"].as_array_mut().unwrap().push(comment);
        }
    }
}

impl Repository {
    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn find(&mut self, number: u64) -> Option<&mut Value> {
        self.issues
            .iter_mut()
            .find(|issue| issue["number"] == number)
    }

    fn answer(
        &mut self,
        method: &Method,
        path: &str,
        query: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let refused = |status: StatusCode, message: &str| (status, json!({ "message": message }));
        let fields = body
            .as_object()
            .map(|fields| fields.keys().map(String::as_str).collect::<Vec<_>>());
        let fields = fields.unwrap_or_default();
        let Some(path) = path.strip_prefix(&format!("/repos/{REPOSITORY}")) else {
            return refused(StatusCode::NOT_FOUND, "Not Found");
        };
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        if *method != Method::GET {
            self.writes.push(format!("{method} {path}"));
        }
        let body_is_short = body["body"]
            .as_str()
            .is_none_or(|text| text.chars().count() <= 65_536);
        if !body_is_short {
            return refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "body is too long (maximum is 65536 characters)",
            );
        }
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["issues"]) => {
                let open = self.issues.iter().filter(|issue| issue["state"] == "open");
                (StatusCode::OK, page(open.cloned().collect(), query))
            }
            ("GET", ["issues", number, "comments"]) => match self.find(number.parse().unwrap()) {
                Some(issue) => {
                    let comments = issue["comments"].as_array().cloned().unwrap_or_default();
                    (StatusCode::OK, page(comments, query))
                }
                None => refused(StatusCode::NOT_FOUND, "Not Found"),
            },
            ("POST", ["issues", number, "comments"]) if fields == ["body"] => {
                let comment =
                    json!({ "id": self.id(), "body": body["body"], "user": { "type": "Bot" } });
                match self.find(number.parse().unwrap()) {
                    Some(issue) => {
                        issue["comments"]
                            .as_array_mut()
                            .unwrap()
                            .push(comment.clone());
                        (StatusCode::CREATED, comment)
                    }
                    None => refused(StatusCode::NOT_FOUND, "Not Found"),
                }
            }
            ("PATCH", ["issues", "comments", id]) if fields == ["body"] => {
                let id: u64 = id.parse().unwrap();
                for issue in &mut self.issues {
                    for comment in issue["comments"].as_array_mut().unwrap() {
                        if comment["id"] == id {
                            comment["body"] = body["body"].clone();
                            return (StatusCode::OK, comment.clone());
                        }
                    }
                }
                refused(StatusCode::NOT_FOUND, "Not Found")
            }
            ("POST", ["issues"]) if fields == ["body", "title"] => {
                let issue = json!({
                    "number": self.id(), "title": body["title"], "body": body["body"],
                    "state": "open", "user": { "type": "Bot" }, "comments": [],
                });
                self.issues.push(issue.clone());
                (StatusCode::CREATED, issue)
            }
            ("PATCH", ["issues", number]) => match self.find(number.parse().unwrap()) {
                Some(issue) => {
                    for (name, value) in body.as_object().into_iter().flatten() {
                        issue[name] = value.clone();
                    }
                    (StatusCode::OK, issue.clone())
                }
                None => refused(StatusCode::NOT_FOUND, "Not Found"),
            },
            _ => refused(StatusCode::UNPROCESSABLE_ENTITY, "Invalid request"),
        }
    }
}

/// The page of a list that a query asks for: `per_page` is 30 by default, and 100 at most.
fn page(entries: Vec<Value>, query: &str) -> Value {
    let number = |name: &str, default: usize| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(key, _)| *key == name);
        found.map_or(default, |(_, value)| value.parse().unwrap())
    };
    let size = number("per_page", 30).min(100);
    let skipped = (number("page", 1) - 1) * size;
    entries.into_iter().skip(skipped).take(size).collect()
}

async fn answer(
    State(repository): State<Arc<Mutex<Repository>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return (
            StatusCode::UNAUTHORIZED,
            json!({ "message": "Bad credentials" }).to_string(),
        );
    }
    if header("user-agent").is_none() || header("x-github-api-version") != Some("2022-11-28") {
        return (
            StatusCode::FORBIDDEN,
            json!({ "message": "Request forbidden" }).to_string(),
        );
    }
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let query = uri.query().unwrap_or_default();
    let (status, answer) = repository
        .lock()
        .unwrap()
        .answer(&method, uri.path(), query, &body);
    (status, answer.to_string())
}
