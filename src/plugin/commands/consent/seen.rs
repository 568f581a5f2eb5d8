//! What somebody sees before they agree: the notice, the destination, what changed since last time.

use super::{AgreeError, Consented};
use crate::api::connection::ConsentStatus;
use crate::api::consent_record::ConsentDecision;
use crate::api::names::CONSENT_ANNOTATION;
use crate::api::{Condition, ConditionType, Connection, ConnectionType, ConsentRecord, KeyVault};
use crate::cli::consent::{Explanation, Manifest};
use crate::governance::conditions;
use crate::governance::consent::difference;
use crate::governance::message::{bounded, capitalized};
use crate::plugin::cluster::{Cluster, ClusterError, Selection};
use crate::plugin::exit::Exit;
use crate::plugin::lookup::find;
use crate::plugin::screen::width::wrapped;
use crate::plugin::screen::{Screen, Tone};
use crate::plugin::target::Kind;
use kube::{Api, ResourceExt};
use std::fmt::Write as _;

/// What is agreed to.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The digest of what is shown.
    pub digest: String,
    /// What its annotation holds.
    pub annotation: Option<String>,
    /// What the operator says about consent.
    status: Option<ConsentStatus>,
    /// Why it doesn't stand, or how.
    told: String,
    head: String,
    /// That its type should no longer be chosen.
    deprecated: Option<String>,
    version: String,
    statements: Vec<String>,
    destination: Vec<String>,
    /// The last time, in words.
    before: Option<String>,
}

/// Reads what is agreed to.
///
/// # Errors
/// See [`AgreeError`].
pub async fn seen(cluster: &Cluster, kind: Kind, name: &str) -> Result<Seen, AgreeError> {
    if kind == Kind::KeyVault {
        let vault: KeyVault = find(cluster, name).await?;
        let records = records(cluster, "KeyVault", name).await?;
        let manifest = Manifest::KeyVault(Box::new(vault.clone()));
        return of(kind, &vault, &manifest, &[], &records);
    }
    let connection: Connection = find(cluster, name).await?;
    let type_ = type_of(cluster, &connection).await?;
    let records = records(cluster, "Connection", name).await?;
    let manifest = Manifest::Connection(Box::new(connection.clone()));
    of(kind, &connection, &manifest, &[type_], &records)
}

/// The type of a connection, which holds the notice.
///
/// # Errors
/// If it isn't there.
pub async fn type_of(cluster: &Cluster, connection: &Connection) -> Result<ConnectionType, AgreeError> {
    let types: Api<ConnectionType> = Api::all(cluster.client.clone());
    let name = connection.spec.type_.as_str();
    cluster.answer(types.get(name)).await.map_err(|error| match error {
        error if error.is_not_found() => AgreeError::InVain {
            told: format!(
                "The connection is of the type {}, which doesn't exist, so there is no notice to agree to. To see those that \
                 do: kubectl connections discover",
                bounded(name.to_owned())
            ),
            exit: Exit::Not,
        },
        error => error.into(),
    })
}

/// The decisions on record about an object, the oldest first; none where they aren't theirs to read.
async fn records(cluster: &Cluster, kind: &str, name: &str) -> Result<Vec<ConsentRecord>, ClusterError> {
    let selection = Selection {
        namespace: Some(cluster.namespace.clone()),
        fields: Some(format!("spec.subject.kind={kind},spec.subject.name={name}")),
        labels: None,
    };
    let mut records = match cluster.list::<ConsentRecord, ConsentRecord>(&selection).await {
        Err(error) if error.is_forbidden() => return Ok(Vec::new()),
        records => records?,
    };
    records.sort_by_key(|record| (record.spec.at.0, record.name_any()));
    Ok(records)
}

fn of<K: Consented>(
    kind: Kind,
    object: &K,
    manifest: &Manifest,
    types: &[ConnectionType],
    records: &[ConsentRecord],
) -> Result<Seen, AgreeError> {
    let explanation = Explanation::of(manifest, types, None)?;
    let uid = object.meta().uid.clone().unwrap_or_default();
    let given = records
        .iter()
        .rev()
        .find(|record| record.spec.decision == ConsentDecision::Given && record.spec.subject.uid == uid);
    let before = given.map(|record| {
        let (by, at) = (bounded(record.spec.by.clone()), record.spec.at.0);
        let changed = if record.spec.digest == explanation.required.current {
            "it was to the same.".to_owned()
        } else {
            difference(&record.spec, &explanation.required)
        };
        format!("The last consent to it was by {by} at {at}: {changed}")
    });
    let judged: Option<&Condition> = conditions::find(object.judged(), ConditionType::ConsentGiven);
    Ok(Seen {
        kind,
        name: object.name_any(),
        digest: explanation.required.current.clone(),
        annotation: object
            .annotations()
            .get(CONSENT_ANNOTATION)
            .filter(|it| !it.is_empty())
            .cloned(),
        status: object.consent().cloned(),
        told: judged.map_or_else(String::new, |judged| judged.reason.clone()),
        head: explanation.head,
        deprecated: explanation.deprecated,
        version: explanation.version,
        statements: explanation.statements,
        destination: explanation.destination,
        before,
    })
}

impl Seen {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.annotation.as_ref() == Some(&self.digest)
            && self.status.as_ref().is_some_and(|status| status.given)
    }

    /// Whether the very digest stands there, and the operator says that it is no consent. Where it says nothing yet it may
    /// come to be one.
    #[must_use]
    pub fn counts_for_nothing(&self) -> bool {
        self.annotation.as_ref() == Some(&self.digest)
            && self.status.as_ref().is_some_and(|status| !status.given)
    }

    pub(super) fn stands_already(&self) -> String {
        let status = self.status.clone().unwrap_or_default();
        let by = status
            .by
            .map_or_else(String::new, |by| format!(" by {}", bounded(by)));
        let since = status
            .since
            .map_or_else(String::new, |since| format!(" since {}", since.0));
        format!(
            "Consent stands{since}, given{by}, for what the {} {} is now. Nothing is to do.",
            self.kind.noun(),
            self.name
        )
    }

    /// Whether the operator asks for what is shown, as far as it says.
    pub(super) fn asked_for(&self) -> Result<(), AgreeError> {
        match self.status.as_ref().and_then(|status| status.required.as_ref()) {
            Some(asked) if *asked != self.digest => Err(AgreeError::Apart {
                shown: self.digest.clone(),
                asked: asked.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// All that is agreed to.
    #[must_use]
    pub fn page(&self, screen: Screen) -> String {
        let mut page = String::new();
        let room = screen.width.map(|width| width.saturating_sub(4).max(20));
        let heading = |text: &str| Tone::Heading.paint(text, screen.colour);
        let _ = writeln!(page, "{}", heading(&self.head)); // writing to a String can't fail
        for line in self
            .deprecated
            .iter()
            .flat_map(|line| wrapped(line, screen.width))
        {
            let _ = writeln!(page, "{line}");
        }
        page.push('\n');
        let mut list = |title: &str, lines: &[String]| {
            let _ = writeln!(page, "{}", heading(title));
            for line in lines {
                for (at, part) in wrapped(line, room).iter().enumerate() {
                    let mark = if at == 0 { "-" } else { " " };
                    let _ = writeln!(page, "  {mark} {part}");
                }
            }
            page.push('\n');
        };
        list(
            &format!("The notice, version {}:", self.version),
            &self.statements,
        );
        list("The destination:", &self.destination);
        let before = self.before.iter().map(|before| capitalized(before));
        for line in before.flat_map(|before| wrapped(&before, screen.width)) {
            let _ = writeln!(page, "{line}");
        }
        if !self.told.is_empty() {
            let _ = writeln!(page, "As the operator sees it: {}", self.told);
        }
        let _ = writeln!(page, "Digest: {}", self.digest);
        page
    }
}
