//! How much may be on its way to a server that hasn't answered yet: enough to keep a fast way busy, and on a slow one so little
//! that what is to be undone doesn't wait long behind it.

use std::time::Duration;

const LEAST: usize = 32 << 10;
const FIRST: usize = 256 << 10;
const MOST: usize = 4 << 20;
/// An answer within this time says that there may be more.
const QUICK: Duration = Duration::from_millis(500);
/// An answer after this time says that there should be less.
const SLOW: Duration = Duration::from_millis(1500);

/// How much may be on its way, in bytes.
#[derive(Debug)]
pub struct Window {
    size: usize,
    under_way: usize,
}

impl Window {
    pub fn new() -> Self {
        Self {
            size: FIRST,
            under_way: 0,
        }
    }

    /// How much may be sent now.
    pub fn room(&self) -> usize {
        self.size.saturating_sub(self.under_way)
    }

    /// So much is on its way.
    pub fn sent(&mut self, bytes: usize) {
        self.under_way += bytes;
    }

    /// So much has arrived, after this time if that is known.
    pub fn answered(&mut self, bytes: usize, took: Option<Duration>) {
        self.under_way = self.under_way.saturating_sub(bytes);
        match took {
            Some(took) if took > SLOW => self.size = (self.size / 2).max(LEAST),
            Some(took) if took < QUICK => self.size = (self.size + bytes).min(MOST),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends over a way of this many bytes a second and this delay, and tells how much is on its way in the end.
    fn after_sending(total: usize, rate: f64, delay: f64) -> usize {
        let mut window = Window::new();
        let (mut now, mut free) = (0.0_f64, 0.0_f64);
        let mut under_way = std::collections::VecDeque::new();
        let mut left = total;
        while left > 0 {
            while window.room() == 0 {
                let (bytes, sent, arrives): (usize, f64, f64) =
                    under_way.pop_front().expect("something is on its way");
                now = now.max(arrives);
                window.answered(bytes, Some(Duration::from_secs_f64(now - sent)));
            }
            let bytes = window.room().min(128 << 10).min(left);
            left -= bytes;
            free = free.max(now) + f64::from(u32::try_from(bytes).expect("few")) / rate;
            under_way.push_back((bytes, now, free + delay));
            window.sent(bytes);
        }
        window.size
    }

    #[test]
    fn what_is_on_its_way_arrives_within_seconds_and_keeps_a_fast_way_busy() {
        let rows = [
            ("a near server", 100e6, 0.001, MOST..=MOST),
            ("a far server with a broad way", 50e6, 0.15, MOST..=MOST),
            ("a home's upload", 1e6, 0.03, (400 << 10)..=(2 << 20)),
            ("a slow way", 100e3, 0.1, LEAST..=(250 << 10)),
            ("a very slow way", 20e3, 0.2, LEAST..=(64 << 10)),
        ];
        for (case, rate, delay, expected) in rows {
            let size = after_sending(64 << 20, rate, delay);
            assert!(expected.contains(&size), "{case}: {size}");
        }
    }
}
