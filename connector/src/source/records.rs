//! Records of CSV (RFC 4180), each in room that is bounded.

use super::{COLUMNS_MAX, ROW_MAX};
use csv_core::ReadRecordResult;
use std::io::{self, BufRead};

/// Records, one after the other, of which all have as many fields as the first.
pub struct Records<R> {
    text: R,
    parser: csv_core::Reader,
    /// The number of the record that is in the room.
    row: u64,
    /// How many fields each record has, once known.
    width: Option<usize>,
    room: Vec<u8>,
    ends: Vec<usize>,
}

/// Why there is no next record.
#[derive(Debug)]
pub enum Break {
    /// The text can't be read.
    Reading(io::Error),
    /// It is longer than a record may be.
    TooLong,
    /// It has more fields than a record may have.
    TooManyFields,
    /// It has another number of fields than the first.
    Width,
}

impl<R: BufRead> Records<R> {
    /// Those of this text, whose fields this byte separates.
    pub fn new(text: R, delimiter: u8) -> Self {
        Self {
            text,
            parser: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            row: 0,
            width: None,
            room: vec![0; 64 << 10],
            ends: vec![0; 64],
        }
    }

    /// The number of the record that was read last, the first being 1.
    pub fn row(&self) -> u64 {
        self.row
    }

    /// How many fields each has.
    pub fn width(&self) -> usize {
        self.width.unwrap_or_default()
    }

    /// A field of the record that was read last, if it's text.
    pub fn field(&self, place: usize) -> Option<&str> {
        let begin = if place == 0 { 0 } else { *self.ends.get(place - 1)? };
        std::str::from_utf8(self.room.get(begin..*self.ends.get(place)?)?).ok()
    }

    /// Reads the next record; false at the end.
    ///
    /// # Errors
    /// When there is something that is none.
    pub fn read(&mut self) -> Result<bool, Break> {
        self.row += 1;
        let (mut filled, mut fields) = (0, 0);
        loop {
            let input = self.text.fill_buf().map_err(Break::Reading)?;
            let (result, read, wrote, ended) =
                self.parser
                    .read_record(input, &mut self.room[filled..], &mut self.ends[fields..]);
            self.text.consume(read);
            filled += wrote;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.room.len() >= ROW_MAX => return Err(Break::TooLong),
                ReadRecordResult::OutputFull => self.room.resize((self.room.len() * 2).min(ROW_MAX), 0),
                ReadRecordResult::OutputEndsFull if fields > COLUMNS_MAX => {
                    return Err(Break::TooManyFields);
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record if *self.width.get_or_insert(fields) != fields => {
                    return Err(Break::Width);
                }
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }
}
