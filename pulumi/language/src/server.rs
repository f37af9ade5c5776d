//! The language host as a process: it listens, says where, and ends quietly when it is told to.

use crate::proto::language_runtime_server::LanguageRuntimeServer;
use crate::service::Host;
use anyhow::{Context, Result};
use std::io::Write;
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::TcpIncoming;

/// How long a client may keep its connection open after the end was announced.
const GOODBYE: Duration = Duration::from_millis(200);

/// Serves until a signal comes or the engine is gone. The port is the first line of standard
/// output.
pub async fn serve(engine: Option<String>) -> Result<()> {
    let stop = CancellationToken::new();
    stop_on_signals(&stop)?;
    stop_without_engine(&stop);

    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .context("the language host cannot listen on 127.0.0.1")?;
    let port = listener.local_addr()?.port();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{port}").and_then(|()| stdout.flush())?;

    let tasks = TaskTracker::new();
    let host = Host::new(engine, stop.clone(), tasks.clone());
    let service = LanguageRuntimeServer::new(host).max_decoding_message_size(usize::MAX);
    let ended = CancellationToken::new();
    let server = tonic::transport::Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            ended.clone().cancelled_owned(),
        );
    let server = tokio::spawn(server);
    stop.cancelled().await;
    tasks.close();
    tasks.wait().await;
    ended.cancel();
    match tokio::time::timeout(GOODBYE, server).await {
        Ok(served) => served?.context("the language host failed"),
        Err(_) => Ok(()),
    }
}

fn stop_on_signals(stop: &CancellationToken) -> Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signal = signal(kind).context("signals cannot be received")?;
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    Ok(())
}

/// An engine holds the other end of the host's standard input. When it is killed, nobody sends a
/// signal: the end of the pipe is the only sign.
fn stop_without_engine(stop: &CancellationToken) {
    let pipe = std::fs::metadata("/dev/stdin").is_ok_and(|stdin| stdin.file_type().is_fifo());
    if !pipe {
        return;
    }
    let stop = stop.clone();
    // The thread ends with the process: its read cannot be cancelled.
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        stop.cancel();
    });
}
