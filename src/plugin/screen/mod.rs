//! What is shown: how wide, in which colours, in which form.

pub mod age;
pub mod format;
pub mod nearest;
pub mod style;
pub mod table;
pub mod template;
pub mod width;

pub use format::Format;
pub use style::Tone;

use std::io::IsTerminal;

/// What results are shown on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// How many columns there are; without bound where it's no terminal.
    pub width: Option<usize>,
    /// Whether colours are wanted.
    pub colour: bool,
}

impl Screen {
    /// That of this process's standard output.
    #[must_use]
    pub fn of_process() -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::default();
        }
        let size = crossterm::terminal::size().ok();
        let width = size.map(|(columns, _)| usize::from(columns));
        Self {
            width: width.filter(|width| *width > 0),
            colour: wants_colour(),
        }
    }
}

/// Whether people want colours at a terminal: <https://no-color.org> says how they say that they don't.
#[must_use]
pub fn wants_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}
