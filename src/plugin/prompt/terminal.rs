//! Questions at a terminal.

use super::{Check, Prompt, PromptError, Question};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use inquire::error::InquireError;
use inquire::ui::RenderConfig;
use inquire::validator::{StringValidator, Validation};
use inquire::{CustomUserError, Select, Text};
use std::io::Write;
use zeroize::Zeroizing;

/// The word by which somebody agrees.
const AGREED: &str = "I agree";
/// Most bytes of a text that isn't shown: as many as a Secret may hold fit, without the text ever being moved in memory.
const HIDDEN_MAX: usize = 1 << 20;

/// Whoever sits at the terminal.
pub(super) struct Person;

impl Prompt for Person {
    fn text(&self, question: Question<'_>, check: &Check<'_>) -> Result<String, PromptError> {
        let mut before = String::new();
        loop {
            let asked = Text::new(question.text)
                .with_render_config(colours())
                .with_initial_value(&before);
            let asked = question.help.into_iter().fold(asked, Text::with_help_message);
            let answer = asked.prompt().map_err(unanswered)?;
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(expected) => eprintln!("{expected}"),
            }
            before = answer;
        }
    }

    /// Of one's own, as the library keeps copies of what is typed.
    fn hidden(&self, question: Question<'_>) -> Result<Zeroizing<String>, PromptError> {
        let mut terminal = std::io::stderr();
        let help = question.help.map(|help| format!(" [{help}]")).unwrap_or_default();
        write!(terminal, "{}{help} (not shown) ", question.text).map_err(PromptError::Terminal)?;
        terminal.flush().map_err(PromptError::Terminal)?;
        let raw = Raw::enter()?;
        let typed = typed();
        drop(raw);
        eprintln!();
        typed
    }

    fn choose(&self, question: Question<'_>, options: &[String]) -> Result<usize, PromptError> {
        let asked = Select::new(question.text, options.to_vec()).with_render_config(colours());
        let asked = question.help.into_iter().fold(asked, Select::with_help_message);
        let chosen = asked.raw_prompt().map_err(unanswered)?;
        Ok(chosen.index)
    }

    fn agree(&self, question: Question<'_>) -> Result<bool, PromptError> {
        typed_out(question, AGREED)
    }

    fn confirm(&self, question: Question<'_>) -> Result<bool, PromptError> {
        typed_out(question, "yes")
    }
}

/// Whether somebody types this word; `no` is the other one.
fn typed_out(question: Question<'_>, word: &'static str) -> Result<bool, PromptError> {
    let help = format!("type {word:?}, or no");
    let asked = Text::new(question.text)
        .with_render_config(colours())
        .with_help_message(question.help.unwrap_or(&help))
        .with_validator(YesOrNo(word));
    let answer = asked.prompt().map_err(unanswered)?;
    Ok(says(&answer, word) == Some(true))
}

/// Agreement by its word alone: a key that was pressed too often is none.
fn says(answer: &str, word: &str) -> Option<bool> {
    let answer = answer.trim().to_lowercase();
    match answer.as_str() {
        "no" | "n" => Some(false),
        _ if answer == word.to_lowercase() => Some(true),
        _ => None,
    }
}

#[derive(Clone)]
struct YesOrNo(&'static str);

impl StringValidator for YesOrNo {
    fn validate(&self, answer: &str) -> Result<Validation, CustomUserError> {
        Ok(match says(answer, self.0) {
            Some(_) => Validation::Valid,
            None => Validation::Invalid(format!("Type {:?}, or no.", self.0).into()),
        })
    }
}

fn colours() -> RenderConfig<'static> {
    if crate::plugin::screen::wants_colour() {
        RenderConfig::default_colored()
    } else {
        RenderConfig::empty()
    }
}

fn unanswered(error: InquireError) -> PromptError {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => PromptError::Interrupted,
        InquireError::IO(error) => PromptError::Terminal(error),
        other => PromptError::Terminal(std::io::Error::other(other.to_string())),
    }
}

/// While it lives the terminal hands over each key, and shows none.
struct Raw;

impl Raw {
    fn enter() -> Result<Self, PromptError> {
        enable_raw_mode().map_err(PromptError::Terminal)?;
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = disable_raw_mode(); // there is nobody left to tell
    }
}

fn typed() -> Result<Zeroizing<String>, PromptError> {
    let mut text = Zeroizing::new(String::with_capacity(HIDDEN_MAX));
    loop {
        let Event::Key(key) = read().map_err(PromptError::Terminal)? else {
            continue;
        };
        match meant(key) {
            Meant::End => return Ok(text),
            Meant::Stop => return Err(PromptError::Interrupted),
            Meant::Back => {
                text.pop();
            }
            Meant::Letter(letter) if text.len() + letter.len_utf8() <= HIDDEN_MAX => text.push(letter),
            Meant::Letter(_) | Meant::Nothing => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Meant {
    Letter(char),
    Back,
    End,
    Stop,
    Nothing,
}

fn meant(key: KeyEvent) -> Meant {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        _ if key.kind == KeyEventKind::Release => Meant::Nothing,
        KeyCode::Enter => Meant::End,
        KeyCode::Esc => Meant::Stop,
        KeyCode::Char('c' | 'd') if control => Meant::Stop,
        KeyCode::Char(_) if control => Meant::Nothing,
        KeyCode::Char(letter) => Meant::Letter(letter),
        KeyCode::Backspace => Meant::Back,
        _ => Meant::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_agrees_by_accident() {
        let rows = [
            ("", None),
            ("y", None),
            ("yes", None),
            ("I agree", Some(true)),
            (" i AGREE ", Some(true)),
            ("I agreed", None),
            ("no", Some(false)),
        ];
        for (answer, expected) in rows {
            assert_eq!(says(answer, AGREED), expected, "{answer:?}");
        }
    }

    #[test]
    fn keys_mean_what_they_mean_elsewhere() {
        let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let rows = [
            (plain(KeyCode::Char('ß')), Meant::Letter('ß')),
            (
                KeyEvent::new(KeyCode::Char('A'), KeyModifiers::SHIFT),
                Meant::Letter('A'),
            ),
            (plain(KeyCode::Backspace), Meant::Back),
            (plain(KeyCode::Enter), Meant::End),
            (plain(KeyCode::Esc), Meant::Stop),
            (control('c'), Meant::Stop),
            (control('u'), Meant::Nothing),
            (plain(KeyCode::Left), Meant::Nothing),
        ];
        for (key, expected) in rows {
            assert_eq!(meant(key), expected, "{key:?}");
        }
    }
}
