//! `share` and `unshare`: who may make exports on a connection, beside administrators.

mod one;

use crate::api::Connection;
use crate::api::connection::Audience;
use crate::api::connection_type::UsedFor;
use crate::api::names::CONTRIBUTOR_ROLE;
use crate::governance::message::{bounded, listed};
use crate::governance::sharing::refused;
use crate::plugin::Session;
use crate::plugin::cluster::Cluster;
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::find;
use crate::plugin::target::{Kind, Target};
use crate::plugin::users::{counted, of_connection};
use k8s_openapi::api::rbac::v1::{RoleBinding, Subject};
use serde_json::json;
use thiserror::Error;

/// Which connection, and with whom.
#[derive(Clone, Debug, clap::Args)]
pub struct Share {
    /// The connection.
    #[arg(value_name = "NAME")]
    pub(in crate::plugin::commands) target: Target,
    /// With this user alone, by a Role that lets use it; all contributors of the namespace if nobody is named.
    #[arg(long, value_name = "USER")]
    with: Option<String>,
    /// With this group alone.
    #[arg(long, value_name = "GROUP", conflicts_with = "with")]
    with_group: Option<String>,
}

/// Why nothing is shared.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ShareError {
    /// They are open to all.
    #[error(
        "The connection {name} is for enrichments, and those are open to all contributors of the namespace: there is nothing to \
         share, nor to take back."
    )]
    OpenAnyway {
        /// The connection.
        name: String,
    },
    /// Kubernetes itself decides who that is.
    #[error(
        "{who:?} would be everyone, as Kubernetes itself decides who that is: name a group of people, or a user."
    )]
    Everyone {
        /// The group.
        who: String,
    },
    /// Something else is called so.
    #[error(
        "The {kind} {name} is there already, and is for something else: {found}. Rename or remove it, or grant the verb use on \
         connections/{connection} by hand."
    )]
    Taken {
        /// Role or RoleBinding.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What it is for.
        found: &'static str,
        /// The connection.
        connection: String,
    },
    /// Rights on rights are somebody else's.
    #[error(
        "You may not grant rights in the namespace {namespace}: {told}. Ask whoever may, to grant the verb use on \
         connections/{connection} there; or share it with all contributors, by leaving --with out."
    )]
    MayNotGrant {
        /// Where.
        namespace: String,
        /// What the API server says.
        told: String,
        /// The connection.
        connection: String,
    },
}

impl Fault for ShareError {
    fn exit(&self) -> Exit {
        Exit::Not
    }
}

impl Share {
    fn alone(&self) -> Option<Subject> {
        let of = |kind: &str, name: &String| Subject {
            api_group: Some("rbac.authorization.k8s.io".to_owned()),
            kind: kind.to_owned(),
            name: name.clone(),
            namespace: None,
        };
        let user = self.with.as_ref().map(|name| of("User", name));
        user.or_else(|| self.with_group.as_ref().map(|name| of("Group", name)))
    }
}

/// Shares it, and tells who gains.
///
/// # Errors
/// See [`ShareError`].
pub async fn share(asked: Share, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[Kind::Connection])?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let connection = shareable(&cluster, name).await?;
    if let Some(subject) = asked.alone() {
        if refused(&subject) {
            return Err(ShareError::Everyone { who: subject.name }.into());
        }
        let gained = one::grant(&cluster, &connection, &subject).await?;
        session.note(&one::granted(name, &subject, gained));
        return Ok(Exit::Done);
    }
    if audience(&connection) == Audience::Contributors {
        session.note(&format!(
            "{name} is shared with all contributors already. Nothing is to do."
        ));
        return Ok(Exit::Done);
    }
    let change = json!({"spec": {"access": {"exports": Audience::Contributors}}});
    cluster.merge::<Connection>(name, &change).await?;
    let who = contributors(&cluster).await.unwrap_or_default();
    session.note(&format!(
        "{name} is shared with all contributors of the namespace {}{who}. They see its name, its type and whether it's ready, and \
         may make, change and remove every export on it.",
        cluster.namespace
    ));
    Ok(Exit::Done)
}

/// Takes it back, and tells who keeps what.
///
/// # Errors
/// See [`ShareError`].
pub async fn unshare(asked: Share, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[Kind::Connection])?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let connection = shareable(&cluster, name).await?;
    if let Some(subject) = asked.alone() {
        let lost = one::take_back(&cluster, name, &subject).await?;
        session.note(&one::taken_back(name, &subject, lost, audience(&connection)));
        return Ok(Exit::Done);
    }
    if audience(&connection) == Audience::Administrators {
        session.note(&format!(
            "{name} is the administrators' alone already. Nothing is to do."
        ));
        return Ok(Exit::Done);
    }
    let change = json!({"spec": {"access": {"exports": Audience::Administrators}}});
    cluster.merge::<Connection>(name, &change).await?;
    let users = of_connection(&cluster, name).await?;
    let rest = if users.is_empty() {
        "Nothing is on it.".to_owned()
    } else {
        format!(
            "{} on it keep running; contributors can't change them any more. To stop them: kubectl connections suspend {name}",
            counted(&users)
        )
    };
    session.note(&format!("{name} is no longer shared with contributors. {rest}"));
    Ok(Exit::Done)
}

fn audience(connection: &Connection) -> Audience {
    let access = connection.spec.access.and_then(|access| access.exports);
    access.unwrap_or_default()
}

async fn shareable(cluster: &Cluster, name: &str) -> Result<Connection, Failure> {
    let connection: Connection = find(cluster, name).await?;
    let used_for = connection.status.as_ref().and_then(|status| status.used_for);
    if used_for == Some(UsedFor::Enrichment) {
        return Err(ShareError::OpenAnyway {
            name: name.to_owned(),
        }
        .into());
    }
    Ok(connection)
}

/// Who they are, as far as whoever shares may see that.
async fn contributors(cluster: &Cluster) -> Option<String> {
    let selection = cluster.here();
    let bindings = cluster.list::<RoleBinding, RoleBinding>(&selection).await.ok()?;
    let bindings = bindings.into_iter().filter(|binding| {
        binding.role_ref.kind == "ClusterRole" && binding.role_ref.name == CONTRIBUTOR_ROLE
    });
    let subjects = bindings.flat_map(|binding| binding.subjects.unwrap_or_default());
    let mut names: Vec<String> = subjects
        .filter(|subject| !refused(subject))
        .map(|subject| bounded(subject.name))
        .collect();
    names.sort();
    names.dedup();
    Some(if names.is_empty() {
        ", of whom there is none yet".to_owned()
    } else {
        format!(" ({})", listed(&names))
    })
}
