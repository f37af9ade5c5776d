//! Long steps tell what they do, on standard error: on a terminal in a line that moves,
//! elsewhere in plain lines.

use indicatif::{ProgressBar, ProgressStyle};
use std::future::Future;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A step that is under way.
pub struct Step {
    bar: Option<ProgressBar>,
    name: String,
    started: Instant,
}

/// Announces a step; it is over with [`Step::done`] or when it is dropped.
pub fn step(name: impl Into<String>) -> Step {
    let name = name.into();
    let bar = std::io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::new_spinner().with_message(name.clone());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    });
    if bar.is_none() {
        eprintln!("{name}");
    }
    Step {
        bar,
        name,
        started: Instant::now(),
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
    /// What the step is at, of interest on a terminal alone.
    pub fn at(&self, detail: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}: {detail}", self.name));
        }
    }

    /// Something that a log of plain lines should have too, now and then.
    pub fn note(&self, detail: &str) {
        match &self.bar {
            Some(_) => self.at(detail),
            None => eprintln!("{}: {detail}", self.name),
        }
    }

    /// Ends the step, and says how long it took if that was long.
    pub fn done(self) {
        let took = self.started.elapsed();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if took >= Duration::from_millis(500) {
            eprintln!("{}: {}", self.name, seconds(took));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A time as people read it.
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
