//! Which dataset may be used for what, and by whom it's written.

pub mod place;

use super::Standing;
use super::conditions::holds;
use super::message::sentences;
use crate::api::dataset::{Dataset, Role};
use crate::api::{ConditionType, Reason};
use place::PlaceTaken;
use std::cmp::Ordering;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// One use of a dataset by an export or enrichment.
#[derive(Clone, Debug)]
pub struct Use {
    /// The field that names it, such as `spec.payload`.
    pub field: &'static str,
    /// The namespace of both.
    pub namespace: String,
    /// The dataset's name.
    pub name: String,
    /// Whether it is read, or written in which role.
    pub purpose: Purpose,
    /// The dataset, if it exists.
    pub dataset: Option<Arc<Dataset>>,
    /// Who wrote to it first, if that is another one: its kind and name.
    pub taken_by: Option<String>,
    /// Who has its place, if it's written and somebody has.
    pub place_taken: Option<PlaceTaken>,
}

impl Use {
    /// Whether it would write what is another's, or only read.
    #[must_use]
    pub fn is_anothers(&self) -> bool {
        let role = |dataset: &Arc<Dataset>| dataset.spec.role.unwrap_or_default();
        let unfit = self
            .dataset
            .as_ref()
            .is_some_and(|dataset| !eligible(self.purpose, role(dataset)));
        unfit || self.taken_by.is_some() || self.place_taken.is_some()
    }
}

/// What a dataset is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It's read: sources, and what enrichments have written.
    Read,
    /// It's written, in this role.
    Write(Role),
}

/// One that names a dataset as its own to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// When it was created, in seconds.
    pub created: i64,
    /// Its kind and name, such as `export nightly`.
    pub who: String,
}

/// The one that a dataset belongs to: the oldest that names it, by name where two are of one second.
#[must_use]
pub fn owner(writers: &[Writer]) -> Option<&Writer> {
    writers.iter().min_by(|a, b| match a.created.cmp(&b.created) {
        Ordering::Equal => a.who.cmp(&b.who),
        order => order,
    })
}

/// What is wrong with the uses, if anything: all of it told, under the reason that a person must act on first.
#[must_use]
pub fn judge(uses: &[Use]) -> Option<Standing> {
    let problems: Vec<(Reason, String)> = uses.iter().filter_map(problem).chain(doubled(uses)).collect();
    let worst = problems
        .iter()
        .map(|(reason, _)| *reason)
        .min_by_key(|reason| super::readiness::situation(*reason))?;
    let texts: Vec<String> = problems.into_iter().map(|(_, text)| text).collect();
    Some(Standing::unmet(worst, sentences(&texts)))
}

/// One that is read and written at once: the schema refuses this, but not in an object that was written before it did.
fn doubled(uses: &[Use]) -> Option<(Reason, String)> {
    let written = uses.iter().filter(|use_| use_.purpose != Purpose::Read);
    let (read, written) = written
        .flat_map(|written| uses.iter().map(move |read| (read, written)))
        .find(|(read, written)| read.purpose == Purpose::Read && read.name == written.name)?;
    let text = format!(
        "{} and {} name the same dataset {}: what is read is never changed, so name another in {}.",
        read.field, written.field, read.name, written.field
    );
    Some((Reason::DatasetIneligible, text))
}

fn problem(use_: &Use) -> Option<(Reason, String)> {
    let Use {
        field,
        name,
        namespace,
        ..
    } = use_;
    let Some(dataset) = &use_.dataset else {
        return Some((
            Reason::DatasetNotFound,
            format!(
                "{field} names the dataset {name}, which doesn't exist: correct the name, or ask an administrator to \
                 create it. To see those there are: kubectl get datasets -n {namespace}"
            ),
        ));
    };
    let role = dataset.spec.role.unwrap_or_default();
    if !eligible(use_.purpose, role) {
        let text = format!(
            "{field} names the dataset {name} of role {role:?}, expected {}: name another.",
            expected(use_.purpose)
        );
        return Some((Reason::DatasetIneligible, text));
    }
    if let Some(owner) = &use_.taken_by {
        return Some((
            Reason::OutputTaken,
            format!(
                "{field} names the dataset {name}, which belongs to {owner}, the older of the two: name another."
            ),
        ));
    }
    if let Some(taken) = &use_.place_taken {
        return Some(misplaced(field, name, taken));
    }
    if dataset.metadata.deletion_timestamp.is_some() {
        return Some((
            Reason::DatasetBeingRemoved,
            format!("{field} names the dataset {name}, which is being removed: name another."),
        ));
    }
    let ready = dataset
        .status
        .as_ref()
        .is_some_and(|status| holds(&status.conditions, ConditionType::Ready));
    (!ready).then(|| {
        let text = format!(
            "{field} names the dataset {name}, which isn't ready. To see why: kubectl describe dataset {name} -n {namespace}"
        );
        (Reason::DatasetNotReady, text)
    })
}

fn misplaced(field: &str, name: &str, taken: &PlaceTaken) -> (Reason, String) {
    match taken {
        PlaceTaken::Read(other) => (
            Reason::DatasetIneligible,
            format!(
                "{field} names the dataset {name}, which lies among the files of the dataset {other}, and what is read is never \
                 changed: name another, or ask an administrator to give it another place."
            ),
        ),
        PlaceTaken::Written(other) => (
            Reason::OutputTaken,
            format!(
                "{field} names the dataset {name}, which lies at the place of the dataset {other}, the older of the two: name another, or \
                 ask an administrator to give it another place."
            ),
        ),
    }
}

fn eligible(purpose: Purpose, role: Role) -> bool {
    match purpose {
        Purpose::Read => matches!(role, Role::Source | Role::Output),
        Purpose::Write(wanted) => role == wanted,
    }
}

fn expected(purpose: Purpose) -> String {
    match purpose {
        Purpose::Read => "Source or Output".to_owned(),
        Purpose::Write(role) => format!("{role:?}"),
    }
}
