//! What people are asked. Where there is nobody to ask, each question names the flag that answers it.

mod hidden;
mod terminal;

use super::exit::{Exit, Fault};
use std::io::IsTerminal;
use thiserror::Error;
use zeroize::Zeroizing;

/// A question to a person.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The question itself.
    pub text: &'a str,
    /// More about it: what it's for, an example.
    pub help: Option<&'a str>,
    /// The flag by which a script answers it, such as `--yes`.
    pub flag: &'a str,
}

/// Looks at an answer while it is typed: the error says what is expected.
pub type Check<'a> = dyn Fn(&str) -> Result<(), String> + 'a;

/// Whoever answers questions.
pub trait Prompt {
    /// A line of text that passes the check.
    ///
    /// # Errors
    /// See [`PromptError`]; so for all of them.
    fn text(&self, question: Question<'_>, check: &Check<'_>) -> Result<String, PromptError>;

    /// A text that isn't shown: typed, or pasted with all its lines. What is returned is wiped from memory after use; what
    /// the terminal and its library held on the way is not.
    ///
    /// # Errors
    /// See [`PromptError`].
    fn hidden(&self, question: Question<'_>) -> Result<Zeroizing<String>, PromptError>;

    /// The position of one of these.
    ///
    /// # Errors
    /// See [`PromptError`].
    fn choose(&self, question: Question<'_>, options: &[String]) -> Result<usize, PromptError>;

    /// Whether somebody agrees. There is no default: one must type the word.
    ///
    /// # Errors
    /// See [`PromptError`].
    fn agree(&self, question: Question<'_>) -> Result<bool, PromptError>;

    /// Whether somebody wants it. There is no default: one must type yes or no.
    ///
    /// # Errors
    /// See [`PromptError`].
    fn confirm(&self, question: Question<'_>) -> Result<bool, PromptError>;
}

/// Whether somebody types this name, and so wants what nothing brings back. `act` says what they'd do to it, such as
/// `remove it`. Nothing typed means no.
///
/// # Errors
/// See [`PromptError`].
pub fn types_name(prompt: &dyn Prompt, text: &str, name: &str, act: &str) -> Result<bool, PromptError> {
    let question = Question {
        text,
        help: Some("nothing, to keep it"),
        flag: "--yes",
    };
    let check = |answer: &str| match answer.trim() {
        "" => Ok(()),
        typed if typed == name => Ok(()),
        _ => Err(format!(
            "That isn't its name. Type {name} to {act}, or nothing to keep it."
        )),
    };
    Ok(prompt.text(question, &check)?.trim() == name)
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum PromptError {
    /// There is nobody to ask.
    #[error("There is no terminal to ask at: {question} Answer it by {flag}.")]
    Nobody {
        /// The question.
        question: String,
        /// The flag that answers it.
        flag: String,
    },
    /// Somebody pressed Ctrl-C or Esc.
    #[error("Interrupted; nothing has changed.")]
    Interrupted,
    /// What was given can't be taken so.
    #[error("{why}: it can come from a file. Nothing has changed.")]
    Unfit {
        /// Why, as the beginning of a sentence.
        why: &'static str,
    },
    /// The terminal doesn't do what terminals do.
    #[error("The terminal can't be asked at: {0}.")]
    Terminal(#[source] std::io::Error),
}

impl Fault for PromptError {
    fn exit(&self) -> Exit {
        match self {
            Self::Nobody { .. } | Self::Unfit { .. } | Self::Terminal(_) => Exit::Unclear,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

/// The person at the terminal of this process, or nobody. Questions go to standard error, so that a result can be piped.
#[must_use]
pub fn of_process() -> Box<dyn Prompt> {
    if is_somebody_there() {
        Box::new(terminal::Person)
    } else {
        Box::new(Nobody)
    }
}

/// Whether anybody can be asked.
#[must_use]
pub fn is_somebody_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A pipeline: it is asked nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Nobody {
    fn answer<T>(question: Question<'_>) -> Result<T, PromptError> {
        Err(PromptError::Nobody {
            question: question.text.to_owned(),
            flag: question.flag.to_owned(),
        })
    }
}

impl Prompt for Nobody {
    fn text(&self, question: Question<'_>, _: &Check<'_>) -> Result<String, PromptError> {
        Self::answer(question)
    }

    fn hidden(&self, question: Question<'_>) -> Result<Zeroizing<String>, PromptError> {
        Self::answer(question)
    }

    fn choose(&self, question: Question<'_>, _: &[String]) -> Result<usize, PromptError> {
        Self::answer(question)
    }

    fn agree(&self, question: Question<'_>) -> Result<bool, PromptError> {
        Self::answer(question)
    }

    fn confirm(&self, question: Question<'_>) -> Result<bool, PromptError> {
        Self::answer(question)
    }
}

/// Somebody in a test, who gives these answers: a text, the number of an option, `yes` or anything else.
#[cfg(test)]
pub struct Scripted(std::cell::RefCell<std::collections::VecDeque<String>>);

#[cfg(test)]
impl Scripted {
    /// With these answers, in order.
    #[must_use]
    pub fn new(answers: &[&str]) -> Self {
        Self(std::cell::RefCell::new(
            answers.iter().map(|&answer| answer.to_owned()).collect(),
        ))
    }

    /// The next answer; who has none left interrupts.
    fn next(&self) -> Result<String, PromptError> {
        self.0.borrow_mut().pop_front().ok_or(PromptError::Interrupted)
    }

    /// How many answers nobody asked for.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.borrow().len()
    }
}

#[cfg(test)]
impl Prompt for Scripted {
    fn text(&self, _: Question<'_>, check: &Check<'_>) -> Result<String, PromptError> {
        loop {
            let answer = self.next()?;
            if check(&answer).is_ok() {
                return Ok(answer);
            }
        }
    }

    fn hidden(&self, _: Question<'_>) -> Result<Zeroizing<String>, PromptError> {
        self.next().map(Zeroizing::new)
    }

    fn choose(&self, _: Question<'_>, _: &[String]) -> Result<usize, PromptError> {
        Ok(self.next()?.parse().unwrap_or(usize::MAX))
    }

    fn agree(&self, _: Question<'_>) -> Result<bool, PromptError> {
        Ok(self.next()? == "I agree")
    }

    fn confirm(&self, _: Question<'_>) -> Result<bool, PromptError> {
        Ok(self.next()? == "yes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_can_be_asked_the_flag_is_named() {
        let question = Question {
            text: "Which type?",
            help: None,
            flag: "--type",
        };
        let told = "There is no terminal to ask at: Which type? Answer it by --type.";
        let refused = [
            Nobody.text(question, &|_| Ok(())).map(|_| ()),
            Nobody.hidden(question).map(|_| ()),
            Nobody.choose(question, &[]).map(|_| ()),
            Nobody.agree(question).map(|_| ()),
            Nobody.confirm(question).map(|_| ()),
        ];
        for refused in refused {
            let refused = refused.expect_err("nobody");
            assert_eq!(
                (refused.to_string().as_str(), refused.exit()),
                (told, Exit::Unclear)
            );
        }
    }
}
