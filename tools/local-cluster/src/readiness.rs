//! Waiting for what must come about.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;

const PAUSE: Duration = Duration::from_millis(50);

/// Asks again and again until it is so.
///
/// # Errors
/// When asking fails, or it isn't so in time.
pub fn wait_until(
    what: &str,
    patience: Duration,
    logs: &Path,
    mut is_so: impl FnMut() -> Result<bool, Error>,
) -> Result<(), Error> {
    let started = Instant::now();
    while !is_so()? {
        if started.elapsed() > patience {
            let (what, logs) = (what.to_owned(), logs.to_path_buf());
            return Err(Error::Late {
                what,
                seconds: patience.as_secs(),
                logs,
            });
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
