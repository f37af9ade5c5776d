//! The mysfits service, well behaved or hostile: a small HTTP/1.1 server that does to a
//! connection whatever a test wants.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is done with one request.
#[derive(Clone, Debug)]
pub enum Does {
    Answer(u16, String),
    /// Answers 200 with this body, of which less is sent than announced.
    BreakOff(String),
    Redirect(String),
    /// A body of this length.
    Large(usize),
    /// A body without end.
    Endless,
    /// A body that comes, slowly, without end.
    Trickle,
    Drop,
    Hang,
}

impl Does {
    pub fn mysfit(species: &str) -> Self {
        let body = serde_json::json!({
            "mysfitId": "whatever", "name": "n", "age": 3,
            "species": species, "goodevil": "Good", "lawchaos": "Lawful",
        });
        Self::Answer(200, body.to_string())
    }

    pub fn status(status: u16) -> Self {
        Self::Answer(status, r#"{"message":"no"}"#.to_owned())
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: Vec<String>,
    /// How many times this path has been asked for, this request included.
    pub nth: usize,
}

type Behaviour = dyn Fn(Request) -> Pin<Box<dyn Future<Output = Does> + Send>> + Send + Sync;

pub struct Service {
    pub url: String,
    seen: Arc<Seen>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

impl Service {
    pub async fn start(does: impl Fn(Request) -> Does + Send + Sync + 'static) -> Result<Self> {
        Self::start_async(move |request| {
            let does = does(request);
            async move { does }
        })
        .await
    }

    /// Every request takes `latency`.
    pub async fn slow(latency: Duration) -> Result<Self> {
        Self::start_async(move |_| async move {
            tokio::time::sleep(latency).await;
            Does::mysfit("Yeti")
        })
        .await
    }

    pub async fn start_async<F, D>(does: F) -> Result<Self>
    where
        F: Fn(Request) -> D + Send + Sync + 'static,
        D: Future<Output = Does> + Send + 'static,
    {
        let behaviour: Arc<Behaviour> = Arc::new(move |request| Box::pin(does(request)));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::new(Seen::default());
        let seen_here = Arc::clone(&seen);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen_here.connections.fetch_add(1, Ordering::Relaxed);
                let connection = serve(stream, Arc::clone(&behaviour), Arc::clone(&seen_here));
                tokio::spawn(async move {
                    let _ = connection.await;
                });
            }
        });
        Ok(Self {
            url,
            seen,
            listening,
        })
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    pub fn most_open(&self) -> usize {
        self.seen.most_open.load(Ordering::Relaxed)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Seen {
    fn request(&self, path: &str, headers: Vec<String>) -> Request {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = 1 + requests
            .iter()
            .filter(|earlier| earlier.path == path)
            .count();
        let request = Request {
            path: path.to_owned(),
            headers,
            nth,
        };
        requests.push(request.clone());
        request
    }
}

async fn serve(stream: TcpStream, behaviour: Arc<Behaviour>, seen: Arc<Seen>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line.trim_end().is_empty() {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let path = head
            .first()
            .and_then(|line| line.split(' ').nth(1))
            .unwrap_or_default();
        let request = seen.request(path, head[1..].to_vec());
        let open = 1 + seen.open.fetch_add(1, Ordering::Relaxed);
        seen.most_open.fetch_max(open, Ordering::Relaxed);
        let does = behaviour(request).await;
        seen.open.fetch_sub(1, Ordering::Relaxed);
        if !answer(stream.get_mut(), does).await? {
            return Ok(());
        }
    }
}

/// Whether the connection goes on.
async fn answer(stream: &mut TcpStream, does: Does) -> Result<bool> {
    let head = |status: u16, more: &str| format!("HTTP/1.1 {status} x\r\n{more}\r\n");
    match does {
        Does::Answer(status, body) => {
            let length = format!("Content-Length: {}\r\n", body.len());
            stream
                .write_all((head(status, &length) + &body).as_bytes())
                .await?;
        }
        Does::BreakOff(body) => {
            let length = format!("Content-Length: {}\r\n", body.len() + 10);
            stream
                .write_all((head(200, &length) + &body).as_bytes())
                .await?;
            return Ok(false);
        }
        Does::Redirect(location) => {
            let more = format!("Location: {location}\r\nContent-Length: 0\r\n");
            stream.write_all(head(302, &more).as_bytes()).await?;
        }
        Does::Large(length) => {
            stream
                .write_all(head(200, &format!("Content-Length: {length}\r\n")).as_bytes())
                .await?;
            stream.write_all(&vec![b' '; length]).await?;
        }
        Does::Endless => {
            stream
                .write_all(head(200, "Transfer-Encoding: chunked\r\n").as_bytes())
                .await?;
            // Ends when the other side has had enough.
            loop {
                stream.write_all(b"400\r\n").await?;
                stream.write_all(&[b' '; 0x400]).await?;
                stream.write_all(b"\r\n").await?;
            }
        }
        Does::Trickle => {
            let chunked = head(200, "Transfer-Encoding: chunked\r\n");
            stream.write_all(chunked.as_bytes()).await?;
            loop {
                stream.write_all(b"1\r\n \r\n").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Does::Drop => return Ok(false),
        Does::Hang => std::future::pending().await,
    }
    Ok(true)
}
