//! File locks that look taken for a moment after they were released.

use std::time::{Duration, Instant};

/// How long a lock may look taken that is not; starting a program takes much less.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

/// Tries until it succeeds, or [`PATIENCE`] is over. A child process has copies of all open files
/// of its parent, with their locks, until its own program is loaded. So a lock that was released
/// just before looks taken.
pub(crate) fn take<T, E>(
    mut attempt: impl FnMut() -> Result<T, E>,
    is_taken: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_taken(&error) && begun.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_taken_for_a_moment_is_taken_after_it() {
        let mut attempts = 0;
        let taken = take(
            || {
                attempts += 1;
                if attempts < 4 { Err("taken") } else { Ok(()) }
            },
            |error| *error == "taken",
        );
        assert_eq!((taken, attempts), (Ok(()), 4));
    }

    #[test]
    fn another_failure_is_told_at_once() {
        let mut attempts = 0;
        let refused: Result<(), _> = take(
            || {
                attempts += 1;
                Err("denied")
            },
            |error| *error == "taken",
        );
        assert_eq!((refused, attempts), (Err("denied"), 1));
    }
}
