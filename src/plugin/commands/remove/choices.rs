//! What becomes of those who use what is to be removed.

use crate::governance::message::capitalized;
use crate::plugin::prompt::{Prompt, PromptError, Question};
use crate::plugin::users::User;
use std::collections::BTreeMap;

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

/// What becomes of whom, by uid.
pub type Fates = BTreeMap<String, Fate>;

/// Asks for all of them or for each; nothing if somebody stops there. Stopping comes first: a key that was pressed too
/// often changes nothing.
///
/// # Errors
/// If nobody can be asked, or somebody interrupts.
pub fn decided(prompt: &dyn Prompt, users: &[User]) -> Result<Option<Vec<Fate>>, PromptError> {
    let mut options = vec![
        "Stop here: all of them stay",
        "Let all go: they keep their configuration, and do nothing until they get another connection",
        "Remove all of them",
    ];
    if users.len() > 1 {
        options.push("Decide about each");
    }
    let question = Question {
        text: "What is to become of them?",
        help: None,
        flag: FLAG,
    };
    let options: Vec<String> = options.into_iter().map(str::to_owned).collect();
    match prompt.choose(question, &options)? {
        1 => Ok(Some(vec![Fate::LetGo; users.len()])),
        2 => Ok(Some(vec![Fate::Removed; users.len()])),
        3 if users.len() > 1 => each(prompt, users),
        _ => Ok(None),
    }
}

fn each(prompt: &dyn Prompt, users: &[User]) -> Result<Option<Vec<Fate>>, PromptError> {
    let mut fates = Vec::new();
    for user in users {
        let options = [
            "Stop here: all of them stay".to_owned(),
            format!("{}: it keeps its configuration", capitalized(user.let_go())),
            "Remove".to_owned(),
        ];
        let question = Question {
            text: &format!("{} ({})?", user.called(), user.display_name),
            help: None,
            flag: FLAG,
        };
        match prompt.choose(question, &options)? {
            1 => fates.push(Fate::LetGo),
            2 => fates.push(Fate::Removed),
            _ => return Ok(None),
        }
    }
    Ok(Some(fates))
}

/// All that will happen, for whoever is about to type the name.
#[must_use]
pub fn told(users: &[User], fates: &Fates, secrets: &str) -> String {
    let width = users
        .iter()
        .map(|user| user.called().len())
        .max()
        .unwrap_or_default();
    let lines = users.iter().filter_map(|user| {
        let called = user.called();
        Some(match fates.get(&user.uid)? {
            Fate::LetGo => format!(
                "  {called:<width$}  {}, and keeps its configuration\n",
                Fate::LetGo.told(user)
            ),
            Fate::Removed => format!("  {called:<width$}  removed for good\n"),
        })
    });
    format!("Before it goes:\n{}{secrets}", lines.collect::<String>())
}
