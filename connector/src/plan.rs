//! The plan of the run: the very one that its Job was made with, or none.

use crate::fault::Fault;
use connection_operator::api::run::{FailureClass, PLAN_KEY, PLAN_VERSION, Persistence, Plan};
use connection_operator::governance::runs::names::hash;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use thiserror::Error;

/// The largest plan, in bytes: a ConfigMap holds no more.
const PLAN_MAX: u64 = 1 << 20;

/// The plan can't be gone by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PlanFault {
    /// It isn't there.
    #[error(
        "The plan of the run can't be read. It's tried again; if that lasts, look for the ConfigMap that the Job names."
    )]
    Unreadable,
    /// It isn't the one that the Job names.
    #[error(
        "The plan of the run isn't the one that its Job names, so nothing was sent. Ask whoever runs the cluster who changed it."
    )]
    Other,
    /// It is of another form.
    #[error(
        "The plan of the run has a form that this connector doesn't read, so nothing was sent. Whoever installed the operator \
         can take both from one release."
    )]
    OfAnotherVersion,
    /// It is an enrichment's, which sends nothing that a dry run could count.
    #[error("Only exports have dry runs, so nothing was done. Ask for a run of the enrichment instead.")]
    NothingToCount,
}

impl Fault for PlanFault {
    fn class(&self) -> FailureClass {
        FailureClass::System
    }

    fn persistence(&self) -> Persistence {
        match self {
            Self::Unreadable => Persistence::Transient,
            Self::Other | Self::OfAnotherVersion | Self::NothingToCount => Persistence::Permanent,
        }
    }
}

/// Reads the plan below this folder.
///
/// # Errors
/// When it isn't there, or isn't what it should be.
pub fn read(directory: &Path, sha256: &str) -> Result<Plan, PlanFault> {
    let file = File::open(directory.join(PLAN_KEY)).map_err(|_| PlanFault::Unreadable)?;
    let mut text = Vec::new();
    let read = file.take(PLAN_MAX + 1).read_to_end(&mut text);
    read.map_err(|_| PlanFault::Unreadable)?;
    parse(&text, sha256)
}

/// The plan in this text, if it has the hash.
///
/// # Errors
/// When it has another, or isn't a plan of this version.
pub fn parse(text: &[u8], sha256: &str) -> Result<Plan, PlanFault> {
    if hash(text) != sha256 {
        return Err(PlanFault::Other);
    }
    let plan: Plan = serde_json::from_slice(text).map_err(|_| PlanFault::OfAnotherVersion)?;
    if plan.version == PLAN_VERSION {
        Ok(plan)
    } else {
        Err(PlanFault::OfAnotherVersion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::tests::is_fit;
    use crate::fixtures;

    #[test]
    fn a_plan_is_gone_by_only_if_it_is_the_one_that_the_job_names() {
        let plan = fixtures::plan();
        let text = serde_json::to_string(&plan).expect("JSON");
        let other = text.replace("nightly", "hourly");
        let newer = text.replacen("\"version\":1", "\"version\":2", 1);
        let longer = text.replacen('{', "{\"surprise\":1,", 1);
        let rows = [
            ("the very one", text.as_str(), hash(text.as_bytes()), Ok(plan)),
            (
                "another text",
                &other,
                hash(text.as_bytes()),
                Err(PlanFault::Other),
            ),
            (
                "a hash in capitals",
                &text,
                hash(text.as_bytes()).to_uppercase(),
                Err(PlanFault::Other),
            ),
            ("no hash", &text, String::new(), Err(PlanFault::Other)),
            (
                "of a later version",
                &newer,
                hash(newer.as_bytes()),
                Err(PlanFault::OfAnotherVersion),
            ),
            (
                "with what nobody knows",
                &longer,
                hash(longer.as_bytes()),
                Err(PlanFault::OfAnotherVersion),
            ),
            (
                "no plan at all",
                "[]",
                hash(b"[]"),
                Err(PlanFault::OfAnotherVersion),
            ),
        ];
        for (case, text, sha256, expected) in rows {
            assert_eq!(parse(text.as_bytes(), &sha256), expected, "{case}");
        }
    }

    #[test]
    fn a_plan_that_is_not_there_may_come() {
        let empty = tempfile::tempdir().expect("a folder");
        let fault = read(empty.path(), "").expect_err("nothing there");
        assert_eq!(
            (fault, fault.persistence()),
            (PlanFault::Unreadable, Persistence::Transient)
        );
        for fault in [
            PlanFault::Unreadable,
            PlanFault::Other,
            PlanFault::OfAnotherVersion,
        ] {
            is_fit(&fault);
        }
    }
}
