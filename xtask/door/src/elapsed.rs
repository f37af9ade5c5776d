//! Times as people read them.

use std::time::Duration;

/// `0.4 s`, `12 s`, `3 min 5 s`.
pub fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_as_exact_as_it_matters() {
        for (millis, text) in [
            (0, "0.0 s"),
            (9_940, "9.9 s"),
            (10_900, "10 s"),
            (60_000, "1 min 0 s"),
            (785_000, "13 min 5 s"),
        ] {
            assert_eq!(elapsed(Duration::from_millis(millis)), text);
        }
    }
}
