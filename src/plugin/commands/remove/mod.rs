//! `remove`: a connection goes once nothing uses it any more, and whoever removes it decides what becomes of each user.
//!
//! All is decided, and the name typed, before the first step. Each step is a change of its own in the cluster, to the very
//! object that was seen: after an interruption at any point `remove` picks up from there, and what has moved meanwhile
//! stays as it is.

mod choices;
mod steps;
#[cfg(test)]
mod tests;

use crate::api::Connection;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::find;
use crate::plugin::prompt::{PromptError, types_name};
use crate::plugin::target::{Kind, Target};
use crate::plugin::users::{User, counted, of_connection, tree};
use choices::{Fate, Fates, decided};
use std::time::Duration;
use thiserror::Error;

/// How long the operator may take to count again.
const COUNTED: Duration = Duration::from_secs(20);
/// How often others may be faster before that is told.
const CONFLICTS: usize = 20;
/// How often something may be put on it meanwhile before that is told.
const ROUNDS: usize = 10;
/// Between two attempts.
const BREATH: Duration = Duration::from_millis(100);

/// Which connection, and what becomes of its users.
#[derive(Clone, Debug, clap::Args)]
pub struct Remove {
    /// The connection.
    #[arg(value_name = "NAME")]
    pub(in crate::plugin::commands) target: Target,
    /// Detach all exports and deactivate all enrichments on it: they keep their configuration.
    #[arg(long, conflicts_with = "too")]
    detach_all: bool,
    /// Remove all exports and enrichments on it.
    #[arg(long = "remove-all")]
    too: bool,
    /// Don't ask for confirmation.
    #[arg(short, long)]
    yes: bool,
}

/// Why it stays.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RemoveError {
    /// It is in use.
    #[error(
        "{name} is in use by {users}, so it stays, and nothing has changed. To let all of them go and keep their configuration: \
         kubectl connections remove {name} --detach-all; to remove them too: --remove-all."
    )]
    InUse {
        /// The connection.
        name: String,
        /// Its users.
        users: String,
    },
    /// Somebody decided so.
    #[error("{name} stays.")]
    Kept {
        /// The connection.
        name: String,
    },
    /// Something holds a user of it.
    #[error(
        "{user} is being removed, and something still holds it, so {name} stays for now. To see what: kubectl get {user} -o \
         yaml; then try again."
    )]
    Held {
        /// The connection.
        name: String,
        /// Such as `export/nightly`.
        user: String,
    },
    /// Something puts users on it as fast as they go.
    #[error(
        "Something goes on putting {user} on {name}, so it stays for now: maybe a pipeline that has it in its repository. To \
         see who: kubectl get {user} -n {namespace} -o yaml --show-managed-fields; then try again."
    )]
    PutBack {
        /// Its namespace.
        namespace: String,
        /// The connection.
        name: String,
        /// Such as `export/nightly`.
        user: String,
    },
    /// The operator doesn't count.
    #[error(
        "Nothing uses {name} any more, but the operator still counts {summary}: see whether it runs, by kubectl connections \
         doctor, then try again."
    )]
    NotCounted {
        /// The connection.
        name: String,
        /// As the status has it.
        summary: String,
    },
    /// The API server refuses.
    #[error("{told}.")]
    Refused {
        /// What it says.
        told: String,
    },
}

impl Fault for RemoveError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotCounted { .. } | Self::Held { .. } | Self::PutBack { .. } => Exit::Unclear,
            Self::InUse { .. } | Self::Kept { .. } | Self::Refused { .. } => Exit::Not,
        }
    }
}

/// Removes it.
///
/// # Errors
/// See [`RemoveError`]. Each ends in what was done before.
pub async fn run(asked: Remove, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[Kind::Connection])?;
    let cluster = session.cluster().await?;
    let mut removal = Removal {
        session,
        cluster: &cluster,
        confirmed: asked.yes,
        asked: &asked,
        fates: Fates::new(),
        done: Vec::new(),
    };
    let ended = removal.goes().await;
    ended.map_err(|failure| with_steps(failure, &removal.done))
}

/// A removal that is going on.
struct Removal<'a> {
    asked: &'a Remove,
    session: &'a Session,
    cluster: &'a Cluster,
    /// What becomes of whom, as far as that is decided.
    fates: Fates,
    /// Whether somebody has typed the name, knowing all of that.
    confirmed: bool,
    /// The steps that are done.
    done: Vec<String>,
}

impl Remove {
    /// What becomes of all users, if that is said.
    fn all(&self) -> Option<Fate> {
        match (self.detach_all, self.too) {
            (true, _) => Some(Fate::LetGo),
            (_, true) => Some(Fate::Removed),
            (false, false) => None,
        }
    }
}

impl Removal<'_> {
    fn name(&self) -> &str {
        &self.asked.target.name
    }

    async fn goes(&mut self) -> Result<Exit, Failure> {
        let name = self.asked.target.name.as_str();
        let mut connection: Connection = find(self.cluster, name).await?;
        let secrets = steps::going_with(self.cluster, &connection).await?;
        if self.asked.yes && !secrets.is_empty() {
            self.session.note(&secrets);
        }
        let (mut conflicts, mut rounds) = (0, 0);
        loop {
            let users = of_connection(self.cluster, name).await?;
            if let Some(user) = users.first() {
                if rounds == ROUNDS {
                    return Err(self.put_back(user).into());
                }
                self.decide(&users, &secrets)?;
                match self.carry_out(&users).await {
                    Err(Step::Overtaken(_)) if conflicts < CONFLICTS => {
                        conflicts += 1;
                        tokio::time::sleep(BREATH).await;
                    }
                    Err(Step::Overtaken(error)) => return Err(error.into()),
                    Err(Step::Failed(failure)) => return Err(failure),
                    Ok(()) => {
                        rounds += 1;
                        tokio::time::sleep(BREATH).await;
                    }
                }
                continue; // somebody may have put another one on it meanwhile
            }
            connection = steps::counted_out(self.cluster, name, connection).await?;
            if connection.metadata.deletion_timestamp.is_none() {
                self.confirm(&format!("Nothing uses {name}. {secrets}"))?;
                match self.cluster.delete(&connection).await {
                    Ok(()) => {}
                    Err(ClusterError::Forbidden { .. })
                        if !of_connection(self.cluster, name).await?.is_empty() =>
                    {
                        continue;
                    }
                    Err(ClusterError::Forbidden { told }) => return Err(RemoveError::Refused { told }.into()),
                    Err(error) => return Err(error.into()),
                }
            }
            return Ok(steps::gone(self.cluster, self.session, &connection).await);
        }
    }

    /// Decides about those that nothing is decided about yet, and asks for the name once all is.
    fn decide(&mut self, users: &[User], secrets: &str) -> Result<(), Failure> {
        let new: Vec<User> = users
            .iter()
            .filter(|user| !self.fates.contains_key(&user.uid))
            .cloned()
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let fates = self.fates_of(&new)?;
        self.fates
            .extend(new.iter().map(|user| user.uid.clone()).zip(fates));
        // Whoever has typed the name has done so without knowing of these.
        self.confirmed = self.asked.yes;
        self.confirm(&choices::told(users, &self.fates, secrets))
    }

    fn fates_of(&self, users: &[User]) -> Result<Vec<Fate>, Failure> {
        if let Some(fate) = self.asked.all() {
            return Ok(vec![fate; users.len()]);
        }
        let (name, counted) = (self.name(), counted(users));
        let tree = tree(users, self.session.screen.colour);
        let met = if self.fates.is_empty() {
            format!("{name} is in use by {counted}, so it can't be removed yet:")
        } else {
            format!("Meanwhile {name} is in use by {counted} more:")
        };
        self.session.note(&format!("{met}\n{}", tree.trim_end()));
        let decided = decided(self.session.prompt.as_ref(), users).map_err(|error| match error {
            PromptError::Nobody { .. } => RemoveError::InUse {
                name: name.to_owned(),
                users: counted,
            }
            .into(),
            error => Failure::from(error),
        })?;
        decided.ok_or_else(|| self.kept())
    }

    fn put_back(&self, user: &User) -> RemoveError {
        RemoveError::PutBack {
            namespace: self.cluster.namespace.clone(),
            name: self.name().to_owned(),
            user: user.called(),
        }
    }

    fn kept(&self) -> Failure {
        unchanged(RemoveError::Kept {
            name: self.name().to_owned(),
        })
    }

    /// By its name, as nothing brings it back. Whoever can't be asked has changed nothing by finding that out.
    fn confirm(&mut self, before: &str) -> Result<(), Failure> {
        if self.confirmed {
            return Ok(());
        }
        let name = self.name();
        self.session.note(before.trim_end());
        let place = self.cluster.place();
        let text = format!("To remove {name} {place} for good, type its name:");
        if !types_name(self.session.prompt.as_ref(), &text, name, "remove it")? {
            return Err(self.kept());
        }
        self.confirmed = true;
        Ok(())
    }

    async fn carry_out(&mut self, users: &[User]) -> Result<(), Step> {
        for user in users {
            let Some(fate) = self.fates.get(&user.uid).copied() else {
                continue;
            };
            match steps::carried(self.cluster, user, fate).await {
                Ok(true) => {}
                Ok(false) => {
                    return Err(Step::failed(RemoveError::Held {
                        name: self.name().to_owned(),
                        user: user.called(),
                    }));
                }
                Err(error) if error.is_conflict() => return Err(Step::Overtaken(error)),
                Err(ClusterError::Forbidden { told }) => {
                    return Err(Step::Failed(unchanged(RemoveError::Refused { told })));
                }
                Err(error) => return Err(Step::failed(error)),
            }
            let told = format!("{} {}", user.called(), fate.told(user));
            if !self.done.contains(&told) {
                self.session.note(&told);
                self.done.push(told);
            }
        }
        Ok(())
    }
}

/// Why a step wasn't done.
enum Step {
    /// Somebody else has changed the object: it's looked at again.
    Overtaken(ClusterError),
    /// Any other reason.
    Failed(Failure),
}

impl Step {
    fn failed(fault: impl Fault) -> Self {
        Self::Failed(fault.into())
    }
}

/// That it stays, where no step was done.
fn unchanged(fault: RemoveError) -> Failure {
    let mut failure = Failure::from(fault);
    failure.told.push_str(UNCHANGED);
    failure
}

const UNCHANGED: &str = " Nothing has changed.";

/// A failure that tells what was done before it.
fn with_steps(failure: Failure, done: &[String]) -> Failure {
    if done.is_empty() {
        return failure;
    }
    let told = match failure.exit {
        Exit::Interrupted => "Interrupted.",
        _ => failure.told.strip_suffix(UNCHANGED).unwrap_or(&failure.told),
    };
    Failure {
        told: format!("{told} Done so far: {}.", done.join(", ")),
        exit: failure.exit,
    }
}
