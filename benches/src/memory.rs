//! What stands in the memory of another process.

use crate::Outcome;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};

/// How much is looked through at a time.
const CHUNK: usize = 1 << 20;

/// How often a text is found in the writable memory of a process.
pub fn occurrences(process: u32, text: &str) -> Outcome<usize> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    let mut memory = File::open(format!("/proc/{process}/mem"))?;
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let (from, to) = range.ok_or("a line of the memory map has no range")?;
        let (from, to) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
        found += within(&mut memory, from, to, text.as_bytes())?;
    }
    Ok(found)
}

/// Each part is looked through with the end of the one before it.
fn within(memory: &mut File, from: u64, to: u64, text: &[u8]) -> Outcome<usize> {
    memory.seek(SeekFrom::Start(from))?;
    let mut left = usize::try_from(to - from)?;
    let (mut window, mut found) = (Vec::new(), 0);
    while left > 0 {
        let mut part = vec![0; left.min(CHUNK)];
        if memory.read_exact(&mut part).is_err() {
            break; // it was given back meanwhile
        }
        left -= part.len();
        window.extend_from_slice(&part);
        found += window.windows(text.len()).filter(|bytes| *bytes == text).count();
        window.drain(..window.len().saturating_sub(text.len() - 1));
    }
    Ok(found)
}
