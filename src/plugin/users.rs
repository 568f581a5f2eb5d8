//! Who uses a connection: exports and enrichments, with what is true of each.

use super::cluster::{Cluster, ClusterError, Selection};
use super::screen::Tone;
use super::target::Kind;
use crate::api::export::{ExportStatus, State};
use crate::api::{ConditionType, Enrichment, Export};
use crate::governance::conditions;
use crate::governance::message::bounded;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// One export or enrichment on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Export or enrichment.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Which one of that name it is.
    pub uid: String,
    /// The version that was seen.
    pub version: Option<String>,
    /// What people call it.
    pub display_name: String,
    /// Whether it would run.
    pub active: bool,
    /// Why, in one word.
    pub reason: String,
}

impl User {
    fn of(kind: Kind, meta: &ObjectMeta, display_name: &str, status: Option<&ExportStatus>) -> Self {
        let ready = status.and_then(|status| conditions::find(&status.conditions, ConditionType::Ready));
        Self {
            kind,
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            version: meta.resource_version.clone(),
            display_name: bounded(display_name.to_owned()),
            active: status.and_then(|status| status.state) == Some(State::Active),
            reason: ready.map_or_else(String::new, |ready| ready.reason.clone()),
        }
    }

    /// Such as `export/nightly`.
    #[must_use]
    pub fn called(&self) -> String {
        format!("{}/{}", self.kind.word(), self.name)
    }

    /// What becomes of it that keeps its configuration.
    #[must_use]
    pub const fn let_go(&self) -> &'static str {
        match self.kind {
            Kind::Enrichment => "deactivate",
            _ => "detach",
        }
    }

    /// How it stands, in a word or two.
    #[must_use]
    pub fn state(&self) -> String {
        match (self.active, self.reason.as_str()) {
            (true, _) => "Active".to_owned(),
            (false, "") => "not looked at yet".to_owned(),
            (false, reason) => format!("Inactive, {reason}"),
        }
    }
}

/// All users of a connection, exports first, by name.
///
/// # Errors
/// If they can't be read.
pub async fn of_connection(cluster: &Cluster, connection: &str) -> Result<Vec<User>, ClusterError> {
    let selection = Selection {
        namespace: Some(cluster.namespace.clone()),
        fields: Some(format!("spec.connectionRef.name={connection}")),
        labels: None,
    };
    let exports = cluster.list::<Export, Export>(&selection).await?;
    let exports = exports.iter().map(|export| {
        User::of(
            Kind::Export,
            &export.metadata,
            &export.spec.display_name,
            export.status.as_ref(),
        )
    });
    let enrichments = cluster.list::<Enrichment, Enrichment>(&selection).await?;
    let enrichments = enrichments.iter().map(|one| {
        User::of(
            Kind::Enrichment,
            &one.metadata,
            &one.spec.display_name,
            one.status.as_ref(),
        )
    });
    let mut users: Vec<User> = exports.chain(enrichments).collect();
    users.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    Ok(users)
}

/// Such as `2 exports and 1 enrichment`.
#[must_use]
pub fn counted(users: &[User]) -> String {
    let count = |kind: Kind| {
        let count = users.iter().filter(|user| user.kind == kind).count();
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {}{plural}", kind.noun()))
    };
    let counted: Vec<String> = [Kind::Export, Kind::Enrichment]
        .into_iter()
        .filter_map(count)
        .collect();
    if counted.is_empty() {
        "nothing".to_owned()
    } else {
        counted.join(" and ")
    }
}

/// Each on a line of a tree.
#[must_use]
pub fn tree(users: &[User], colour: bool) -> String {
    let last = users.len().saturating_sub(1);
    let width = users
        .iter()
        .map(|user| user.called().len())
        .max()
        .unwrap_or_default();
    let lines = users.iter().enumerate().map(|(at, user)| {
        let branch = if at == last { "└─" } else { "├─" };
        let blanks = " ".repeat(width - user.called().len());
        let tone = if user.active { Tone::Good } else { Tone::Plain };
        let state = tone.paint(&user.state(), colour);
        format!(
            "  {branch} {}{blanks}  {state}  {}\n",
            user.called(),
            user.display_name
        )
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(kind: Kind, name: &str, active: bool, reason: &str) -> User {
        User {
            kind,
            name: name.to_owned(),
            uid: name.to_owned(),
            version: None,
            display_name: format!("The {name}"),
            active,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn users_are_counted_and_drawn() {
        let users = [
            user(Kind::Export, "nightly", true, "Ready"),
            user(Kind::Export, "new", false, ""),
            user(Kind::Enrichment, "companies", false, "Suspended"),
        ];
        assert_eq!(counted(&users), "2 exports and 1 enrichment");
        assert_eq!(counted(&users[..1]), "1 export");
        assert_eq!(counted(&[]), "nothing");
        let expected = "  ├─ export/nightly        Active  The nightly
  ├─ export/new            not looked at yet  The new
  └─ enrichment/companies  Inactive, Suspended  The companies
";
        assert_eq!(tree(&users, false), expected);
    }
}
