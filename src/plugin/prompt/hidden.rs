//! A text that isn't shown, as it's typed or pasted.

use super::PromptError;
use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll,
    read,
};
use crossterm::execute;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use std::io::{self, Write};
use std::time::Duration;
use zeroize::Zeroizing;

/// Most bytes: as many as a Secret may hold fit, without the text ever being moved in memory.
const MOST: usize = 1 << 20;
/// What follows an Enter so soon was pasted with it: nobody types as fast.
const AT_ONCE: Duration = Duration::from_millis(50);
/// Once something was pasted, this long a silence is its end.
const SILENCE: Duration = Duration::from_millis(300);

const LINES: &str = "That has several lines";
const LENGTH: &str = "That is more than a Secret holds";

/// While it lives the terminal hands over each key and shows none, and says where a paste begins and ends.
struct Raw;

impl Raw {
    fn enter() -> Result<Self, PromptError> {
        enable_raw_mode().map_err(PromptError::Terminal)?;
        let raw = Self;
        // A terminal that doesn't know pastes goes on as before, and is seen through by what follows an Enter.
        let _ = execute!(io::stderr(), EnableBracketedPaste);
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = execute!(io::stderr(), DisableBracketedPaste); // there is nobody left to tell
        let _ = disable_raw_mode();
    }
}

/// What comes from a keyboard: the next event, or nothing within that time; without one it waits for ever.
type Events<'a> = dyn FnMut(Option<Duration>) -> io::Result<Option<Event>> + 'a;

/// Asks for it at the terminal of this process. Nothing of it is left there for whoever reads next, however it ends.
pub(super) fn asked(question: &str) -> Result<Zeroizing<String>, PromptError> {
    let _raw = Raw::enter()?; // before anybody is asked to type
    let mut terminal = io::stderr();
    let told = write!(terminal, "{question}").and_then(|()| terminal.flush());
    told.map_err(PromptError::Terminal)?;
    taken(&mut |patience| match patience {
        Some(patience) if !poll(patience)? => Ok(None),
        _ => read().map(Some),
    })
}

fn taken(events: &mut Events<'_>) -> Result<Zeroizing<String>, PromptError> {
    let mut text = Zeroizing::new(String::with_capacity(MOST));
    let ended = filled(&mut text, events);
    let more = left(events).map_err(PromptError::Terminal)?;
    ended?;
    if more {
        return Err(PromptError::Unfit { why: LINES });
    }
    Ok(text)
}

/// Up to the Enter.
fn filled(text: &mut Zeroizing<String>, events: &mut Events<'_>) -> Result<(), PromptError> {
    loop {
        let Some(event) = events(None).map_err(PromptError::Terminal)? else {
            continue;
        };
        match meant(event) {
            Meant::End => return Ok(()),
            Meant::Stop => return Err(PromptError::Interrupted),
            Meant::Back => {
                text.pop();
            }
            Meant::Text(more) if text.len() + more.len() > MOST => {
                return Err(PromptError::Unfit { why: LENGTH });
            }
            Meant::Text(more) => text.push_str(&more),
            Meant::Nothing => {}
        }
    }
}

/// Takes away what is still on its way: it would be shown at the next question, or run by the shell. Tells whether there
/// was any.
fn left(events: &mut Events<'_>) -> io::Result<bool> {
    let mut patience = AT_ONCE;
    while let Some(event) = events(Some(patience))? {
        if meant(event) != Meant::Nothing {
            patience = SILENCE;
        }
    }
    Ok(patience == SILENCE)
}

#[derive(Debug, PartialEq, Eq)]
enum Meant {
    Text(Zeroizing<String>),
    Back,
    End,
    Stop,
    Nothing,
}

fn meant(event: Event) -> Meant {
    match event {
        Event::Key(key) => pressed(key),
        Event::Paste(text) => Meant::Text(lines(&Zeroizing::new(text))),
        _ => Meant::Nothing,
    }
}

fn pressed(key: KeyEvent) -> Meant {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        _ if key.kind == KeyEventKind::Release => Meant::Nothing,
        KeyCode::Enter => Meant::End,
        KeyCode::Esc => Meant::Stop,
        KeyCode::Char('j') if control => Meant::End, // a line feed
        KeyCode::Char('c' | 'd') if control => Meant::Stop,
        KeyCode::Char(_) if control => Meant::Nothing,
        KeyCode::Char(letter) => Meant::Text(Zeroizing::new(letter.to_string())),
        KeyCode::Tab => Meant::Text(Zeroizing::new("\t".to_owned())),
        KeyCode::Backspace => Meant::Back,
        _ => Meant::Nothing,
    }
}

/// The lines of a paste: terminals hand over a carriage return where the text has a line feed.
fn lines(pasted: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(pasted.len()));
    let mut letters = pasted.chars().peekable();
    while let Some(letter) = letters.next() {
        let alone = letter == '\r' && letters.peek() != Some(&'\n');
        text.push(if alone { '\n' } else { letter });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    fn plain(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn control(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
    }

    fn text(text: &str) -> Meant {
        Meant::Text(Zeroizing::new(text.to_owned()))
    }

    /// Keys, one a letter, as a terminal hands them over.
    fn keys(text: &str) -> Vec<Event> {
        let key = |letter| match letter {
            '\r' => plain(KeyCode::Enter),
            '\n' => control('j'),
            '\u{3}' => control('c'),
            letter => plain(KeyCode::Char(letter)),
        };
        text.chars().map(|letter| Event::Key(key(letter))).collect()
    }

    /// What is taken of these events, and how many are left for whoever reads next.
    fn told(events: Vec<Event>) -> (Result<String, String>, usize) {
        let mut events = VecDeque::from(events);
        let taken = taken(&mut |_| Ok(events.pop_front()));
        let taken = taken.map(|text| text.to_string());
        (taken.map_err(|error| error.to_string()), events.len())
    }

    #[test]
    fn keys_mean_what_they_mean_elsewhere() {
        let shift = KeyEvent::new(KeyCode::Char('A'), KeyModifiers::SHIFT);
        let rows = [
            (plain(KeyCode::Char('ß')), text("ß")),
            (shift, text("A")),
            (plain(KeyCode::Tab), text("\t")),
            (plain(KeyCode::Backspace), Meant::Back),
            (plain(KeyCode::Enter), Meant::End),
            (control('j'), Meant::End),
            (plain(KeyCode::Esc), Meant::Stop),
            (control('c'), Meant::Stop),
            (control('u'), Meant::Nothing),
            (plain(KeyCode::Left), Meant::Nothing),
        ];
        for (key, expected) in rows {
            assert_eq!(pressed(key), expected, "{key:?}");
        }
    }

    #[test]
    fn of_several_lines_nothing_is_left_for_the_next_question() {
        let several = Err("That has several lines: it can come from a file. Nothing has changed.".to_owned());
        let stopped = Err("Interrupted; nothing has changed.".to_owned());
        let resized = vec![Event::Resize(80, 24)];
        let rows = [
            ("one line", keys("abc\r"), Ok("abc".to_owned())),
            (
                "several, as keys",
                keys("-----BEGIN\rabc\r-----END\r"),
                several.clone(),
            ),
            ("several, by line feeds", keys("a\nb"), several),
            (
                "a window that changes",
                [keys("abc\r"), resized].concat(),
                Ok("abc".to_owned()),
            ),
            ("stopped in the middle", keys("ab\u{3}cd\r"), stopped),
        ];
        for (case, events, expected) in rows {
            assert_eq!(told(events), (expected, 0), "{case}");
        }
    }

    #[test]
    fn a_paste_is_taken_whole_where_the_terminal_tells_of_it() {
        let rows = [
            ("-----BEGIN\rabc\r-----END\r", "-----BEGIN\nabc\n-----END\n"),
            ("a\nb", "a\nb"),
            ("a\r\nb", "a\r\nb"),
        ];
        for (pasted, expected) in rows {
            let events = [vec![Event::Paste(pasted.to_owned())], keys("!\r")].concat();
            assert_eq!(told(events), (Ok(format!("{expected}!")), 0), "{pasted:?}");
        }
        let (too_much, left) = told([vec![Event::Paste("a".repeat(MOST + 1))], keys("b\r")].concat());
        let expected = "That is more than a Secret holds: it can come from a file. Nothing has changed.";
        assert_eq!((too_much, left), (Err(expected.to_owned()), 0));
    }
}
