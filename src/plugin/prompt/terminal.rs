//! Questions at a terminal.

use super::{Check, Prompt, PromptError, Question, hidden};
use inquire::error::InquireError;
use inquire::ui::RenderConfig;
use inquire::validator::{StringValidator, Validation};
use inquire::{CustomUserError, Select, Text};
use zeroize::Zeroizing;

/// The word by which somebody agrees.
const AGREED: &str = "I agree";

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
        let help = question.help.map(|help| format!(" [{help}]")).unwrap_or_default();
        let typed = hidden::asked(&format!("{}{help} (not shown) ", question.text));
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
}
