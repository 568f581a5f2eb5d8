//! The commands, one file or folder each.

pub mod discover;
pub mod list;

use super::{Exit, Failure, Session};

/// What can be done.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Show the services that data can go to or be enriched by, and what a connection to each needs.
    Discover(discover::Discover),
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
            Self::List(asked) => list::run(asked, session).await,
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
