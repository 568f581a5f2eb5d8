//! `kubectl connections`: the dialogues of the product at the command line, for people and scripts.
//!
//! The plugin has no rights of its own. Whatever it does, it does through the API server as the user of the
//! kubeconfig, and what it tells is what that user may read.
//!
//! **How a command is added.** Each has a file `commands/<name>.rs`, or a folder once it is long, with
//! - the arguments, a `clap::Args` struct whose doc comments are its help;
//! - `run(arguments, &Session) -> Result<Exit, Failure>`, which asks the cluster, and the person where something is missing;
//! - pure functions from objects to the text that is shown, tested by tables without a cluster (their `now` is an argument);
//! - its messages in one place, and its errors as an enum that implements [`exit::Fault`]: what is wrong, where, the next step.
//!
//! It is named in [`commands::Command`] and its `run`, told of in `docs/kubectl-plugin.md`, and has a story on the real API
//! server in `tests/stories/plugin`, as each kind of user. What it asks it asks through [`prompt::Prompt`], and each
//! question names the flag that answers it. Everything that is written to the screen goes through
//! [`Session::show`] (the result, standard output) or [`Session::note`] (about it, standard error).

pub mod cluster;
pub mod commands;
pub mod exit;
pub mod lookup;
pub mod offered;
pub mod prompt;
pub mod screen;
pub mod target;
pub mod users;

pub use exit::{Exit, Failure};

use clap::Parser;
use cluster::{Cluster, ClusterError, Flags};
use prompt::Prompt;
use screen::Screen;
use std::io::Write;

/// The command line.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "kubectl-connections",
    bin_name = "kubectl connections",
    version,
    about = "Governs where customer data may go: connections, consent, sharing",
    after_help = "Exit codes: 0 done; 1 refused, or not so; 2 called wrongly, or it can't be told; 130 interrupted."
)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: commands::Command,
}

/// What every command works with.
pub struct Session {
    flags: Flags,
    /// What the result is shown on.
    pub screen: Screen,
    /// Who is asked.
    pub prompt: Box<dyn Prompt>,
    /// Whether there is somebody to ask.
    pub asks: bool,
}

impl Session {
    /// The cluster that the flags and the kubeconfig name.
    ///
    /// # Errors
    /// If they name none.
    pub async fn cluster(&self) -> Result<Cluster, ClusterError> {
        Cluster::connect(&self.flags).await
    }

    /// Shows a result.
    pub fn show(&self, text: &str) {
        write(std::io::stdout().lock(), text);
    }

    /// Tells something about it.
    pub fn note(&self, text: &str) {
        write(std::io::stderr().lock(), &format!("{text}\n"));
    }
}

/// Whoever reads may have seen enough: a pipe that was closed is no error.
fn write(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

/// Does what the command line says, and tells how that ended.
pub async fn run(arguments: Arguments) -> Exit {
    let session = Session {
        flags: arguments.flags,
        screen: Screen::of_process(),
        prompt: prompt::of_process(),
        asks: prompt::is_somebody_there(),
    };
    let done = tokio::select! {
        done = arguments.command.run(&session) => done,
        // While a question is open Ctrl-C is a key, and ends it; this is for the time in between.
        _ = tokio::signal::ctrl_c() => return Exit::Interrupted,
    };
    done.unwrap_or_else(|failure| {
        session.note(&failure.told);
        failure.exit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_fits_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn exit_codes_are_as_documented() {
        let codes = [Exit::Done, Exit::Not, Exit::Unclear, Exit::Interrupted].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 130]);
    }
}
