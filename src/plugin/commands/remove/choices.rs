//! What becomes of those who use what is to be removed.

use crate::plugin::prompt::{Prompt, PromptError, Question};
use crate::plugin::users::User;

/// What becomes of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It keeps its configuration, without a connection.
    LetGo,
    /// It goes too.
    Removed,
}

impl Fate {
    /// What has become of it.
    #[must_use]
    pub fn told(self, user: &User) -> &'static str {
        match (self, user.let_go()) {
            (Self::Removed, _) => "removed",
            (Self::LetGo, "deactivate") => "deactivated",
            (Self::LetGo, _) => "detached",
        }
    }
}

const FLAG: &str = "--detach-all or --remove-all";

/// Asks for all of them or for each; nothing if somebody stops there.
///
/// # Errors
/// If nobody can be asked, or somebody interrupts. Nothing has changed then.
pub fn decided(prompt: &dyn Prompt, users: &[User]) -> Result<Option<Vec<Fate>>, PromptError> {
    let all = [
        "Let all go: they keep their configuration, and do nothing until they get another connection",
        "Remove all of them",
        "Decide about each",
        "Stop here: everything stays",
    ];
    let question = Question {
        text: "What is to become of them?",
        help: None,
        flag: FLAG,
    };
    let options = if users.len() == 1 {
        vec![all[0], all[1], all[3]]
    } else {
        all.to_vec()
    };
    let chosen = prompt.choose(
        question,
        &options.iter().map(|&it| it.to_owned()).collect::<Vec<_>>(),
    )?;
    match options.get(chosen) {
        Some(&option) if option == all[0] => Ok(Some(vec![Fate::LetGo; users.len()])),
        Some(&option) if option == all[1] => Ok(Some(vec![Fate::Removed; users.len()])),
        Some(&option) if option == all[2] => each(prompt, users),
        _ => Ok(None),
    }
}

fn each(prompt: &dyn Prompt, users: &[User]) -> Result<Option<Vec<Fate>>, PromptError> {
    let mut fates = Vec::new();
    for user in users {
        let options = [
            format!("{}: it keeps its configuration", capital(user.let_go())),
            "Remove".to_owned(),
            "Stop here: everything stays".to_owned(),
        ];
        let question = Question {
            text: &format!("{} ({})?", user.called(), user.display_name),
            help: None,
            flag: FLAG,
        };
        match prompt.choose(question, &options)? {
            0 => fates.push(Fate::LetGo),
            1 => fates.push(Fate::Removed),
            _ => return Ok(None),
        }
    }
    Ok(Some(fates))
}

fn capital(word: &str) -> String {
    crate::governance::message::capitalized(word)
}
