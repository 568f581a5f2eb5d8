//! What a person sees of a long command: a line for each step.

use std::time::{Duration, Instant};

use crate::Error;

/// Does a step and says so: before, if it takes long, and after.
pub(crate) fn step<T>(
    what: &str,
    expected: Duration,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    if expected >= Duration::from_secs(5) {
        println!("  … {what}: takes about {}", rough(expected));
    }
    let started = Instant::now();
    let done = work()?;
    println!("  ✓ {what} ({:.1} s)", started.elapsed().as_secs_f32());
    Ok(done)
}

fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..90 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_are_told_in_minutes() {
        assert_eq!(rough(Duration::from_secs(8)), "8 s");
        assert_eq!(rough(Duration::from_secs(100)), "2 min");
    }
}
