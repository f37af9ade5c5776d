//! Long steps say what they do, on standard error: on a terminal in a line that moves, elsewhere in
//! plain lines, at least every few seconds.

use door::elapsed::elapsed;
use indicatif::{ProgressBar, ProgressStyle};
use std::future::Future;
use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a step is silent at most where it has no moving line.
const SILENCE: Duration = Duration::from_secs(4);

/// A step that is under way.
pub struct Step {
    name: String,
    started: Instant,
    shown: Shown,
}

enum Shown {
    Moving(ProgressBar),
    /// A thread writes lines until the sender is dropped.
    Lines {
        detail: Arc<Mutex<String>>,
        _end: Sender<()>,
    },
}

/// Announces a step; it is over with [`Step::done`] or when it is dropped.
pub fn step(name: impl Into<String>) -> Step {
    let name = name.into();
    let started = Instant::now();
    let shown = if std::io::stderr().is_terminal() {
        let bar = ProgressBar::new_spinner().with_message(name.clone());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Shown::Moving(bar)
    } else {
        eprintln!("{name}");
        let detail = Arc::new(Mutex::new(String::new()));
        let (end, ended) = mpsc::channel();
        let (thread_name, thread_detail) = (name.clone(), Arc::clone(&detail));
        std::thread::spawn(move || {
            while ended.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
                // Nothing else is done under the lock, so its content is whole in any case.
                let detail = thread_detail.lock().unwrap_or_else(PoisonError::into_inner);
                let detail = match detail.as_str() {
                    "" => String::new(),
                    detail => format!(": {detail}"),
                };
                eprintln!("{thread_name}{detail} ({})", elapsed(started.elapsed()));
            }
        });
        Shown::Lines { detail, _end: end }
    };
    Step {
        name,
        started,
        shown,
    }
}

/// A step around a future.
pub async fn during<T, E>(name: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let step = step(name);
    let result = work.await?;
    step.done();
    Ok(result)
}

impl Step {
    /// What the step is at.
    pub fn at(&self, now: &str) {
        match &self.shown {
            Shown::Moving(bar) => bar.set_message(format!("{}: {now}", self.name)),
            Shown::Lines { detail, .. } => {
                let mut detail = detail.lock().unwrap_or_else(PoisonError::into_inner);
                now.clone_into(&mut detail);
            }
        }
    }

    /// Ends the step, and says how long it took if that was long.
    pub fn done(self) {
        let took = self.started.elapsed();
        self.clear();
        if took >= Duration::from_millis(500) {
            eprintln!("{}: {}", self.name, elapsed(took));
        }
    }

    /// Prints a line that stays, on standard output.
    pub fn say(&self, line: &str) {
        match &self.shown {
            Shown::Moving(bar) => bar.suspend(|| println!("{line}")),
            Shown::Lines { .. } => println!("{line}"),
        }
    }

    /// Takes the moving line away.
    pub fn clear(&self) {
        if let Shown::Moving(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Announces a part of a command, with how many there are.
pub fn part(number: u32, of: u32, name: &str) {
    eprintln!("[{number}/{of}] {name}");
}
