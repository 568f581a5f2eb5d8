//! Files as text: unpacked, and without the mark that some programs put before UTF-8.

use super::fault::{SourceFault, Trouble};
use super::files::Files;
use connection_operator::api::dataset::Compression;
use flate2::read::MultiGzDecoder;
use std::io::{BufRead, BufReader, Chain, Cursor, Error, Read, Result};

/// How much is read at once, in bytes.
const BUFFER: usize = 256 << 10;
/// The largest window of zstd that is followed: 128 MiB, its own programs' limit too.
const WINDOW_LOG_MAX: u32 = 27;
/// What some programs put before UTF-8.
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// One file, as text.
pub type Text = BufReader<Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>>;

/// Opens a file to be read as text.
pub fn open(
    files: &Files,
    file: usize,
    compression: Option<Compression>,
) -> std::result::Result<Text, SourceFault> {
    let opened = files.open(file)?;
    text(opened, compression).map_err(|error| fault(files, file, 0, &error))
}

/// Text that comes so: unpacked, and without the mark.
///
/// # Errors
/// When it can't be read.
pub fn text(file: impl Read + Send + 'static, compression: Option<Compression>) -> Result<Text> {
    let file = BufReader::with_capacity(BUFFER, file);
    let mut unpacked: Box<dyn Read + Send> = match compression {
        None => Box::new(file),
        Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(file)),
        Some(Compression::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    };
    let mut first = Vec::with_capacity(MARK.len());
    unpacked
        .by_ref()
        .take(MARK.len() as u64)
        .read_to_end(&mut first)?;
    if first == MARK {
        first.clear();
    }
    Ok(BufReader::with_capacity(
        BUFFER,
        Cursor::new(first).chain(unpacked),
    ))
}

/// What an error while reading means: the system's own have a number, and all others say that the file isn't what the
/// dataset promised.
pub fn fault(files: &Files, file: usize, row: u64, error: &Error) -> SourceFault {
    let place = files.place(file, row);
    let trouble = match error.raw_os_error() {
        Some(_) => Trouble::Unreadable(place),
        None => Trouble::Broken(place, "a whole file, packed as spec.format.compression says"),
    };
    trouble.of(&files.dataset)
}

/// What a line is that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It's there.
    There,
    /// The file has ended.
    End,
    /// It has no end within its bound.
    TooLong,
}

/// Reads the next line into the buffer, without its end.
pub fn line(text: &mut impl BufRead, line: &mut Vec<u8>, max: usize) -> Result<Line> {
    line.clear();
    let read = text.take(max as u64 + 1).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if read > max {
        return Ok(Line::TooLong);
    }
    Ok(if read == 0 { Line::End } else { Line::There })
}
