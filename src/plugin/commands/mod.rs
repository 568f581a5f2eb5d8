//! The commands, one file or folder each.

pub mod add;
pub mod attach;
pub mod audit;
pub mod completion;
pub mod consent;
pub mod create;
pub mod describe;
pub mod discover;
pub mod doctor;
pub mod edit;
pub mod list;
pub mod logs;
pub mod made;
pub mod remove;
pub mod rest;
pub mod run;
pub mod runs;
pub mod share;
pub mod told;
pub mod vault;

use super::target::{Kind, Target};
use super::{Exit, Failure, Session};
use crate::api::{Enrichment, Export};

/// What can be done.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Show the services that data can go to or be enriched by, and what a connection to each needs.
    Discover(discover::Discover),
    /// Make a connection: what its type needs is asked for, its notice is shown, and it is agreed to.
    Add(Box<add::Add>),
    /// Change a connection, by flags or in the editor; what needs consent again is said before it's saved.
    Edit(Box<edit::Edit>),
    /// Make exports.
    #[command(subcommand)]
    Export(create::ExportCommand),
    /// Make enrichments.
    #[command(subcommand)]
    Enrich(create::EnrichCommand),
    /// Link the company's own vault, see what may be named of it, and take the link away.
    #[command(subcommand)]
    Vault(vault::Vault),
    /// Show who consented to what and when, who may use what now, and what ran.
    Audit(audit::Audit),
    /// See whether the operator is there and well, and what to do where something isn't.
    Doctor(doctor::Doctor),
    /// Print the completion script of a shell.
    Completion(completion::Completion),
    /// What shells ask.
    #[command(name = "__complete", hide = true)]
    Complete(completion::Words),
    /// Show all that one wants to know of a connection; what is wrong, and the next step, first.
    Describe(describe::Describe),
    /// Show the notice and the destination of a connection or a link to a vault, and agree to it in one's own name.
    Consent(consent::Consent),
    /// Take consent back: all runs by it stop.
    Withdraw(consent::Withdraw),
    /// Share a connection with all contributors of the namespace, or with one person or group.
    Share(share::Share),
    /// Take that back: exports that are there keep running.
    Unshare(share::Share),
    /// Let a connection, an export or an enrichment rest: everything stays, and nothing runs.
    Suspend(rest::Rest),
    /// Let it go on.
    Resume(rest::Rest),
    /// Put an export on a connection.
    Attach(attach::Attach),
    /// Take an export off its connection: it keeps its configuration, and does nothing.
    Detach(attach::Detach),
    /// Put an enrichment on a connection.
    Activate(attach::Attach),
    /// Take an enrichment off its connection: it keeps its configuration and its last good output.
    Deactivate(attach::Detach),
    /// Have an export run now; with --wait, show how far it is until it has ended.
    Run(run::Run),
    /// Show the newest runs: when, how they ended, how many rows were sent, and why if they weren't.
    Runs(runs::Runs),
    /// Show what the newest run of an export wrote to its log, to those who may read logs of pods.
    Logs(logs::Logs),
    /// Remove a connection, and decide what becomes of those who use it.
    Remove(remove::Remove),
    /// List connections: their type, who has access, whether they are ready, and how often they are in use.
    List(list::List),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// Why it wasn't done.
    pub async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Self::Discover(asked) => discover::run(asked, session).await,
            Self::Add(asked) => add::run(*asked, session).await,
            Self::Edit(asked) => edit::run(*asked, session).await,
            Self::Export(asked) => create::export(asked, session).await,
            Self::Enrich(asked) => create::enrich(asked, session).await,
            Self::Vault(asked) => vault::run(asked, session).await,
            Self::Audit(asked) => audit::run(asked, session).await,
            Self::Doctor(asked) => doctor::run(asked, session).await,
            Self::Completion(asked) => Ok(completion::script(&asked, session)),
            Self::Complete(asked) => completion::complete(asked, session).await,
            Self::Describe(asked) => describe::run(asked, session).await,
            Self::Consent(asked) => consent::run(asked, session).await,
            Self::Withdraw(asked) => consent::withdraw(asked, session).await,
            Self::Share(asked) => share::share(asked, session).await,
            Self::Unshare(asked) => share::unshare(asked, session).await,
            Self::Suspend(asked) => rest::run(asked, session, true).await,
            Self::Resume(asked) => rest::run(asked, session, false).await,
            Self::Attach(asked) => attach::attach::<Export>(asked, session).await,
            Self::Detach(asked) => attach::detach::<Export>(asked, session).await,
            Self::Activate(asked) => attach::attach::<Enrichment>(asked, session).await,
            Self::Deactivate(asked) => attach::detach::<Enrichment>(asked, session).await,
            Self::Run(asked) => run::run(asked, session).await,
            Self::Runs(asked) => runs::run(asked, session).await,
            Self::Logs(asked) => logs::run(asked, session).await,
            Self::Remove(asked) => remove::run(asked, session).await,
            Self::List(asked) => list::run(asked, session).await,
        }
    }
}

impl Command {
    /// The command that shows how that stands which this one changes, if it changes anything.
    #[must_use]
    pub fn look(&self) -> Option<String> {
        let of = |target: &Target, kind| told::look(target.known().unwrap_or(kind), &target.name);
        let said = |text: &str| Some(text.to_owned());
        match self {
            Self::Discover(_)
            | Self::Audit(_)
            | Self::Doctor(_)
            | Self::Completion(_)
            | Self::Complete(_)
            | Self::Describe(_)
            | Self::List(_)
            | Self::Runs(_)
            | Self::Logs(_)
            | Self::Vault(vault::Vault::List(_)) => None,
            Self::Add(_) => said("kubectl connections list"),
            Self::Vault(_) => said("kubectl connections vault list"),
            Self::Export(_) => said("kubectl get exports"),
            Self::Enrich(_) => said("kubectl get enrichments"),
            Self::Edit(asked) => Some(of(&asked.target, Kind::Connection)),
            Self::Consent(asked) => asked.target.as_ref().map(|target| of(target, Kind::Connection)),
            Self::Withdraw(asked) => Some(of(&asked.target, Kind::Connection)),
            Self::Share(asked) | Self::Unshare(asked) => Some(of(&asked.target, Kind::Connection)),
            Self::Suspend(asked) | Self::Resume(asked) => Some(of(&asked.target, Kind::Connection)),
            Self::Attach(asked) => Some(of(&asked.target, Kind::Export)),
            Self::Detach(asked) => Some(of(&asked.target, Kind::Export)),
            Self::Activate(asked) => Some(of(&asked.target, Kind::Enrichment)),
            Self::Deactivate(asked) => Some(of(&asked.target, Kind::Enrichment)),
            Self::Run(asked) => {
                let kind = asked.target.known().unwrap_or(Kind::Export);
                Some(format!(
                    "kubectl connections runs {}",
                    kind.called(&asked.target.name)
                ))
            }
            Self::Remove(asked) => Some(of(&asked.target, Kind::Connection)),
        }
    }
}

/// Which of two kinds of use.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Use {
    /// Only those for exports.
    #[arg(long, conflicts_with = "enrichments")]
    exports: bool,
    /// Only those for enrichments.
    #[arg(long)]
    enrichments: bool,
}

impl Use {
    /// The one that is meant, unless both are.
    #[must_use]
    pub fn chosen(self) -> Option<crate::api::connection_type::UsedFor> {
        use crate::api::connection_type::UsedFor;
        match (self.exports, self.enrichments) {
            (true, _) => Some(UsedFor::Export),
            (_, true) => Some(UsedFor::Enrichment),
            (false, false) => None,
        }
    }
}
