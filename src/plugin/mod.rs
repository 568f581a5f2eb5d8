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
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// The command line.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "kubectl-connections",
    bin_name = "kubectl connections",
    version,
    about = "Governs where customer data may go: connections, consent, sharing",
    after_help = "Exit codes: 0 done; 1 refused, or not so; 2 called wrongly, or it can't be told; 130 interrupted. Steps that were \
                  done before are told."
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
    /// Whether another program has the terminal just now.
    lent: AtomicBool,
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

    /// Shows what a question is about: where the result goes elsewhere, to whoever is asked.
    pub fn show_asked(&self, text: &str) {
        if self.asks && !std::io::stdout().is_terminal() {
            write(std::io::stderr().lock(), text);
        } else {
            self.show(text);
        }
    }

    /// Lets another program have the terminal: Ctrl-C is one of its keys then.
    pub async fn lend_terminal<T>(&self, to: impl Future<Output = T>) -> T {
        self.lent.store(true, Ordering::Relaxed);
        let done = to.await;
        self.lent.store(false, Ordering::Relaxed);
        done
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
        lent: AtomicBool::new(false),
    };
    let look = arguments.command.look();
    let mut work = Box::pin(arguments.command.run(&session));
    let done = loop {
        tokio::select! {
            biased; // whoever has the terminal is known before its end is
            // While a question is open Ctrl-C is a key, and ends it; this is for the time in between.
            _ = tokio::signal::ctrl_c() => {
                if !session.lent.load(Ordering::Relaxed) {
                    drop(work); // and with it what it shows of its progress
                    session.note(&interrupted(look.as_deref()));
                    return Exit::Interrupted;
                }
            }
            done = &mut work => break done,
        }
    };
    done.unwrap_or_else(|failure| {
        session.note(&failure.told);
        failure.exit
    })
}

fn interrupted(look: Option<&str>) -> String {
    match look {
        Some(look) => format!("Interrupted. To see how it stands: {look}"),
        None => "Interrupted.".to_owned(),
    }
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
    fn whoever_interrupts_a_change_is_told_where_to_look() {
        let rows = [
            (
                &["remove", "partner"][..],
                Some("kubectl connections describe partner"),
            ),
            (
                &["withdraw", "keyvault/company"],
                Some("kubectl connections vault list company"),
            ),
            (
                &["suspend", "export/nightly"],
                Some("kubectl describe export nightly"),
            ),
            (&["attach", "nightly"], Some("kubectl describe export nightly")),
            (
                &["activate", "companies"],
                Some("kubectl describe enrichment companies"),
            ),
            (&["add", "sftp-export"], Some("kubectl connections list")),
            (&["export", "create"], Some("kubectl get exports")),
            (
                &["vault", "unlink", "company"],
                Some("kubectl connections vault list"),
            ),
            (&["vault", "list"], None),
            (&["list", "--watch"], None),
        ];
        for (line, expected) in rows {
            let line = ["kubectl-connections"].into_iter().chain(line.iter().copied());
            let arguments = Arguments::try_parse_from(line).expect("a command line");
            assert_eq!(arguments.command.look().as_deref(), expected);
        }
        assert_eq!(
            interrupted(Some("kubectl get exports")),
            "Interrupted. To see how it stands: kubectl get exports"
        );
    }

    #[test]
    fn exit_codes_are_as_documented() {
        let codes = [Exit::Done, Exit::Not, Exit::Unclear, Exit::Interrupted].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 130]);
    }
}
