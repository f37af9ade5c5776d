//! A function for tests: a `bootstrap` that does what its invocation, or its environment, says.
//!
//! Variable `MODE` decides what happens before the first invocation: `init-error`,
//! `init-exit`, `init-hang`.
//! An invocation is JSON: with `records` it is a batch of Firehose's, otherwise `do` says what
//! happens. It is its own small client of the Runtime API, so that it can misbehave.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn main() -> Result<()> {
    let mut api = RuntimeApi::connect()?;
    match std::env::var("MODE").as_deref() {
        Ok("init-error") => {
            let error = json!({ "errorType": "Test.Init", "errorMessage": "cannot start" });
            api.send("POST", "init/error", error.to_string().as_bytes())?;
            std::process::exit(1);
        }
        Ok("init-hang") => forever(),
        Ok("init-exit") => {
            println!("about to exit");
            std::process::exit(7);
        }
        _ => {}
    }
    let mut count = 0;
    loop {
        let next = api.send("GET", "invocation/next", b"")?;
        count += 1;
        let id = next.header("lambda-runtime-aws-request-id")?;
        let input: Value = serde_json::from_slice(&next.body)?;
        let (outcome, answer) = match input.get("records") {
            Some(records) => ("response", transform(records)?),
            None => act(&input, &next, count)?,
        };
        let path = format!("invocation/{id}/{outcome}");
        api.send("POST", &path, answer.to_string().as_bytes())?;
    }
}

/// Does what an invocation asks for. Gives the path and the body of the answer.
fn act(input: &Value, next: &Response, count: u64) -> Result<(&'static str, Value)> {
    let number = |name: &str| input[name].as_u64().unwrap_or(0);
    let answer = match input["do"].as_str() {
        Some("exit") => std::process::exit(i32::try_from(number("code"))?),
        Some("abort") => std::process::abort(),
        Some("hang") => forever(),
        Some("wait") => {
            // Until the test hangs up: a file of its would not be seen from here.
            let address = input["until"].as_str().context("until what")?;
            TcpStream::connect(address)?.read_to_end(&mut Vec::new())?;
            json!({ "pid": std::process::id(), "version": std::env::var("VERSION").ok() })
        }
        Some("error") => {
            let error = json!({ "errorType": "Test.Error", "errorMessage": "as asked" });
            return Ok(("error", error));
        }
        Some("large") => "x".repeat(usize::try_from(number("bytes"))?).into(),
        Some("memory") => {
            let mut held = vec![0_u8; usize::try_from(number("megabytes") << 20)?];
            // Every page, so that it counts; then the killer gets its time.
            for page in held.chunks_mut(4096) {
                page[0] = 1;
            }
            std::hint::black_box(&held);
            forever()
        }
        Some("environment") => {
            let variables: BTreeMap<_, _> = std::env::vars().collect();
            json!(variables)
        }
        Some("print") => {
            print!("{}", input["text"].as_str().unwrap_or_default());
            std::io::stdout().flush()?;
            eprintln!("and to standard error");
            Value::Null
        }
        Some("headers") => json!(next.headers),
        Some("write") => {
            let path = input["path"].as_str().context("a path")?;
            let bytes = vec![b'x'; usize::try_from(number("bytes").max(1))?];
            let kind = |error: std::io::Error| error.raw_os_error();
            json!({ "errno": std::fs::write(path, bytes).err().and_then(kind) })
        }
        Some("look") => {
            let path = input["path"].as_str().context("a path")?;
            let entries = std::fs::read_dir(path)?.filter_map(Result::ok);
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let names: std::collections::BTreeSet<_> = names.collect();
            let here = std::env::current_dir()?;
            let size = rustix::fs::statvfs(path)?;
            json!({
                "names": names,
                "here": here,
                "tmp": std::env::temp_dir(),
                "bytes": size.f_blocks * size.f_frsize,
            })
        }
        Some("request") => {
            let (method, path) = (input["method"].as_str(), input["path"].as_str());
            let answer = RuntimeApi::connect()?.raw(
                method.context("a method")?,
                path.context("a path")?,
                b"{}",
            )?;
            json!({
                "status": answer.status,
                "body": String::from_utf8_lossy(&answer.body),
            })
        }
        _ => json!({ "echo": input, "pid": std::process::id(), "count": count }),
    };
    Ok(("response", answer))
}

/// Judges each record by what its data starts with; everything else comes back in upper case.
fn transform(records: &Value) -> Result<Value> {
    let mut answers = Vec::new();
    for record in records.as_array().into_iter().flatten() {
        let id = &record["recordId"];
        let data = STANDARD.decode(record["data"].as_str().unwrap_or_default())?;
        let text = String::from_utf8_lossy(&data);
        let data = STANDARD.encode(text.to_uppercase());
        let ok = json!({ "recordId": id, "result": "Ok", "data": data });
        match text.split(' ').next().unwrap_or_default() {
            "crash" => std::process::exit(9),
            "hang" => forever(),
            "rubbish" => return Ok("rubbish".into()),
            "drop" => answers.push(json!({ "recordId": id, "result": "Dropped" })),
            "fail" => answers.push(json!({ "recordId": id, "result": "ProcessingFailed" })),
            "forget" => {}
            "twice" => answers.extend([ok.clone(), ok]),
            _ => answers.push(ok),
        }
    }
    Ok(json!({ "records": answers }))
}

fn forever() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1000));
    }
}

struct RuntimeApi {
    address: String,
    stream: BufReader<TcpStream>,
}

struct Response {
    /// The first line.
    status: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl RuntimeApi {
    fn connect() -> Result<Self> {
        let address = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
        let stream = BufReader::new(TcpStream::connect(&address)?);
        Ok(Self { address, stream })
    }

    fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Response> {
        self.raw(method, &format!("/2018-06-01/runtime/{path}"), body)
    }

    fn raw(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Response> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;

        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                // The cloud is gone, and so is this.
                std::process::exit(0);
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let mut response = Response {
            status: line.trim_end().to_owned(),
            headers,
            body: Vec::new(),
        };
        let length = response.header("content-length")?.parse()?;
        response.body.resize(length, 0);
        self.stream.read_exact(&mut response.body)?;
        Ok(response)
    }
}

impl Response {
    fn header(&self, name: &str) -> Result<&str> {
        let value = self.headers.get(name).map(String::as_str);
        value.with_context(|| format!("no header {name}"))
    }
}
