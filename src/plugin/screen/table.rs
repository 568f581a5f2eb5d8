//! Rows under headings, as kubectl lays them out; on a narrow terminal closer together, shortened, without some columns, and then
//! as blocks.

use super::width::{columns, fitted, isolated};
use super::{Screen, Tone};
use crate::governance::message::bounded;
use std::fmt::Write as _;

/// Between two columns; the second where there is little room.
const GAPS: [usize; 2] = [3, 2];
/// A column that may be shortened keeps so much.
const LEAST: usize = 12;

/// A heading, and what may become of what stands below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// As it's shown.
    pub title: &'static str,
    /// Whether its texts may be shortened where there is little room: they're for reading, not for copying.
    pub shortens: bool,
    /// Whether it may be left out where there is little room, the last that may first.
    pub yields: bool,
}

impl Heading {
    /// A heading of this text.
    #[must_use]
    pub const fn new(title: &'static str, shortens: bool) -> Self {
        Self {
            title,
            shortens,
            yields: false,
        }
    }

    /// The same, left out where there is little room.
    #[must_use]
    pub const fn yielding(mut self) -> Self {
        self.yields = true;
        self
    }
}

/// One text of a row, on one line whatever it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// A text that is meant in some way.
    #[must_use]
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: bounded(text.into()),
            tone,
        }
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// How wide each column is, so that later rows stand below the first ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    headings: Vec<Heading>,
    /// None where rows become blocks.
    widths: Option<Widths>,
    screen: Screen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Widths {
    gap: usize,
    /// Of each column; none of one that is left out.
    columns: Vec<Option<usize>>,
}

/// A whole table: its headings and all its rows.
#[must_use]
pub fn table(headings: &[Heading], rows: &[Vec<Cell>], screen: Screen) -> String {
    let layout = Layout::of(headings, rows, screen);
    let mut table = layout.head();
    table.extend(rows.iter().map(|row| layout.row(row)));
    table
}

impl Layout {
    /// Makes room for these rows.
    #[must_use]
    pub fn of(headings: &[Heading], rows: &[Vec<Cell>], screen: Screen) -> Self {
        let mut widths: Vec<usize> = headings.iter().map(|heading| columns(heading.title)).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(columns(&cell.text));
            }
        }
        Self {
            widths: narrowed(&widths, headings, screen.width),
            headings: headings.to_vec(),
            screen,
        }
    }

    /// The line of headings, if there is one.
    #[must_use]
    pub fn head(&self) -> String {
        let titles: Vec<Cell> = self
            .headings
            .iter()
            .map(|heading| Cell::toned(heading.title, Tone::Heading))
            .collect();
        match &self.widths {
            Some(widths) => self.line(&titles, widths),
            None => String::new(),
        }
    }

    /// One row: a line, or a block where there is no room for that.
    #[must_use]
    pub fn row(&self, row: &[Cell]) -> String {
        match &self.widths {
            Some(widths) => self.line(row, widths),
            None => self.block(row),
        }
    }

    fn line(&self, cells: &[Cell], widths: &Widths) -> String {
        let mut line = String::new();
        let mut owed = 0; // blanks are written once something follows them
        let shown = cells.iter().zip(&widths.columns);
        let shown = shown.filter_map(|(cell, width)| Some((cell, (*width)?)));
        for (cell, width) in shown {
            let text = fitted(&cell.text, width);
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', owed));
                line.push_str(&self.shown(&text, cell.tone));
                owed = 0;
            }
            owed += width - columns(&text) + widths.gap;
        }
        line.push('\n');
        line
    }

    fn block(&self, row: &[Cell]) -> String {
        let title = self.headings.iter().map(|heading| columns(heading.title)).max();
        let title = title.unwrap_or_default();
        let room = self.screen.width.map(|width| width.saturating_sub(title + 2));
        let mut block = String::new();
        for (heading, cell) in self
            .headings
            .iter()
            .zip(row)
            .filter(|(_, cell)| !cell.text.is_empty())
        {
            let name = Tone::Heading.paint(heading.title, self.screen.colour);
            let blanks = " ".repeat(title - columns(heading.title) + 2);
            let text = match room {
                Some(room) if heading.shortens => fitted(&cell.text, room.max(1)),
                _ => cell.text.clone(),
            };
            let shown = self.shown(&text, cell.tone);
            let _ = writeln!(block, "{name}{blanks}{shown}"); // writing to a String can't fail
        }
        block.push('\n');
        block
    }

    fn shown(&self, text: &str, tone: Tone) -> String {
        let text = if self.screen.width.is_some() {
            isolated(text)
        } else {
            text.to_owned()
        };
        tone.paint(&text, self.screen.colour)
    }
}

/// The widths that fit, if there are such.
fn narrowed(widths: &[usize], headings: &[Heading], most: Option<usize>) -> Option<Widths> {
    let mut columns: Vec<Option<usize>> = widths.iter().copied().map(Some).collect();
    loop {
        let fit = GAPS.iter().find_map(|gap| {
            Some(Widths {
                gap: *gap,
                columns: shortened(columns.clone(), headings, *gap, most)?,
            })
        });
        if fit.is_some() {
            return fit;
        }
        let mut yielding = columns.iter_mut().zip(headings).rev();
        let (column, _) = yielding.find(|(width, heading)| heading.yields && width.is_some())?;
        *column = None;
    }
}

fn shortened(
    mut columns: Vec<Option<usize>>,
    headings: &[Heading],
    gap: usize,
    most: Option<usize>,
) -> Option<Vec<Option<usize>>> {
    let Some(most) = most else {
        return Some(columns);
    };
    loop {
        let shown = columns.iter().flatten();
        let gaps = gap * shown.clone().count().saturating_sub(1);
        if shown.sum::<usize>() + gaps <= most {
            return Some(columns);
        }
        let widths = columns.iter_mut().zip(headings);
        let widths = widths.filter_map(|(width, heading)| Some((width.as_mut()?, heading)));
        let shortening = widths.filter(|(width, heading)| heading.shortens && **width > LEAST);
        let (widest, _) = shortening.max_by_key(|(width, _)| **width)?;
        *widest -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [Heading; 3] = [
        Heading::new("NAME", false),
        Heading::new("DISPLAY NAME", true),
        Heading::new("READY", false),
    ];

    fn laid_out(rows: &[[&str; 3]], screen: Screen) -> String {
        let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.map(Cell::new).to_vec()).collect();
        table(&HEADINGS, &rows, screen)
    }

    fn columns_of(width: usize) -> Screen {
        Screen {
            width: Some(width),
            colour: false,
        }
    }

    #[test]
    fn rows_stand_under_their_headings() {
        let rows = [
            ["partner", "Nightly partner drop", "True"],
            ["tokyo", "東京へ毎晩", ""],
            ["p", "", "False"],
        ];
        let expected = "NAME      DISPLAY NAME           READY\n\
                        partner   Nightly partner drop   True\n\
                        tokyo     東京へ毎晩\n\
                        p                                False\n";
        assert_eq!(laid_out(&rows, Screen::default()), expected);
    }

    #[test]
    fn a_narrow_terminal_shortens_what_is_for_reading_and_no_name() {
        let rows = [["sftp-partner-in-tokyo", "Nightly partner drop", "True"]];
        let expected = "NAME                    DISPLAY NAME    READY\n\
                        sftp-partner-in-tokyo   Nightly partn…  True\n"
            .replace("partn…  ", "partn…   ")
            .replace("NAME    READY", "NAME     READY");
        assert_eq!(laid_out(&rows, columns_of(46)), expected);
    }

    #[test]
    fn columns_move_closer_and_then_the_last_that_may_is_left_out() {
        let headings = [
            Heading::new("NAME", false),
            Heading::new("TYPE", false).yielding(),
            Heading::new("READY", false),
            Heading::new("AGE", false).yielding(),
        ];
        let rows = vec![["partner", "sftp-export", "True", "2d"].map(Cell::new).to_vec()];
        let expected = [
            (40, "NAME      TYPE          READY   AGE"),
            (32, "NAME     TYPE         READY  AGE"),
            (31, "NAME      TYPE          READY"),
            (25, "NAME      READY"),
        ];
        for (width, head) in expected {
            let table = table(&headings, &rows, columns_of(width));
            assert_eq!(table.lines().next(), Some(head), "{width}");
        }
        let block = table(&headings, &rows, columns_of(13));
        assert_eq!(
            block,
            "NAME   partner\nTYPE   sftp-export\nREADY  True\nAGE    2d\n\n"
        );
    }

    #[test]
    fn a_very_narrow_one_shows_blocks() {
        let rows = [["sftp-partner-in-tokyo", "Nightly partner drop", "True"]];
        let expected = "NAME          sftp-partner-in-tokyo\n\
                        DISPLAY NAME  Nightly par…\n\
                        READY         True\n\n";
        assert_eq!(laid_out(&rows, columns_of(26)), expected);
    }

    #[test]
    fn a_text_of_another_direction_keeps_its_place_and_no_text_moves_the_cursor() {
        let rows = [["a", "שם", "True"], ["b", "x\u{1b}[2Jy", "True"]];
        let expected = "NAME   DISPLAY NAME   READY\n\
                        a      \u{2068}שם\u{2069}             True\n\
                        b      x\u{fffd}[2Jy         True\n";
        assert_eq!(laid_out(&rows, columns_of(80)), expected);
    }

    #[test]
    fn colours_take_no_room() {
        let row = vec![Cell::new("a"), Cell::new("b"), Cell::toned("True", Tone::Good)];
        let screen = Screen {
            width: None,
            colour: true,
        };
        let layout = Layout::of(&HEADINGS, std::slice::from_ref(&row), screen);
        assert_eq!(
            layout.row(&row),
            "a      b              \u{1b}[32mTrue\u{1b}[0m\n"
        );
    }
}
